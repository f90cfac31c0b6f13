"""Limits in full: what somebody is held to now and from when on, and the form that changes it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.pages import begin_page
from bahi.bootstrap.risks import held, hold
from bahi.kernel.errors import Invalid
from bahi.kernel.money import Money, plain
from bahi.kernel.words import Product, Segment
from bahi.risk.model.control import Held, Whom
from bahi.risk.model.limits import NO_LIMITS, Limits
from bahi.risk.model.rate import Window
from bahi.web import fields
from bahi.web.fields import Form
from bahi.web.frame import Frame
from bahi.web.room import Room
from bahi.web.seat import Seat, done
from bahi.web.whom import name_of, said_of, users_of, whom_of
from bahi.web.written import price, when

W = TypeVar("W", bound=StrEnum)

RISK: Final = "/risk"
HERE: Final = "/risk/limits"
SYMBOLS_AT_MOST: Final = 500
LONGEST: Final = 4_000
RATES_AT_MOST: Final = 10
COUNTED_AT_MOST: Final = 1_000_000
A_DAY_S: Final = 86_400
SEGMENTS: Final = tuple(it for it in Segment if "INDEX" not in it)
"""An index is not traded."""


def limit_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page of limits."""
    pages = LimitPages(house, frame)
    pages.router.get(HERE)(pages.every)
    pages.router.post(HERE)(pages.hold)
    return pages.router


class Step(NamedTuple):
    """Limits as they bind from an instant on, in lines."""

    since: datetime
    by: str
    reason: str
    is_to_come: bool
    lines: list[tuple[str, str]]


class LimitPages(Room):
    """What somebody is held to."""

    async def every(self, request: Request) -> Response:
        """Show what somebody is held to, and the form that changes it."""
        seat = await self.sit(request)
        whom = whom_of(request.query_params, seat).checked()
        await begin_page(self.house, seat.sure)
        many = (await held(self.house, seat.person)).get(whom, [])
        now = self.house.clock()
        once = {(it.since, it.limits): it for it in many}
        steps = sorted(once.values(), key=lambda it: (it.since, it.id))
        users = await users_of(self.house, seat, [whom.user_id])
        return await self.show(
            request,
            seat,
            "risk/limits.html",
            here=RISK,
            whom=whom,
            said_of_whom=said_of(whom),
            name=name_of(whom, seat, users),
            may_hold=seat.person.may_change() and _is_theirs(seat, whom),
            seen="-".join(str(it.id) for it in many),
            steps=[_step(it, now) for it in steps],
            filled=_filled(steps[-1].limits if steps else NO_LIMITS),
            segments=SEGMENTS,
            products=tuple(Product),
        )

    async def hold(self, request: Request) -> Response:
        """Hold somebody to limits: tightened at once, loosened from the next day on."""
        seat, form = await self.sit_with_form(request)
        whom = whom_of(form, seat).checked()
        wished = limits_of(form)
        at_once = fields.text(form, "at_once") or None
        since = await hold(self.house, seat.person, whom, wished, at_once=at_once, seen=_seen(form))
        users = await users_of(self.house, seat, [whom.user_id])
        name = name_of(whom, seat, users)
        is_now = since <= self.house.clock()
        said = (
            f"{name}: the limits hold now."
            if is_now
            else f"{name}: what is tighter holds now; what is looser from {when(since)} on."
        )
        return done(seat, HERE, said, whom=said_of(whom))


def limits_of(form: Form) -> Limits:
    """Read limits from a form; what is empty is no limit."""
    band = fields.maybe_price(form, "price_band_percent")
    begins, ends = _hour(form, "begins"), _hour(form, "ends")
    if (begins is None) != (ends is None):
        raise Invalid("hours: give both, from and until; or neither.")
    return Limits(
        daily_loss=_rupees(form, "daily_loss"),
        position_value=_rupees(form, "position_value"),
        order_value=_rupees(form, "order_value"),
        orders_a_day=_count(form, "orders_a_day"),
        open_orders=_count(form, "open_orders"),
        price_band=None if band is None else int(band),
        symbols=frozenset(_listed(form, "symbols")),
        segments=_ticked(form, "segment", Segment),
        products=_ticked(form, "product", Product),
        hours=None if begins is None or ends is None else (begins, ends),
        rates=_rates(form),
    )


def _rupees(form: Form, name: str) -> Money | None:
    said = fields.maybe_price(form, name)
    return None if said is None else Money(said)


def _count(form: Form, name: str) -> int | None:
    said = fields.maybe_whole(form, name)
    if said is not None and said > COUNTED_AT_MOST:
        raise Invalid(f"{name}: {said} is more than {COUNTED_AT_MOST}; leave it out.")
    return said


def _listed(form: Form, name: str) -> list[str]:
    said = fields.text(form, name, at_most=LONGEST)
    found = [it.strip().upper() for it in said.split(",") if it.strip()]
    if len(found) > SYMBOLS_AT_MOST:
        raise Invalid(f"{name}: name up to {SYMBOLS_AT_MOST}.")
    return found


def _ticked(form: Form, name: str, words: type[W]) -> frozenset[W]:
    return frozenset(it for it in words if fields.ticked(form, f"{name}-{it}"))


def _hour(form: Form, name: str) -> time | None:
    said = fields.text(form, name)
    if not said:
        return None
    try:
        found = time.fromisoformat(said)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise Invalid(f"{name}: {said[:40]!r} is no hour; write it as 09:15.")
    return found


def _rates(form: Form) -> tuple[Window, ...]:
    found = []
    for said in _listed(form, "rates"):
        orders, slash, seconds = (it.strip() for it in said.partition("/"))
        numbers = orders.isascii() and orders.isdigit() and seconds.isascii() and seconds.isdigit()
        if not slash or not numbers or max(len(orders), len(seconds)) > len(str(COUNTED_AT_MOST)):
            raise Invalid(f"rates: {said[:40]!r} is no rate; write orders/seconds: 10/1, 400/60.")
        found.append(Window(int(orders), int(seconds)))
    if len(found) > RATES_AT_MOST or any(it.seconds > A_DAY_S for it in found):
        raise Invalid(f"rates: up to {RATES_AT_MOST}, each over {A_DAY_S} seconds at most.")
    return tuple(found)


def _seen(form: Form) -> frozenset[int]:
    """Return the rows that the page showed: with others by now, nothing is changed."""
    said = fields.text(form, "seen", at_most=1_000)
    return frozenset(fields.identity(it, "seen") for it in said.split("-") if it)


def _is_theirs(seat: Seat, whom: Whom) -> bool:
    return seat.person.is_admin or whom.account_id is not None or seat.person.owns(whom.user_id)


def _step(it: Held, now: datetime) -> Step:
    lines = _lines(it.limits)
    return Step(it.since, it.by, it.reason or "", it.since > now, lines)


def _lines(it: Limits) -> list[tuple[str, str]]:
    """Write limits as lines of words, those that are set."""
    filled = _filled(it) | {name: price(getattr(it, name)) for name in RUPEES if getattr(it, name)}
    lines = [(title, filled[name]) for name, title in TITLES.items() if filled[name]]
    for title, those in (("Only segments", it.segments), ("Only products", it.products)):
        if those:
            lines.append((title, ", ".join(sorted(those))))
    if it.hours:
        lines.append(("Only from, until", f"{it.hours[0]:%H:%M}, {it.hours[1]:%H:%M}"))
    return lines


RUPEES: Final = ("daily_loss", "position_value", "order_value")
TITLES: Final = {
    "daily_loss": "The day's loss before charges, ₹",
    "position_value": "The largest position, ₹",
    "order_value": "One order, ₹",
    "orders_a_day": "Orders a day",
    "open_orders": "Orders at once",
    "price_band_percent": "From the last price, %",
    "symbols": "Only symbols",
    "rates": "Orders/seconds",
}


def _filled(it: Limits) -> dict[str, str]:
    """Return limits as the form's fields hold them."""
    return {
        "daily_loss": _plain(it.daily_loss),
        "position_value": _plain(it.position_value),
        "order_value": _plain(it.order_value),
        "orders_a_day": _said(it.orders_a_day),
        "open_orders": _said(it.open_orders),
        "price_band_percent": _plain(it.price_band),
        "symbols": ", ".join(sorted(it.symbols)),
        "rates": ", ".join(f"{each.orders}/{each.seconds}" for each in it.rates),
        "begins": f"{it.hours[0]:%H:%M}" if it.hours else "",
        "ends": f"{it.hours[1]:%H:%M}" if it.hours else "",
        **_marks("segment", it.segments),
        **_marks("product", it.products),
    }


def _marks(name: str, those: Iterable[str]) -> dict[str, str]:
    return {f"{name}-{it}": "1" for it in those}


def _plain(amount: int | None) -> str:
    return "" if amount is None else plain(amount)


def _said(number: int | None) -> str:
    return "" if number is None else str(number)
