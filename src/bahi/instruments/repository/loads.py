"""Loads of instrument files, and which of them is in force."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.instruments.model.loads import InForce, Load, LoadStatus
from bahi.instruments.tables import broker_listings, instrument_masters, instruments, master_loads
from bahi.kernel.clock import from_micros, instant_of
from bahi.kernel.words import BrokerSlug, Segment

HEARD_FOR: Final = timedelta(days=7)
"""A broker that is loaded no more must not rule over lots and strikes for ever."""

_LOAD: Final = (
    master_loads.c.id,
    master_loads.c.broker,
    master_loads.c.source,
    master_loads.c.status,
    master_loads.c.trading_day,
    master_loads.c.lines,
    master_loads.c.report,
    master_loads.c.reason,
    master_loads.c.started_by,
    master_loads.c.started_at,
    master_loads.c.ended_at,
)


def _load(row: Row) -> Load:
    key, broker, source, status, day, lines, report, reason, by, started, ended = row
    return Load(
        id=key,
        broker=BrokerSlug(broker),
        source=source,
        status=LoadStatus(status),
        trading_day=date.fromisoformat(day),
        lines=lines,
        report=json.loads(report) if report else {},
        reason=reason,
        started_by=by,
        started_at=from_micros(started),
        ended_at=instant_of(ended),
    )


def add_load(tx: Tx, row: Mapping[str, Any]) -> None:
    """Enter a load that begins."""
    tx.change(sa.insert(master_loads), row)


def change_load(tx: Tx, load_id: int, values: Mapping[str, Any], *, if_reading: bool = True) -> int:
    """Change a load that is being read; return whether it still was."""
    clause = sa.update(master_loads).where(master_loads.c.id == load_id).values(**values)
    if if_reading:
        clause = clause.where(master_loads.c.status == LoadStatus.READING)
    return tx.change(clause)


def is_reading(tx: Tx, load_id: int) -> bool:
    """Say whether a load is being read, and keep it so until this transaction ends."""
    return tx.row(_READING, {"load_id": load_id, "status": LoadStatus.READING}) is not None


_READING: Final = Statement(
    sa.select(master_loads.c.id)
    .where(
        master_loads.c.id == sa.bindparam("load_id"),
        master_loads.c.status == sa.bindparam("status"),
    )
    .with_for_update(read=True)
)


def find_load(tx: Tx, load_id: int) -> Load | None:
    """Return a load."""
    row = tx.row(sa.select(*_LOAD).where(master_loads.c.id == load_id))
    return None if row is None else _load(row)


def list_loads(tx: Tx, broker: BrokerSlug | None, limit: int) -> list[Load]:
    """Return the newest loads first."""
    clause = sa.select(*_LOAD).order_by(master_loads.c.id.desc()).limit(limit)
    if broker is not None:
        clause = clause.where(master_loads.c.broker == broker)
    return [_load(row) for row in tx.rows(clause)]


def list_reading(tx: Tx) -> list[tuple[int, BrokerSlug, int]]:
    """Return the loads that are being read, and when each was last seen to move."""
    clause = sa.select(master_loads.c.id, master_loads.c.broker, master_loads.c.seen_at)
    rows = tx.rows(clause.where(master_loads.c.status == LoadStatus.READING))
    return [(key, BrokerSlug(broker), seen_at) for key, broker, seen_at in rows]


def in_force(tx: Tx, broker: BrokerSlug) -> dict[Segment, tuple[int, int]]:
    """Return, by segment, which load of a broker is in force and how many listings it has."""
    clause = sa.select(
        instrument_masters.c.exchange_segment,
        instrument_masters.c.load_id,
        instrument_masters.c.listings,
    ).where(instrument_masters.c.broker == broker)
    return {Segment(segment): (load, count) for segment, load, count in tx.rows(clause)}


def masters(tx: Tx) -> list[InForce]:
    """Return which load is in force, by broker and segment."""
    clause = sa.select(
        instrument_masters.c.broker,
        instrument_masters.c.exchange_segment,
        instrument_masters.c.load_id,
        instrument_masters.c.listings,
        instrument_masters.c.in_force_since,
    ).order_by(instrument_masters.c.broker, instrument_masters.c.exchange_segment)
    return [
        InForce(BrokerSlug(broker), Segment(segment), load, listings, from_micros(since))
        for broker, segment, load, listings, since in tx.rows(clause)
    ]


def listed_by_others(
    tx: Tx, broker: BrokerSlug, segment: Segment, symbols: Iterable[str]
) -> set[str] | None:
    """Return which of these symbols others' masters list; None where no other has the segment."""
    others = (instrument_masters.c.broker != broker) & (
        instrument_masters.c.exchange_segment == segment
    )
    if tx.row(sa.select(instrument_masters.c.load_id).where(others).limit(1)) is None:
        return None
    clause = (
        sa.select(instruments.c.symbol)
        .join(broker_listings, broker_listings.c.instrument_id == instruments.c.id)
        .join(instrument_masters, instrument_masters.c.load_id == broker_listings.c.load_id)
        .where(others, broker_listings.c.exchange_segment == segment)
        .where(instruments.c.exchange_segment == segment, instruments.c.symbol.in_(tuple(symbols)))
    )
    return {symbol for (symbol,) in tx.rows(clause)}


def point(tx: Tx, broker: BrokerSlug, segment: Segment, row: Mapping[str, Any]) -> None:
    """Put a load in force for a segment."""
    there = (instrument_masters.c.broker == broker) & (
        instrument_masters.c.exchange_segment == segment
    )
    if not tx.change(sa.update(instrument_masters).where(there).values(**row)):
        tx.change(
            sa.insert(instrument_masters), {"broker": broker, "exchange_segment": segment, **row}
        )


def is_in_force(tx: Tx, load_id: int) -> bool:
    """Say whether any segment still points to a load."""
    clause = sa.select(instrument_masters.c.broker).where(instrument_masters.c.load_id == load_id)
    return tx.row(clause.limit(1)) is not None


def has_listings(tx: Tx, load_id: int, segments: Iterable[Segment]) -> bool:
    """Say whether a load has any listings left in these segments."""
    clause = sa.select(broker_listings.c.instrument_id).where(
        broker_listings.c.load_id == load_id,
        broker_listings.c.exchange_segment.in_(tuple(segments)),
    )
    return tx.row(clause.limit(1)) is not None


def heard(tx: Tx, day: date) -> frozenset[tuple[str, Segment]]:
    """Return whose masters are in force that are not too old to be believed, by segment."""
    since = (day - HEARD_FOR).isoformat()
    rows = tx.rows(
        sa.select(instrument_masters.c.broker, instrument_masters.c.exchange_segment)
        .join(master_loads, master_loads.c.id == instrument_masters.c.load_id)
        .where(master_loads.c.trading_day >= since)
    )
    return frozenset((broker, Segment(segment)) for broker, segment in rows)


def remove_listings(
    tx: Tx, load_id: int, limit: int, segments: Iterable[Segment] | None = None
) -> int:
    """Forget some listings of a load, of some segments or of all."""
    which = sa.select(broker_listings.c.instrument_id).where(broker_listings.c.load_id == load_id)
    if segments is not None:
        which = which.where(broker_listings.c.exchange_segment.in_(tuple(segments)))
    return tx.change(
        sa.delete(broker_listings).where(
            broker_listings.c.load_id == load_id,
            broker_listings.c.instrument_id.in_(which.limit(limit)),
        )
    )


def remove_arrived(tx: Tx, load_id: int, limit: int) -> int:
    """Remove some instruments that a load brought which never came into force."""
    which = (
        sa.select(instruments.c.id)
        .where(instruments.c.id > load_id, instruments.c.arrived_in == load_id)
        .where(instruments.c.is_active == 0)
        .limit(limit)
    )
    return tx.change(sa.delete(instruments).where(instruments.c.id.in_(which)))


def forget_loads(tx: Tx, broker: BrokerSlug, keep: int) -> int:
    """Forget the oldest loads of a broker that nothing points to any more."""
    newest = (
        sa.select(master_loads.c.id)
        .where(master_loads.c.broker == broker)
        .order_by(master_loads.c.id.desc())
        .limit(keep)
    )
    return tx.change(
        sa.delete(master_loads).where(
            master_loads.c.broker == broker,
            master_loads.c.id.not_in(newest),
            master_loads.c.status.in_((LoadStatus.REPLACED, LoadStatus.REFUSED)),
            master_loads.c.id.not_in(sa.select(instrument_masters.c.load_id)),
            master_loads.c.id.not_in(sa.select(broker_listings.c.load_id)),
        )
    )
