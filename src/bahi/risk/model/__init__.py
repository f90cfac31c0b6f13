"""Whether an order may go out."""
