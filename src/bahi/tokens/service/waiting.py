"""Who a run is for and whom it waits for: accounts in use, and persons whose turn is given back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from bahi.accounts.model import Account
from bahi.accounts.service.accounts import get_account
from bahi.db.tx import Tx
from bahi.identity.service.users import find_user
from bahi.kernel.actor import the_house
from bahi.kernel.errors import NotFound
from bahi.tokens.model import PERSON, Attempt, Run, Turn
from bahi.tokens.repository import runs as run_rows
from bahi.tokens.repository import turns as turn_rows

HOUSE: Final = the_house("tokens")


def is_in_use(tx: Tx, account: Account) -> bool:
    """Say whether an account is logged in at all: it and its user are there and active."""
    if not account.is_active or account.deleted_at is not None:
        return False
    user = find_user(tx, account.user_id)
    return user is not None and user.is_active and user.deleted_at is None


def account_in_use(tx: Tx, account_id: int) -> Account:
    """Return an account that may be logged in; of one that is out of use, there is none."""
    account = get_account(tx, HOUSE, account_id)
    if not is_in_use(tx, account):
        raise NotFound(f"The account {account.name!r} is out of use; nothing is logged in for it.")
    return account


def leave_person(tx: Tx, run: Run, message: str, now: datetime) -> None:
    """Wait no longer for a run's person: the link ends, and the turn is given back."""
    turn_rows.close_handovers(tx, run.execution_id, now)
    waiting = [it for it in run_rows.attempts_of(tx, run.execution_id) if it.outcome == "WAITING"]
    give_back(tx, waiting, message, now)


def give_back(tx: Tx, waiting: Iterable[Attempt], message: str, now: datetime) -> None:
    """End tries that wait for a person, and give back the turn that was kept for each."""
    for attempt in waiting:
        run_rows.end_attempt(tx, attempt.id, "STOPPED", now, message=message)
        turn_rows.give_back(tx, f"{PERSON}{attempt.id}", now)


def without_orphan(tx: Tx, turn: Turn, now: datetime) -> Turn:
    """Return a turn that is kept for nobody whose application was removed, and its try with it."""
    owner = turn.lease_owner or ""
    if not owner.startswith(PERSON) or run_rows.has_attempt(tx, int(owner[len(PERSON) :])):
        return turn
    turn = replace(turn, lease_owner=None, leased_until=None)
    turn_rows.save_turn(tx, turn, now)
    return turn


def is_under_way(tx: Tx, run: Run, login: str, now: datetime) -> bool:
    """Say whether a login of a run is being made now: begun, and its turn still held."""
    if not turn_rows.lock_turn(tx, login, now).is_held(now):
        return False
    return any(it.outcome == "TRYING" for it in run_rows.attempts_of(tx, run.execution_id))
