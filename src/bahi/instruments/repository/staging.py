"""What a load writes: instruments and listings beside those in force, and the swap."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.instruments.model.matching import Known
from bahi.instruments.tables import (
    broker_listings,
    instrument_masters,
    instrument_terms,
    instruments,
)
from bahi.kernel.words import BrokerSlug, Segment

_EACH: Final = {
    "sqlite": "SELECT value FROM json_each(:wanted)",
    "postgresql": "SELECT jsonb_array_elements_text(CAST(:wanted AS jsonb))",
}
"""A list of texts as one parameter: a thousand of them would be compiled anew each time."""

_FIND: Final = {
    (dialect, column): sa.text(
        f"SELECT {', '.join(Known._fields)} FROM instruments"  # noqa: S608 - our own words
        f" WHERE exchange_segment = :segment AND {column} IN ({each})"
        " AND (arrived_in IS NULL OR arrived_in <> :load_id)"
    )
    for dialect, each in _EACH.items()
    for column in ("symbol", "exchange_token")
}

_ANY: Final = sa.select(instruments.c.id).where(
    instruments.c.exchange_segment == sa.bindparam("segment")
).limit(1)  # fmt: skip

CHANGED_AT_ONCE: Final = 20_000

INSTRUMENT: Final = (
    "id", "exchange_segment", *(name for name in Known._fields if name != "id"),
    "underlying_id", "arrived_in", "updated_at",
)  # fmt: skip
LISTING: Final = (
    "load_id", "instrument_id", "broker", "exchange_segment", "broker_symbol", "security_id",
    "broker_lot",
)  # fmt: skip


def occupied(tx: Tx) -> frozenset[Segment]:
    """Return the segments in which there is any instrument at all."""
    return frozenset(it for it in Segment if tx.row(_ANY, {"segment": it}) is not None)


def known_by(
    tx: Tx, load_id: int, column: str, segment: Segment, wanted: Collection[str]
) -> list[Known]:
    """Return the instruments of a segment with these symbols, or with these exchange tokens.

    Those that the same load brought are not among them: its reader knows them by itself.
    """
    if not wanted:
        return []
    params = {"segment": segment, "wanted": json.dumps(sorted(wanted)), "load_id": load_id}
    return [Known(*row) for row in tx.rows(_FIND[tx.dialect.name, column], params)]


def add_instruments(tx: Tx, rows: Sequence[Row]) -> None:
    """Add instruments: INSTRUMENT names their columns."""
    tx.pour(instruments, INSTRUMENT, rows)


def add_listings(tx: Tx, rows: Sequence[Row]) -> None:
    """Add listings: LISTING names their columns."""
    tx.pour(broker_listings, LISTING, rows)


def no_longer_listed(
    tx: Tx, broker: BrokerSlug, loads: tuple[int, int], segment: Segment, page: tuple[int, int]
) -> list[int]:
    """Return active instruments that the load in force lists, a new one does not, nor anybody."""
    old, new = loads
    after, limit = page
    ours, others = broker_listings.alias("ours"), broker_listings.alias("others")
    again = sa.select(ours.c.instrument_id).where(
        ours.c.load_id == new, ours.c.instrument_id == broker_listings.c.instrument_id
    )
    elsewhere = (
        sa.select(others.c.instrument_id)
        .join(
            instrument_masters,
            (instrument_masters.c.broker == others.c.broker)
            & (instrument_masters.c.load_id == others.c.load_id)
            & (instrument_masters.c.exchange_segment == others.c.exchange_segment),
        )
        .where(others.c.instrument_id == broker_listings.c.instrument_id)
        .where(others.c.broker != broker)
    )
    clause = (
        sa.select(broker_listings.c.instrument_id)
        .join(instruments, instruments.c.id == broker_listings.c.instrument_id)
        .where(
            broker_listings.c.load_id == old,
            broker_listings.c.instrument_id > after,
            broker_listings.c.exchange_segment == segment,
            instruments.c.is_active == 1,
            ~again.exists(),
            ~elsewhere.exists(),
        )
        .order_by(broker_listings.c.instrument_id)
        .limit(limit)
    )
    return [int(row[0]) for row in tx.rows(clause)]


# The swap


def activate_arrived(tx: Tx, load_id: int, now: int) -> int:
    """Show what a load brought, but for underlyings nobody named; ids are younger than it."""
    return tx.change(
        sa.update(instruments)
        .where(
            instruments.c.id > load_id,
            instruments.c.arrived_in == load_id,
            instruments.c.named_by.is_not(None),
        )
        .values(is_active=1, updated_at=now)
    )


def change_instruments(tx: Tx, changes: Iterable[Mapping[str, Any]]) -> None:
    """Change what is known of instruments: each names its id and the columns that change."""
    for change in changes:
        tx.change(_setting(tuple(sorted(change))), change)


@lru_cache(maxsize=1024)
def _setting(names: tuple[str, ...]) -> Statement:
    """Compile an update of these columns once; there are few sets of them that change together."""
    values = {name: sa.bindparam(name, type_=instruments.c[name].type) for name in names}
    mine = values.pop("id")
    return Statement(sa.update(instruments).where(instruments.c.id == mine).values(values))


def change_many(tx: Tx, names: Sequence[str], rows: Sequence[Row], now: int) -> None:
    """Change the same columns of many instruments; each row is an id and their values."""
    change = _changing(tx.dialect, tuple(names))
    in_order = sorted(rows, key=itemgetter(0))  # as the table lies: each page is changed once
    for begin in range(0, len(in_order), CHANGED_AT_ONCE):
        some = json.dumps(in_order[begin : begin + CHANGED_AT_ONCE])
        tx.change(change, {"rows": some, "now": now})


@lru_cache(maxsize=256)
def _changing(dialect: sa.Dialect, names: tuple[str, ...]) -> sa.TextClause:
    """Write an UPDATE that takes all its rows as one parameter: one by one costs ten times."""
    columns = [instruments.c[name] for name in names]  # of the table, so no stranger's text
    if dialect.name == "sqlite":
        source = "json_each(:rows) AS w"
        taken = [f"json_extract(w.value, '$[{n}]')" for n in range(len(columns) + 1)]
    else:
        source = "jsonb_array_elements(CAST(:rows AS jsonb)) AS w(value)"
        kinds = ["BIGINT", *(column.type.compile(dialect) for column in columns)]
        taken = [f"CAST(w.value->>{n} AS {kind})" for n, kind in enumerate(kinds)]
    setting = ", ".join(
        f"{it.name} = {value}" for it, value in zip(columns, taken[1:], strict=True)
    )
    return sa.text(
        f"UPDATE instruments SET {setting}, updated_at = :now"  # noqa: S608 - our own words
        f" FROM {source} WHERE instruments.id = {taken[0]}"
    )


def retire(tx: Tx, ids: Sequence[int], now: int) -> None:
    """Keep what nobody lists any more, as over."""
    change_many(tx, ("is_active",), [(it, 0) for it in ids], now)


def symbol_holder(tx: Tx, segment: Segment, symbol: str) -> tuple[int | None, bool]:
    """Return which instrument has a symbol, and whether any master has named it."""
    row = tx.row(_HOLDER, {"segment": segment, "symbol": symbol})
    return (None, False) if row is None else (int(row[0]), row[1] is not None)


_HOLDER: Final = Statement(
    sa.select(instruments.c.id, instruments.c.named_by).where(
        instruments.c.exchange_segment == sa.bindparam("segment"),
        instruments.c.symbol == sa.bindparam("symbol"),
    )
)


def settle_on(tx: Tx, before: int, after: int, now: int) -> None:
    """Have what settled on one instrument settle on another."""
    tx.change(
        sa.update(instruments)
        .where(instruments.c.underlying_id == before)
        .values(underlying_id=after, updated_at=now)
    )


def set_terms(tx: Tx, row: Mapping[str, Any]) -> None:
    """Write down the terms that hold from a day on; the last word of a day counts."""
    there = (instrument_terms.c.instrument_id == row["instrument_id"]) & (
        instrument_terms.c.valid_from == row["valid_from"]
    )
    changed = {name: value for name, value in row.items() if name not in ("id", "created_at")}
    if not tx.change(sa.update(instrument_terms).where(there).values(**changed)):
        tx.change(sa.insert(instrument_terms), row)


def has_terms_from(tx: Tx, instrument_id: int, valid_from: str) -> bool:
    """Say whether terms from that day on are written down."""
    clause = sa.select(instrument_terms.c.id).where(
        instrument_terms.c.instrument_id == instrument_id,
        instrument_terms.c.valid_from == valid_from,
    )
    return tx.row(clause) is not None
