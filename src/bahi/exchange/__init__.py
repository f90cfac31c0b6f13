"""The paper exchange: the other side of a paper order."""
