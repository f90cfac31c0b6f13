"""Bahi: the book-keeper, gatekeeper and switchboard of an algorithmic trading desk."""
