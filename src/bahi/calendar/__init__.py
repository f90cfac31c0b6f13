"""When a market is open."""
