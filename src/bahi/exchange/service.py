"""The paper exchange; orders and matching come later."""

from __future__ import annotations

from typing import Final

from bahi.exchange import repository

erase_client: Final = repository.erase_client
"""Remove some of a client's orders with their fills; return how many of each."""
