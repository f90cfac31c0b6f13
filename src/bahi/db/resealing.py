"""Moving every sealed secret to another key while the house is at work.

The walk goes by the schema: every column that says it is sealed, in every store. A row is read,
opened and sealed anew outside any transaction, and written back only where it is still what was
read; so whoever changes it meanwhile wins, and the next pass looks at it again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import sqlalchemy as sa

from bahi.db import types
from bahi.db.schema import HOUSE, AppendOnly, Schema
from bahi.db.statement import Statement
from bahi.db.stores import Store, Stores
from bahi.db.tables import permits
from bahi.db.tx import Row, Tx
from bahi.kernel.crypto import Vault
from bahi.kernel.errors import Conflict, KeyMissing, SealBroken
from bahi.kernel.keyring import KEY_ID_BYTES

ROWS_AT_ONCE: Final = 50
PASSES: Final = 10
WHY: Final = "bahi keys rotate"
KEY_ID: Final = slice(1, 1 + KEY_ID_BYTES)

Tell = Callable[[int], None]
"""Told of how many secrets more have been sealed anew."""


@dataclass(frozen=True)
class SealedTable:
    """A table with sealed columns, as one store has it."""

    table: sa.Table
    columns: tuple[sa.Column[bytes], ...]

    @property
    def key(self) -> tuple[sa.Column[Any], ...]:
        """What a row is addressed by."""
        return tuple(self.table.primary_key.columns)

    def under_another(self, active: str) -> sa.ColumnElement[bool]:
        """Pick the rows with a secret that is not under the active key."""
        return sa.or_(
            *(key_id_in(c) != sa.literal(bytes.fromhex(active), types.Blob()) for c in self.columns)
        )

    def rows_after(self, last: Sequence[Any] | None, active: str) -> sa.Select[Any]:
        """Ask for the next rows to seal anew: their key, then their secrets."""
        wanted = sa.select(*self.key, *self.columns).where(self.under_another(active))
        if last is not None:
            passed = (sa.literal(v, c.type) for v, c in zip(last, self.key, strict=True))
            wanted = wanted.where(sa.tuple_(*self.key) > sa.tuple_(*passed))
        return wanted.order_by(*self.key).limit(ROWS_AT_ONCE)


@dataclass(frozen=True)
class Change:
    """One secret, to be written back where it still stands as it was read."""

    column: str
    row: tuple[Any, ...]
    old: bytes
    new: bytes


def sealed_tables(store: str, schema: Schema = HOUSE) -> Iterator[SealedTable]:
    """Yield a store's tables that keep sealed secrets."""
    for table in schema.of_store(store).metadata.sorted_tables:
        sealed = tuple(c for c in table.columns if c.info.get("secret") and _is_blob(c))
        if sealed:
            yield SealedTable(table, sealed)


def _is_blob(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, types.Blob)


def row_id(key: Sequence[Any]) -> int | str:
    """Return the id that a row's secrets are sealed for: its key, or the list of its parts."""
    only: int | str = key[0]
    return only if len(key) == 1 else json.dumps(list(key))


def key_id_in(column: sa.Column[bytes]) -> sa.ColumnElement[bytes]:
    """Cut the key's id out of a ciphertext, in SQL."""
    return sa.func.substr(column, 2, KEY_ID_BYTES, type_=types.Blob())


async def census(stores: Stores, schema: Schema = HOUSE) -> Counter[str]:
    """Count the sealed secrets under each key."""
    found: Counter[str] = Counter()
    for store in stores:
        for sealed in sealed_tables(store.name, schema):
            found += await store.read(_count_by_key, sealed, fresh=True)
    return found


def _count_by_key(tx: Tx, sealed: SealedTable) -> Counter[str]:
    found: Counter[str] = Counter()
    for column in sealed.columns:
        key_id = key_id_in(column)
        counted = sa.select(key_id, sa.func.count()).where(column.is_not(None)).group_by(key_id)
        for under, many in tx.rows(counted):
            found[bytes(under).hex()] += many
    return found


@dataclass
class Resealing:
    """One run: every secret that is not under the active key is sealed anew under it."""

    vault: Vault
    active: str
    tell: Tell = lambda _: None
    secrets: int = 0
    broken: list[str] = field(default_factory=list)
    """The places of secrets that do not open, and why."""

    async def run(self, stores: Stores, schema: Schema = HOUSE) -> Self:
        """Walk through every store, until a whole pass finds nothing to do."""
        for _ in range(PASSES):
            self.broken, found = [], 0
            for store in stores:
                for sealed in sealed_tables(store.name, schema):
                    found += await self._reseal(store, sealed)
            if not found:
                return self
        raise Conflict(
            f"Other programs still seal under an old key after {PASSES} passes; "
            "stop them, and run `bahi keys rotate --resume`."
        )

    async def _reseal(self, store: Store, sealed: SealedTable) -> int:
        """Walk through one table; return how many secrets there were to seal anew."""
        writing, facts = _writing(sealed), _is_facts(sealed.table)
        found, last = 0, None
        while rows := await store.read(_rows, sealed.rows_after(last, self.active), fresh=True):
            changes = [change for row in rows for change in self._sealed_anew(sealed, row)]
            written = await store.write(_write_back, writing, changes, facts)
            found += len(changes)
            self.secrets += written
            self.tell(written)
            last = rows[-1][: len(sealed.key)]
        return found

    def _sealed_anew(self, sealed: SealedTable, row: Row) -> Iterator[Change]:
        width, table = len(sealed.key), sealed.table.name
        key = tuple(row[:width])
        for column, secret in zip(sealed.columns, row[width:], strict=True):
            if secret is None or bytes(secret)[KEY_ID].hex() == self.active:
                continue
            old = bytes(secret)
            at: dict[str, Any] = {"table": table, "column": column.name, "row_id": row_id(key)}
            try:
                new = self.vault.seal(self.vault.open(old, **at), **at)
            except (SealBroken, KeyMissing) as failure:
                self.broken.append(f"{table}.{column.name} of row {row_id(key)}: {failure}")
            else:
                yield Change(column.name, key, old, new)


def _rows(tx: Tx, wanted: sa.Select[Any]) -> list[Row]:
    return tx.rows(wanted)


def _writing(sealed: SealedTable) -> dict[str, Statement]:
    """Prepare for each column the UPDATE of one secret that is still what was read."""
    row = [c == sa.bindparam(f"key_{n}", type_=c.type) for n, c in enumerate(sealed.key)]
    blob = types.Blob()
    return {
        c.name: Statement(
            sealed.table.update()
            .where(*row, c == sa.bindparam("old", type_=blob))
            .values({c.name: sa.bindparam("new", type_=blob)})
        )
        for c in sealed.columns
    }


def _write_back(tx: Tx, writing: dict[str, Statement], changes: list[Change], facts: bool) -> int:  # noqa: FBT001 - a store passes arguments by place
    if facts:
        tx.change(permits.insert(), {"id": 1, "never": 0, "reason": WHY})
    written = 0
    for change in changes:
        row = {f"key_{n}": value for n, value in enumerate(change.row)}
        params = {**row, "old": change.old, "new": change.new}
        written += tx.change(writing[change.column], params)
    if facts:
        tx.change(permits.delete())
    return written


def _is_facts(table: sa.Table) -> bool:
    nature: AppendOnly | None = table.info["append_only"]
    return nature is not None
