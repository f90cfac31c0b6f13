"""Upstox, version 2, and its version 3 where that replaces it."""
