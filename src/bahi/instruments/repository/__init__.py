"""The SQL of the symbol master."""
