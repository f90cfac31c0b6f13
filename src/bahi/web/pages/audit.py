"""Audit: who did what to what, before and after, and the proof that nobody changed it since."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from bahi.audit.model import Entry, Page, Wanted
from bahi.audit.service import search
from bahi.bootstrap import House
from bahi.bootstrap.house import SEALED
from bahi.bootstrap.trail_checks import TrailChecks
from bahi.db.tx import Tx
from bahi.identity.service.users import list_users
from bahi.kernel.actor import require_admin
from bahi.kernel.clock import IST
from bahi.kernel.errors import Invalid
from bahi.web import fields
from bahi.web.frame import Frame
from bahi.web.room import Room, is_part, older
from bahi.web.seat import Seat, done
from bahi.web.sheets import MONEY, csv_of
from bahi.web.written import price

HERE: Final = "/audit"
PAGE: Final = 50
CSV_AT_MOST: Final = 500
FILTERS: Final = ("store", "kind", "which", "user", "action", "word", "day")
COLUMNS: Final = (
    "id", "at", "actor", "user_id", "action", "entity_type", "entity_id", "details", "old_value",
    "new_value", "ip_address", "request_id",
)  # fmt: skip


DID: Final[Mapping[str, str]] = {
    "create": "made", "update": "changed", "delete": "removed", "remove": "took out",
    "restore": "brought back", "revoke": "ended", "load": "loaded", "enter": "entered",
    "import": "brought in", "login": "signed in", "logout": "signed out",
    "login_failed": "failed to sign in", "order.place": "placed", "order.cancel": "cancelled",
    "order.modify": "changed", "order.approve": "approved", "order.decline": "declined",
    "risk.kill": "stopped", "risk.resume": "let trade again", "risk.limits": "set limits of",
    "schedule.run": "ran", "job.retry": "ran again", "settle": "settled", "reset": "began anew",
    "erase": "erased",
}  # fmt: skip
"""What was done, as people say it; the word of the trail stands behind it."""
NAMES: Final = ("name", "username", "api_name", "symbol", "whom", "key", "address")
"""Where the row of a thing says what people call it, the likeliest first."""


AMOUNTS: Final = MONEY | {"daily_loss", "position_value", "order_value", "price_band"}
"""What is kept in ten-thousandths, of a rupee or of a percent."""


class Difference(NamedTuple):
    """One value of a thing, as it was and as it became."""

    name: str
    before: str | None
    after: str | None

    @property
    def is_changed(self) -> bool:
        """Whether it is another than before."""
        return self.before != self.after


class Line(NamedTuple):
    """A row of the trail, with what differs."""

    entry: Entry
    differences: list[Difference]
    name: str
    """What people call the thing; empty where the row does not say."""

    @property
    def did(self) -> str:
        """What was done, in words."""
        return DID.get(self.entry.action, re.sub("[._]", " ", self.entry.action))


def audit_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page of the trail."""
    pages = Audit(house, frame)
    router = pages.router
    router.get(HERE)(pages.trail)
    router.get(f"{HERE}.csv")(pages.as_csv)
    router.get(f"{HERE}/verify")(pages.verdict)
    router.post(f"{HERE}/verify")(pages.verify)
    return router


class Audit(Room):
    """The trail."""

    def __init__(self, house: House, frame: Frame) -> None:
        super().__init__(house, frame)
        self._checks = TrailChecks(house)

    async def trail(self, request: Request) -> Response:
        """Show what was done, the newest first."""
        seat = await self.sit(request)
        found = await self._found(seat, request.query_params, PAGE)
        behind = None if found.next is None else str(found.next)
        users = await self._users(seat)
        known = {str(it.id): it.name for it in seat.accounts}
        known |= {str(number): name for number, name in users}
        shown: dict[str, Any] = {
            "lines": [
                Line(it, list(differences(it.old_value, it.new_value)), _name(it, known))
                for it in found.entries
            ],
            "more": older(request, seat, behind),
        }
        if is_part(request):
            return self.part(seat, "audit/rows.html", **shown)
        chosen = {it: request.query_params.get(it, "") for it in FILTERS}
        shown |= {"chosen": chosen, "stores": SEALED, "check": self._checks.newest}
        shown |= {"users": users, "deeds": DID}
        return await self.show(request, seat, "audit/page.html", here=HERE, **shown)

    async def as_csv(self, request: Request) -> Response:
        """Hand the same rows out."""
        seat = await self.sit(request)
        found = await self._found(seat, request.query_params, CSV_AT_MOST)
        return csv_of("audit", COLUMNS, found.entries)

    async def verify(self, request: Request) -> Response:
        """Begin to compare every row with its seal."""
        seat, _ = await self.sit_with_form(request)
        check = self._checks.begin(seat.person)
        if is_part(request):
            return self.part(seat, "audit/verdict.html", check=check)
        return done(seat, HERE, "Every row is being compared with its seal.")

    async def verdict(self, request: Request) -> Response:
        """Show how far that is, or what it found."""
        seat = await self.sit(request)
        require_admin(seat.person)
        return self.part(seat, "audit/verdict.html", check=self._checks.newest)

    async def _users(self, seat: Seat) -> list[tuple[int, str]]:
        if not seat.person.is_admin:
            return []

        def read(tx: Tx) -> list[tuple[int, str]]:
            return [(it.id, it.username) for it in list_users(tx, deleted=True)]

        return await self.house.stores["main"].read(read, fresh=True)

    async def _found(self, seat: Seat, asked: Mapping[str, str], at_most: int) -> Page:
        store = asked.get("store") or "main"
        if store not in SEALED:
            raise Invalid(f"store: {store[:40]!r} is none of {', '.join(SEALED)}.")
        behind = asked.get("behind", "")
        before = fields.identity(behind, "behind") if behind else None
        return await search(
            self.house.stores[store], seat.person, _wanted(asked), limit=at_most, before=before
        )


def _wanted(asked: Mapping[str, str]) -> Wanted:
    user, day = fields.text(asked, "user"), fields.maybe_day(asked, "day")
    since = None if day is None else datetime(day.year, day.month, day.day, tzinfo=IST)
    return Wanted(
        entity_type=fields.text(asked, "kind") or None,
        entity_id=fields.text(asked, "which") or None,
        user_id=fields.identity(user, "user") if user else None,
        action=fields.text(asked, "action") or None,
        word=fields.text(asked, "word") or None,
        since=since,
        until=None if since is None else since + timedelta(days=1),
    )


def _name(it: Entry, known: Mapping[str, str]) -> str:
    """Return what people call the thing that a row is about: as the row says, or as it is known."""
    for said in (it.new_value, it.old_value):
        if isinstance(said, dict):
            found = next((said[name] for name in NAMES if isinstance(said.get(name), str)), "")
            if found:
                return found
    return known.get(it.entity_id or "", "")


def differences(old: Any, new: Any) -> Iterator[Difference]:
    """Yield what a thing was and became, value by value; what changed comes first."""
    before, after = dict(_flat("", old)), dict(_flat("", new))
    names = list(dict.fromkeys((*before, *after)))
    found = [Difference(it, before.get(it), after.get(it)) for it in names]
    yield from sorted(found, key=lambda it: not it.is_changed)


def _flat(name: str, document: Any) -> Iterator[tuple[str, str]]:
    if document is None and not name:
        return
    if isinstance(document, dict) and document:
        for key, value in document.items():
            yield from _flat(f"{name}.{key}" if name else str(key), value)
    elif type(document) is int and name.rpartition(".")[2] in AMOUNTS:
        yield name, price(document)
    else:
        said = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
        yield name or "value", said
