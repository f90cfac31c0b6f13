"""The end of a day: the closing list that a person signs, and who signed which day with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from bahi.audit.model import DayEnd
from bahi.audit.service import day_ends
from bahi.bootstrap import House
from bahi.bootstrap.day_end import BACK, require_over, sign
from bahi.bootstrap.session_facts import Due, Facts
from bahi.bootstrap.session_lists import facts_of, list_of
from bahi.db.tx import Tx
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Conflict, Invalid
from bahi.web import fields
from bahi.web.frame import Frame
from bahi.web.room import Room, is_part, older
from bahi.web.seat import Seat, done
from bahi.web.sheets import csv_of
from bahi.web.written import day as written_day

HERE: Final = "/day-end"
PAGE: Final = 30
CSV_AT_MOST: Final = 200
LONGEST_NOTE: Final = 1_000
COLUMNS: Final = ("day", "actor", "signed_at", "note", "not_good")


def day_end_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page of the day's end."""
    pages = DayEnds(house, frame)
    router = pages.router
    router.get(HERE)(pages.every)
    router.get(f"{HERE}.csv")(pages.as_csv)
    router.get(f"{HERE}/list")(pages.closing)
    router.post(f"{HERE}/sign")(pages.sign)
    return router


class Signed(NamedTuple):
    """A signature as a file has it."""

    day: date
    actor: str
    signed_at: Any
    note: str | None
    not_good: str


class DayEnds(Room):
    """Days that end with a name under them."""

    async def every(self, request: Request) -> Response:
        """Show the days that were signed; the closing list follows in a moment."""
        seat = await self.sit(request)
        found = await self._signed(seat, request.query_params, PAGE + 1)
        behind = str(found[PAGE - 1].id) if len(found) > PAGE else None
        shown: dict[str, Any] = {"signed": found[:PAGE], "more": older(request, seat, behind)}
        if is_part(request):
            return self.part(seat, "day_end/rows.html", **shown)
        return await self.show(request, seat, "day_end/page.html", here=HERE, **shown)

    async def closing(self, request: Request) -> Response:
        """Show the closing list as it is now, and the form that signs it when it can be."""
        seat = await self.sit(request)
        facts = await facts_of(self.house, seat.person)
        today = exchange_day(facts.now)
        days = [today - timedelta(days=back) for back in range(BACK.days + 1)]
        may = [it for it in days if _why_not(it, facts) is None]
        return self.part(
            seat,
            "day_end/list.html",
            due=list_of(facts, Due.CLOSING),
            today=today,
            days=may,
            why=_why_not(today, facts),
        )

    async def as_csv(self, request: Request) -> Response:
        """Hand the signatures out as a file."""
        seat = await self.sit(request)
        found = await self._signed(seat, request.query_params, CSV_AT_MOST)
        rows = [
            Signed(
                it.day,
                it.actor,
                it.signed_at,
                it.note,
                "; ".join(f"{each.name}: {each.sentence}" for each in it.findings),
            )
            for it in found
        ]
        return csv_of("day-ends", COLUMNS, rows)

    async def sign(self, request: Request) -> Response:
        """Put a person's name under a day."""
        seat, form = await self.sit_with_form(request)
        of = fields.maybe_day(form, "day")
        if of is None:
            raise Invalid("day: say which day is signed.")
        note = fields.text(form, "note", at_most=LONGEST_NOTE)
        signed = await sign(self.house, seat.person, of, note)
        many = len(signed.findings)
        what = f"with {many} finding{'' if many == 1 else 's'}" if many else "with nothing open"
        return done(seat, HERE, f"You signed {written_day(of)}, {what}.")

    async def _signed(self, seat: Seat, asked: Mapping[str, str], many: int) -> Sequence[DayEnd]:
        said = asked.get("behind", "")
        before = fields.identity(said, "behind") if said else None

        def read(tx: Tx) -> list[DayEnd]:
            return day_ends(tx, seat.person, before=before, limit=many)

        return await self.house.stores["main"].read(read, fresh=True)


def _why_not(day: date, facts: Facts) -> str | None:
    try:
        require_over(day, facts)
    except Conflict as why:
        return str(why)
    return None
