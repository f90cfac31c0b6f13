"""One order, many accounts."""
