"""The end of a day, signed: who looked at the closing list, and what was not good then.

It is kept beside the trail because it is one: a fact that somebody vouched for, never changed, and
kept when its person is erased.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from bahi.audit import repository
from bahi.audit.model import DayEnd, Noticed, is_the_same
from bahi.audit.service.trail import note as note_down
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_person
from bahi.kernel.errors import Conflict, Forbidden, Invalid

LONGEST_NOTE: Final = 1_000
PAGE_AT_MOST: Final = 200


def sign_day(
    tx: Tx, actor: Actor, day: date, what: tuple[str, Sequence[Noticed]], now: datetime
) -> DayEnd:
    """Sign a day's end with a note and what is not good now; the same twice is refused."""
    require_person(actor, "A day's end is signed")
    if actor.user_id is None:
        raise Forbidden("A day's end is signed by a user of the house.")
    said, findings = what
    words = said.strip() or None
    if words is not None and len(words) > LONGEST_NOTE:
        raise Invalid(f"note: at most {LONGEST_NOTE} characters are kept.")
    if words is not None and "\0" in words:
        raise Invalid("note: it has a character that cannot be kept; leave it out.")
    repository.lock_day_ends(tx)
    for before in repository.day_ends_of(tx, actor.user_id, day, None, 1):
        if is_the_same(before, words, findings):
            raise Conflict(f"You signed {day} already, and nothing has changed since.")
    signed = DayEnd(
        id=tx.new_id(),
        user_id=actor.user_id,
        actor=actor.name,
        day=day,
        signed_at=now,
        note=words,
        findings=tuple(findings),
    )
    repository.add_day_end(tx, signed)
    new = {"day": str(day), "not_good": [f"{it.name}: {it.state}" for it in findings]}
    note_down(tx, actor, "sign", ("day_end", signed.id), now, new=new, details=words or "")
    return signed


def day_ends(
    tx: Tx,
    actor: Actor,
    *,
    day: date | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[DayEnd]:
    """Return signatures, the newest first: an admin's are everybody's, another's their own."""
    if not 1 <= limit <= PAGE_AT_MOST:
        raise Invalid(f"limit: {limit} is not 1 to {PAGE_AT_MOST}.")
    if not actor.is_admin and actor.user_id is None:
        raise Forbidden("Only a user of the house has signed anything.")
    whose = None if actor.is_admin else actor.user_id
    return repository.day_ends_of(tx, whose, day, before, limit)
