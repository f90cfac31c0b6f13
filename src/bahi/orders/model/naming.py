"""One name, one order: a name that comes again has to come with the same wish."""

from __future__ import annotations

from typing import Any, Final

from bahi.instruments.model.instrument import Instrument
from bahi.kernel.errors import Conflict
from bahi.orders.model.forever import Forever
from bahi.orders.model.order import Order
from bahi.orders.model.wishes import PlaceOrder

SAID: Final = (
    "side",
    "quantity",
    "product",
    "order_type",
    "price",
    "trigger_price",
    "validity",
    "disclosed_quantity",
    "amo_time",
    "guard",
    "strategy",
)

FIXED: Final = ("kind", "segment", "symbol", "side", "product")
"""Of a forever order, what no change can touch."""
TERMS: Final = ("trigger", "order_type", "quantity", "price", "trigger_price", "guard", "strategy")


class NameTaken(Conflict):
    """That name was given to another order before."""

    code = "name_taken"


def difference(wish: PlaceOrder, it: Instrument, order: Order) -> str | None:
    """Name what a wish asks for otherwise than an order does as it was placed; None: nothing."""
    asked: dict[str, Any] = {
        "symbol": (it.segment, it.symbol),
        **{name: getattr(wish, name) for name in SAID},
        "send_at": wish.send_at,
        "slices": (wish.part.slices, wish.part.whole_quantity),
    }
    placed: dict[str, Any] = {
        "symbol": (order.segment, order.symbol),
        **{name: getattr(order, name) for name in SAID},
        "send_at": order.release_at,
        "slices": (order.slice_group_id, order.slice_total_quantity),
    }
    return next((name for name, value in asked.items() if value != placed[name]), None)


def taken(name: str, order: Order, field: str) -> NameTaken:
    """Return what is said of a name that comes with another wish."""
    return NameTaken(
        f"client_order_id: {name!r} names order {order.id}, which was asked for with another "
        f"{field}; give another order another name."
    )


def same_forever(asked: Forever, placed: Forever) -> bool:
    """Say whether a forever order is the one that is asked for; of one that moved on, roughly."""
    fields = (*FIXED, *(TERMS if placed.updated_at == placed.created_at else ()))
    return all(getattr(asked, name) == getattr(placed, name) for name in fields)
