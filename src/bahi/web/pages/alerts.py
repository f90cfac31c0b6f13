"""Alerts: what somebody must look at, open first, and who took it on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.alerts import alerts_of, take_on
from bahi.kernel.errors import Invalid
from bahi.notify.model import Alert
from bahi.web import fields
from bahi.web.frame import Frame
from bahi.web.room import Room, is_part, older
from bahi.web.seat import Seat, done
from bahi.web.sheets import csv_of

HERE: Final = "/alerts"
PAGE: Final = 50
CSV_AT_MOST: Final = 200
WANTED: Final = {"": None, "open": True, "taken": False}
COLUMNS: Final = (
    "id", "severity", "source", "message", "times", "account_id", "topic", "raised_at",
    "last_raised_at", "acknowledged_at", "acknowledged_by",
)  # fmt: skip


def alert_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page of alerts."""
    pages = Alerts(house, frame)
    router = pages.router
    router.get(HERE)(pages.every)
    router.get(f"{HERE}.csv")(pages.as_csv)
    router.post(HERE + "/{alert_id}/take-on")(pages.take_on)
    return router


class Alerts(Room):
    """The inbox."""

    async def every(self, request: Request) -> Response:
        """List alerts, what nobody took on first."""
        seat = await self.sit(request)
        asked = request.query_params
        found = await self._found(seat, asked, PAGE + 1)
        last = found[PAGE - 1] if len(found) > PAGE else None
        behind = None if last is None else f"{int(last.is_open)}.{last.id}"
        shown: dict[str, Any] = {
            "alerts": found[:PAGE],
            "more": older(request, seat, behind),
            "names": {it.id: it.name for it in seat.accounts},
            "chosen": asked.get("show", ""),
        }
        if is_part(request):
            is_more = bool(asked.get("behind"))
            return self.part(seat, f"alerts/{'rows' if is_more else 'inbox'}.html", **shown)
        return await self.show(request, seat, "alerts/page.html", here=HERE, **shown)

    async def as_csv(self, request: Request) -> Response:
        """Hand them out as a file."""
        seat = await self.sit(request)
        return csv_of("alerts", COLUMNS, await self._found(seat, request.query_params, CSV_AT_MOST))

    async def take_on(self, request: Request, alert_id: str) -> Response:
        """Take an alert on: everybody sees that somebody has."""
        seat, _ = await self.sit_with_form(request)
        taken = await take_on(self.house, seat.person, fields.identity(alert_id, "alert"))
        if is_part(request):
            names = {it.id: it.name for it in seat.accounts}
            return self.part(seat, "alerts/alert_row.html", it=taken.alert, names=names)
        return done(seat, HERE, f"The alert is {taken.alert.acknowledged_by}'s now.")

    async def _found(self, seat: Seat, asked: Mapping[str, str], many: int) -> Sequence[Alert]:
        show = asked.get("show", "")
        if show not in WANTED:
            raise Invalid(f"show: {show[:40]!r} is none of open, taken.")
        found = await alerts_of(
            self.house,
            seat.person,
            limit=many,
            after=_place(asked.get("behind", "")),
            only_open=WANTED[show],
        )
        return [it.alert for it in found]


def _place(said: str) -> tuple[bool, int] | None:
    """Return where a page ended: whether its last alert was open, and its id."""
    if not said:
        return None
    is_open, _, number = said.partition(".")
    if is_open not in {"0", "1"}:
        raise Invalid(f"behind: {said[:40]!r} is no place in this list.")
    return is_open == "1", fields.identity(number, "behind")
