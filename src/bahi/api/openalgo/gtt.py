"""Orders that wait for a price (GTT): one trigger, or two of which the first ends the other.

A trigger fires from the side on which the price is not yet, so which way is seen from the last
price; of a pair the higher one fires above and the lower one below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from starlette.routing import Route

from bahi.api.openalgo.door import Ask, Name, Rupees, Text, asked, good
from bahi.api.openalgo.orders import desk_and_account
from bahi.api.openalgo.positions import last_prices
from bahi.api.openalgo.wishes import NewOrder, Strategic, wish_of
from bahi.api.openalgo.words import (
    exchange_of,
    id_of,
    meant,
    price_of,
    pricetype_of,
    product_word,
    rupees,
    written,
)
from bahi.bootstrap import House
from bahi.bootstrap.meant import page_meant
from bahi.db.stores import Store
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Conflict, Invalid
from bahi.kernel.money import Price
from bahi.kernel.words import ForeverKind, ForeverStatus, TriggerType
from bahi.orders.model.forever import Forever, Trigger
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.desk import Desk
from bahi.orders.service.forever import (
    PlaceForever,
    cancel_forever,
    change_forever,
    change_pair,
    forever_of,
    get_forever,
    place_forever,
)
from bahi.portfolio.model.position import Key

BOOK_AT_MOST: Final = 500
KINDS: Final = {"SINGLE": ForeverKind.SINGLE, "OCO": ForeverKind.OCO}
KIND_OF: Final = {ForeverKind.SINGLE: "single", ForeverKind.OCO: "two-leg"}
STATUSES: Final = {
    ForeverStatus.PENDING: "active",
    ForeverStatus.ACTIVE: "active",
    ForeverStatus.TRIGGERED: "triggered",
    ForeverStatus.CANCELLED: "cancelled",
    ForeverStatus.EXPIRED: "expired",
}
ASKED_STATUSES: Final = {it.upper(): it for it in ("all", *dict.fromkeys(STATUSES.values()))}

Leg = tuple[PlaceOrder, Trigger]


class NewGtt(Strategic, kw_only=True):
    """A trigger with its order, or two."""

    trigger_type: Text
    symbol: Text
    exchange: Text
    action: Text
    quantity: int
    product: Text = "CNC"
    pricetype: Text = "LIMIT"
    price: Rupees = None
    triggerprice_sl: Rupees = None
    triggerprice_tg: Rupees = None
    stoploss: Rupees = None
    target: Rupees = None
    client_order_id: Name | None = None


class ChangedGtt(NewGtt, kw_only=True):
    """The same for one that waits already."""

    trigger_id: str | int


class OneGtt(Strategic, kw_only=True):
    """One that waits."""

    trigger_id: str | int


class GttBook(Ask, kw_only=True):
    """Which are to be listed; those that wait where nothing is said."""

    status: Text = "active"


def gtt_routes(house: House) -> list[Route]:
    """Make the doors of orders that wait for a price."""
    return [
        asked(house, "placegttorder", NewGtt, place, changes=True),
        asked(house, "modifygttorder", ChangedGtt, modify, changes=True),
        asked(house, "cancelgttorder", OneGtt, cancel, changes=True),
        asked(house, "gttorderbook", GttBook, book),
    ]


async def place(house: House, actor: Actor, form: NewGtt) -> dict[str, Any]:
    """Have an order wait for a price."""
    account, desk = await desk_and_account(house, actor, form.named)
    legs = _legs_of(desk, form)
    made = await place_forever(
        desk,
        PlaceForever(
            order=legs[0][0],
            trigger=legs[0][1],
            other=legs[1] if len(legs) > 1 else None,
            client_order_id=form.client_order_id or None,
        ),
    )
    return good(account, trigger_id=str(_first(made).id))


async def modify(house: House, actor: Actor, form: ChangedGtt) -> dict[str, Any]:
    """Change the trigger, the price or the quantity; of a pair both at once."""
    account, desk = await desk_and_account(house, actor, form.named)
    forever_id = id_of(form.trigger_id, "trigger_id")
    known = await desk.store.read(get_forever, account.id, forever_id, fresh=True)
    if known.kind is not meant(KINDS, form.trigger_type, "trigger_type"):
        raise Conflict(f"trigger_type: {forever_id} is {known.kind}; cancel it and place another.")
    legs = _legs_of(desk, form)
    if known.oco_leg_id is None:
        await change_forever(desk, forever_id, *legs[0])
    else:
        ids = sorted((known.id, known.oco_leg_id))
        await change_pair(desk, [(leg_id, *leg) for leg_id, leg in zip(ids, legs, strict=True)])
    return good(account, trigger_id=str(forever_id))


async def cancel(house: House, actor: Actor, form: OneGtt) -> dict[str, Any]:
    """Take back an order that waits; of a pair both."""
    account, desk = await desk_and_account(house, actor, form.named)
    ended = await cancel_forever(desk, id_of(form.trigger_id, "trigger_id"))
    return good(account, trigger_id=str(ended.id))


async def book(house: House, actor: Actor, form: GttBook) -> dict[str, Any]:
    """List the newest of the account's orders that wait, or have waited."""
    wanted = meant(ASKED_STATUSES, form.status, "status")
    account, store = await page_meant(house, actor, form.named)
    whole = await _whole(store, account.id)
    found = [it for it in whole if wanted in {"all", STATUSES[_first(it).status]}][:BOOK_AT_MOST]
    keys = [Key(it.segment, it.symbol, it.product) for it in map(_first, found)]
    lasts = await last_prices(house, keys)
    rows = [_row(it, lasts.get(key)) for it, key in zip(found, keys, strict=True)]
    return good(account, data=rows)


def _legs_of(desk: Desk, form: NewGtt) -> list[Leg]:
    kind = meant(KINDS, form.trigger_type, "trigger_type")
    stop = price_of(form.triggerprice_sl, "triggerprice_sl")
    target = price_of(form.triggerprice_tg, "triggerprice_tg")
    if kind is ForeverKind.OCO:
        if stop is None or target is None or stop == target:
            raise Invalid(
                "trigger_type: OCO needs triggerprice_sl and triggerprice_tg, two prices."
            )
        return [
            (_order(form, form.stoploss, "stoploss"), _trigger(stop, is_above=stop > target)),
            (_order(form, form.target, "target"), _trigger(target, is_above=target > stop)),
        ]
    if (stop is None) is (target is None):
        raise Invalid("trigger_type: SINGLE has one of triggerprice_sl and triggerprice_tg.")
    trigger = stop or target or Price(0)
    order = _order(form, form.price, "price")
    last = desk.look(order.segment, order.symbol).price_at(desk.clock())
    if last is None:
        raise Conflict(
            f"There is no fresh price of {order.symbol}, so from which side its trigger fires is "
            "not known."
        )
    return [(order, _trigger(trigger, is_above=trigger > last))]


def _order(form: NewGtt, price: Rupees, field: str) -> PlaceOrder:
    """Return the order that a trigger places; a limit has to be named."""
    order = NewOrder(
        symbol=form.symbol,
        exchange=form.exchange,
        action=form.action,
        quantity=form.quantity,
        product=form.product,
        pricetype=form.pricetype,
        price=price,
        strategy=form.strategy,
    )
    wish = wish_of(order)
    if form.pricetype.strip().upper() not in {"LIMIT", "MARKET"}:
        raise Invalid("pricetype: an order that waits for a price is LIMIT or MARKET.")
    if wish.price is None and form.pricetype.strip().upper() == "LIMIT":
        raise Invalid(f"{field}: a LIMIT order needs one above zero.")
    return wish


def _trigger(price: Price, *, is_above: bool) -> Trigger:
    if is_above:
        return Trigger(kind=TriggerType.LTP_ABOVE, above=price)
    return Trigger(kind=TriggerType.LTP_BELOW, below=price)


async def _whole(store: Store, account_id: int) -> list[tuple[Forever, ...]]:
    """Return each with the other of its pair, the newest first."""
    newest = await store.read(forever_of, account_id, None, 2 * BOOK_AT_MOST, fresh=True)
    pairs: dict[int, list[Forever]] = {}
    for it in newest:
        pairs.setdefault(min(it.id, it.oco_leg_id or it.id), []).append(it)
    return [tuple(sorted(legs, key=lambda leg: leg.id)) for legs in pairs.values()]


def _first(legs: Sequence[Forever]) -> Forever:
    """Return the leg by whose id a pair is known; one that fired tells how the pair ended."""
    fired = [it for it in legs if it.status is ForeverStatus.TRIGGERED]
    return fired[0] if fired else legs[0]


def _row(legs: Sequence[Forever], last: Price | None) -> dict[str, Any]:
    told = _first(legs)
    return {
        "trigger_id": str(min(it.id for it in legs)),
        "trigger_type": KIND_OF[told.kind],
        "status": STATUSES[told.status],
        "symbol": told.symbol,
        "exchange": exchange_of(told.segment),
        "trigger_prices": [rupees(it.trigger.above or it.trigger.below or 0) for it in legs],
        "last_price": None if last is None else rupees(last),
        "legs": [
            {
                "action": str(it.side),
                "quantity": it.quantity,
                "price": rupees(it.price or 0),
                "pricetype": pricetype_of(it.order_type),
                "product": product_word(it.product),
            }
            for it in legs
        ],
        "created_at": written(told.created_at),
        "updated_at": written(told.updated_at) if told.updated_at != told.created_at else "",
        "expires_at": written(told.expires_at),
        "orderid": "" if told.triggered_order_id is None else str(told.triggered_order_id),
    }
