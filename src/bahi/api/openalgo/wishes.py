"""Orders as OpenAlgo's clients ask for them, and the wishes that they become."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from bahi.api.openalgo.door import Ask, Name, Rupees, Text
from bahi.api.openalgo.words import order_type_of, price_of, product_of, segment_of, side_of
from bahi.kernel.errors import Invalid
from bahi.kernel.words import OrderType
from bahi.orders.model.wishes import PlaceOrder

ORDERS_AT_MOST: Final = 100
_UNPRICED: Final = frozenset({OrderType.MARKET, OrderType.STOP_LOSS_MARKET})


class Strategic(Ask, kw_only=True):
    """A request that says for which strategy it is."""

    strategy: Text | None = None


class NewOrder(Strategic, kw_only=True):
    """An order to place, alone or in a basket."""

    symbol: Text
    exchange: Text
    action: Text
    quantity: int
    product: Text = "MIS"
    pricetype: Text = "MARKET"
    price: Rupees = None
    trigger_price: Rupees = None
    disclosed_quantity: int | None = None
    client_order_id: Name | None = None


class SmartOrder(NewOrder, kw_only=True):
    """An order that brings a position to a size."""

    quantity: int = 0
    position_size: int


class SplitOrder(NewOrder, kw_only=True):
    """An order to place in parts."""

    splitsize: int


class Basket(Strategic, kw_only=True):
    """Several orders, of which each has its own outcome."""

    orders: Annotated[list[NewOrder], msgspec.Meta(min_length=1, max_length=ORDERS_AT_MOST)]
    client_order_id: Name | None = None


class Changed(Strategic, kw_only=True):
    """An order as it is to be."""

    orderid: str | int
    symbol: Text
    exchange: Text
    action: Text
    product: Text
    pricetype: Text
    quantity: int
    price: Rupees = None
    trigger_price: Rupees = None
    disclosed_quantity: int | None = None


def wish_of(it: NewOrder, field: str = "", **more: Any) -> PlaceOrder:
    """Return the wish for an order; `field` is where in the body it stands.

    A price that comes with an order at the market means nothing, here as in OpenAlgo. A trigger
    that comes with an order that has none is refused by the rules: somebody wanted a stop.
    """
    segment = segment_of(it.exchange, f"{field}exchange")
    order_type = order_type_of(it.pricetype, f"{field}pricetype")
    price = None if order_type in _UNPRICED else price_of(it.price, f"{field}price")
    return PlaceOrder(
        segment=segment,
        symbol=it.symbol.strip().upper(),
        side=side_of(it.action, f"{field}action"),
        quantity=it.quantity,
        product=product_of(it.product, segment, f"{field}product"),
        order_type=order_type,
        price=price,
        trigger_price=price_of(it.trigger_price, f"{field}trigger_price"),
        disclosed_quantity=it.disclosed_quantity or 0,
        **{
            "client_order_id": it.client_order_id or None,
            "strategy": label_of(it.strategy),
            **more,
        },
    )


def label_of(strategy: str | None) -> str | None:
    """Return a strategy's name, None for none."""
    return (strategy or "").strip() or None


def wishes_of(basket: Basket) -> list[PlaceOrder]:
    """Return the wishes of a basket, each named by the basket's name where it has none itself."""
    named = basket.client_order_id
    found = []
    for at, it in enumerate(basket.orders):
        name = it.client_order_id or (f"{named}/{at + 1}" if named else None)
        strategy = label_of(it.strategy or basket.strategy)
        more = {"client_order_id": name, "strategy": strategy}
        found.append(wish_of(it, f"orders.{at}.", **more))
        if it.named is not None:
            raise Invalid(f"orders.{at}.account: a basket is of one account; name it beside them.")
    names = [it.client_order_id for it in found if it.client_order_id]
    if len(set(names)) < len(names):
        raise Invalid("orders: two of them have one client_order_id; give each its own.")
    return found
