"""What strategies know and decide."""
