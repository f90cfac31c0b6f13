"""Orders: written before they are sent, and believed as the broker tells of them."""

from bahi.orders.repository.leaving import erase_account

__all__ = ["erase_account"]
