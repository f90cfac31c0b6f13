"""What is in force, read whole into memory, and terms by day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.instruments.model.catalogue import BrokerName
from bahi.instruments.model.instrument import Entry, Terms
from bahi.instruments.tables import (
    broker_listings,
    instrument_masters,
    instrument_terms,
    instruments,
)
from bahi.kernel.money import Price
from bahi.kernel.words import BrokerSlug

AT_ONCE: Final = 2_000

_ENTRY: Final = (
    instruments.c.id,
    instruments.c.exchange_segment,
    instruments.c.symbol,
    instruments.c.root_symbol,
    instruments.c.trading_symbol,
    instruments.c.name,
    instruments.c.instrument_type,
    instruments.c.isin,
    instruments.c.expiry,
    instruments.c.strike,
    instruments.c.option_type,
    instruments.c.lot_size,
    instruments.c.tick_size,
    instruments.c.freeze_qty,
    instruments.c.lower_band,
    instruments.c.upper_band,
    instruments.c.cas_eligible,
    instruments.c.series,
    instruments.c.exchange_token,
)
SYMBOL: Final = Entry._fields.index("symbol")
TRADING_SYMBOL: Final = Entry._fields.index("trading_symbol")
ALONE: Final = frozenset({"id", "symbol", "trading_symbol", "isin", "exchange_token"})
REPEATED: Final = tuple(n for n, name in enumerate(Entry._fields) if name not in ALONE)
"""What is the same of many instruments: two hundred thousand of each would be tens of megabytes."""
_LISTED: Final = Statement(
    sa.select(*_ENTRY)
    .where(instruments.c.is_active == 1, instruments.c.id > sa.bindparam("after"))
    .order_by(instruments.c.id)
    .limit(AT_ONCE)
)
_NAMES: Final = Statement(
    sa.select(
        broker_listings.c.instrument_id,
        broker_listings.c.broker_symbol,
        broker_listings.c.security_id,
        broker_listings.c.broker_lot,
        broker_listings.c.exchange_segment,
    )
    .where(
        broker_listings.c.load_id == sa.bindparam("load"),
        broker_listings.c.instrument_id > sa.bindparam("after"),
    )
    .order_by(broker_listings.c.instrument_id)
    .limit(AT_ONCE)
)


def listed(tx: Tx) -> list[Entry]:
    """Return everything that is listed, of one moment; what repeats is kept once."""
    kept: dict[Any, Any] = {}
    return [_of(row, kept) for page in _pages(tx, _LISTED, {}) for row in page]


def _of(row: Row, kept: dict[Any, Any]) -> Entry:
    values = list(row)
    for place in REPEATED:
        values[place] = kept.setdefault(values[place], values[place])
    if values[TRADING_SYMBOL] == values[SYMBOL]:
        values[TRADING_SYMBOL] = values[SYMBOL]
    return Entry._make(values)


def find_entry(tx: Tx, instrument_id: int) -> Entry | None:
    """Return an instrument by its id, listed or not."""
    row = tx.row(sa.select(*_ENTRY).where(instruments.c.id == instrument_id))
    return None if row is None else Entry._make(row)


def names_of(tx: Tx, broker: BrokerSlug) -> list[tuple[str, BrokerName]]:
    """Return how a broker names what it lists, with the segment of each."""
    clause = sa.select(instrument_masters.c.exchange_segment, instrument_masters.c.load_id)
    pointers = tx.rows(clause.where(instrument_masters.c.broker == broker))
    in_force: dict[str, int] = {segment: load for segment, load in pointers}  # noqa: C416 - typed
    return [
        (row[4], BrokerName(*row[:4]))
        for load in sorted(set(in_force.values()))
        for page in _pages(tx, _NAMES, {"load": load})
        for row in page
        if in_force.get(row[4]) == load
    ]


def names_for(tx: Tx, instrument_id: int) -> list[tuple[BrokerSlug, BrokerName]]:
    """Return how each broker whose master is in force names an instrument."""
    clause = (
        sa.select(
            instrument_masters.c.broker,
            broker_listings.c.instrument_id,
            broker_listings.c.broker_symbol,
            broker_listings.c.security_id,
            broker_listings.c.broker_lot,
        )
        .join(
            instrument_masters,
            sa.and_(
                instrument_masters.c.load_id == broker_listings.c.load_id,
                instrument_masters.c.exchange_segment == broker_listings.c.exchange_segment,
            ),
        )
        .where(broker_listings.c.instrument_id == instrument_id)
        .order_by(instrument_masters.c.broker)
    )
    return [(BrokerSlug(broker), BrokerName(*named)) for broker, *named in tx.rows(clause)]


def _pages(tx: Tx, statement: Statement, params: dict[str, int]) -> Iterator[list[Row]]:
    """Page through an answer by its first column; in one transaction, so of one moment."""
    after = 0
    while page := tx.rows(statement, {**params, "after": after}):
        yield page
        after = page[-1][0]


def terms_on(tx: Tx, instrument_id: int, day: date) -> Terms | None:
    """Return what held for an instrument on a day, as far as it was known here then."""
    row = tx.row(
        sa.select(
            instrument_terms.c.valid_from,
            instrument_terms.c.lot_size,
            instrument_terms.c.tick_size,
            instrument_terms.c.freeze_qty,
            instrument_terms.c.lower_band,
            instrument_terms.c.upper_band,
            instrument_terms.c.strike,
            instrument_terms.c.source,
        )
        .where(
            instrument_terms.c.instrument_id == instrument_id,
            instrument_terms.c.valid_from <= day.isoformat(),
        )
        .order_by(instrument_terms.c.valid_from.desc())
        .limit(1)
    )
    return _current(tx, instrument_id, day) if row is None else _terms(row)


def _current(tx: Tx, instrument_id: int, day: date) -> Terms | None:
    """Return the terms of an instrument whose terms never changed, from when they were learnt."""
    row = tx.row(
        sa.select(
            instruments.c.terms_since,
            instruments.c.lot_size,
            instruments.c.tick_size,
            instruments.c.freeze_qty,
            instruments.c.lower_band,
            instruments.c.upper_band,
            instruments.c.strike,
            instruments.c.named_by,
        ).where(instruments.c.id == instrument_id, instruments.c.terms_since <= day.isoformat())
    )
    return None if row is None else _terms(row)


def _terms(row: Row) -> Terms:
    since, lot, tick, freeze, lower, upper, strike, source = row

    def price(value: int | None) -> Price | None:
        return None if value is None else Price(value)

    return Terms(
        valid_from=date.fromisoformat(since),
        lot_size=lot,
        tick_size=price(tick),
        freeze_qty=freeze,
        lower_band=price(lower),
        upper_band=price(upper),
        strike=price(strike),
        source=source or "",
    )
