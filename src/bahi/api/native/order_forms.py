"""Orders as programs wish for them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from bahi.api.forms import Form, Rupees, Text, When, Whole
from bahi.kernel.money import Price
from bahi.kernel.words import (
    AmoTime,
    OrderType,
    Product,
    Segment,
    Side,
    Validity,
)
from bahi.orders.model.guard import Guard
from bahi.orders.model.wishes import MOST, PlaceOrder

Symbol = Annotated[Text, Field(min_length=1, max_length=100, examples=["SBIN"])]
Name = Annotated[
    str, Field(min_length=1, max_length=100, description="The caller's own name for it.")
]
Strategy = Annotated[Text, Field(min_length=1, max_length=100)]
Pieces = Annotated[Whole, Field(le=MOST, ge=-MOST)]


class Guarded(Form):
    """Exits that the house keeps for what an order opens: a stop, and perhaps a target."""

    stop: Rupees
    target: Rupees | None = None
    trailing: Annotated[
        Rupees | None, Field(description="The step by which the stop follows the price.")
    ] = None

    def guard(self) -> Guard:
        """Return it as orders take it."""
        return Guard(stop=Price(self.stop), target=_price(self.target),
                     trailing=_price(self.trailing))  # fmt: skip


class Terms(Form):
    """What every wish for an order says."""

    segment: Segment
    symbol: Symbol
    product: Product
    order_type: OrderType = OrderType.LIMIT
    price: Rupees | None = None
    trigger_price: Rupees | None = None
    validity: Validity = Validity.DAY
    client_order_id: Name | None = None
    strategy: Strategy | None = None

    def asked(self, side: Side, quantity: int, **more: Any) -> PlaceOrder:
        """Return the wish, as the desk takes it."""
        return PlaceOrder(
            segment=self.segment,
            symbol=self.symbol,
            side=side,
            quantity=quantity,
            product=self.product,
            order_type=self.order_type,
            price=_price(self.price),
            trigger_price=_price(self.trigger_price),
            validity=self.validity,
            **{"client_order_id": self.client_order_id, "strategy": self.strategy, **more},
        )


class NewOrder(Terms):
    """An order to place; `amo_time` keeps it for the next session, `send_at` for a time."""

    side: Side
    quantity: Pieces
    disclosed_quantity: Annotated[Whole, Field(ge=0, le=MOST)] = 0
    amo_time: AmoTime | None = None
    send_at: When | None = None
    guard: Guarded | None = None

    def wish(self, name: str | None = None) -> PlaceOrder:
        """Return the wish, as the desk takes it."""
        return self.asked(
            self.side,
            self.quantity,
            disclosed_quantity=self.disclosed_quantity,
            amo_time=self.amo_time,
            send_at=self.send_at,
            guard=None if self.guard is None else self.guard.guard(),
            **({} if name is None else {"client_order_id": name}),
        )


class SlicedOrder(NewOrder):
    """An order that goes out in parts: of a size, or as large as the exchange takes."""

    slice_size: Annotated[Whole | None, Field(ge=1, le=MOST)] = None


class SmartOrder(Terms):
    """Where a position is to be (negative: short); an order goes out for what is missing."""

    target: Pieces

    def wish(self, name: str | None) -> PlaceOrder:
        """Return the wish; side and quantity are seen under the lock."""
        return self.asked(Side.BUY, 0, client_order_id=name)


class Basket(Form):
    """Several orders; what is bought is placed first, and each has its own outcome."""

    orders: Annotated[list[NewOrder], Field(min_length=1, max_length=50)]


class OrderChange(Form):
    """What is to be different about an order that works; what is left out stays."""

    quantity: Pieces | None = None
    price: Rupees | None = None
    trigger_price: Rupees | None = None
    validity: Validity | None = None


def _price(said: int | None) -> Price | None:
    return None if said is None else Price(said)
