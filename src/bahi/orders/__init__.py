"""What was asked, what was sent, what became of it."""
