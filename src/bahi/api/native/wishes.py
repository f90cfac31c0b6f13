"""Wishes that become several orders, or an order for what is missing; and what they would need."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Self

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from bahi.api.forms import Amount, IdempotencyKey, PathId, Shown, asked_twice, named, number
from bahi.api.native.order_forms import (
    Basket,
    NewOrder,
    SlicedOrder,
    SmartOrder,
)
from bahi.api.native.order_shown import (
    Fault,
    OrderShown,
)
from bahi.api.routes import Authenticated, Who, joined
from bahi.bootstrap import House
from bahi.bootstrap.margins import margin_for
from bahi.orders.service.aiming import Aim, place_smart
from bahi.orders.service.several import place_basket, place_sliced

PREFIX = "/v1/accounts/{account_id}"


class AimShown(BaseModel):
    """What went out to bring a position to its target; no order: it is there already."""

    orders: list[OrderShown]
    net: Annotated[int, Field(description="What was open when it was asked for.")]
    working: Annotated[int, Field(description="What orders that worked would still move it by.")]
    fault: Annotated[Fault | None, Field(description="What broke it off between slices.")]

    @classmethod
    def of(cls, aim: Aim) -> Self:
        """Show it."""
        return cls(
            orders=[OrderShown.of(it) for it in aim.orders],
            net=aim.net,
            working=aim.working,
            fault=Fault.of(aim.fault),
        )


class SlicedShown(BaseModel):
    """A large order as its slices, and what they come to."""

    group: str
    status: str
    quantity: int
    filled: int
    average_price: Amount | None
    slices: list[OrderShown]
    fault: Fault | None


class AnswerShown(BaseModel):
    """What became of one order of a basket: the order, or why there is none."""

    order: OrderShown | None
    fault: Fault | None


class Answers(BaseModel):
    """What became of each order of a basket, as they were asked for."""

    items: list[AnswerShown]


class NeedShown(Shown):
    """What one order would block, and what of it is what; and its charges."""

    total: Amount
    span: Amount
    exposure: Amount
    var: Amount
    premium: Amount
    charges: Amount
    is_exit: bool


class Required(Shown):
    """What orders would need together, by our rules and not by a broker's calculator."""

    each: list[NeedShown]
    total: Amount
    benefit: Amount
    charges: Amount
    free_needed: Amount
    available: Amount
    is_approximate: bool
    fits: bool


def wish_routes(house: House) -> APIRouter:
    """Make the doors of wishes that are more than one order."""
    return joined(_several(house), _asking(house))


def _several(house: House) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["orders"], route_class=Authenticated)

    @router.post("/orders/smart")
    async def bring_to_target(
        actor: Who, account_id: PathId, wish: SmartOrder, key: IdempotencyKey = None
    ) -> AimShown:
        """Bring a position to a target; what works already counts, so asking twice is one order."""
        asked = wish.wish(named(wish.client_order_id, key))
        desk = await house.desk(actor, number(account_id))
        return AimShown.of(await place_smart(desk, asked, wish.target))

    @router.post("/orders/sliced", status_code=201, responses=asked_twice(SlicedShown))
    async def place_in_slices(
        actor: Who,
        account_id: PathId,
        wish: SlicedOrder,
        response: Response,
        key: IdempotencyKey = None,
    ) -> SlicedShown:
        """Place an order in parts; one that is refused ends it, and what was placed stays.

        The same name again finds the same parts.
        """
        asked = wish.wish(named(wish.client_order_id, key))
        desk = await house.desk(actor, number(account_id))
        placed = await desk.errands.see_through(place_sliced(desk, asked, wish.slice_size))
        response.status_code = 201 if placed.is_new else 200
        return SlicedShown(
            group=placed.whole.group,
            status=placed.whole.status,
            quantity=placed.whole.quantity,
            filled=placed.whole.filled,
            average_price=placed.whole.average_price,
            slices=[OrderShown.of(it) for it in placed.slices],
            fault=Fault.of(placed.fault),
        )

    @router.post("/orders/basket", status_code=201, responses=asked_twice(Answers))
    async def place_several(
        actor: Who,
        account_id: PathId,
        basket: Basket,
        response: Response,
        key: IdempotencyKey = None,
    ) -> Answers:
        """Place several orders, what is bought first; each has its own outcome.

        `Idempotency-Key` names those that have no name of their own: `<key>/1` and so on. It is
        200 where not one order is new.
        """
        wishes = [it.wish() for it in basket.orders]
        if key is not None:
            wishes = [
                it if it.client_order_id else replace(it, client_order_id=f"{key}/{at}")
                for at, it in enumerate(wishes, 1)
            ]
        desk = await house.desk(actor, number(account_id))
        found = await desk.errands.see_through(place_basket(desk, wishes))
        response.status_code = 201 if any(it.is_new for it in found) else 200
        return Answers(
            items=[
                AnswerShown(
                    order=None if it.order is None else OrderShown.of(it.order),
                    fault=Fault.of(it.fault),
                )
                for it in found
            ]
        )

    return router


class Wishes(Basket):
    """Orders of which one wants to know what they would need."""

    orders: Annotated[list[NewOrder], Field(min_length=1, max_length=100)]


def _asking(house: House) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["margin"], route_class=Authenticated)

    @router.post("/margin")
    async def needed(actor: Who, account_id: PathId, wishes: Wishes) -> Required:
        """Say what orders would need together; nothing is placed, the answer is written down."""
        asked = [it.wish() for it in wishes.orders]
        found = await margin_for(house, actor, number(account_id), asked)
        return Required.model_validate(found)

    return router
