"""The only SQL of the books."""
