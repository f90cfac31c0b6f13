"""What may not be done: limits, kill switches, and who ran into them."""
