"""Trades of an account, as they were recorded."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel

from bahi.api.forms import (
    After,
    Amount,
    Id,
    Instant,
    Limit,
    Page,
    PathId,
    When,
    cursor,
    number,
    place,
)
from bahi.api.routes import Authenticated, Who
from bahi.bootstrap import House
from bahi.bootstrap.looking import look_at
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.recorded import Dealt, Place
from bahi.portfolio.service.as_of import trades_as_of

PREFIX = "/v1/accounts/{account_id}"

By = Annotated[When | None, Query(description="What was recorded by this instant; else by now.")]


class TradeShown(BaseModel):
    """An execution; `net` is what it did to the cash, its charges taken off."""

    id: Id
    order_id: Id | None
    segment: Segment
    symbol: str
    product: Product
    side: Side
    quantity: int
    price: Amount
    value: Amount
    charges: Amount
    net: Amount
    traded_at: Instant
    recorded_at: Instant

    @classmethod
    def of(cls, it: Dealt) -> Self:
        """Show it."""
        return cls(
            id=str(it.id),
            order_id=None if it.order_id is None else str(it.order_id),
            segment=it.key.segment,
            symbol=it.key.symbol,
            product=it.key.product,
            side=it.side,
            quantity=it.quantity,
            price=it.price,
            value=it.value,
            charges=it.charges,
            net=it.net,
            traded_at=it.traded_at,
            recorded_at=it.recorded_at,
        )


def trade_routes(house: House) -> APIRouter:
    """Make the door of trades."""
    router = APIRouter(prefix=PREFIX, tags=["positions"], route_class=Authenticated)

    @router.get("/trades")
    async def trades(
        *, actor: Who, account_id: PathId, limit: Limit = 50, after: After = None, at: By = None
    ) -> Page[TradeShown]:
        """List trades, the newest first."""
        ended = place(after, parts=2)
        behind = None if ended is None else Place(from_micros(ended[0]), ended[1])
        account, store = await look_at(house, actor, number(account_id))
        by = at or house.clock()
        found = await store.read(trades_as_of, account.id, by, behind, limit, fresh=True)
        last = found.next
        return Page(
            items=[TradeShown.of(it) for it in found.trades],
            next=None if last is None else cursor(to_micros(last.traded_at), last.trade_id),
        )

    return router
