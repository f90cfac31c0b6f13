"""Persons: the holders of a PAN whose money it is; a family is several of them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bahi.accounts import repository
from bahi.accounts.model import Person, parse_name, parse_pan, parse_relation
from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.identity.service.users import lock_user
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.clock import to_micros
from bahi.kernel.crypto import Vault
from bahi.kernel.errors import Conflict, Forbidden, NotFound

PERSONS_AT_MOST: Final = 500
PAN_PURPOSE: Final = "pan"


def add_person(
    tx: Tx,
    actor: Actor,
    vault: Vault,
    name: str,
    now: datetime,
    *,
    user_id: int,
    pan: str | None = None,
    relation: str | None = None,
) -> Person:
    """Enter a person of a user's family, once for each PAN."""
    require_change(actor)
    if not actor.owns(user_id):
        raise Forbidden("Only an admin may enter persons for others.")
    lock_user(tx, user_id)  # the same PAN twice at once is entered once
    person_id = tx.new_id()
    at = to_micros(now)
    row = {
        "id": person_id,
        "user_id": user_id,
        "name": parse_name(name),
        "relation": parse_relation(relation),
        "created_at": at,
        "updated_at": at,
    }
    if pan is not None:
        row |= _sealed_pan(tx, vault, parse_pan(pan), user_id, person_id)
    repository.add_person(tx, row)
    shown = {"name": row["name"], "relation": row["relation"], "has_pan": pan is not None}
    note(tx, actor, "create", ("person", person_id), now, new=shown)
    return get_person(tx, actor, person_id)


def _sealed_pan(
    tx: Tx, vault: Vault, pan: str, user_id: int, person_id: int
) -> dict[str, bytes | str]:
    digest = vault.digest(pan, PAN_PURPOSE)
    known = repository.find_person(tx, user_id=user_id, pan_hash=digest)
    if known is not None:
        raise Conflict(f"pan: {known.name!r} is entered with this PAN already.")
    sealed = vault.seal(pan, table="persons", column="pan_enc", row_id=person_id)
    return {"pan_hash": digest, "pan_enc": sealed}


def get_person(tx: Tx, actor: Actor, person_id: int) -> Person:
    """Return a person of one's own family; of another's, there is none."""
    person = repository.find_person(tx, person_id=person_id)
    if person is None or not actor.owns(person.user_id):
        raise NotFound(f"There is no person {person_id}.")
    return person


def list_persons(tx: Tx, actor: Actor) -> list[Person]:
    """Return one's own family; an admin sees everybody."""
    return repository.list_persons(tx, None if actor.is_admin else actor.user_id, PERSONS_AT_MOST)
