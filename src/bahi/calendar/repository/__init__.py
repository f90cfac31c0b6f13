"""The only SQL of market days."""
