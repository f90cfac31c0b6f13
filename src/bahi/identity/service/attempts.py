"""How often somebody may try to sign in.

An attempt is counted before it is looked at and forgiven when it was right, in one transaction
each: however many come at once, each of them waits as long as those before it earned.
"""

from __future__ import annotations

from datetime import datetime
from math import ceil

from bahi.db.tx import Tx
from bahi.identity.model import WITH_A_USER, WITH_AN_ADDRESS, Patience
from bahi.identity.repository import sessions as session_rows
from bahi.kernel.errors import TooSoon


def admit(tx: Tx, subject: str | None, address: str | None, now: datetime) -> None:
    """Count an attempt before it is looked at; refuse it while the ones before make it wait."""
    subjects = [(f"address:{address}", WITH_AN_ADDRESS)] if address else []
    if subject is not None:
        subjects.insert(0, (subject, WITH_A_USER))
    counts = [(name, patience, _failures(tx, name, patience, now)) for name, patience in subjects]
    for name, patience, failures in counts:
        wait = patience.wait_after(failures + 1)
        session_rows.keep_failures(tx, name, failures + 1, now, now + wait if wait else None)


def forgive(tx: Tx, subject: str | None, address: str | None, now: datetime) -> None:
    """Take back what `admit` counted of an attempt that was right.

    The user begins anew; the address had this one attempt forgiven and no other's, or whoever
    knows one password could guess at all the rest.
    """
    if subject is not None:
        session_rows.forget_failures(tx, subject=subject)
    if address:
        name = f"address:{address}"
        failures, last_at, _ = session_rows.failures_of(tx, name, now)
        left = max(0, failures - 1)
        wait = WITH_AN_ADDRESS.wait_after(left)
        session_rows.keep_failures(tx, name, left, last_at, last_at + wait if wait else None)


def _failures(tx: Tx, subject: str, patience: Patience, now: datetime) -> int:
    failures, last_failed_at, blocked_until = session_rows.failures_of(tx, subject, now)
    if blocked_until is not None and blocked_until > now:
        wait_s = ceil((blocked_until - now).total_seconds())
        raise TooSoon(f"Too many failed attempts; try again in {wait_s} s.", retry_after_s=wait_s)
    return 0 if now - last_failed_at > patience.forgotten_after else failures


def forget_old_failures(tx: Tx, now: datetime, *, dry_run: bool = False) -> int:
    """Forget failed sign-ins that make nobody wait any more, or only count them."""
    before = now - WITH_A_USER.forgotten_after
    if dry_run:
        return session_rows.count_failures(tx, before)
    return session_rows.forget_failures(tx, before=before)
