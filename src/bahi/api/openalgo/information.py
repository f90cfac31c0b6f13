"""The books of a session: orders, trades, positions; one order, one position."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from starlette.routing import Route

from bahi.api.openalgo.books import PAGE_AT_MOST, Paged, Span, next_of, span_of
from bahi.api.openalgo.door import Ask, Text, asked, good
from bahi.api.openalgo.positions import Shown, carried, positions_shown
from bahi.api.openalgo.wishes import Strategic
from bahi.api.openalgo.words import (
    clock_of,
    exchange_of,
    id_of,
    pricetype_of,
    product_of,
    product_word,
    rupees,
    segment_of,
    stamp_of,
    status_of,
)
from bahi.bootstrap import House
from bahi.bootstrap.meant import page_meant
from bahi.db.stores import Store
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.money import plain
from bahi.kernel.words import OrderType
from bahi.orders.model.order import Order
from bahi.orders.service.cancelling import own_order
from bahi.orders.service.looking import Place, Wanted, page_of
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.recorded import Dealt
from bahi.portfolio.model.recorded import Place as TradePlace
from bahi.portfolio.service.as_of import trades_as_of
from bahi.portfolio.service.books import position_of

AT_MARKET: Final = frozenset({OrderType.MARKET, OrderType.STOP_LOSS_MARKET})


class OneOrder(Strategic, kw_only=True):
    """A question about one order."""

    orderid: str | int


class OnePosition(Strategic, kw_only=True):
    """A question about one position."""

    symbol: Text
    exchange: Text
    product: Text


def information_routes(house: House) -> list[Route]:
    """Make the doors of the books."""
    return [
        asked(house, "orderstatus", OneOrder, order_status),
        asked(house, "openposition", OnePosition, open_position),
        asked(house, "orderbook", Paged, order_book),
        asked(house, "tradebook", Paged, trade_book),
        asked(house, "positionbook", Ask, position_book),
    ]


async def order_status(house: House, actor: Actor, form: OneOrder) -> dict[str, Any]:
    """Say where an order is in its life."""
    account, store = await page_meant(house, actor, form.named)
    order = await store.read(own_order, account.id, id_of(form.orderid), fresh=True)
    data = order_row(order)
    data["price"] = rupees(order.price or 0)
    return good(account, data=data)


async def open_position(house: House, actor: Actor, form: OnePosition) -> dict[str, Any]:
    """Say how much is open of one thing; negative is short."""
    segment = segment_of(form.exchange)
    key = Key(segment, form.symbol.strip().upper(), product_of(form.product, segment))
    account, store = await page_meant(house, actor, form.named)
    found = await store.read(position_of, account.id, key, fresh=True)
    return good(account, quantity=str(found.net - carried(found, exchange_day(house.clock()))))


async def order_book(house: House, actor: Actor, form: Paged) -> dict[str, Any]:
    """List the session's orders, the newest first, and count them."""
    span = span_of(form, house.clock())
    account, store = await page_meant(house, actor, form.named)
    found = await _orders(store, account.id, span, form.limit + 1)
    page = found[: form.limit]
    rows = [order_row(it) for it in page]
    following = {}
    if len(found) > form.limit:
        following = {"next": next_of(page[-1].placed_at, page[-1].id)}
    return good(account, data={"orders": rows, "statistics": _statistics(rows)}, **following)


async def trade_book(house: House, actor: Actor, form: Paged) -> dict[str, Any]:
    """List the session's trades, the newest first."""
    span = span_of(form, house.clock())
    account, store = await page_meant(house, actor, form.named)
    found = await _trades(house, store, account.id, span, form.limit + 1)
    page = found[: form.limit]
    following = {}
    if len(found) > form.limit:
        following = {"next": next_of(page[-1].traded_at, page[-1].id)}
    return good(account, data=[_trade_row(it) for it in page], **following)


async def position_book(house: House, actor: Actor, form: Ask) -> dict[str, Any]:
    """List what is open, and what was closed today; a price that is not known is null."""
    account, store = await page_meant(house, actor, form.named)
    found = await positions_shown(house, store, account.id)
    return good(account, data=[_position_row(it) for it in found])


def order_row(it: Order) -> dict[str, Any]:
    """Return an order as the book shows it; one at the market has the price that it got."""
    average = it.average_price
    price = average if it.order_type in AT_MARKET else it.price
    return {
        "action": str(it.side),
        "symbol": it.symbol,
        "exchange": exchange_of(it.segment),
        "orderid": str(it.id),
        "product": product_word(it.product),
        "quantity": str(it.quantity),
        "price": rupees(price or 0),
        "pricetype": pricetype_of(it.order_type),
        "order_status": status_of(it.status, waits_for_trigger=it.trigger_pending),
        "trigger_price": rupees(it.trigger_price or 0),
        "average_price": rupees(average or 0),
        "filled_quantity": str(it.filled),
        "pending_quantity": str(it.remaining),
        "rejection_reason": it.error_message or "",
        "strategy": it.strategy or "",
        "client_order_id": it.client_order_id or "",
        "timestamp": stamp_of(it.placed_at),
    }


def _statistics(rows: list[dict[str, Any]]) -> dict[str, float]:
    sides, statuses = (Counter(it[name] for it in rows) for name in ("action", "order_status"))
    return {
        "total_buy_orders": float(sides["BUY"]),
        "total_sell_orders": float(sides["SELL"]),
        "total_completed_orders": float(statuses["complete"]),
        "total_open_orders": float(statuses["open"] + statuses["trigger pending"]),
        "total_rejected_orders": float(statuses["rejected"]),
    }


def _trade_row(it: Dealt) -> dict[str, Any]:
    return {
        "action": str(it.side),
        "symbol": it.key.symbol,
        "exchange": exchange_of(it.key.segment),
        "orderid": "" if it.order_id is None else str(it.order_id),
        "product": product_word(it.key.product),
        "quantity": it.quantity,
        "average_price": rupees(it.price),
        "timestamp": clock_of(it.traded_at),
        "trade_value": rupees(it.value),
        "tradeid": str(it.id),
        "traded_at": stamp_of(it.traded_at),
    }


def _position_row(it: Shown) -> dict[str, Any]:
    return {
        "symbol": it.key.symbol,
        "exchange": exchange_of(it.key.segment),
        "product": product_word(it.key.product),
        "quantity": str(it.quantity),
        "average_price": plain(it.average or 0),
        "ltp": None if it.last is None else plain(it.last),
        "pnl": None if it.gained is None else plain(it.gained),
    }


async def _orders(store: Store, account_id: int, span: Span, at_most: int) -> list[Order]:
    wanted = Wanted(since=span.since, until=span.until)
    behind = None if span.behind is None else Place(*span.behind)
    found: list[Order] = []
    while len(found) < at_most:
        some = min(PAGE_AT_MOST, at_most - len(found))
        page = await store.read(page_of, account_id, wanted, behind, some, fresh=True)
        found += page.orders
        behind = page.next
        if behind is None:
            break
    return found


async def _trades(
    house: House, store: Store, account_id: int, span: Span, at_most: int
) -> list[Dealt]:
    """Return trades of a while, the newest first; they are read until one is older."""
    behind = TradePlace(*(span.behind or (span.until, 0)))
    found: list[Dealt] = []
    while len(found) < at_most:
        asking = (account_id, house.clock(), behind, min(PAGE_AT_MOST, at_most - len(found)))
        page = await store.read(trades_as_of, *asking, fresh=True)
        found += [it for it in page.trades if it.traded_at >= span.since]
        if page.next is None or page.trades[-1].traded_at < span.since:
            break
        behind = page.next
    return found
