"""Connections to brokers; they come later."""

from __future__ import annotations

from typing import Final

from bahi.streams import repository

erase_account: Final = repository.erase_account
"""Remove some of an account's messages and connections; return how many of each."""
