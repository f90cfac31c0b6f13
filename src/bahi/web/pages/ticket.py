"""The order ticket: what it will do is said before, and what became of it after."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.margins import would_need
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import BahiError, Conflict, Invalid
from bahi.kernel.money import Price
from bahi.kernel.symbols import spaced
from bahi.kernel.words import AmoTime, OrderType, Product, Segment, Side, Validity
from bahi.orders.model.wishes import STOPS, PlaceOrder, check, dearest, require_ahead
from bahi.orders.service.placing import foreseen, intent_of, place_or_find
from bahi.portfolio.model.requiring import Required
from bahi.quotes.model.quote import Quote
from bahi.web import fields, written
from bahi.web.fields import Form
from bahi.web.frame import Frame
from bahi.web.room import Room, is_part
from bahi.web.seat import Seat

OFFERED: Final = 8
LONGEST: Final = 60
SHARES: Final = (Product.CNC, Product.INTRADAY, Product.MTF)
CONTRACTS: Final = (Product.MARGIN, Product.INTRADAY)
SHARE_SEGMENTS: Final = frozenset({Segment.NSE_EQ, Segment.BSE_EQ})
PASSING: Final = frozenset({"STALE_PRICE", "ORDER_RATE"})
"""What refuses an order now and may not in a second, when somebody sends it."""
AMO: Final = "AMO"
"""What the ticket offers beside the validities: an order that waits until its market opens."""
TYPES: Final = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP_LOSS: "SL (limit)",
    OrderType.STOP_LOSS_MARKET: "SL-M (market)",
}

LABELS: Final = {
    "amo_time": "Validity",
    "order_type": "Type",
    "quantity": "Qty",
    "trigger_price": "Trigger",
}
"""What the ticket calls fields whose names are the wire's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an order would do, as far as it is known before it is sent."""

    sentence: str
    quote: Quote | None
    needed: Required | None = None
    waits: bool = False
    why: str = ""

    @property
    def may_go(self) -> bool:
        """Whether anything speaks against sending it."""
        return not self.why


def ticket_routes(house: House, frame: Frame) -> APIRouter:
    """Make the doors of the ticket."""
    slip = Slip(house, frame)
    slip.router.get("/ticket")(slip.ask)
    slip.router.get("/ticket/symbols")(slip.symbols)
    slip.router.post("/ticket/form")(slip.chosen)
    slip.router.post("/ticket/preview")(slip.preview)
    slip.router.post("/ticket/place")(slip.place)
    return slip.router


class Slip(Room):
    """The ticket."""

    async def ask(self, request: Request) -> Response:
        """Show a ticket, filled in as far as the address says."""
        seat = await self.sit(request)
        shown = await _filled_in(self.house, dict(request.query_params))
        if is_part(request):
            return self.part(seat, "ticket/form.html", **shown)
        return await self.show(request, seat, "ticket/page.html", here="/ticket", **shown)

    async def symbols(self, request: Request, q: str = "") -> Response:
        """Offer what a few letters may mean."""
        seat = await self.sit(request)
        words = q.strip()[:LONGEST]
        return self.part(seat, "ticket/offers.html", words=words, offers=await self._offers(words))

    async def chosen(self, request: Request) -> Response:
        """Show the ticket of the symbol that was chosen; of letters, what they offer first."""
        seat, form = await self.sit_with_form(request)
        words = fields.text(form, "q", at_most=LONGEST)
        if words and not form.get("symbol"):
            first = next(iter(await self._offers(words)), None)
            form["symbol"] = words if first is None else first.symbol
            form["segment"] = "" if first is None else first.segment
        return self.part(seat, "ticket/form.html", **await _filled_in(self.house, form))

    async def _offers(self, words: str) -> list[Instrument]:
        """Return what a few letters may mean, the likeliest first."""
        catalogue = await self.house.instruments.catalogue()
        today = exchange_day(self.house.clock())
        found = catalogue.search(words, today=today, limit=OFFERED) if words else []
        return [it for it in found if it.is_tradable]

    async def preview(self, request: Request) -> Response:
        """Say what the order would do, what it needs, and what it costs."""
        seat, form = await self.sit_with_form(request)
        request.state.is_beat = True  # an open ticket asks again as prices move
        found = await _preview(self.house, seat, form)
        return self.part(seat, "ticket/preview.html", preview=found)

    async def place(self, request: Request) -> Response:
        """Send the order; the same ticket sent twice is one order."""
        seat, form = await self.sit_with_form(request)
        try:
            placed = await place_or_find(await self.desk(seat), wish_of(form))
        except (Invalid, Conflict) as fault:
            raise type(fault)(labelled(fault)) from fault
        shown: dict[str, Any] = {"order": placed.order, "is_new": placed.is_new}
        return self.part(seat, "ticket/placed.html", **shown)


def labelled(fault: BahiError) -> str:
    """Return what is wrong with a ticket, its fields named as the ticket names them."""
    name, colon, rest = str(fault).replace(" (amo_time)", "").partition(": ")
    return f"{LABELS.get(name, name)}{colon}{rest}"


def wish_of(form: Form) -> PlaceOrder:
    """Read a wish from a ticket."""
    segment, symbol = fields.listed(form)
    order_type = fields.one_of(form, "order_type", OrderType, OrderType.MARKET)
    has_price = order_type in {OrderType.LIMIT, OrderType.STOP_LOSS}
    is_amo = fields.text(form, "validity") == AMO
    validity = Validity.DAY if is_amo else fields.one_of(form, "validity", Validity, Validity.DAY)
    return PlaceOrder(
        segment=segment,
        symbol=symbol,
        side=fields.one_of(form, "side", Side),
        quantity=fields.whole(form, "quantity"),
        product=fields.one_of(form, "product", Product),
        order_type=order_type,
        price=fields.maybe_price(form, "price") if has_price else None,
        trigger_price=fields.maybe_price(form, "trigger_price") if order_type in STOPS else None,
        validity=validity,
        amo_time=AmoTime.OPEN if is_amo else None,
        strategy=fields.text(form, "strategy", at_most=100) or None,
        client_order_id=fields.text(form, "name", at_most=100) or None,
    )


async def _filled_in(house: House, asked: Form) -> dict[str, Any]:
    """Return a ticket as far as it is known: of which instrument, which way, how many."""
    segment = fields.maybe_one_of(asked, "segment", Segment)
    symbol = fields.text(asked, "symbol", at_most=100).upper()
    instrument, quote = None, None
    if segment is not None and symbol:
        await house.floor.renew()
        instrument = house.floor.market.instrument(segment, symbol)
        quote = None if instrument is None else house.floor.market.quote(instrument)
    products = SHARES if instrument is None or instrument.segment in SHARE_SEGMENTS else CONTRACTS
    product = fields.maybe_one_of(asked, "product", Product)
    one = 1 if instrument is None else instrument.lot_size
    is_open = None if instrument is None else house.floor.market.is_open(instrument)
    return {
        "side": fields.one_of(asked, "side", Side, Side.BUY),
        "instrument": instrument,
        "quote": quote,
        "quantity": fields.maybe_whole(asked, "quantity") or one,
        "products": products,
        "product": product if product in products else products[0],
        "types": TYPES,
        "may_wait": is_open is not True,
        "order_type": fields.one_of(asked, "order_type", OrderType, OrderType.MARKET),
        "name": f"desk-{secrets.token_hex(8)}",
        "seen_symbol": symbol,
    }


async def _preview(house: House, seat: Seat, form: Form) -> Preview:
    """Say what the order would do; what is wrong with it is a sentence and not a failure."""
    try:
        wish = wish_of(form)
        desk = await house.desk(seat.person, seat.sure.id)
        seen = desk.look(wish.segment, wish.symbol)
    except BahiError as fault:
        return Preview(sentence="", quote=None, why=labelled(fault))
    quote = house.floor.market.quote(seen.instrument)
    price = dearest(wish.side, (wish.price, wish.trigger_price), seen.price_at(desk.clock()))
    sentence = sentence_of(wish, seen.instrument, price, seat)
    try:
        check(wish, seen)
        require_ahead(wish, None if quote is None else quote.last)
        needed = await would_need(desk, wish)
        await desk.freshen()
        denial = await desk.store.read(foreseen, intent_of(desk, wish, seen), fresh=True)
    except BahiError as fault:
        return Preview(sentence=sentence, quote=quote, why=labelled(fault))
    why = "" if denial is None or denial.violation in PASSING else denial.sentence
    waits = desk.needs_approval(wish.strategy) and not needed.each[0].is_exit
    return Preview(sentence=sentence, quote=quote, needed=needed, waits=waits, why=why)


def sentence_of(wish: PlaceOrder, it: Instrument, price: Price | None, seat: Seat) -> str:
    """Say what the button does: `SELL 1,755 NIFTY 26000 CE (27 lots) at market ≈ 2,10,600.00`."""
    whole, odd = divmod(wish.quantity, it.lot_size)
    lots = _lots(whole) if it.lot_size > 1 and not odd else ""
    at = "at market" if wish.price is None else f"at {written.price(wish.price)}"
    if wish.trigger_price is not None:
        at = f"when it trades at {written.price(wish.trigger_price)}, {at}"
    if wish.amo_time is not None or wish.validity is Validity.IOC:
        at = f"{at}, {'IOC' if wish.amo_time is None else AMO}"
    worth = "" if price is None or price <= 0 else f" ≈ ₹{written.money(price * wish.quantity)}"
    owner = f" for {seat.owner or seat.sure.name}, LIVE" if seat.is_live else ""
    return (
        f"{wish.side} {written.whole(wish.quantity)} {spaced(wish.symbol)}{lots} {at}{worth}{owner}"
    )


def _lots(many: int) -> str:
    return f" ({written.whole(many)} lot{'' if many == 1 else 's'})"
