"""The only SQL of the audit trail and its seals."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from bahi.audit.model import (
    FIRST,
    DayEnd,
    Entry,
    Member,
    Noticed,
    Page,
    Seal,
    Wanted,
    again,
    canonical,
)
from bahi.audit.tables import audit_seal_rows, audit_seals, audit_trail, day_ends
from bahi.db import since
from bahi.db.permits import permitted
from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, to_micros

SQLITE_PARAMETERS: Final = 500
LOOKED_THROUGH: Final = 20_000
"""How many rows are looked through at most for one page."""
_DOCUMENTS: Final = ("old_value", "new_value")
_COLUMNS: Final = tuple(
    sa.cast(column, sa.Text).label(column.name) if column.name in _DOCUMENTS else column
    for column in audit_trail.columns
)
_AT: Final = {column.name: place for place, column in enumerate(audit_trail.columns)}

_ADD: Final = Statement(audit_trail.insert())
_ADD_SEAL: Final = Statement(audit_seals.insert())
_ADD_MEMBER: Final = Statement(audit_seal_rows.insert())
_NEWEST_SEAL: Final = Statement(
    sa.select(audit_seals).where(
        ~sa.exists().where(
            audit_seals.alias("n").c.previous_seal_no == audit_seals.c.seal_no  # nobody's parent
        )
    )
)
_UNSEALED: Final = Statement(
    sa.select(audit_trail.c.id)
    .where(
        audit_trail.c.id > sa.bindparam("above"),
        ~sa.exists().where(audit_seal_rows.c.audit_id == audit_trail.c.id),
    )
    .order_by(audit_trail.c.id)
    .limit(sa.bindparam("at_most", type_=sa.Integer()))
)
_MEMBERS: Final = (
    sa.select(
        audit_seal_rows.c.seal_no,
        audit_seal_rows.c.audit_id,
        audit_seal_rows.c.row_digest,
        *_COLUMNS,
    )
    .select_from(audit_seal_rows)
    .outerjoin(audit_trail, audit_trail.c.id == audit_seal_rows.c.audit_id)
    .order_by(audit_seal_rows.c.audit_id)
)


def add(tx: Tx, row: Mapping[str, Any]) -> None:
    """Add a row to the trail; facts are never changed."""
    tx.put(_ADD, row)


def unsealed(tx: Tx, above: int, at_most: int) -> list[int]:
    """Return the ids of rows above an id that no seal covers."""
    return [row[0] for row in tx.rows(_UNSEALED, {"above": above, "at_most": at_most})]


def count_unsealed(tx: Tx, before: int) -> int:
    """Count rows from before an instant that no seal covers."""
    row = tx.row(
        sa.select(sa.func.count())
        .select_from(audit_trail)
        .where(
            audit_trail.c.at < before,
            ~sa.exists().where(audit_seal_rows.c.audit_id == audit_trail.c.id),
        )
    )
    return int(row[0]) if row else 0


def stored(tx: Tx, ids: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """Yield rows by their ids, in the order of ids, as they are digested."""
    for begin in range(0, len(ids), SQLITE_PARAMETERS):
        some = ids[begin : begin + SQLITE_PARAMETERS]
        clause = sa.select(*_COLUMNS).where(audit_trail.c.id.in_(some)).order_by(audit_trail.c.id)
        for row in tx.rows(clause):
            yield as_digested(tx, row)


def as_digested(tx: Tx, row: Row) -> tuple[Any, ...]:
    """Return a row with its documents in their one form; jsonb has a form of its own."""
    if tx.dialect.name == "sqlite":
        return tuple(row)
    old, new = _AT["old_value"], _AT["new_value"]
    if row[old] is None and row[new] is None:
        return tuple(row)
    values = list(row)
    values[old], values[new] = again(row[old]), again(row[new])
    return tuple(values)


def newest_seal(tx: Tx) -> Seal | None:
    """Return the seal that no other follows."""
    row = tx.row(_NEWEST_SEAL)
    return None if row is None else _seal(row)


def add_seal(tx: Tx, seal: Seal, members: Iterable[tuple[int, str]]) -> None:
    """Add a seal and what it covers; a second seal after the same one is refused."""
    tx.put(_ADD_SEAL, _seal_row(seal))
    tx.change_each(
        _ADD_MEMBER,
        [
            {"audit_id": audit_id, "seal_no": seal.seal_no, "row_digest": digest}
            for audit_id, digest in members
        ],
    )


def seals(tx: Tx) -> list[Seal]:
    """Return every seal; there is one for many rows."""
    return [_seal(row) for row in tx.rows(sa.select(audit_seals).order_by(audit_seals.c.seal_no))]


def members(tx: Tx, seal_nos: Sequence[int]) -> dict[int, list[Member]]:
    """Return what each of some seals covers."""
    found: dict[int, list[Member]] = defaultdict(list)
    for row in tx.rows(_MEMBERS.where(audit_seal_rows.c.seal_no.in_(seal_nos))):
        now = None if row[3] is None else as_digested(tx, row[3:])
        found[row[0]].append((row[1], row[2], now))
    return dict(found)


def copy_in(tx: Tx, seal: Seal, rows: Sequence[Member]) -> None:
    """Take a sealed batch into the archive; what is there already stays as it is."""
    known = tx.row(sa.select(audit_seals.c.digest).where(audit_seals.c.seal_no == seal.seal_no))
    if known is not None:
        return
    for _, _, row in rows:
        assert row is not None  # noqa: S101 - only whole batches are moved
        tx.put(_ADD, dict(zip(_AT, row, strict=True)))
    add_seal(tx, seal, [(audit_id, digest or "") for audit_id, digest, _ in rows])


def let_go(tx: Tx, seal_no: int) -> int:
    """Remove a batch that the archive has; its seal stays."""
    mine = sa.select(audit_seal_rows.c.audit_id).where(audit_seal_rows.c.seal_no == seal_no)
    with permitted(tx, "audit rows that the archive holds"):
        gone = tx.change(audit_trail.delete().where(audit_trail.c.id.in_(mine)))
        tx.change(audit_seal_rows.delete().where(audit_seal_rows.c.seal_no == seal_no))
    return gone


def entries(
    tx: Tx,
    *,
    limit: int,
    before: int | None = None,
    entity_type: str | None = None,
    entity_id: str | None = None,
    user_id: int | None = None,
    action: str | None = None,
) -> list[Entry]:
    """Return the newest rows that fit, below an id."""
    clause = sa.select(*_COLUMNS).order_by(audit_trail.c.id.desc()).limit(limit)
    wanted = {
        "entity_type": entity_type,
        "entity_id": entity_id,
        "user_id": user_id,
        "action": action,
    }
    for name, value in wanted.items():
        if value is not None:
            clause = clause.where(audit_trail.c[name] == value)
    if before is not None:
        clause = clause.where(audit_trail.c.id < before)
    return [_entry(row) for row in tx.rows(clause)]


def page(tx: Tx, wanted: Wanted, limit: int, before: int | None) -> Page:
    """Return the newest rows that fit, below an id, of so many that are looked through."""
    it = audit_trail.c
    named = {
        "entity_type": wanted.entity_type,
        "entity_id": wanted.entity_id,
        "user_id": wanted.user_id,
        "action": wanted.action,
    }
    rules = [it[name] == value for name, value in named.items() if value is not None]
    if before is not None:
        rules.append(it.id < before)
    if wanted.since is not None:
        rules.append(it.at >= to_micros(wanted.since))
    if wanted.until is not None:
        rules.append(it.at < to_micros(wanted.until))
    least = None
    if wanted.word:
        newest = sa.select(it.id).where(*rules).order_by(it.id.desc()).limit(LOOKED_THROUGH)
        some = newest.subquery()
        row = tx.row(sa.select(sa.func.min(some.c.id), sa.func.count()))
        if row is None or row[0] is None:
            return Page((), None)
        least = int(row[0]) if row[1] == LOOKED_THROUGH else None
        rules.append(it.id >= int(row[0]))
        rules.append(_says(wanted.word))
    clause = sa.select(*_COLUMNS).where(*rules).order_by(it.id.desc()).limit(limit + 1)
    rows = tx.rows(clause)
    found = tuple(_entry(row) for row in rows[:limit])
    return Page(found, found[-1].id if len(rows) > limit else least)


def _says(word: str) -> sa.ColumnElement[bool]:
    """Say whether a word stands anywhere in a row."""
    it = audit_trail.c
    plain = (it.actor, it.entity_type, it.entity_id, it.action, it.details, it.request_id)
    documents = (sa.cast(it.old_value, sa.Text), sa.cast(it.new_value, sa.Text))
    said = [sa.func.lower(sa.func.coalesce(each, "")) for each in (*plain, *documents)]
    return sa.or_(*(each.contains(word.lower(), autoescape=True) for each in said))


def count_sealed(tx: Tx) -> int:
    """Count the rows that seals cover."""
    row = tx.row(sa.select(sa.func.coalesce(sa.func.sum(audit_seals.c.row_count), 0)))
    return int(row[0]) if row else 0


def entries_after(tx: Tx, after: int, limit: int) -> list[Entry]:
    """Return the rows that follow an id, oldest first."""
    clause = sa.select(*_COLUMNS).where(audit_trail.c.id > after)
    return [_entry(row) for row in tx.rows(clause.order_by(audit_trail.c.id).limit(limit))]


def happened(
    tx: Tx, about: Mapping[str, str], above: int, known: Collection[int], at_most: int
) -> since.Part[Entry]:
    """Return rows above an id that are not known yet, of some kinds of thing.

    `about` says of each kind how the actions begin that count.
    """
    it = audit_trail.c
    wanted = sa.or_(
        *(
            sa.and_(it.entity_type == kind, it.action.startswith(begins, autoescape=True))
            if begins
            else it.entity_type == kind
            for kind, begins in about.items()
        )
    )
    found: list[Entry] = []
    fresh = since.added(tx, it.id, above, known, at_most, wanted)
    for ids in since.in_parts(fresh.rows):
        clause = sa.select(*_COLUMNS).where(it.id.in_(ids)).order_by(it.id)
        found += [_entry(row) for row in tx.rows(clause)]
    return since.Part(found, fresh.cut)


def newest_entry(tx: Tx) -> int:
    """Return the id of the newest row, 0 where there is none."""
    return since.newest(tx, audit_trail.c.id)


def rows_after(tx: Tx, after: int, limit: int) -> list[Row]:
    """Return rows as they are stored, oldest first."""
    clause = sa.select(*_COLUMNS).where(audit_trail.c.id > after)
    return list(tx.rows(clause.order_by(audit_trail.c.id).limit(limit)))


def _entry(row: Row) -> Entry:
    values = dict(zip(_AT, row, strict=True))
    for name in _DOCUMENTS:
        values[name] = None if values[name] is None else json.loads(values[name])
    return Entry(**values | {"at": from_micros(values["at"])})


def _seal(row: Row) -> Seal:
    seal_no, previous, previous_digest, digest, row_count, sealed_at = row
    return Seal(
        seal_no=seal_no,
        previous_seal_no=previous or FIRST,
        previous_digest=previous_digest or "",
        digest=digest,
        row_count=row_count,
        sealed_at=sealed_at,
    )


def _seal_row(seal: Seal) -> dict[str, Any]:
    return {
        "seal_no": seal.seal_no,
        "previous_seal_no": seal.previous_seal_no,
        "previous_digest": seal.previous_digest,
        "digest": seal.digest,
        "row_count": seal.row_count,
        "sealed_at": seal.sealed_at,
    }


def add_day_end(tx: Tx, it: DayEnd) -> None:
    """Write a signature."""
    said = [
        {
            "name": one.name,
            "state": one.state,
            "sentence": one.sentence,
            "accounts": [str(account) for account in one.accounts],
            "symbols": list(one.symbols),
        }
        for one in it.findings
    ]
    tx.change(
        day_ends.insert().values(
            id=it.id,
            user_id=it.user_id,
            actor=it.actor,
            day=it.day.isoformat(),
            signed_at=to_micros(it.signed_at),
            note=it.note,
            findings=canonical(said),
        )
    )


def lock_day_ends(tx: Tx) -> None:
    """Keep day ends from everybody else who would sign until the transaction ends."""
    if tx.dialect.name == "postgresql":  # SQLite has one writer anyway
        tx.change(sa.text("LOCK TABLE day_ends IN SHARE ROW EXCLUSIVE MODE"))


def day_ends_of(
    tx: Tx, user_id: int | None, day: date | None, before: int | None, at_most: int
) -> list[DayEnd]:
    """Return signatures, the newest first, from an id on: of a user or all, of a day or all."""
    it = day_ends.c
    clause = sa.select(
        it.id, it.user_id, it.actor, it.day, it.signed_at, it.note, sa.cast(it.findings, sa.Text)
    )
    if user_id is not None:
        clause = clause.where(it.user_id == user_id)
    if day is not None:
        clause = clause.where(it.day == day.isoformat())
    if before is not None:
        clause = clause.where(it.id < before)
    return [_day_end(row) for row in tx.rows(clause.order_by(it.id.desc()).limit(at_most))]


def _day_end(row: Row) -> DayEnd:
    return DayEnd(
        id=row[0],
        user_id=row[1],
        actor=row[2],
        day=date.fromisoformat(row[3]),
        signed_at=from_micros(row[4]),
        note=row[5],
        findings=tuple(
            Noticed(
                name=one["name"],
                state=one["state"],
                sentence=one["sentence"],
                accounts=tuple(int(it) for it in one["accounts"]),
                symbols=tuple(one["symbols"]),
            )
            for one in json.loads(row[6])
        ),
    )
