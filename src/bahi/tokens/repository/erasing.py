"""The SQL of what leaves when an account is erased."""

from __future__ import annotations

from bahi.db.leaving import remove_some
from bahi.db.tx import Tx
from bahi.tokens.tables import (
    broker_tokens,
    login_handovers,
    login_turns,
    token_attempts,
    token_runs,
)


def erase_registrations(tx: Tx, store: str, api_ids: list[int], most: int) -> dict[str, int]:
    """Remove some tokens, attempts and handovers of applications."""
    leaving = tuple(
        (table, table.c.broker_api_id.in_(api_ids))
        for table in (broker_tokens, token_attempts, login_handovers)
    )
    return remove_some(tx, store, leaving, most, "erase tokens")


def erase_runs(tx: Tx, store: str, account_id: int, most: int) -> dict[str, int]:
    """Remove some runs of an account, and its turn where no person is known."""
    leaving = (
        (token_runs, token_runs.c.account_id == account_id),
        (login_turns, login_turns.c.login == f"account:{account_id}"),
    )
    return remove_some(tx, store, leaving, most, f"erase account {account_id}")


def erase_turns(tx: Tx, store: str, person_ids: list[int], most: int) -> dict[str, int]:
    """Remove the turns of persons."""
    named = [f"person:{person_id}" for person_id in person_ids]
    leaving = ((login_turns, login_turns.c.login.in_(named)),)
    return remove_some(tx, store, leaving, most, "erase turns")
