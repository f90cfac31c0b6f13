"""The trail itself: written with the change, and read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from bahi.audit import repository
from bahi.audit.model import Entry, Page, Wanted, canonical
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.clock import to_micros
from bahi.kernel.errors import Forbidden, Invalid
from bahi.kernel.redaction import redact, redact_text

PAGE_AT_MOST: Final = 500
LONGEST_WORD: Final = 200


def note(
    tx: Tx,
    actor: Actor,
    action: str,
    about: tuple[str, str | int | None],
    now: datetime,
    *,
    old: Any = None,
    new: Any = None,
    details: str = "",
) -> int:
    """Remember, in the transaction of the change, who did what to `(kind, id)`; no secrets."""
    entity_type, entity_id = about
    audit_id = tx.new_id()
    repository.add(
        tx,
        {
            "id": audit_id,
            "user_id": actor.user_id,
            "actor": _kept(actor.name, 200),
            "entity_type": entity_type,
            "entity_id": None if entity_id is None else str(entity_id),
            "action": action,
            "old_value": canonical(redact(old)),
            "new_value": canonical(redact(new)),
            "details": _kept(redact_text(details), 2000) if details else None,
            "ip_address": _kept(actor.address, 64),
            "user_agent": _kept(actor.agent, 300),
            "request_id": actor.request_id,
            "at": to_micros(now),
        },
    )
    return audit_id


def _kept(text: str | None, longest: int) -> str | None:
    """Bound what a stranger can make us keep; a NUL is text on one database only."""
    return None if text is None else text[:longest].replace("\0", "")


# Looking


async def recent(
    store: Store,
    actor: Actor,
    *,
    limit: int = 50,
    before: int | None = None,
    entity_type: str | None = None,
    entity_id: str | None = None,
    user_id: int | None = None,
    action: str | None = None,
) -> list[Entry]:
    """Return the newest entries; all of them to an admin, to others what they did themselves."""
    if not 1 <= limit <= PAGE_AT_MOST:
        raise Invalid(f"limit: {limit} is not 1 to {PAGE_AT_MOST}.")
    if not actor.is_admin:
        if actor.user_id is None or user_id not in {None, actor.user_id}:
            raise Forbidden("Only an admin may see what others did.")
        user_id = actor.user_id

    def read(tx: Tx) -> list[Entry]:
        return repository.entries(
            tx,
            limit=limit,
            before=before,
            entity_type=entity_type,
            entity_id=entity_id,
            user_id=user_id,
            action=action,
        )

    return await store.read(read, fresh=True)


async def search(
    store: Store,
    actor: Actor,
    wanted: Wanted,
    *,
    limit: int = 50,
    before: int | None = None,
) -> Page:
    """Return a page of the trail, the newest first: all of it to an admin, to others their own.

    Of a word so many rows are looked through for one page at most; `next` is where to go on.
    """
    if not 1 <= limit <= PAGE_AT_MOST:
        raise Invalid(f"limit: {limit} is not 1 to {PAGE_AT_MOST}.")
    if wanted.word is not None and len(wanted.word) > LONGEST_WORD:
        raise Invalid(f"word: at most {LONGEST_WORD} characters are looked for.")
    if not actor.is_admin:
        if actor.user_id is None or wanted.user_id not in {None, actor.user_id}:
            raise Forbidden("Only an admin may see what others did.")
        wanted = replace(wanted, user_id=actor.user_id)
    return await store.read(repository.page, wanted, limit, before, fresh=True)


async def export_page(
    store: Store, actor: Actor, *, after: int, limit: int = PAGE_AT_MOST
) -> list[Entry]:
    """Return entries in the order of their ids, for who writes them all out."""
    require_admin(actor)
    return await store.read(repository.entries_after, after, limit, fresh=True)


happened: Final = repository.happened
"""Return entries about some kinds of thing above an id that are not known yet."""
sealed: Final = repository.count_sealed
"""Count the rows that seals cover."""
newest: Final = repository.newest_entry
"""Return the id of the newest entry, 0 where there is none."""
