"""Whose money, at which broker: persons, accounts, API registrations, egress addresses."""
