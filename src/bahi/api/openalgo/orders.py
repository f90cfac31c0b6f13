"""Orders: placed alone, smart, in a basket or in parts; changed, cancelled; positions closed."""

from __future__ import annotations

from typing import Any, Final

from starlette.routing import Route

from bahi.accounts.model import Account
from bahi.api.openalgo.door import asked, good
from bahi.api.openalgo.outcomes import in_doubt, placed, row_of, several
from bahi.api.openalgo.positions import carried
from bahi.api.openalgo.wishes import (
    Basket,
    Changed,
    NewOrder,
    SmartOrder,
    SplitOrder,
    Strategic,
    wish_of,
    wishes_of,
)
from bahi.api.openalgo.words import (
    exchange_of,
    id_of,
    order_type_of,
    price_of,
    pricetype_of,
    product_of,
    product_word,
    segment_of,
    side_of,
)
from bahi.bootstrap import House
from bahi.bootstrap.desks import desk_for
from bahi.bootstrap.meant import account_meant
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Conflict
from bahi.kernel.words import OrderStatus, OrderType
from bahi.orders.model.changing import ModifyOrder
from bahi.orders.model.order import Order
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.aiming import Aim, place_smart
from bahi.orders.service.cancelling import Outcome, cancel_all, cancel_order, own_order
from bahi.orders.service.desk import Desk
from bahi.orders.service.modifying import modify_order
from bahi.orders.service.placing import place_or_find, place_order
from bahi.orders.service.several import place_basket, place_sliced
from bahi.portfolio.model.position import Key, Position
from bahi.portfolio.service.books import position_of

MATCHED: Final = "Positions already matched. No action needed."


class Named(Strategic, kw_only=True):
    """A request about one order."""

    orderid: str | int


def order_routes(house: House) -> list[Route]:
    """Make the doors of orders."""
    return [
        asked(house, "placeorder", NewOrder, place, changes=True),
        asked(house, "placesmartorder", SmartOrder, place_to_size, changes=True),
        asked(house, "basketorder", Basket, place_several, changes=True),
        asked(house, "splitorder", SplitOrder, place_in_parts, changes=True),
        asked(house, "modifyorder", Changed, modify, changes=True),
        asked(house, "cancelorder", Named, cancel, changes=True),
        asked(house, "cancelallorder", Strategic, cancel_every, changes=True),
    ]


async def place(house: House, actor: Actor, form: NewOrder) -> dict[str, Any]:
    """Place an order."""
    wish = wish_of(form)
    account, desk = await desk_and_account(house, actor, form.named)
    return placed(account, (await place_or_find(desk, wish)).order)


async def place_to_size(house: House, actor: Actor, form: SmartOrder) -> dict[str, Any]:
    """Bring a position to a size; of size 0 where nothing is open, the order as it stands.

    Delivery counts from what was held when the day began, as the position book shows it.
    """
    wish = wish_of(form)
    account, desk = await desk_and_account(house, actor, form.named)
    known = await _position(desk, wish)
    was = carried(known, exchange_day(house.clock()))
    if not form.position_size and known.net == was and form.quantity:
        return placed(account, await place_order(desk, wish))
    aim = await place_smart(desk, wish, form.position_size + was)
    return _aimed(account, aim)


async def place_several(house: House, actor: Actor, form: Basket) -> dict[str, Any]:
    """Place several orders, what is bought first; each is answered by itself."""
    wishes = wishes_of(form)
    account, desk = await desk_and_account(house, actor, form.named)
    found = await desk.errands.see_through(place_basket(desk, wishes))
    rows = [
        row_of(it.order, it.fault, symbol=wish.symbol)
        for wish, it in zip(wishes, found, strict=True)
    ]
    return several(account, rows)


async def place_in_parts(house: House, actor: Actor, form: SplitOrder) -> dict[str, Any]:
    """Place an order in parts of a size; one that is refused ends it, and what was placed stays."""
    wish = wish_of(form)
    account, desk = await desk_and_account(house, actor, form.named)
    return await in_parts(account, desk, wish, form.splitsize)


async def in_parts(
    account: Account, desk: Desk, wish: PlaceOrder, size: int, *, loosely: bool = False, **more: Any
) -> dict[str, Any]:
    """Place a wish in parts, and say what became of each."""
    found = await desk.errands.see_through(place_sliced(desk, wish, size, loosely=loosely))
    rows = [
        row_of(it, None, order_num=at, quantity=it.quantity)
        for at, it in enumerate(found.slices, 1)
    ]
    if found.fault is not None:
        rows.append(row_of(None, found.fault, order_num=len(rows) + 1))
    return several(account, rows, split_size=size, total_quantity=wish.quantity, **more)


async def modify(house: House, actor: Actor, form: Changed) -> dict[str, Any]:
    """Change the quantity, the price or the trigger of an order that works."""
    segment = segment_of(form.exchange)
    asked_for = {
        "symbol": form.symbol.strip().upper(),
        "exchange": exchange_of(segment),
        "action": str(side_of(form.action)),
        "product": product_word(product_of(form.product, segment)),
        "pricetype": pricetype_of(order_type := order_type_of(form.pricetype)),
    }
    is_priced = order_type in {OrderType.LIMIT, OrderType.STOP_LOSS}
    wish = ModifyOrder(
        order_id=id_of(form.orderid),
        quantity=form.quantity,
        price=price_of(form.price) if is_priced else None,
        trigger_price=price_of(form.trigger_price, "trigger_price"),
    )
    account, desk = await desk_and_account(house, actor, form.named)
    order = await _own(desk, wish.order_id)
    _require_same(order, asked_for)
    if order.is_active and not _differs(order, wish):
        return good(account, orderid=str(order.id), message="Nothing is different: it stays.")
    changed = await modify_order(desk, wish)
    if changed.asked_at is not None:
        raise in_doubt(account, changed, "was asked to change, and no answer has come yet")
    return good(account, orderid=str(changed.id))


async def cancel(house: House, actor: Actor, form: Named) -> dict[str, Any]:
    """Cancel what is left of an order."""
    account, desk = await desk_and_account(house, actor, form.named)
    order = await cancel_order(desk, id_of(form.orderid))
    if order.cancel_asked:
        raise in_doubt(account, order, "was asked to end, and no answer has come yet")
    return good(account, orderid=str(order.id))


async def cancel_every(house: House, actor: Actor, form: Strategic) -> dict[str, Any]:
    """Cancel whatever works on the account: `strategy` is a label here, as in OpenAlgo."""
    account, desk = await desk_and_account(house, actor, form.named)
    found = await desk.errands.see_through(cancel_all(desk))
    failed = [{"orderid": str(it.order_id), "reason": why} for it in found if (why := _why_not(it))]
    names = {it["orderid"] for it in failed}
    done = [str(it.order_id) for it in found if str(it.order_id) not in names]
    return good(
        account,
        message=f"Canceled {len(done)} orders. Failed to cancel {len(failed)} orders.",
        canceled_orders=done,
        failed_cancellations=failed,
    )


def _aimed(account: Account, aim: Aim) -> dict[str, Any]:
    if aim.order is None:
        return good(account, message=MATCHED)
    if len(aim.orders) == 1 and aim.fault is None:
        return placed(account, aim.order)
    rows = [row_of(it, None, quantity=it.quantity) for it in aim.orders]
    if aim.fault is not None:
        rows.append(row_of(None, aim.fault))
    return several(account, rows, orderid=str(aim.order.id))


def _require_same(order: Order, said: dict[str, str]) -> None:
    """Refuse a change that says another order than it names: nobody knows which was meant."""
    known = {
        "symbol": order.symbol,
        "exchange": exchange_of(order.segment),
        "action": str(order.side),
        "product": product_word(order.product),
        "pricetype": pricetype_of(order.order_type),
    }
    for field, value in said.items():
        if known[field] != value:
            raise Conflict(
                f"{field}: order {order.id} is of {known[field]}, not {value}; cancel it and place "
                "another."
            )


def _differs(order: Order, wish: ModifyOrder) -> bool:
    asked_for = {
        "quantity": wish.quantity,
        "price": wish.price,
        "trigger_price": wish.trigger_price,
    }
    return any(
        value is not None and value != getattr(order, name) for name, value in asked_for.items()
    )


def _why_not(it: Outcome) -> str:
    if it.fault is not None:
        return str(it.fault)
    if it.order is not None and it.order.cancel_asked:
        return "No answer to the cancel has come yet."
    if it.order is not None and it.order.status is not OrderStatus.CANCELLED:
        return f"It was {it.order.status} already."
    return ""


async def desk_and_account(house: House, actor: Actor, named: str | None) -> tuple[Account, Desk]:
    """Return the account that is meant, and where its orders are placed."""
    account = await account_meant(house, actor, named)
    return account, await desk_for(house, actor, account)


async def _own(desk: Desk, order_id: int) -> Order:
    return await desk.store.read(own_order, desk.account_id, order_id, fresh=True)


async def _position(desk: Desk, wish: PlaceOrder) -> Position:
    key = Key(wish.segment, wish.symbol, wish.product)
    return await desk.store.read(position_of, desk.account_id, key, fresh=True)
