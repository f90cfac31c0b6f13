"""A basket of options: what was clicked together, what it needs and makes, and sending it once."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from typing import Any, Final, NamedTuple

from fastapi import Request, Response

from bahi.bootstrap.baskets import LEGS_AT_MOST, Part, PartSeen, basket_seen
from bahi.instruments.model.catalogue import Catalogue
from bahi.kernel.errors import BahiError, Invalid
from bahi.kernel.money import Price
from bahi.kernel.names import shown
from bahi.kernel.symbols import spaced
from bahi.kernel.words import OrderStatus, Product, Segment, Side
from bahi.orders.service.several import Answer, place_basket
from bahi.portfolio.model.requiring import Required
from bahi.web import fields, written
from bahi.web.fields import Form
from bahi.web.payoffs import picture_of, words_of
from bahi.web.room import Room
from bahi.web.seat import Seat

SAID: Final = re.compile(r"([BS])([1-9]\d{0,5})\.(\d{1,19})(?:\.(\d{1,15}))?", re.ASCII)
"""A leg as an address says it: side and lots, which option, and its limit where it has one."""
BETWEEN: Final = "_"
LONGEST: Final = 1_000
PRODUCTS: Final = (Product.MARGIN, Product.INTRADAY)
CHAIN: Final = ("root", "segment", "expiry", "around")


class Came(NamedTuple):
    """What became of a leg."""

    part: Part
    answer: Answer

    @property
    def went(self) -> bool:
        """Whether it went out."""
        order = self.answer.order
        return order is not None and order.status is not OrderStatus.REJECTED


class Baskets(Room):
    """A page that has a basket."""

    async def basket(self, seat: Seat, asked: Form) -> dict[str, Any]:
        """Return what a basket's part of a page shows; a wrong one is a sentence."""
        parts: list[Part] = []
        wrong = ""
        try:
            parts = parts_of(asked, await self.house.instruments.catalogue())
        except Invalid as fault:
            wrong = str(fault)
        return await self._shown(seat, asked, parts, wrong=wrong)

    async def change(self, request: Request) -> Response:
        """Put a leg in, take one out, or change one; the address of the page follows."""
        seat, form = await self.sit_with_form(request)
        catalogue = await self.house.instruments.catalogue()
        parts = changed(parts_of(form, catalogue), form, catalogue)
        basket = await self._shown(seat, form, parts)
        answer = self.part(seat, "options/basket.html", **basket | await self._ends(form))
        answer.headers["HX-Replace-Url"] = seat.link(
            "/options", **chain_said(form), basket=said_of(parts) or None
        )
        return answer

    async def outlook(self, request: Request) -> Response:
        """Say anew what the basket needs and makes, as prices move."""
        seat, form = await self.sit_with_form(request)
        request.state.is_beat = True
        parts = parts_of(form, await self.house.instruments.catalogue())
        basket = await self._shown(seat, form, parts, name=_name(form))
        return self.part(seat, "options/outlook.html", **basket)

    async def place(self, request: Request) -> Response:
        """Place the basket; the same form sent twice places it once."""
        seat, form = await self.sit_with_form(request)
        parts = parts_of(form, await self.house.instruments.catalogue())
        if not parts:
            raise Invalid("basket: it is empty; click a price first.")
        name, product = _name(form), product_of(form)
        wishes = [it.wish(product, f"{name}/{n}") for n, it in enumerate(parts, 1)]
        ends = await self._ends(form)  # what is wrong with the form is said before anything goes
        desk = await self.desk(seat)
        answers = await desk.errands.see_through(place_basket(desk, wishes))
        came = [Came(part, answer) for part, answer in zip(parts, answers, strict=True)]
        failed = [it.part for it in came if not it.went]
        became: dict[str, Any] = {
            "came": came,
            "failed": failed,
            "basket": None,
            "basket_said": said_of(failed),
        }
        page = self.part(seat, "options/placed.html", **became, **ends)
        page.headers["HX-Replace-Url"] = seat.link("/options", **chain_said(form))
        return page

    async def _ends(self, form: Form) -> dict[str, Any]:
        """Return what the line of expiries shows, which says how large the basket is."""
        catalogue = await self.house.instruments.catalogue()
        root = fields.required(form, "root", at_most=40)
        segment = fields.one_of(form, "segment", Segment)
        expiries = catalogue.expiries(root, segment, is_option=True)
        return {"expiries": expiries, "of_chain": chain_said(form), "is_alone": True}

    async def _shown(
        self, seat: Seat, form: Form, parts: list[Part], *, name: str = "", wrong: str = ""
    ) -> dict[str, Any]:
        product = product_of(form)
        basket: dict[str, Any] = {
            "basket": None,
            "basket_said": said_of(parts),
            "basket_wrong": wrong,
            "product": product,
            "products": PRODUCTS,
            "name": name or new_name(),
            "picture": None,
            "words": [],
            "sentence": "",
            "is_alone": False,
            "of_chain": chain_said(form),
        }
        if seat.account is None or not seat.person.may_change() or not parts:
            return basket
        try:
            desk = await self.desk(seat)
        except BahiError as fault:
            return {**basket, "basket_wrong": str(fault)}
        seen = await basket_seen(self.house, desk, parts, product)
        if seen.outlook is not None:
            basket["picture"] = picture_of(seen.outlook)
            basket["words"] = words_of(seen.outlook.payoff)
        return {**basket, "basket": seen, "sentence": sentence_of(seen.parts, seen.needed, seat)}


def new_name() -> str:
    """Return a name by which a basket that is sent twice is known to be one."""
    return f"basket-{secrets.token_hex(8)}"


def product_of(form: Form) -> Product:
    """Return as what the legs are held."""
    product = fields.one_of(form, "product", Product, Product.MARGIN)
    if product not in PRODUCTS:
        raise Invalid(f"product: options are held as {' or '.join(map(shown, PRODUCTS))}.")
    return product


def parts_of(form: Form, catalogue: Catalogue) -> list[Part]:
    """Read the legs that an address or a form says."""
    said = fields.text(form, "basket", at_most=LONGEST)
    legs = said.split(BETWEEN) if said else []
    if len(legs) > LEGS_AT_MOST:
        raise Invalid(f"basket: it has {len(legs)} legs; {LEGS_AT_MOST} are the most.")
    return [_part(leg, catalogue) for leg in legs]


def _part(said: str, catalogue: Catalogue) -> Part:
    found = SAID.fullmatch(said)
    if found is None:
        raise Invalid(f"basket: {said[:40]!r} is no leg of one.")
    side, lots, identity, limit = found.groups()
    listed = catalogue.by_id(int(identity))
    if listed is None or not listed.is_tradable:
        raise Invalid("basket: one of its legs is not listed any more; begin it anew.")
    return Part(
        instrument=listed,
        side=Side.BUY if side == "B" else Side.SELL,
        lots=int(lots),
        price=Price(int(limit)) if limit else None,
    )


def said_of(parts: list[Part]) -> str:
    """Write legs as an address says them."""
    return BETWEEN.join(
        f"{it.side[0]}{it.lots}.{it.instrument.id}" + (f".{it.price}" if it.price else "")
        for it in parts
    )


def changed(parts: list[Part], form: Form, catalogue: Catalogue) -> list[Part]:
    """Return the legs after what a form asks for: one clicked, one changed, one or all gone."""
    if form.get("clear"):
        return []
    for name, side in (("buy", Side.BUY), ("sell", Side.SELL)):
        if form.get(name):
            return _clicked(parts, _part(f"{side[0]}1.{form[name]}", catalogue))
    if not form.get("at"):
        return parts
    place = fields.identity(form["at"], "at")
    if not 0 <= place < len(parts):
        raise Invalid("at: the basket has no such leg; load the page anew.")
    if form.get("drop"):
        return [it for n, it in enumerate(parts) if n != place]
    if form.get("turn"):
        it = parts[place]
        turned = replace(it, side=Side.SELL if it.side is Side.BUY else Side.BUY)
        return [*parts[:place], turned, *parts[place + 1 :]]
    lots = fields.whole(form, "lots")
    one = replace(parts[place], lots=lots, price=fields.maybe_price(form, "price"))
    return [*parts[:place], one, *parts[place + 1 :]]


def _clicked(parts: list[Part], new: Part) -> list[Part]:
    """Put a lot in: one more of what is there, one less of what is there the other way."""
    for place, it in enumerate(parts):
        if it.instrument.id != new.instrument.id:
            continue
        lots = it.lots + (1 if it.side is new.side else -1)
        kept = [replace(it, lots=lots)] if lots else []
        return [*parts[:place], *kept, *parts[place + 1 :]]
    if len(parts) >= LEGS_AT_MOST:
        raise Invalid(f"basket: {LEGS_AT_MOST} legs are the most.")
    return [*parts, new]


def sentence_of(parts: list[PartSeen], needed: Required | None, seat: Seat) -> str:
    """Say what the button does, leg by leg."""
    legs = ", ".join(
        f"{it.part.side} {written.whole(it.part.quantity)} {spaced(it.part.instrument.symbol)} "
        + ("at market" if it.part.price is None else f"at {written.price(it.part.price)}")
        for it in parts
    )
    orders = "order" if len(parts) == 1 else "orders"
    needs = "" if needed is None else f", to place ≈ ₹{written.money(needed.free_needed)}"
    owner = f" for {seat.owner or seat.sure.name}, LIVE" if seat.is_live else ""
    return f"Place {len(parts)} {orders}{owner}: {legs}{needs}"


def _name(form: Form) -> str:
    return fields.required(form, "name", at_most=60)


def chain_said(form: Form) -> dict[str, str]:
    """Return which chain the basket stands beside."""
    return {name: form[name] for name in CHAIN if form.get(name)}
