"""Prices: what an instrument last traded at, who says so, and how old that is."""
