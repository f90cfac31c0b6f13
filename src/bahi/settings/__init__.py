"""What an operator may change while the house runs."""
