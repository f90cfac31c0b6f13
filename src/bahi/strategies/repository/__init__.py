"""The only SQL of strategies."""
