"""The only SQL of copies."""

from __future__ import annotations

from bahi.copying.tables import copy_mappings
from bahi.db.leaving import remove_some
from bahi.db.tx import Tx


def erase_account(tx: Tx, store: str, account_id: int, most: int) -> dict[str, int]:
    """Remove some copies that an account made as a follower; a leader's go with its orders."""
    leaving = ((copy_mappings, copy_mappings.c.follower_account_id == account_id),)
    return remove_some(tx, store, leaving, most, f"erase account {account_id}")
