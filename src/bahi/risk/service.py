"""Limits and switches; the verdict comes later."""

from __future__ import annotations

from typing import Final

from bahi.risk import repository

deny: Final = repository.add_violation
"""Write down that an order was denied; `deny(tx, (account, order), denial, now)`."""

erase_account: Final = repository.erase_account
"""Remove some of an account's limits and switches; return how many."""

erase_user: Final = repository.erase_user
"""Remove some of a user's limits and switches; return how many."""
