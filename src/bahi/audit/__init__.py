"""Who did what, provable."""
