"""The only SQL of limits, switches and violations."""
