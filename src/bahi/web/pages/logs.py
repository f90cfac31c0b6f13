"""Logs: what the house wrote down of itself; a stack is shown on demand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.kernel.errors import Invalid
from bahi.kernel.words import LogLevel
from bahi.telemetry.model import LogPage, LogWanted
from bahi.telemetry.service import log_page
from bahi.web import fields
from bahi.web.fields import Form
from bahi.web.frame import Frame
from bahi.web.room import Room, is_part, older
from bahi.web.seat import Seat
from bahi.web.sheets import csv_of

HERE: Final = "/logs"
PAGE: Final = 100
CSV_AT_MOST: Final = 500
FILTERS: Final = ("level", "word", "request")
LEVELS: Final[Mapping[str, tuple[LogLevel, ...]]] = {
    "": (),
    "errors": (LogLevel.ERROR, LogLevel.CRITICAL),
    "warnings and errors": (LogLevel.WARNING, LogLevel.ERROR, LogLevel.CRITICAL),
} | {str(it).lower(): (it,) for it in LogLevel}
COLUMNS: Final = (
    "id", "at", "level", "logger", "message", "error_type", "error_code", "module", "function",
    "line_number", "account_id", "order_ref", "context", "stack_trace",
)  # fmt: skip


def log_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page of the log."""
    pages = Logs(house, frame)
    pages.router.get(HERE)(pages.every)
    pages.router.get(f"{HERE}.csv")(pages.as_csv)
    return pages.router


class Logs(Room):
    """The log."""

    async def every(self, request: Request) -> Response:
        """Show what was written down, the newest first."""
        seat = await self.sit(request)
        asked = request.query_params
        found = await self._page(seat, asked, PAGE)
        behind = None if found.next is None else str(found.next)
        shown: dict[str, Any] = {"entries": found.entries, "more": older(request, seat, behind)}
        if is_part(request):
            return self.part(seat, "logs/rows.html", **shown)
        shown |= {"levels": LEVELS, "chosen": {it: asked.get(it, "") for it in FILTERS}}
        return await self.show(request, seat, "logs/page.html", here=HERE, **shown)

    async def as_csv(self, request: Request) -> Response:
        """Hand the same records out."""
        seat = await self.sit(request)
        return csv_of(
            "logs", COLUMNS, (await self._page(seat, request.query_params, CSV_AT_MOST)).entries
        )

    async def _page(self, seat: Seat, asked: Form, at_most: int) -> LogPage:
        said = asked.get("behind", "")
        before = fields.identity(said, "behind") if said else None
        logs = self.house.stores["logs"]
        return await log_page(logs, seat.person, _wanted(asked), limit=at_most, before=before)


def _wanted(asked: Form) -> LogWanted:
    level = asked.get("level", "")
    if level not in LEVELS:
        raise Invalid(f"level: {level[:40]!r} is none of {', '.join(filter(None, LEVELS))}.")
    return LogWanted(
        levels=LEVELS[level],
        word=fields.text(asked, "word") or None,
        request_id=fields.text(asked, "request") or None,
    )
