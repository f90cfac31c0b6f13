"""Orders; their life comes later."""

from __future__ import annotations

from typing import Final

from bahi.orders import repository

erase_account: Final = repository.erase_account
"""Remove some of an account's orders with all that hangs on them; return how many of each."""
