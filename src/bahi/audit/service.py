"""The trail of who did what: written with the change, sealed soon after, verified at will."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bahi.audit import repository
from bahi.audit.model import (
    FIRST,
    ROWS_IN_A_SEAL,
    Entry,
    Finding,
    Member,
    Seal,
    Verdict,
    canonical,
    chained,
    in_batches,
    row_digest,
)
from bahi.db.failures import Duplicate
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.clock import Clock, from_micros, to_micros
from bahi.kernel.crypto import Vault
from bahi.kernel.errors import BahiError, Forbidden, Invalid
from bahi.kernel.ids import minted_at
from bahi.kernel.redaction import redact, redact_text

SEAL_EVERY_S: Final = 1.5
PAGE_AT_MOST: Final = 500
LATE_BY: Final = timedelta(hours=1)
"""How much older than the newest sealed row one may be that commits now; a sweep finds others."""
SWEEP_EVERY: Final = 400
PURPOSE: Final = "audit.seal"
UNSEALED_FOR: Final = timedelta(minutes=1)
_MS_SHIFT: Final = 22

log = logging.getLogger("bahi.audit")


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


# Sealing


class Sealer:
    """Seals what a store's transactions wrote, a moment after they commit.

    Any number of processes may seal: a seal follows exactly one other, which the database keeps,
    so of two that seal at once one begins again. The newest seal is also written to a file, so
    that a trail cut off at its end is found too.
    """

    def __init__(self, store: Store, vault: Vault, clock: Clock, folder: Path) -> None:
        self._store, self._vault, self._clock = store, vault, clock
        self._outside = OutsideCopy(folder, store.name)
        self._rounds = 0
        self._task: asyncio.Task[None] | None = None

    async def seal(self) -> int:
        """Seal everything that is committed and not sealed; return how many rows."""
        whole = self._rounds % SWEEP_EVERY == 0
        self._rounds += 1
        total = 0
        while ids := await self._store.read(_to_seal, whole, fresh=True):
            try:
                seal = await self._store.write(_seal_these, ids, self._vault.digest, self._clock())
            except Duplicate:
                await asyncio.sleep(0)  # another process was quicker: look again what is left
                continue
            self._outside.keep(seal)
            total += seal.row_count
        return total

    def start(self) -> None:
        """Go on sealing until `stop`."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_sealing(), name=f"seal {self._store.name}")

    async def stop(self) -> None:
        """Seal a last time, and no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        with suppress(BahiError):  # who seals next will seal these too
            await self.seal()

    async def _keep_sealing(self) -> None:
        said = ""
        while True:
            try:
                await self.seal()
                said = ""
            except BahiError as fault:
                if fault.code != said:
                    log.warning("the %s trail waits to be sealed: %s", self._store.name, fault)
                    said = fault.code
            await asyncio.sleep(SEAL_EVERY_S)


def _to_seal(tx: Tx, whole: bool) -> list[int]:  # noqa: FBT001 - handed over by position
    above = 0
    if not whole and (newest := repository.newest_seal(tx)):
        begins = from_micros(newest.sealed_at) - LATE_BY
        above = max(0, _first_id_at(begins))
    return repository.unsealed(tx, above, ROWS_IN_A_SEAL)


def _first_id_at(instant: datetime) -> int:
    since_epoch = instant - minted_at(0)
    return (since_epoch // timedelta(milliseconds=1)) << _MS_SHIFT


def _seal_these(
    tx: Tx, ids: Sequence[int], digest: Callable[[str, str], str], now: datetime
) -> Seal:
    previous = repository.newest_seal(tx)
    members = [(row[0], row_digest(row)) for row in repository.stored(tx, ids)]
    seal = Seal(
        seal_no=tx.new_id(),
        previous_seal_no=previous.seal_no if previous else FIRST,
        previous_digest=previous.digest if previous else "",
        row_count=len(members),
        sealed_at=to_micros(now),
    )
    seal = replace(seal, digest=digest(seal.text(it for _, it in members), PURPOSE))
    repository.add_seal(tx, seal, members)
    return seal


class OutsideCopy:
    """The newest seal of a store, kept in a file beside the databases."""

    def __init__(self, folder: Path, store: str) -> None:
        self.path = folder / "seals" / store

    def keep(self, seal: Seal) -> None:
        """Replace the file; a machine that loses its power has the one before or this one."""
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        with beside.open("w", encoding="ascii") as file:
            file.write(f"{seal.seal_no} {seal.digest} {seal.sealed_at}\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)

    def newest(self) -> tuple[int, str] | None:
        """Return number and digest of the newest seal that was seen."""
        try:
            number, digest, *_ = self.path.read_text("ascii").split()
        except (FileNotFoundError, ValueError):
            return None
        return int(number), digest


# Verifying


async def verify(
    store: Store,
    archive: Store,
    vault: Vault,
    *,
    folder: Path,
    now: datetime,
    tell: Callable[[int], None] = lambda _rows: None,
) -> Verdict:
    """Check every seal of a store against its rows, the chain, and the copy outside."""
    seals = await store.read(repository.seals, fresh=True)
    chain, findings = chained(seals)
    rows = 0
    async for batch, held in _ahead(store, archive, list(in_batches(chain))):
        findings += await asyncio.to_thread(_check_all, batch, held, vault)
        rows += sum(seal.row_count for seal in batch)
        tell(rows)
    unsealed = await store.read(
        repository.count_unsealed, to_micros(now - UNSEALED_FOR), fresh=True
    )
    findings += _cut_off(chain, OutsideCopy(folder, store.name))
    return Verdict(
        store=store.name,
        seals=len(chain),
        rows=rows,
        unsealed=unsealed,
        findings=tuple(findings),
        notes=tuple(_notes(store.name, unsealed, OutsideCopy(folder, store.name), chain)),
    )


Held = dict[int, list[Member]]


async def _ahead(
    store: Store, archive: Store, batches: Sequence[list[Seal]]
) -> AsyncIterator[tuple[list[Seal], Held]]:
    """Yield what each batch of seals covers; the next is read while this one is checked."""
    reading: asyncio.Task[Held] | None = None
    try:
        for place, batch in enumerate(batches):
            held = await (reading or _held_by(store, archive, batch))
            following = batches[place + 1 : place + 2]
            reading = None
            if following:
                reading = asyncio.create_task(_held_by(store, archive, following[0]))
            yield batch, held
    finally:
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _held_by(store: Store, archive: Store, batch: Sequence[Seal]) -> Held:
    numbers = [seal.seal_no for seal in batch]
    held = await store.read(repository.members, numbers, fresh=True)
    left = [number for number in numbers if number not in held]
    if left:  # these left for the archive; their seals stayed
        held |= await archive.read(repository.members, left, fresh=True)
    return held


def _check_all(batch: Sequence[Seal], held: Held, vault: Vault) -> list[Finding]:
    return [it for seal in batch for it in _check(seal, held.get(seal.seal_no, []), vault)]


def _check(seal: Seal, held: Sequence[Member], vault: Vault) -> list[Finding]:
    findings = []
    for audit_id, digest, row in held:
        if row is None:
            sentence = f"Row {audit_id}, which seal {seal.seal_no} covers, was removed."
            findings.append(Finding("row removed", seal.seal_no, audit_id, sentence))
        elif row_digest(row) != digest:
            sentence = f"Row {audit_id} is not as seal {seal.seal_no} covers it: it was changed."
            findings.append(Finding("row changed", seal.seal_no, audit_id, sentence))
    text = seal.text(digest or "" for _, digest, _ in held)
    if len(held) != seal.row_count:
        sentence = (
            f"Seal {seal.seal_no} covers {seal.row_count} rows and lists {len(held)}: some were "
            "removed together with their place in it."
        )
        findings.append(Finding("rows removed", seal.seal_no, None, sentence))
    elif not vault.matches(text, seal.digest, PURPOSE):
        sentence = f"Seal {seal.seal_no} was not made with our key over these rows: it is forged."
        findings.append(Finding("seal forged", seal.seal_no, None, sentence))
    return findings


def _cut_off(chain: Sequence[Seal], outside: OutsideCopy) -> list[Finding]:
    seen = outside.newest()
    if seen is None:
        return []
    number, digest = seen
    if any(seal.seal_no == number and seal.digest == digest for seal in chain):
        return []
    sentence = (
        f"Seal {number}, the newest that the file {outside.path.name} in the folder seals has "
        "seen, is not in the trail: its end was cut off or replaced."
    )
    return [Finding("tail cut", number, None, sentence)]


def _notes(store: str, unsealed: int, outside: OutsideCopy, chain: Sequence[Seal]) -> list[str]:
    notes = []
    if unsealed:
        notes.append(f"{unsealed} rows older than a minute are not sealed yet; does Bahi run?")
    if chain and outside.newest() is None:
        notes.append(
            f"There is no copy of the newest seal of {store} outside the database, so an end that "
            "was cut off cannot be told."
        )
    return notes


# Leaving for the archive


async def move_to_archive(
    store: Store, archive: Store, vault: Vault, before: datetime, *, dry_run: bool = False
) -> int:
    """Move whole sealed batches from before an instant: copy, check there, remove here.

    A batch that is not as it was sealed stays where it is, for `verify` to name.
    """
    moved = 0
    for seal in await store.read(repository.seals, fresh=True):
        if seal.sealed_at >= to_micros(before):
            continue
        held = await _held(store, seal)
        whole = [(audit_id, digest, row) for audit_id, digest, row in held if row is not None]
        if not whole or _check(seal, held, vault):
            continue
        if not dry_run:
            await archive.write(repository.copy_in, seal, whole)
            if _check(seal, await _held(archive, seal), vault):
                log.error("seal %s did not arrive in the archive as it was", seal.seal_no)
                continue
            await store.write(repository.let_go, seal.seal_no)
        moved += len(whole)
    return moved


async def _held(store: Store, seal: Seal) -> list[Member]:
    found = await store.read(repository.members, [seal.seal_no], fresh=True)
    return found.get(seal.seal_no, [])


async def export_page(
    store: Store, actor: Actor, *, after: int, limit: int = PAGE_AT_MOST
) -> list[Entry]:
    """Return entries in the order of their ids, for who writes them all out."""
    require_admin(actor)
    return await store.read(repository.entries_after, after, limit, fresh=True)
