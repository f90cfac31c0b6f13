"""Copies of one order to many accounts; copying itself comes later."""

from __future__ import annotations

from typing import Final

from bahi.copying import repository

erase_account: Final = repository.erase_account
"""Remove some of an account's copies; return how many."""
