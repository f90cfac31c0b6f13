"""What leaves of tokens and runs when an account or a user is erased."""

from __future__ import annotations

from bahi.accounts.service.applications import list_registrations
from bahi.accounts.service.erasing import persons_of
from bahi.db.tx import Tx
from bahi.tokens.repository import erasing as rows


def erase_account(tx: Tx, store: str, account_id: int, most: int) -> dict[str, int]:
    """Remove some of an account's tokens, attempts, handovers and runs; return how many."""
    own = [registration.id for registration in list_registrations(tx, account_id)]
    gone = rows.erase_registrations(tx, store, own, most)
    return gone or rows.erase_runs(tx, store, account_id, most)


def erase_user(tx: Tx, store: str, user_id: int, most: int) -> dict[str, int]:
    """Remove the turns at which a user's persons logged in; return how many."""
    return rows.erase_turns(tx, store, persons_of(tx, user_id), most)
