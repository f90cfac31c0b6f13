"""What can be done with prices: ask for them, follow them, keep them, bring them in."""
