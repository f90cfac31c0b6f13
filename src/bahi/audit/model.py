"""What the audit trail remembers, and how a seal proves that nobody changed it since.

    row digest  = BLAKE2b over the row as it is stored
    seal digest = keyed, over the seal before, its own number and time, and its rows' digests

The key is in the keyring, so whoever can write the database cannot forge a seal; the digests of
rows tell which of them was changed. Rows of one seal go by their ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import Any, Final

import msgspec

SEAL_PURPOSE: Final = "audit.seal"
FIRST: Final = 0
"""What stands for the seal before the first one."""

ROW_DIGEST_BYTES: Final = 16
ROWS_IN_A_SEAL: Final = 500
ROWS_AT_ONCE: Final = 5_000
_WRITE: Final = msgspec.json.Encoder().encode
_CANONICAL: Final = msgspec.json.Encoder(order="sorted").encode
_READ: Final = msgspec.json.Decoder().decode
"""Of msgspec: verifying reads and writes each document again, five times as fast as json."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the trail."""

    id: int
    user_id: int | None
    actor: str | None
    entity_type: str
    entity_id: str | None
    action: str
    old_value: Any
    new_value: Any
    details: str | None
    ip_address: str | None
    user_agent: str | None
    request_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows of the trail; what is None says nothing."""

    entity_type: str | None = None
    entity_id: str | None = None
    user_id: int | None = None
    action: str | None = None
    word: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of the trail, the newest first, and below which id to go on; None: there are no more.

    A page may hold few, or none, and still go on: so many rows were looked through for it.
    """

    entries: tuple[Entry, ...]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A seal over some rows, chained to the one before it."""

    seal_no: int
    previous_seal_no: int
    previous_digest: str
    row_count: int
    sealed_at: int
    digest: str = ""

    def text(self, row_digests: Iterable[str]) -> str:
        """Write what is digested: everything but the digest itself."""
        head = [self.previous_digest, self.previous_seal_no, self.seal_no]
        return json.dumps([*head, self.row_count, self.sealed_at, *row_digests])


Member = tuple[int, str | None, tuple[Any, ...] | None]
"""A place in a seal: the row's id, its digest when sealed, and the row now, if it is there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was sealed: what, where, and in words."""

    what: str
    seal_no: int | None
    audit_id: int | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a verification found."""

    store: str
    seals: int
    rows: int
    unsealed: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether everything is as it was sealed."""
        return not self.findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """Something that was not good when a day was signed."""

    name: str
    state: str
    sentence: str
    accounts: tuple[int, ...] = ()
    symbols: tuple[str, ...] = ()

    @property
    def what(self) -> tuple[object, ...]:
        """What it is, whatever words it was said in: ages and sums move, and change nothing."""
        return self.name, self.state, self.accounts, self.symbols


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEnd:
    """A day's end as somebody signed it."""

    id: int
    user_id: int
    actor: str
    day: date
    signed_at: datetime
    note: str | None
    findings: tuple[Noticed, ...]


def is_the_same(before: DayEnd, note: str | None, findings: Iterable[Noticed]) -> bool:
    """Say whether a second signature would say nothing that the first one did not."""
    were = [it.what for it in before.findings]
    return before.note == note and were == [it.what for it in findings]


def canonical(document: Any) -> str | None:
    """Write a JSON document in the one form in which it is stored and digested."""
    if document is None:
        return None
    return _CANONICAL(document).decode()


def again(stored: str | None) -> str | None:
    """Bring a document that a database wrote its own way (jsonb) into that one form."""
    return None if stored is None else canonical(_READ(stored))


def row_digest(row: Sequence[Any]) -> str:
    """Digest a row as stored: its columns in the table's order."""
    return blake2b(_WRITE(row), digest_size=ROW_DIGEST_BYTES).hexdigest()


def in_batches(seals: Sequence[Seal]) -> Iterator[list[Seal]]:
    """Part seals so that each batch is read at once: many small ones, or few large ones."""
    batch: list[Seal] = []
    rows = 0
    for seal in seals:
        batch.append(seal)
        rows += seal.row_count
        if rows >= ROWS_AT_ONCE or len(batch) >= ROWS_IN_A_SEAL:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def chained(seals: Sequence[Seal]) -> tuple[list[Seal], list[Finding]]:
    """Follow the seals from the first; what does not hang together is named."""
    after = {seal.previous_seal_no: seal for seal in seals}
    chain: list[Seal] = []
    findings: list[Finding] = []
    before, digest = FIRST, ""
    while (seal := after.pop(before, None)) is not None:
        if seal.previous_digest != digest:
            findings.append(
                Finding(
                    "chain broken",
                    seal.seal_no,
                    None,
                    f"Seal {seal.seal_no} does not name the digest of seal {before} before it.",
                )
            )
        chain.append(seal)
        before, digest = seal.seal_no, seal.digest
    for lost in after.values():
        sentence = f"Seal {lost.previous_seal_no}, which seal {lost.seal_no} follows, is not there."
        findings.append(Finding("seal removed", lost.previous_seal_no, None, sentence))
        chain.append(lost)
    return chain, findings
