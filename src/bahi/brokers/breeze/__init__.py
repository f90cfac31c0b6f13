"""ICICI Direct Breeze."""
