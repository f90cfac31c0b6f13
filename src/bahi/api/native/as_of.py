"""An account as it was recorded by an instant: by when it was written down, and never prices."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from bahi.api.forms import (
    After,
    Amount,
    Instant,
    Limit,
    Page,
    PathId,
    When,
    cursor,
    number,
    place,
)
from bahi.api.native.order_shown import (
    OrderShown,
)
from bahi.api.native.position_forms import PositionShown
from bahi.api.native.risk_forms import HeldShown, LimitsShown, SwitchShown
from bahi.api.routes import Authenticated, Who
from bahi.bootstrap import House
from bahi.bootstrap.looking import look_at
from bahi.kernel.errors import NotFound
from bahi.orders.service.looking import as_of as orders_as_of
from bahi.portfolio.service.as_of import money_as_of, positions_as_of
from bahi.risk.service import as_of as risk_as_of

PREFIX = "/v1/accounts/{account_id}/as-of"

At = Annotated[When, Query(description="The instant by which it was recorded.")]


class FundsThen(BaseModel):
    """What an account had, and what of it was blocked."""

    at: Instant
    cash: Amount
    margin_used: Amount
    available: Amount


class PositionsThen(BaseModel):
    """Every position as it stood, by symbol."""

    at: Instant
    items: list[PositionShown]


class RiskThen(BaseModel):
    """What bound an account; of the limits also those that were still to come."""

    at: Instant
    switches: list[SwitchShown]
    limits: list[HeldShown]
    in_force: LimitsShown


def as_of_routes(house: House) -> APIRouter:
    """Make the doors of the past."""
    router = APIRouter(prefix=PREFIX, tags=["as of"], route_class=Authenticated)

    @router.get("/orders")
    async def orders_then(
        *, actor: Who, account_id: PathId, at: At, limit: Limit = 50, after: After = None
    ) -> Page[OrderShown]:
        """List orders as they were, the oldest first."""
        ended = place(after)
        account, store = await look_at(house, actor, number(account_id))
        behind = 0 if ended is None else ended[0]
        found = await store.read(orders_as_of, account.id, at, behind, limit + 1, fresh=True)
        return Page(
            items=[OrderShown.of(it) for it in found[:limit]],
            next=cursor(found[limit - 1].id) if len(found) > limit else None,
        )

    @router.get("/positions")
    async def positions_then(actor: Who, account_id: PathId, at: At) -> PositionsThen:
        """List positions as they stood."""
        account, store = await look_at(house, actor, number(account_id))
        found = await store.read(positions_as_of, account.id, at, fresh=True)
        return PositionsThen(at=at, items=[PositionShown.of(it) for it in found])

    @router.get("/funds")
    async def funds_then(actor: Who, account_id: PathId, at: At) -> FundsThen:
        """Say what the account had."""
        account, store = await look_at(house, actor, number(account_id))
        found = await store.read(money_as_of, account.id, at, fresh=True)
        if found is None:
            raise NotFound(f"Account {account.name!r} had no book yet.")
        return FundsThen(
            at=at, cash=found.cash, margin_used=found.margin_used, available=found.available
        )

    @router.get("/risk")
    async def risk_then(actor: Who, account_id: PathId, at: At) -> RiskThen:
        """Say which switches and limits bound the account."""
        account, store = await look_at(house, actor, number(account_id))
        found = await store.read(risk_as_of, account.id, at, fresh=True)
        return RiskThen(
            at=at,
            switches=[SwitchShown.of(it) for it in found.switches],
            limits=[HeldShown.of(it) for it in found.limits],
            in_force=LimitsShown.of(found.in_force),
        )

    return router
