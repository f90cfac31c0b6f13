"""Orders of an account: placed, changed, cancelled, looked at."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, Field

from bahi.api.errors import problem_answers
from bahi.api.forms import (
    After,
    Form,
    IdempotencyKey,
    Limit,
    Page,
    PathId,
    Text,
    When,
    asked_twice,
    cursor,
    named,
    number,
    place,
)
from bahi.api.native.order_forms import (
    NewOrder,
    OrderChange,
    Strategy,
    Symbol,
)
from bahi.api.native.order_shown import (
    Fault,
    OrderShown,
    TimelineShown,
)
from bahi.api.routes import Authenticated, Who, joined
from bahi.bootstrap import House
from bahi.bootstrap.looking import look_at
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.money import Price
from bahi.kernel.words import OrderStatus, Segment
from bahi.orders.model.changing import ModifyOrder
from bahi.orders.service.cancelling import Outcome, cancel_all, cancel_order
from bahi.orders.service.concluding import conclude_order
from bahi.orders.service.looking import Place, Wanted, page_of, timeline_of
from bahi.orders.service.modifying import modify_order
from bahi.orders.service.placing import place_or_find
from bahi.orders.service.waiting import approve_order, decline_order

PREFIX = "/v1/accounts/{account_id}/orders"

Statuses = Annotated[list[OrderStatus] | None, Query(alias="status", max_length=20)]
OfSegment = Annotated[Segment | None, Query()]
OfSymbol = Annotated[Symbol | None, Query()]
OfStrategy = Annotated[Strategy | None, Query()]
Since = Annotated[When | None, Query(description="Placed at this instant or later.")]
Until = Annotated[When | None, Query(description="Placed before this instant.")]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=30,
        pattern=r'^"[0-9]{1,19}"$',
        description="The version that was seen, as its ETag says it; any other is 412.",
    ),
]


class Which(Form):
    """Which orders; without a word, all that work."""

    strategy: Strategy | None = None
    segment: Segment | None = None
    symbol: Symbol | None = None


class Why(Form):
    """Why it is done."""

    reason: Annotated[Text, Field(min_length=1)]


class OutcomeShown(BaseModel):
    """What became of one order of many: the order as it is now, or why not."""

    order_id: str
    order: OrderShown | None
    fault: Fault | None

    @classmethod
    def of(cls, it: Outcome) -> OutcomeShown:
        """Show it."""
        order = None if it.order is None else OrderShown.of(it.order)
        return cls(order_id=str(it.order_id), order=order, fault=Fault.of(it.fault))


class Outcomes(BaseModel):
    """What became of each."""

    items: list[OutcomeShown]


TAGGED: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            "ETag": {"description": "The order's version, quoted.", "schema": {"type": "string"}}
        }
    }
}


def order_routes(house: House) -> APIRouter:
    """Make the doors of orders."""
    return joined(_placing(house), _looking(house), _by_persons(house))


def _placing(house: House) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["orders"], route_class=Authenticated)

    @router.post("", status_code=201, responses=asked_twice(OrderShown))
    async def place_order(
        actor: Who,
        account_id: PathId,
        wish: NewOrder,
        response: Response,
        key: IdempotencyKey = None,
    ) -> OrderShown:
        """Place an order; one of a name that was given before is answered, and not placed again.

        The same name with another wish is 409, `name_taken`, and nothing is placed. Refused by a
        limit it is there too, REJECTED, and says why.
        """
        asked = wish.wish(named(wish.client_order_id, key))
        desk = await house.desk(actor, number(account_id))
        order, is_new = await place_or_find(desk, asked)
        response.status_code = 201 if is_new else 200
        response.headers["ETag"] = tag_of(order.version)
        return OrderShown.of(order)

    @router.patch("/{order_id}", responses={**problem_answers(412), **TAGGED})
    async def change_order(
        *,
        actor: Who,
        account_id: PathId,
        order_id: PathId,
        wish: OrderChange,
        response: Response,
        seen: IfMatch = None,
    ) -> OrderShown:
        """Change an order that works; with `If-Match` only the version that was seen."""
        desk = await house.desk(actor, number(account_id))
        change = ModifyOrder(
            order_id=number(order_id),
            quantity=wish.quantity,
            price=None if wish.price is None else Price(wish.price),
            trigger_price=None if wish.trigger_price is None else Price(wish.trigger_price),
            validity=wish.validity,
            version=None if seen is None else int(seen.strip('"')),
        )
        order = await modify_order(desk, change)
        response.headers["ETag"] = tag_of(order.version)
        return OrderShown.of(order)

    @router.delete("/{order_id}")
    async def cancel(actor: Who, account_id: PathId, order_id: PathId) -> OrderShown:
        """Cancel what is left of an order; `cancel_asked` says that the answer is awaited."""
        desk = await house.desk(actor, number(account_id))
        return OrderShown.of(await cancel_order(desk, number(order_id)))

    @router.post("/cancel-all")
    async def cancel_every_order(
        actor: Who, account_id: PathId, which: Which | None = None
    ) -> Outcomes:
        """Cancel all that works, of a strategy or a symbol alone; each has its own outcome."""
        which = which or Which()
        if which.symbol is not None and which.segment is None:
            raise Invalid("segment: a symbol is listed in a segment; name that too.")
        desk = await house.desk(actor, number(account_id))
        found = await cancel_all(
            desk, strategy=which.strategy, segment=which.segment, symbol=which.symbol
        )
        return Outcomes(items=[OutcomeShown.of(it) for it in found])

    return router


def _looking(house: House) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["orders"], route_class=Authenticated)

    @router.get("")
    async def list_orders(
        *,
        actor: Who,
        account_id: PathId,
        limit: Limit = 50,
        after: After = None,
        status: Statuses = None,
        segment: OfSegment = None,
        symbol: OfSymbol = None,
        strategy: OfStrategy = None,
        since: Since = None,
        until: Until = None,
    ) -> Page[OrderShown]:
        """List orders, the newest first."""
        ended = place(after, parts=2)
        behind = None if ended is None else Place(from_micros(ended[0]), ended[1])
        wanted = Wanted(
            statuses=status or (),
            segment=segment,
            symbol=symbol,
            strategy=strategy,
            since=since,
            until=until,
        )
        account, store = await look_at(house, actor, number(account_id))
        found = await store.read(page_of, account.id, wanted, behind, limit, fresh=True)
        last = found.next
        return Page(
            items=[OrderShown.of(it) for it in found.orders],
            next=None if last is None else cursor(to_micros(last.placed_at), last.order_id),
        )

    @router.get("/{order_id}", responses=TAGGED)
    async def get_order(
        actor: Who, account_id: PathId, order_id: PathId, response: Response
    ) -> TimelineShown:
        """Show an order with its whole life, and how long each step of it took."""
        account, store = await look_at(house, actor, number(account_id))
        found = await store.read(timeline_of, account.id, number(order_id), fresh=True)
        if found is None:
            raise NotFound(f"There is no order {order_id} on this account.")
        response.headers["ETag"] = tag_of(found.order.version)
        return TimelineShown.of(found)

    return router


def _by_persons(house: House) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["orders"], route_class=Authenticated)

    @router.post("/{order_id}/approve")
    async def approve(actor: Who, account_id: PathId, order_id: PathId) -> OrderShown:
        """Let an order go out that waits for a person; keys cannot do this."""
        desk = await house.desk(actor, number(account_id))
        return OrderShown.of(await approve_order(desk, number(order_id)))

    @router.post("/{order_id}/decline")
    async def decline(actor: Who, account_id: PathId, order_id: PathId, why: Why) -> OrderShown:
        """End an order that waits for a person; keys cannot do this."""
        desk = await house.desk(actor, number(account_id))
        return OrderShown.of(await decline_order(desk, number(order_id), why.reason))

    @router.post("/{order_id}/conclude")
    async def conclude(actor: Who, account_id: PathId, order_id: PathId, why: Why) -> OrderShown:
        """End an UNKNOWN order of a day that is over, which its person knows never traded."""
        desk = await house.desk(actor, number(account_id))
        return OrderShown.of(await conclude_order(desk, number(order_id), why.reason))

    return router


def tag_of(version: int) -> str:
    """Write a version as an ETag."""
    return f'"{version}"'
