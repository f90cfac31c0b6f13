"""What decides to trade, and where it runs."""
