"""What stands at the exchange: where the market has to go, what is due, what is settled."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bahi.db.statement import Statement
from bahi.db.tx import Tx
from bahi.exchange.model.order import STOPS
from bahi.exchange.model.settling import Settlement
from bahi.exchange.tables import paper_orders, paper_settlements
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.money import Price
from bahi.kernel.words import Segment, Side

AT_ONCE: Final = 500
_O: Final = paper_orders.c
_WORKING: Final = sa.text("status IN ('OPEN','PARTIAL')")
_BUYS: Final = _O.side == str(Side.BUY)
_PENDS: Final = sa.and_(_O.order_type.in_(sorted(map(str, STOPS))), _O.is_triggered == 0)


class Interest(NamedTuple):
    """Where an instrument's market has to go before anything that rests on it moves."""

    segment: Segment
    symbol: str
    buys_to: Price | None
    sells_from: Price | None
    buy_trigger: Price | None
    sell_trigger: Price | None
    waits: bool
    """Whether anything waits for nothing but a price."""


def interests(tx: Tx) -> list[Interest]:
    """Return what each instrument's resting orders wait for."""
    rests, pends = sa.not_(_PENDS), _PENDS
    sells = sa.not_(_BUYS)
    clause = (
        sa.select(
            _O.exchange_segment,
            _O.symbol,
            sa.func.max(sa.case((sa.and_(_BUYS, rests), _O.price))),
            sa.func.min(sa.case((sa.and_(sells, rests), _O.price))),
            sa.func.min(sa.case((sa.and_(_BUYS, pends), _O.trigger_price))),
            sa.func.max(sa.case((sa.and_(sells, pends), _O.trigger_price))),
            sa.func.max(
                sa.case(
                    (_O.auction == "OPENING", 1),
                    (sa.and_(rests, _O.price.is_(None)), 1),
                    else_=0,
                )
            ),
        )
        .where(_WORKING, _O.is_amo == 0)
        .group_by(_O.exchange_segment, _O.symbol)
    )
    return [
        Interest(Segment(row[0]), row[1], row[2], row[3], row[4], row[5], bool(row[6]))
        for row in tx.rows(clause)
    ]


def due(tx: Tx, until: datetime) -> list[tuple[Segment, str, datetime]]:
    """Return where and when time does something next, the earliest first."""
    clause = (
        sa.select(_O.exchange_segment, _O.symbol, _O.due_at)
        .where(_WORKING, _O.due_at <= to_micros(until))
        .distinct()
        .order_by(_O.due_at, _O.exchange_segment, _O.symbol)
        .limit(AT_ONCE)
    )
    return [(Segment(at), symbol, from_micros(when)) for at, symbol, when in tx.rows(clause)]


_PLACED_SINCE: Final = Statement(
    sa.select(sa.func.count())
    .select_from(paper_orders)
    .where(_O.client_id == sa.bindparam("client_id"), _O.placed_at > sa.bindparam("since"))
)


def placed_since(tx: Tx, client_id: int, since: datetime) -> int:
    """Return how many orders a client placed since an instant."""
    row = tx.row(_PLACED_SINCE, {"client_id": client_id, "since": to_micros(since)})
    return int(row[0]) if row else 0


def unsettled(tx: Tx, today: date) -> list[tuple[Segment, str, date]]:
    """Return contracts that were traded here, are over, and have no settlement price yet."""
    told = (
        sa.select(sa.literal_column("1"))
        .where(
            paper_settlements.c.exchange_segment == _O.exchange_segment,
            paper_settlements.c.symbol == _O.symbol,
        )
        .exists()
    )
    clause = (
        sa.select(_O.exchange_segment, _O.symbol, _O.expires_on)
        .where(_O.expires_on <= str(today), _O.filled_qty > 0, sa.not_(told))
        .distinct()
        .order_by(_O.expires_on, _O.exchange_segment, _O.symbol)
        .limit(AT_ONCE)
    )
    return [
        (Segment(segment), symbol, date.fromisoformat(day))
        for segment, symbol, day in tx.rows(clause)
    ]


_PUBLISHED: Final[dict[str, Any]] = {
    it.name: sa.bindparam(it.name) for it in paper_settlements.columns
}
_PUBLISH: Final = {
    kind.__name__.rpartition(".")[2]: Statement(
        kind.insert(paper_settlements).values(_PUBLISHED).on_conflict_do_nothing()
    )
    for kind in (sqlite, postgresql)
}


def publish(tx: Tx, settlements: Collection[Settlement]) -> int:
    """Write settlement prices; one that is published already stays."""
    published = 0
    for it in settlements:
        row: dict[str, Any] = it._asdict() | {
            "exchange_segment": str(it.segment),
            "expires_on": str(it.expires_on),
            "published_at": to_micros(it.published_at),
        }
        del row["segment"]
        published += tx.change(_PUBLISH[tx.dialect.name], row)
    return published


def settlements(tx: Tx, since: date) -> list[Settlement]:
    """Return what was settled of contracts that expired on a day or later."""
    clause = (
        sa.select(paper_settlements)
        .where(paper_settlements.c.expires_on >= str(since))
        .order_by(paper_settlements.c.published_at, paper_settlements.c.symbol)
    )
    return [
        Settlement(
            segment=Segment(row[0]),
            symbol=row[1],
            expires_on=date.fromisoformat(row[2]),
            price=Price(row[3]),
            underlying_price=Price(row[4]),
            underlying=row[5],
            source=row[6],
            published_at=from_micros(row[7]),
        )
        for row in tx.rows(clause)
    ]
