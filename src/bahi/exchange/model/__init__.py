"""The paper exchange: an order book that fills from quoted depth and from nothing else."""
