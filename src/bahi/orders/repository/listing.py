"""Orders to look at: pages of them, one with all that happened to it, and all as they once were."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.tx import Tx
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.errors import Invalid
from bahi.kernel.words import EventSource, EventType, OrderStatus, Segment
from bahi.orders.model.order import Order
from bahi.orders.repository.change import of_order as changes_of
from bahi.orders.repository.order import SELECT, find, fold, order_of
from bahi.orders.tables import order_events, orders

PAGE: Final = 50
PAGE_AT_MOST: Final = 500
AT_ONCE: Final = 500
NEWEST: Final = (1 << 62, 1 << 62)
"""Behind this is everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which orders; what is empty says nothing."""

    statuses: Collection[OrderStatus] = ()
    segment: Segment | None = None
    symbol: str | None = None
    strategy: str | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERYTHING: Final = Wanted()


class Place(NamedTuple):
    """Where a page ended: the next one begins behind it."""

    placed_at: datetime
    order_id: int


class Page(NamedTuple):
    """Orders, the newest first, and where the next page begins; None: this is the last."""

    orders: list[Order]
    next: Place | None


class Event(NamedTuple):
    """One thing that happened to an order: who told of it, when it was, when we wrote it down."""

    sequence: int
    kind: EventType
    source: EventSource | None
    event_at: datetime
    recorded_at: datetime
    changes: Mapping[str, Any]


class Timeline(NamedTuple):
    """An order with its whole life."""

    order: Order
    events: list[Event]
    changes: list[dict[str, Any]]
    parts: list[Order]


def page_of(
    tx: Tx,
    account_id: int,
    wanted: Wanted = EVERYTHING,
    behind: Place | None = None,
    at_most: int = PAGE,
) -> Page:
    """Return a page of an account's orders, the newest first."""
    if not 1 <= at_most <= PAGE_AT_MOST:
        raise Invalid(f"limit: {at_most} is not 1 to {PAGE_AT_MOST}.")
    at, identity = NEWEST if behind is None else (to_micros(behind.placed_at), behind.order_id)
    asked = {"account_id": account_id, "at": at, "identity": identity}
    conditions = _conditions(wanted)
    clause = _a_page(at_most).where(*conditions) if conditions else _any_page(at_most)
    found = tx.rows(clause, asked)
    page, more = [order_of(row) for row in found[:at_most]], len(found) > at_most
    return Page(page, Place(page[-1].placed_at, page[-1].id) if more else None)


def _a_page(at_most: int) -> sa.Select[Any]:
    """Ask for a page and one more; its size is in the text, or PostgreSQL plans it each time."""
    here = sa.tuple_(orders.c.placed_at, orders.c.id)
    return (
        SELECT.where(
            orders.c.account_id == sa.bindparam("account_id"),
            here < sa.tuple_(sa.bindparam("at"), sa.bindparam("identity")),
        )
        .order_by(orders.c.placed_at.desc(), orders.c.id.desc())
        .limit(sa.literal_column(str(at_most + 1)))
    )


@lru_cache(maxsize=8)
def _any_page(at_most: int) -> Statement:
    return Statement(_a_page(at_most))


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.statuses:
        conditions.append(orders.c.status.in_([str(it) for it in wanted.statuses]))
    for column, value in (
        (orders.c.exchange_segment, wanted.segment),
        (orders.c.symbol, wanted.symbol),
        (orders.c.strategy, wanted.strategy),
    ):
        if value is not None:
            conditions.append(column == str(value))
    if wanted.since is not None:
        conditions.append(orders.c.placed_at >= to_micros(wanted.since))
    if wanted.until is not None:
        conditions.append(orders.c.placed_at < to_micros(wanted.until))
    return conditions


def timeline_of(tx: Tx, account_id: int, order_id: int) -> Timeline | None:
    """Return an order of an account with all that happened to it, and its legs."""
    order = find(tx, order_id)
    if order is None or order.account_id != account_id:
        return None
    parts = SELECT.where(orders.c.parent_order_id == order_id).order_by(orders.c.id)
    return Timeline(
        order=order,
        events=_events(tx, order_id),
        changes=changes_of(tx, order_id),
        parts=[order_of(row) for row in tx.rows(parts)],
    )


def _events(tx: Tx, order_id: int) -> list[Event]:
    it = order_events.c
    clause = (
        sa.select(
            it.sequence, it.event_type, it.source, it.event_at, it.recorded_at,
            sa.cast(it.data, sa.Text),
        )
        .where(it.order_id == order_id)
        .order_by(it.sequence)
    )  # fmt: skip
    return [
        Event(
            sequence=row[0],
            kind=EventType(row[1]),
            source=None if row[2] is None else EventSource(row[2]),
            event_at=from_micros(row[3]),
            recorded_at=from_micros(row[4]),
            changes=json.loads(row[5]),
        )
        for row in tx.rows(clause)
    ]


def strategies_of(tx: Tx, ids: Sequence[int]) -> dict[int, str | None]:
    """Return the strategy of each of these orders that the store has."""
    return {
        order_id: strategy
        for start in range(0, len(ids), AT_ONCE)
        for order_id, strategy in tx.rows(
            sa.select(orders.c.id, orders.c.strategy).where(
                orders.c.id.in_(ids[start : start + AT_ONCE])
            )
        )
    }


def as_of(
    tx: Tx, account_id: int, at: datetime, after: int = 0, at_most: int = PAGE_AT_MOST
) -> list[Order]:
    """Return an account's orders as they were recorded by an instant, in pages by their ids."""
    was_there = sa.exists().where(
        order_events.c.order_id == orders.c.id,
        order_events.c.sequence == 1,
        order_events.c.recorded_at <= to_micros(at),
    )
    chosen = (
        sa.select(orders.c.id)
        .where(orders.c.account_id == account_id, orders.c.id > after, was_there)
        .order_by(orders.c.id)
        .limit(at_most)
    )
    ids = [row[0] for row in tx.rows(chosen)]
    clause = (
        sa.select(order_events.c.order_id, sa.cast(order_events.c.data, sa.Text))
        .where(order_events.c.order_id.in_(ids), order_events.c.recorded_at <= to_micros(at))
        .order_by(order_events.c.order_id, order_events.c.sequence)
    )
    happened: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for order_id, data in tx.rows(clause):
        happened[order_id].append(json.loads(data))
    return [fold(happened[order_id]) for order_id in ids]
