"""Zerodha Kite Connect, version 3."""
