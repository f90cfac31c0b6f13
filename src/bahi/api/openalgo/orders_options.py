"""Orders for options by how far they are from the money: alone, or as the legs of a spread.

Of several legs those that are bought go first: they cover what is sold. Where one of them is not
placed, nothing is sold.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any, Final

import msgspec
from starlette.routing import Route

from bahi.accounts.model import Account
from bahi.api.openalgo.door import Name, Rupees, Text, asked
from bahi.api.openalgo.orders import desk_and_account, in_parts
from bahi.api.openalgo.outcomes import placed, row_of, several
from bahi.api.openalgo.patience import patiently
from bahi.api.openalgo.underlying import expiry_of, option_of, underlying_of
from bahi.api.openalgo.wishes import NewOrder, Strategic, wish_of
from bahi.api.openalgo.words import rupees
from bahi.bootstrap import House
from bahi.bootstrap.chains import Underlying
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.actor import Actor
from bahi.kernel.errors import BahiError, Conflict
from bahi.kernel.words import Side
from bahi.orders.model.order import REJECTED, Order
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import place_order
from bahi.orders.service.several import bought_first, pause_of, place_sliced

LEGS_AT_MOST: Final = 20


class Leg(msgspec.Struct, kw_only=True):
    """One option, and what is to become of it."""

    offset: Text
    option_type: Text
    action: Text
    quantity: int
    pricetype: Text = "MARKET"
    product: Text = "MIS"
    price: Rupees = None
    trigger_price: Rupees = None
    disclosed_quantity: int | None = None
    expiry_date: Text | None = None
    splitsize: int | None = None
    client_order_id: Name | None = None


class OptionsOrder(Strategic, kw_only=True):
    """An order for one option."""

    underlying: Text
    exchange: Text
    offset: Text
    option_type: Text
    action: Text
    quantity: int
    pricetype: Text = "MARKET"
    product: Text = "MIS"
    price: Rupees = None
    trigger_price: Rupees = None
    disclosed_quantity: int | None = None
    expiry_date: Text | None = None
    splitsize: int | None = None
    client_order_id: Name | None = None


class OptionsOrders(Strategic, kw_only=True):
    """Orders for several options on one thing."""

    underlying: Text
    exchange: Text
    legs: Annotated[list[Leg], msgspec.Meta(min_length=1, max_length=LEGS_AT_MOST)]
    expiry_date: Text | None = None
    client_order_id: Name | None = None


class Meant(msgspec.Struct, kw_only=True):
    """A leg with the option that it means, and the wish that it is."""

    leg: Leg
    option: Instrument
    wish: PlaceOrder

    @property
    def shown(self) -> dict[str, Any]:
        """What is said of it, whatever becomes of it."""
        return {
            "symbol": self.option.symbol,
            "offset": self.leg.offset.strip().upper(),
            "option_type": str(self.option.option_type),
        }


def options_order_routes(house: House) -> list[Route]:
    """Make the doors of orders for options."""
    return [
        asked(house, "optionsorder", OptionsOrder, place_option, changes=True),
        asked(house, "optionsmultiorder", OptionsOrders, place_legs, changes=True),
    ]


async def place_option(house: House, actor: Actor, form: OptionsOrder) -> dict[str, Any]:
    """Place an order for the option that lies so far from the money; in parts where it is asked."""
    leg = msgspec.convert(form, Leg, from_attributes=True)
    on = await underlying_of(house, form.underlying, form.exchange)
    meant = await _meant(house, on, leg, form)
    account, desk = await desk_and_account(house, actor, form.named)
    told = {
        **meant.shown,
        "exchange": meant.option.exchange,
        "underlying": on.priced_by.symbol,
        "underlying_ltp": rupees(on.last),
    }
    if form.splitsize:
        return await in_parts(account, desk, meant.wish, form.splitsize, loosely=True, **told)
    order = await place_order(desk, meant.wish)
    return placed(account, order, **told)


async def place_legs(house: House, actor: Actor, form: OptionsOrders) -> dict[str, Any]:
    """Place the legs of a spread, what is bought first; each leg is answered by itself."""
    on = await underlying_of(house, form.underlying, form.exchange)
    legs = [await _meant(house, on, it, form, at) for at, it in enumerate(form.legs)]
    account, desk = await desk_and_account(house, actor, form.named)
    rows = await desk.errands.see_through(_place_legs(desk, legs))
    more = {"underlying": form.underlying.strip().upper(), "underlying_ltp": rupees(on.last)}
    return _answered(account, rows, more)


def _answered(account: Account, rows: list[dict[str, Any]], more: dict[str, Any]) -> dict[str, Any]:
    answer = several(account, rows, **more)
    for row in answer["results"]:
        row["mode"] = answer["mode"]
    return answer


async def _meant(
    house: House,
    on: Underlying,
    leg: Leg,
    form: OptionsOrder | OptionsOrders,
    at: int | None = None,
) -> Meant:
    field, name = ("", leg.client_order_id) if at is None else (f"legs.{at}.", leg.client_order_id)
    if at is not None and name is None and form.client_order_id:
        name = f"{form.client_order_id}/{at + 1}"
    expiry = expiry_of(leg.expiry_date, f"{field}expiry_date") or expiry_of(form.expiry_date)
    option = await option_of(house, on, expiry, leg.offset, leg.option_type)
    order = NewOrder(
        symbol=option.symbol,
        exchange=option.exchange,
        action=leg.action,
        quantity=leg.quantity,
        product=leg.product,
        pricetype=leg.pricetype,
        price=leg.price,
        trigger_price=leg.trigger_price,
        disclosed_quantity=leg.disclosed_quantity,
        client_order_id=name,
        strategy=form.strategy,
    )
    return Meant(leg=leg, option=option, wish=wish_of(order, field))


async def _place_legs(desk: Desk, legs: list[Meant]) -> list[dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    pause_s = await pause_of(desk, len(legs))
    missing = 0
    for at in bought_first([it.wish for it in legs]):
        it = legs[at]
        if missing and it.wish.side is Side.SELL:
            why = Conflict(f"Leg {missing} was not bought, so nothing is sold against it.")
            rows[at] = _row(at, it, [], why)
            continue
        orders, fault = await _place_leg(desk, it)
        rows[at] = _row(at, it, orders, fault)
        if rows[at]["status"] != "success" and it.wish.side is Side.BUY:
            missing = missing or at + 1
        await asyncio.sleep(pause_s)
    return [rows[at] for at in range(len(legs))]


async def _place_leg(desk: Desk, it: Meant) -> tuple[list[Order], BahiError | None]:
    try:
        if it.leg.splitsize:
            found = await place_sliced(desk, it.wish, it.leg.splitsize, loosely=True)
            return list(found.slices), found.fault
        placing = partial(place_order, desk, it.wish)
        return [await patiently(placing, lambda order: order)], None
    except BahiError as fault:
        return [], fault


def _row(at: int, it: Meant, orders: list[Order], fault: BahiError | None) -> dict[str, Any]:
    """Return what became of a leg: of one in parts, the first that went wrong tells."""
    wrong = next((order for order in orders if order.status is REJECTED), None)
    first = wrong or next(iter(orders), None)
    row = row_of(first, fault, leg=at + 1, action=str(it.wish.side), **it.shown)
    if len(orders) > 1:
        row["split_orders"] = [row_of(each, None, quantity=each.quantity) for each in orders]
    return row
