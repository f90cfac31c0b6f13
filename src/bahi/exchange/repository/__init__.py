"""The only SQL of the paper exchange."""
