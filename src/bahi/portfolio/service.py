"""The books; keeping them comes later."""

from __future__ import annotations

from typing import Final

from bahi.portfolio import repository

erase_account: Final = repository.erase_account
"""Remove some of an account's books; return how many rows of each table."""
