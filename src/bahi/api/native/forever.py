"""Orders that wait for a price, over days (forever, or GTT, orders)."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from bahi.api.forms import (
    After,
    Amount,
    Form,
    Id,
    IdempotencyKey,
    Instant,
    Limit,
    Page,
    PathId,
    Rupees,
    When,
    asked_twice,
    cursor,
    named,
    number,
    place,
)
from bahi.api.native.order_forms import (
    Guarded,
    Name,
    Pieces,
    Terms,
)
from bahi.api.routes import Authenticated, Who, joined
from bahi.bootstrap import House
from bahi.bootstrap.looking import look_at
from bahi.kernel.errors import Invalid
from bahi.kernel.money import Price
from bahi.kernel.words import (
    ForeverKind,
    ForeverStatus,
    OrderType,
    Product,
    Segment,
    Side,
    TriggerType,
    Validity,
)
from bahi.orders.model.forever import Forever, Trigger
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.forever import (
    PlaceForever,
    cancel_forever,
    change_forever,
    forever_of,
    get_forever,
    place_or_find,
)

PREFIX = "/v1/accounts/{account_id}/forever"


class TriggerAsked(Form):
    """Where the last price must go: at or above, at or below, or out of a range."""

    type: TriggerType
    above: Rupees | None = None
    below: Rupees | None = None

    def trigger(self) -> Trigger:
        """Return it as orders take it."""
        return Trigger(
            kind=self.type,
            above=None if self.above is None else Price(self.above),
            below=None if self.below is None else Price(self.below),
        )


class WaitingOrder(Terms):
    """The order that goes out when the price comes; it has no name of its own."""

    side: Side
    quantity: Pieces
    guard: Guarded | None = None

    def wish(self) -> PlaceOrder:
        """Return the wish, as the desk takes it."""
        if self.client_order_id is not None:
            raise Invalid("client_order_id: it names the whole, and stands beside `order`.")
        guard = None if self.guard is None else self.guard.guard()
        return self.asked(self.side, self.quantity, guard=guard)


class Leg(Form):
    """An order with its trigger."""

    order: WaitingOrder
    trigger: TriggerAsked


class NewForever(Leg):
    """An order that waits for its price; with `other`, two of which one firing ends the other."""

    other: Leg | None = None
    expires_at: When | None = None
    client_order_id: Name | None = None


class TriggerShown(BaseModel):
    """Where the last price must go."""

    type: TriggerType
    above: Amount | None
    below: Amount | None


class ForeverShown(BaseModel):
    """A forever order as it stands."""

    id: Id
    account_id: Id
    client_order_id: str | None
    status: ForeverStatus
    kind: ForeverKind
    trigger: TriggerShown
    segment: Segment
    symbol: str
    side: Side
    product: Product
    order_type: OrderType
    validity: Validity
    quantity: int
    price: Amount | None
    trigger_price: Amount | None
    strategy: str | None
    other_id: Id | None
    order_id: Annotated[Id | None, Field(description="The order that it placed.")]
    created_at: Instant
    updated_at: Instant
    triggered_at: Instant | None
    expires_at: Instant | None

    @classmethod
    def of(cls, it: Forever) -> Self:
        """Show it."""
        trigger = it.trigger
        return cls(
            id=str(it.id),
            account_id=str(it.account_id),
            client_order_id=it.name,
            status=it.status,
            kind=it.kind,
            trigger=TriggerShown(type=trigger.kind, above=trigger.above, below=trigger.below),
            segment=it.segment,
            symbol=it.symbol,
            side=it.side,
            product=it.product,
            order_type=it.order_type,
            validity=it.validity,
            quantity=it.quantity,
            price=it.price,
            trigger_price=it.trigger_price,
            strategy=it.strategy,
            other_id=_text(it.oco_leg_id),
            order_id=_text(it.triggered_order_id),
            created_at=it.created_at,
            updated_at=it.updated_at,
            triggered_at=it.triggered_at,
            expires_at=it.expires_at,
        )


class Placed(BaseModel):
    """One, or the two of a pair."""

    items: list[ForeverShown]


def forever_routes(house: House) -> APIRouter:
    """Make the doors of forever orders."""
    return joined(_looking(house), _changing(house))


def _looking(house: House) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["forever"], route_class=Authenticated)

    @router.get("")
    async def list_forever(
        actor: Who, account_id: PathId, limit: Limit = 50, after: After = None
    ) -> Page[ForeverShown]:
        """List forever orders, the newest first."""
        ended = place(after)
        account, store = await look_at(house, actor, number(account_id))
        before = None if ended is None else ended[0]
        rows = await store.read(forever_of, account.id, before, limit + 1, fresh=True)
        return Page(
            items=[ForeverShown.of(it) for it in rows[:limit]],
            next=cursor(rows[limit - 1].id) if len(rows) > limit else None,
        )

    @router.get("/{forever_id}")
    async def show_forever(actor: Who, account_id: PathId, forever_id: PathId) -> ForeverShown:
        """Show one forever order."""
        account, store = await look_at(house, actor, number(account_id))
        found = await store.read(get_forever, account.id, number(forever_id), fresh=True)
        return ForeverShown.of(found)

    return router


def _changing(house: House) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["forever"], route_class=Authenticated)

    @router.post("", status_code=201, responses=asked_twice(Placed))
    async def place_one(
        actor: Who,
        account_id: PathId,
        wish: NewForever,
        response: Response,
        key: IdempotencyKey = None,
    ) -> Placed:
        """Have an order wait for a price; the same name again answers what it named first."""
        other = wish.other
        asked = PlaceForever(
            order=wish.order.wish(),
            trigger=wish.trigger.trigger(),
            other=None if other is None else (other.order.wish(), other.trigger.trigger()),
            expires_at=wish.expires_at,
            client_order_id=named(wish.client_order_id, key),
        )
        found = await place_or_find(await house.desk(actor, number(account_id)), asked)
        response.status_code = 201 if found.is_new else 200
        return Placed(items=[ForeverShown.of(it) for it in found.legs])

    @router.patch("/{forever_id}")
    async def change_one(
        actor: Who, account_id: PathId, forever_id: PathId, wish: Leg
    ) -> ForeverShown:
        """Have one wait for another price, or place another order of the same instrument."""
        desk = await house.desk(actor, number(account_id))
        changed = await change_forever(
            desk, number(forever_id), wish.order.wish(), wish.trigger.trigger()
        )
        return ForeverShown.of(changed)

    @router.delete("/{forever_id}")
    async def take_back(actor: Who, account_id: PathId, forever_id: PathId) -> ForeverShown:
        """Take one back that waits; of a pair both."""
        desk = await house.desk(actor, number(account_id))
        return ForeverShown.of(await cancel_forever(desk, number(forever_id)))

    return router


def _text(identity: int | None) -> str | None:
    return None if identity is None else str(identity)
