"""What a real exchange refuses, and how it says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bahi.calendar.model import Phase
from bahi.exchange.model.order import MARKETS, STOPS, PaperOrder
from bahi.exchange.model.protecting import OPTIONS, execution_range, is_beyond_band
from bahi.exchange.model.situation import Situation
from bahi.kernel.clock import ist_text
from bahi.kernel.money import Price, grouped
from bahi.kernel.names import shown
from bahi.kernel.words import OrderType, Segment, Side, Validity

CASH: Final = frozenset({Segment.NSE_EQ, Segment.BSE_EQ})
LEAST_SHOWN: Final = {Segment.NSE_EQ: 10, Segment.BSE_EQ: 10, Segment.MCX_COMM: 25}
"""The part of an order that has to be shown, in percent; elsewhere all of it is."""
IN_AN_AUCTION: Final = (OrderType.LIMIT, OrderType.MARKET)
IN_HOURS: Final = frozenset({Phase.PRE_OPEN, Phase.OPEN, Phase.CLOSING_AUCTION})
COLLAR_WHOLE: Final = 1_000_000

Refusal = tuple[str, str]
"""A code that stays, and a sentence."""


def refusal(order: PaperOrder, it: Situation) -> Refusal | None:
    """Return the first thing that is wrong with an order, or nothing."""
    found = next(_refusals(order, it), None)
    return None if found is None else worded(found, it)


def worded(found: Refusal, it: Situation) -> Refusal:
    """Return a refusal as the profile's broker says it, where its words are known; our code stays.

    None come with Bahi: nobody published them in a way that could be quoted.
    """
    code, sentence = found
    return code, it.rules.words.get(code, sentence)


def _refusals(order: PaperOrder, it: Situation) -> Iterator[Refusal]:
    if not it.instrument.is_tradable:
        yield "NOT_TRADABLE", f"{it.instrument.symbol} is an index: nobody can trade it."
    yield from _of_the_hour(order, it)
    yield from _of_the_quantity(order, it)
    yield from _of_the_type(order, it)
    for price in (order.price, order.trigger_price):
        if price is not None:
            yield from _of_a_price(price, it)
    yield from _of_the_trigger(order, it)
    if not order.trigger_pending and not order.is_amo:
        yield from beyond_protection(order, it)


def _of_the_hour(order: PaperOrder, it: Situation) -> Iterator[Refusal]:
    if order.is_amo:
        if order.modifications:
            return  # it is kept already, and may wait on in hours
        if it.phase in IN_HOURS:
            yield "AMO", "The market is open: place the order without AMO."
        elif it.next_day is None:
            yield "AMO", "The next trading day is not known, so no order can be kept for it."
        return
    if it.phase is Phase.CLOSING_AUCTION:
        yield from _of_the_auction(order, it)
    elif it.phase is Phase.PRE_OPEN:
        yield from _of_one_price(order, "pre-open session")
    elif it.phase is Phase.POST_CLOSE:
        yield from _of_the_post_close(order, it)
    elif it.phase is not Phase.OPEN:
        yield "MARKET_CLOSED", f"{it.where} is closed."


def _of_one_price(order: PaperOrder, session: str) -> Iterator[Refusal]:
    if order.order_type not in IN_AN_AUCTION:
        yield "ORDER_TYPE", f"The {session} takes LIMIT and MARKET only, no stops."
    if order.validity is Validity.IOC:
        yield "IOC", f"The {session} takes no IOC orders."
    if order.disclosed:
        yield "DISCLOSED", f"The {session} takes no iceberg orders: all of it has to be shown."


def _of_the_auction(order: PaperOrder, it: Situation) -> Iterator[Refusal]:
    auction = it.day.auction if it.day is not None else None
    if auction is None:
        return
    if it.now >= auction.entry_ends:
        yield (
            "MARKET_CLOSED",
            f"The closing auction takes orders no more since {ist_text(auction.entry_ends)}.",
        )
    if order.order_type not in auction.order_types:
        takes = " and ".join(auction.order_types)
        yield "ORDER_TYPE", f"The closing auction takes {takes} only, no stops."
    if order.validity is Validity.IOC:
        yield "IOC", "The closing auction takes no IOC orders."
    if order.disclosed and not auction.allows_iceberg:
        yield "DISCLOSED", "The closing auction takes no iceberg orders: show all of it."
    if auction.collar is not None and order.price is not None and it.known is not None:
        room = it.known.last * auction.collar // COLLAR_WHOLE
        if abs(order.price - it.known.last) > room:
            low, high = (grouped(it.known.last + way * room) for way in (-1, 1))
            yield "COLLAR", f"The price is outside the auction's collar, {low} to {high}."


def _of_the_post_close(order: PaperOrder, it: Situation) -> Iterator[Refusal]:
    if order.segment not in CASH or it.known is None:
        yield "MARKET_CLOSED", f"{it.where} is closed."
        return
    yield from _of_one_price(order, "post-close session")
    if order.price is not None and order.price != it.known.last:
        yield (
            "PRICE",
            f"The post-close session trades at the close, {grouped(it.known.last)}, only.",
        )


def _of_the_quantity(order: PaperOrder, it: Situation) -> Iterator[Refusal]:
    lot, largest = it.instrument.lot_size, it.instrument.largest_order
    if order.quantity <= 0 or order.quantity % lot:
        yield "LOT", f"The quantity is not a multiple of the lot, {lot}."
    if largest is not None and order.quantity > largest:
        yield "FREEZE", f"The quantity is above the freeze limit; at most {largest} an order."
    if not order.disclosed:
        return
    least = LEAST_SHOWN.get(order.segment)
    if least is None:
        yield "DISCLOSED", f"{it.where} takes no disclosed quantity: all of it is shown."
    elif order.disclosed * 100 < order.quantity * least or order.disclosed > order.quantity:
        yield "DISCLOSED", f"The disclosed quantity is not {least} to 100 % of the order."
    if order.disclosed % lot:
        yield "DISCLOSED", f"The disclosed quantity is not a multiple of the lot, {lot}."


def _of_the_type(order: PaperOrder, it: Situation) -> Iterator[Refusal]:
    if order.order_type is OrderType.STOP_LOSS_MARKET and it.instrument.kind in OPTIONS:
        yield "SLM", "SL-M is not taken for index and stock options; use SL with a limit."
    if order.validity is Validity.IOC and order.segment is Segment.MCX_COMM:
        yield "IOC", "MCX takes no IOC orders from algorithms."
    if order.validity is Validity.IOC and order.is_amo:
        yield "IOC", "An order that is kept for the next session cannot be IOC."
    if order.order_type not in MARKETS and order.price is None:
        yield "PRICE", f"A {shown(order.order_type)} order needs a price."
    is_market = order.order_type is OrderType.MARKET
    if is_market and it.is_continuous and it.quote is None and not order.is_amo:
        yield "NO_PRICE", "There is no fresh price, so a market order cannot be protected."


def _of_a_price(price: Price, it: Situation) -> Iterator[Refusal]:
    tick, lower, upper = it.instrument.tick_size, it.instrument.lower_band, it.instrument.upper_band
    if price <= 0 or (tick and price % tick):
        yield "TICK", f"The price is not a multiple of the tick, {grouped(tick or 1)}."
    if is_beyond_band(it.instrument, price):
        low, high = ("none" if at is None else grouped(at) for at in (lower, upper))
        yield "BAND", f"The price is outside the day's circuit limits, {low} to {high}."


def _of_the_trigger(order: PaperOrder, it: Situation) -> Iterator[Refusal]:
    if order.order_type not in STOPS or order.is_triggered:
        return
    trigger = order.trigger_price
    if trigger is None:
        yield "TRIGGER", f"A {shown(order.order_type)} order needs a trigger price."
        return
    buys = order.side is Side.BUY
    if order.price is not None and (order.price < trigger if buys else order.price > trigger):
        way = "below" if buys else "above"
        yield "TRIGGER", f"The limit of a {order.side} stop cannot be {way} its trigger."
    if it.quote is None or order.is_amo:
        return
    if trigger <= it.quote.last if buys else trigger >= it.quote.last:
        way = "above" if buys else "below"
        last = grouped(it.quote.last)
        yield (
            "TRIGGER",
            f"The trigger of a {order.side} stop has to be {way} the last price, {last}.",
        )


def beyond_protection(order: PaperOrder, it: Situation) -> Iterator[Refusal]:
    """Yield a refusal for a limit that is too far from the mean of the last half minute."""
    bounds = execution_range(it)
    if bounds is None or order.price is None or order.is_market or not it.is_continuous:
        return
    if not bounds.holds(order.price):
        yield worded(("PRICE_PROTECTION", bounds.sentence), it)
