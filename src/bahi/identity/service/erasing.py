"""What leaves of a user who is erased."""

from __future__ import annotations

from typing import Final

from bahi.db.revisions import bump
from bahi.db.tx import Tx
from bahi.identity.repository import sessions as session_rows
from bahi.identity.repository import users as user_rows
from bahi.identity.service.users import TOPIC

erase_user: Final = user_rows.erase_user
"""Remove some of a user's sessions, keys and links; return how many of each."""


def remove_user(tx: Tx, user_id: int, subject: str) -> dict[str, int]:
    """Remove a user's own row, and how often somebody failed to sign in by their name."""
    bump(tx, TOPIC)
    session_rows.forget_failures(tx, subject=subject)
    return user_rows.remove_user(tx, user_id)
