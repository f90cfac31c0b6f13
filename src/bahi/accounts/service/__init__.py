"""Persons, their broker accounts, what is registered for these, and where their calls leave."""
