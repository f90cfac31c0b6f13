"""Verifying: every seal against its rows, the chain, and what was written down outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from bahi.audit import repository
from bahi.audit.model import (
    SEAL_PURPOSE,
    Finding,
    Member,
    Seal,
    Verdict,
    chained,
    in_batches,
    row_digest,
)
from bahi.audit.service.sealing import LATE_BY
from bahi.audit.service.witness import Witness
from bahi.db.stores import Store
from bahi.kernel.clock import to_micros
from bahi.kernel.crypto import Vault

UNSEALED_FOR: Final = timedelta(minutes=1)


async def verify(
    store: Store,
    archive: Store,
    vault: Vault,
    *,
    folder: Path,
    now: datetime,
    tell: Callable[[int], None] = lambda _rows: None,
) -> Verdict:
    """Check every seal of a store against its rows, the chain, and the witness outside."""
    seals = await store.read(repository.seals, fresh=True)
    chain, findings = chained(seals)
    rows, late = 0, list[int]()
    async for batch, held in _ahead(store, archive, list(in_batches(chain))):
        found, waited = await asyncio.to_thread(_check_all, batch, held, vault)
        findings += found
        late += waited
        rows += sum(seal.row_count for seal in batch)
        tell(rows)
    unsealed = await store.read(
        repository.count_unsealed, to_micros(now - UNSEALED_FOR), fresh=True
    )
    witness = Witness(folder, store.name, vault)
    findings += witness.findings(chain)
    return Verdict(
        store=store.name,
        seals=len(chain),
        rows=rows,
        unsealed=unsealed,
        findings=tuple(findings),
        notes=(*_notes(unsealed, late), *witness.notes(chain)),
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


def _check_all(batch: Sequence[Seal], held: Held, vault: Vault) -> tuple[list[Finding], list[int]]:
    findings: list[Finding] = []
    late: list[int] = []
    for seal in batch:
        covered = held.get(seal.seal_no, [])
        findings += check(seal, covered, vault)
        late += _late(seal, covered)
    return findings, late


def check(seal: Seal, held: Sequence[Member], vault: Vault) -> list[Finding]:
    """Compare what a seal covers with what is there; name each difference."""
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
    elif not vault.matches(text, seal.digest, SEAL_PURPOSE):
        sentence = f"Seal {seal.seal_no} was not made with our key over these rows: it is forged."
        findings.append(Finding("seal forged", seal.seal_no, None, sentence))
    return findings


def _notes(unsealed: int, late: Sequence[int]) -> list[str]:
    notes = []
    if unsealed:
        notes.append(f"{unsealed} rows older than a minute are not sealed yet; does Bahi run?")
    if late:
        notes.append(
            f"{len(late)} rows, the first of them {late[0]}, were sealed more than an hour after "
            "the time they bear: they waited for a seal, or were put in later."
        )
    return notes


def _late(seal: Seal, held: Sequence[Member]) -> list[int]:
    """Return rows that are older than they can be if Bahi ran all the time."""
    latest = seal.sealed_at - LATE_BY // timedelta(microseconds=1)
    return [audit_id for audit_id, _, row in held if row is not None and row[-1] < latest]
