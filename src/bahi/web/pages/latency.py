"""Latency: how long brokers took, and our own orders on their way, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.stages import order_stages
from bahi.kernel.clock import IST, exchange_day
from bahi.kernel.errors import Invalid
from bahi.kernel.spread import Spread
from bahi.telemetry.service import BY_PROGRAMS, TO_BROKERS, call_spreads
from bahi.web import fields
from bahi.web.fields import Form
from bahi.web.frame import Frame
from bahi.web.histograms import histogram_of
from bahi.web.room import Room
from bahi.web.seat import Seat
from bahi.web.sheets import csv_of
from bahi.web.written import word

HERE: Final = "/latency"
COLUMNS: Final = (
    "group", "what", "many", "failed", "p50_us", "p90_us", "p99_us", "most_us", "mean_us",
)  # fmt: skip
OF_US: Final = "asked of us"
GROUPS: Final = {TO_BROKERS: "asked of brokers", BY_PROGRAMS: OF_US}
HOURS: Final = range(24)


class Row(NamedTuple):
    """How long one thing took; `failed` None: it is no call."""

    group: str
    what: str
    failed: int | None
    spread: Spread

    @property
    def name(self) -> str:
        """What it is called in an address."""
        return f"{self.group}: {self.what}"

    @property
    def many(self) -> int:
        """How many there were."""
        return self.spread.many

    @property
    def p50_us(self) -> int | None:
        """How long half of them took at most."""
        return self.spread.percentile(50)

    @property
    def p90_us(self) -> int | None:
        """How long nine of ten took at most."""
        return self.spread.percentile(90)

    @property
    def p99_us(self) -> int | None:
        """How long all but one of a hundred took at most."""
        return self.spread.percentile(99)

    @property
    def most_us(self) -> int | None:
        """The longest."""
        return self.spread.most

    @property
    def mean_us(self) -> int | None:
        """The average."""
        return self.spread.mean


class Part(NamedTuple):
    """Rows of one kind; pages that were asked for are folded away until somebody wants them."""

    title: str
    rows: list[Row]
    is_folded: bool


class While(NamedTuple):
    """Which day, or which hour of it, is counted."""

    day: str
    hour: str
    since: datetime
    until: datetime


def latency_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page of latency."""
    pages = Latency(house, frame)
    pages.router.get(HERE)(pages.page)
    pages.router.get(f"{HERE}.csv")(pages.as_csv)
    return pages.router


class Latency(Room):
    """How long things took."""

    async def page(self, request: Request) -> Response:
        """Show a histogram of one thing, and the percentiles of all."""
        seat, asked = await self.sit(request), request.query_params
        during = self._while(asked)
        rows = await self._rows(seat, during)
        one = _chosen(rows, fields.text(asked, "of", at_most=300))
        shown: dict[str, Any] = {
            "rows": rows,
            "parts": _parts(rows, one),
            "one": one,
            "picture": None if one is None else histogram_of(one.spread),
            "chosen": {"day": during.day, "hour": during.hour},
            "hours": HOURS,
        }
        return await self.show(request, seat, "latency/page.html", here=HERE, **shown)

    async def as_csv(self, request: Request) -> Response:
        """Hand the percentiles out, in microseconds."""
        seat = await self.sit(request)
        return csv_of("latency", COLUMNS, await self._rows(seat, self._while(request.query_params)))

    def _while(self, asked: Form) -> While:
        day = fields.maybe_day(asked, "day") or exchange_day(self.house.clock())
        hour = fields.maybe_whole(asked, "hour")
        if hour is not None and hour not in HOURS:
            raise Invalid(f"hour: {hour} is not 0 to 23.")
        begins = datetime(day.year, day.month, day.day, hour or 0, tzinfo=IST)
        lasts = timedelta(days=1) if hour is None else timedelta(hours=1)
        return While(day.isoformat(), "" if hour is None else str(hour), begins, begins + lasts)

    async def _rows(self, seat: Seat, during: While) -> list[Row]:
        """Return all that took its time: the stages of one's own orders, to an admin calls too."""
        within = (during.since, during.until)
        stages = await order_stages(self.house, seat.person, *within)
        rows = [
            Row(f"{word(mode)} orders", str(stage), None, spread)
            for mode, found in stages.items()
            for stage, spread in found
            if spread.many
        ]
        return rows + (await self._calls(seat, within) if seat.person.is_admin else [])

    async def _calls(self, seat: Seat, within: tuple[datetime, datetime]) -> list[Row]:
        latency, rows = self.house.stores["latency"], list[Row]()
        for module, group in GROUPS.items():
            found = await call_spreads(latency, seat.person, *within, module=module)
            rows += [
                Row(group, f"{it.broker} {it.operation}".strip() if it.broker else it.operation,
                    it.failed, it.spread)
                for it in sorted(found, key=lambda it: -it.spread.many)
            ]  # fmt: skip
        return rows


def _parts(rows: Sequence[Row], one: Row | None) -> list[Part]:
    """Part the way of orders and brokers' answers from what was asked of this house itself."""
    ours = [it for it in rows if it.group == OF_US]
    orders = [it for it in rows if it.group != OF_US]
    found = [Part("Orders, and what was asked of brokers", orders, is_folded=False)]
    is_folded = bool(orders) and (one is None or one.group != OF_US)
    found.append(Part("What was asked of Bahi: pages and programs", ours, is_folded=is_folded))
    return [it for it in found if it.rows]


def _chosen(rows: Sequence[Row], wanted: str) -> Row | None:
    """Return the row that is asked for; else an order's whole way, else what there is most of."""
    named: Mapping[str, Row] = {it.name: it for it in rows}
    if wanted in named:
        return named[wanted]
    whole = next(
        (it for it in rows if it.failed is None and it.what == "intent to first fill"), None
    )
    return whole or max(rows, key=lambda it: it.many, default=None)
