"""Broker tokens: kept with their history, made by runs, handed to people, lent to streams."""
