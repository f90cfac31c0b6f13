"""How the parts of the house are."""
