"""The only SQL of orders."""
