"""The only SQL of limits, switches and violations."""

from __future__ import annotations

from bahi.db.leaving import remove_some
from bahi.db.tx import Tx
from bahi.risk.tables import traders_control


def erase_account(tx: Tx, store: str, account_id: int, most: int) -> dict[str, int]:
    """Remove some limits and switches of an account; its violations stay."""
    leaving = ((traders_control, traders_control.c.account_id == account_id),)
    return remove_some(tx, store, leaving, most, f"erase account {account_id}")


def erase_user(tx: Tx, store: str, user_id: int, most: int) -> dict[str, int]:
    """Remove some limits and switches of a user; violations stay."""
    leaving = ((traders_control, traders_control.c.user_id == user_id),)
    return remove_some(tx, store, leaving, most, f"erase user {user_id}")
