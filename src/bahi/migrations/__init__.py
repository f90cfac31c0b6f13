"""The steps that bring each store to the present, and the list of every context's tables."""
