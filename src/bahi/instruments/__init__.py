"""What can be traded, and what each broker calls it."""
