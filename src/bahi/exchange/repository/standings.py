"""How clients stand by the exchange's own journal: sums of their fills, and the fills."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, NamedTuple

import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.exchange.tables import paper_conversions, paper_fills, paper_orders
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.money import Price
from bahi.kernel.ports import Fill, ToldTrade
from bahi.kernel.words import Product, Segment, Side

_O: Final = paper_orders.c
_C: Final = paper_conversions.c
_F: Final = paper_fills.c
_BUYS: Final = _O.side == str(Side.BUY)


class Stood(NamedTuple):
    """What a client's fills in one thing come to, and the conversions of it."""

    segment: Segment
    symbol: str
    product: Product
    is_todays: bool
    bought: int
    paid: int
    sold: int
    got: int
    converted: int

    @property
    def net(self) -> int:
        """What is open; negative is short."""
        return self.bought - self.sold + self.converted


def standings(tx: Tx, client_id: int, today: date) -> list[Stood]:
    """Return what a client's fills come to, today's apart from those of before.

    A contract that ended on a day before today is no position of anybody any more.
    """
    none: sa.ColumnClause[int] = sa.literal_column("0")
    todays = sa.case((_O.session_day == str(today), 1), else_=0)
    traded = sa.select(
        _O.exchange_segment,
        _O.symbol,
        _O.product,
        todays.label("is_todays"),
        sa.case((_BUYS, _O.filled_qty), else_=0).label("bought"),
        sa.case((_BUYS, _O.filled_value), else_=0).label("paid"),
        sa.case((_BUYS, 0), else_=_O.filled_qty).label("sold"),
        sa.case((_BUYS, 0), else_=_O.filled_value).label("got"),
        none.label("converted"),
    ).where(
        _O.client_id == client_id,
        _O.filled_qty > 0,
        sa.or_(_O.expires_on.is_(None), _O.expires_on >= str(today)),
    )
    converted = sa.select(
        _C.exchange_segment,
        _C.symbol,
        _C.product,
        sa.case((_C.session_day == str(today), 1), else_=0),
        none,
        none,
        none,
        none,
        _C.moves,
    ).where(_C.client_id == client_id)
    it = sa.union_all(traded, converted).subquery().c
    named = (it.exchange_segment, it.symbol, it.product, it.is_todays)
    sums = [sa.func.sum(column) for column in (it.bought, it.paid, it.sold, it.got, it.converted)]
    clause = sa.select(*named, *sums).group_by(*named).order_by(*named)
    return [
        Stood(Segment(row[0]), row[1], Product(row[2]), bool(row[3]), *(int(n) for n in row[4:]))
        for row in tx.rows(clause)
    ]


def traded_since(tx: Tx, client_id: int, since: datetime) -> list[ToldTrade]:
    """Return a client's fills since an instant, in the order in which they were made."""
    clause = (
        sa.select(
            _F.id, _F.quantity, _F.price, _F.filled_at,
            _O.id, _O.exchange_segment, _O.symbol, _O.side, _O.product, _O.tag,
        )
        .join_from(paper_fills, paper_orders, _O.id == _F.order_id)
        .where(_O.client_id == client_id, _F.filled_at >= to_micros(since))
        .order_by(_F.filled_at, _F.id)
    )  # fmt: skip
    return [
        ToldTrade(
            fill=Fill(
                trade_id=str(row[0]), quantity=row[1], price=Price(row[2]), at=from_micros(row[3])
            ),
            broker_order_id=str(row[4]),
            segment=row[5],
            symbol=row[6],
            side=row[7],
            product=row[8],
            tag=row[9],
        )
        for row in tx.rows(clause)
    ]
