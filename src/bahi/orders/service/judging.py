"""Whether an order may go out: what it is to its position, what it needs, and the verdict on it.

Asked inside the intent's transaction, over the locked page, and again of an order that waited.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from bahi.db.tx import Tx
from bahi.kernel.altered import altered
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Conflict
from bahi.kernel.money import NOTHING, Money, Price, grouped_count
from bahi.kernel.names import shown
from bahi.kernel.words import Product, Side
from bahi.orders.model.order import PENDING, Order
from bahi.orders.model.wishes import Seen, dearest
from bahi.orders.repository import working
from bahi.portfolio.model import margin
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.margin import Footing
from bahi.portfolio.model.position import is_exit
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.service.books import position_of
from bahi.portfolio.service.holdings import deliverable_of
from bahi.risk.model.verdict import Denial, Exposure
from bahi.risk.model.verdict import judge as verdict

DELIVERED: Final = frozenset({Product.CNC, Product.MTF})
"""What is sold of these has to be held."""


class Grounds(NamedTuple):
    """By what a verdict is given: the instrument and its price, and what trading costs."""

    seen: Seen
    terms: Terms


class Judged(NamedTuple):
    """The page and the order with what the judging found, and why it may not go out, if so."""

    book: Book
    order: Order
    denial: Denial | None


def judge(tx: Tx, book: Book, order: Order, by: Grounds, now: datetime) -> Judged:
    """Judge an order that is not working yet."""
    seen = by.seen
    net = position_of(tx, order.account_id, order.key).net
    every, exiting = working.beside(tx, order)
    whole = _whole(order)
    exits = is_exit(order.side, whole.quantity, net, exiting.of(order))
    beside = every.of(order)
    price = dearest(order.side, (order.price, order.trigger_price), seen.price_at(now))
    footing = Footing(by.terms.rates, order.segment, exchange_day(now), by.terms.ends)
    order = altered(
        order, is_exit=exits, margin_blocked=_needed(order, price, footing, exits=exits)
    )
    exposure = Exposure(
        instrument=seen.instrument,
        side=order.side,
        product=order.product,
        quantity=whole.quantity,
        position=net + (beside + whole.quantity) * (1 if order.side is Side.BUY else -1),
        price=price,
        limit=order.price,
        reference=seen.reference,
        margin=_needed(whole, price, footing, exits=exits),
        is_exit=exits,
        strategy=order.strategy,
        kept_off=frozenset(it.why for it in seen.kept_off if order.product in it.products),
        mean=None if order.is_amo or order.trigger_price is not None else seen.mean,
    )
    book, denial = verdict(book, exposure, now)
    return Judged(book, order, _undelivered(tx, order, seen, beside) or denial)


def _whole(order: Order) -> Order:
    """Return for what an order stands: the first slice for all, so that none begins in vain.

    Once it is placed the others stand beside it, and it stands for itself.
    """
    is_placed = order.version > 1 or order.status is PENDING
    if is_placed or order.slice_index != 1 or order.slice_total_quantity is None:
        return order
    return altered(order, quantity=order.slice_total_quantity)


def _needed(order: Order, price: Price | None, by: Footing, *, exits: bool) -> Money:
    if exits:
        return NOTHING
    if price is None:
        raise Conflict(
            f"There is no fresh price of {order.symbol}, so what a MARKET order needs is not "
            "known; ask for LIMIT."
        )
    return margin.for_order(order.contract, order.product, order.side, order.quantity, price, by)


def _undelivered(tx: Tx, order: Order, seen: Seen, beside: int) -> Denial | None:
    """Refuse to sell for delivery what the account does not have, or may not deliver."""
    if order.product not in DELIVERED or order.side is Side.BUY:
        return None
    held = deliverable_of(tx, order.account_id, order.key, seen.settled).quantity
    free = max(held - beside, 0)
    if order.is_exit and order.quantity <= free:
        return None
    resting = f", and {grouped_count(beside)} in orders that rest" if beside else ""
    many = grouped_count(free) if free else "no"
    return Denial(
        "NOT_ALLOWED",
        free,
        order.quantity,
        f"The account has {many} {order.symbol} free to deliver{resting}; sell what it holds, or "
        f"sell {shown(Product.INTRADAY)}.",
    )
