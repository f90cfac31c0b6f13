"""Positions of an account: what they are worth; closed, got out of, converted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from bahi.api.forms import IdempotencyKey, PathId, named, number
from bahi.api.native.order_shown import Fault, OrderShown
from bahi.api.native.position_forms import (
    Close,
    ClosedPositions,
    ClosedShown,
    Convert,
    Converted,
    Flatten,
    FlattenedPositions,
    FlattenedShown,
    Positions,
    ValuedPosition,
)
from bahi.api.native.wishes import AimShown
from bahi.api.routes import Authenticated, Who, joined
from bahi.bootstrap import House
from bahi.bootstrap.carrying import convert_position
from bahi.bootstrap.looking import look_at, worth_at
from bahi.orders.service.aiming import close_all, close_position
from bahi.orders.service.flattening import flatten, flatten_all

PREFIX = "/v1/accounts/{account_id}"

OnlyOpen = Annotated[bool, Query(alias="open", description="Leave flat ones out.")]


def position_routes(house: House) -> APIRouter:
    """Make the doors of positions."""
    return joined(_looking(house), _leaving(house))


def _looking(house: House) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["positions"], route_class=Authenticated)

    @router.get("/positions")
    async def positions(
        actor: Who,
        account_id: PathId,
        only_open: OnlyOpen = False,  # noqa: FBT002 - a question's field
    ) -> Positions:
        """List every position with what it is worth by the newest price."""
        kept = await look_at(house, actor, number(account_id))
        found = await worth_at(house, kept)
        return Positions(
            items=[ValuedPosition.valued(it) for it in found if it.position.net or not only_open]
        )

    return router


def _leaving(house: House) -> APIRouter:
    router = APIRouter(prefix=f"{PREFIX}/positions", tags=["positions"], route_class=Authenticated)

    @router.post("/close")
    async def close(
        actor: Who, account_id: PathId, which: Close, key: IdempotencyKey = None
    ) -> AimShown:
        """Close a position at the market; its working exits are taken back first."""
        name = named(which.client_order_id, key)
        desk = await house.desk(actor, number(account_id))
        aim = await desk.errands.see_through(close_position(desk, *which.key, name))
        return AimShown.of(aim)

    @router.post("/close-all")
    async def close_everything(actor: Who, account_id: PathId) -> ClosedPositions:
        """Close every position at the market; each has its own outcome."""
        desk = await house.desk(actor, number(account_id))
        found = await desk.errands.see_through(close_all(desk))
        return ClosedPositions(
            items=[
                ClosedShown(
                    segment=it.key.segment,
                    symbol=it.key.symbol,
                    product=it.key.product,
                    orders=[OrderShown.of(order) for order in it.orders],
                    fault=Fault.of(it.fault),
                )
                for it in found
            ]
        )

    @router.post("/flatten")
    async def get_out(
        actor: Who, account_id: PathId, which: Flatten | None = None
    ) -> FlattenedPositions:
        """Get out by limits that reach further and further, for up to 20 seconds.

        The house goes on where the caller hangs up; what could not be closed raises an alert.
        """
        one = None if which is None else which.position
        desk = await house.desk(actor, number(account_id))
        if one is None:
            found = await desk.errands.see_through(flatten_all(desk))
        else:
            found = [await desk.errands.see_through(flatten(desk, one.key))]
        return FlattenedPositions(items=[FlattenedShown.of(it) for it in found])

    @router.post("/convert")
    async def convert(
        actor: Who, account_id: PathId, wish: Convert, key: IdempotencyKey = None
    ) -> Converted:
        """Hold a part of a position as another product, at the exchange and in the books."""
        done = await convert_position(
            house,
            actor,
            number(account_id),
            wish.key,
            to=wish.to,
            quantity=wish.quantity,
            name=key,
        )
        return Converted(
            id=str(done.id),
            segment=done.key.segment,
            symbol=done.key.symbol,
            product=done.key.product,
            to=done.to,
            moves=done.moves,
            stage=done.stage,
        )

    return router
