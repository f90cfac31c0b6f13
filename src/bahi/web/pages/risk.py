"""Risk: limits as gauges, what ran into them, and the switches that stop somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.gauges import Gauge, Unit, gauges_of
from bahi.bootstrap.panic import Stopped, stop
from bahi.bootstrap.risks import engaged, kill, resume
from bahi.kernel.errors import Unavailable
from bahi.kernel.symbols import spaced
from bahi.risk.model.control import Scope, Switch, Whom
from bahi.risk.model.violation import IN_TENTHOUSANDTHS, Violation
from bahi.risk.service import violations_of
from bahi.web import fields
from bahi.web.frame import Frame
from bahi.web.room import Room, is_part, older
from bahi.web.seat import Seat, done, is_ours
from bahi.web.sheets import csv_of
from bahi.web.whom import Users, name_of, said_of, users_of, whom_of
from bahi.web.written import capital, money, price, whole

HERE: Final = "/risk"
PAGE: Final = 50
CSV_AT_MOST: Final = 500
FULL: Final = 100
UNITS: Final = {Unit.RUPEES: ", ₹", Unit.PERCENT: ", %", Unit.ORDERS: ""}
"""What stands behind the name of a limit, once, and in no cell."""
NEARLY: Final = 80
"""Percent of a limit from which it stands out."""
COLUMNS: Final = (
    "id", "at", "kind", "limit_text", "actual_text", "message", "strategy", "order_id",
)  # fmt: skip
GAUGE_COLUMNS: Final = (
    "name", "used", "most", "percent", "over", "set_by", "reason", "since", "why",
)  # fmt: skip


def risk_routes(house: House, frame: Frame) -> APIRouter:
    """Make the pages of risk."""
    pages = Risk(house, frame)
    router = pages.router
    router.get(HERE)(pages.every)
    router.get(f"{HERE}.csv")(pages.as_csv)
    router.get(f"{HERE}/gauges")(pages.dials)
    router.get(f"{HERE}/gauges.csv")(pages.dials_as_csv)
    router.post(f"{HERE}/kill")(pages.stop)
    router.post(f"{HERE}/resume")(pages.resume)
    return router


class Dial(NamedTuple):
    """A gauge in words: what is used of it, whose it is, and how near its end."""

    name: str
    used: str | None
    most: str
    percent: int | None
    over: str
    set_by: str
    reason: str
    since: datetime | None
    why: str
    mood: str


class Shown(NamedTuple):
    """A switch by name, and whether who looks may release it."""

    name: str
    said: str
    switch: Switch
    is_theirs: bool


class Risk(Room):
    """Limits and switches."""

    async def every(self, request: Request) -> Response:
        """Show who is stopped, how full each limit is, and what ran into one."""
        seat = await self.sit(request)
        found = await self._violations(seat, request.query_params, PAGE + 1)
        behind = str(found[PAGE - 1].id) if len(found) > PAGE else None
        shown: dict[str, Any] = {
            "violations": found[:PAGE],
            "more": older(request, seat, behind),
            "in_tenthousandths": IN_TENTHOUSANDTHS,
        }
        if is_part(request):
            return self.part(seat, "risk/violation_rows.html", **shown)
        users = await self._users(seat)
        dials, why = await self._dials(seat, users)
        switches = await self._switches(seat, users)
        return await self.show(
            request,
            seat,
            "risk/page.html",
            here=HERE,
            dials=dials,
            why=why,
            switches=switches,
            **shown,
        )

    async def dials(self, request: Request) -> Response:
        """Show how full each limit is by now."""
        seat = await self.sit(request)
        dials, why = await self._dials(seat, await self._users(seat))
        return self.part(seat, "risk/gauge_rows.html", dials=dials, why=why)

    async def as_csv(self, request: Request) -> Response:
        """Hand out what ran into a limit as a file."""
        seat = await self.sit(request)
        found = await self._violations(seat, request.query_params, CSV_AT_MOST)
        return csv_of("violations", COLUMNS, found)

    async def dials_as_csv(self, request: Request) -> Response:
        """Hand out the limits with their use as a file."""
        seat = await self.sit(request)
        dials, _ = await self._dials(seat, await self._users(seat))
        return csv_of("limits", GAUGE_COLUMNS, dials)

    async def stop(self, request: Request) -> Response:
        """Stop somebody's entries; take back what works and get out where that was ticked."""
        seat, form = await self.sit_with_form(request)
        whom = whom_of(form, seat).checked()
        reason = fields.required(form, "reason")
        back = form.get("back", HERE).partition("?")[0]
        flat = fields.ticked(form, "flatten")
        name = name_of(whom, seat, await users_of(self.house, seat, [whom.user_id]))
        if not (flat or fields.ticked(form, "cancel")):
            stopped = await kill(self.house, seat.person, whom, reason)
            return done(seat, back if is_ours(back) else HERE, _stopped(name, stopped))
        clearing = stop(self.house, seat.person, whom, reason, flat=flat)
        found = await self.house.trading.errands.see_through(clearing)
        said = f"{_stopped(name, len(found))} {_cleared(found, flat=flat)}"
        faults = _faults(seat, found)
        if not faults:
            return done(seat, back if is_ours(back) else HERE, said)
        return await self.show(
            request, seat, "risk/stopped.html", here=HERE, sentence=said, faults=faults
        )

    async def resume(self, request: Request) -> Response:
        """Let somebody trade again."""
        seat, form = await self.sit_with_form(request)
        whom = whom_of(form, seat).checked()
        name = name_of(whom, seat, await users_of(self.house, seat, [whom.user_id]))
        await resume(self.house, seat.person, whom, fields.required(form, "reason"))
        return done(seat, HERE, f"Entries of {name} pass again.")

    async def _violations(
        self, seat: Seat, asked: Mapping[str, str], many: int
    ) -> Sequence[Violation]:
        said = asked.get("behind", "")
        before = fields.identity(said, "behind") if said else None
        if seat.is_live:  # no live broker is connected: none of its orders was ever judged
            return []
        kept = await self.books(seat)
        return await kept.store.read(violations_of, kept.account.id, before, many, fresh=True)

    async def _dials(self, seat: Seat, users: Users) -> tuple[list[Dial], str]:
        try:
            found = await gauges_of(self.house, seat.person, seat.sure.id)
        except Unavailable as why:
            return [], str(why)
        names = {str(Whom(scope=Scope.ACCOUNT, account_id=it.id)): it.name for it in seat.accounts}
        names |= {f"user {number}": f"every account of {name}" for number, name in users.items()}
        return [_dial(it, names) for it in found], ""

    async def _users(self, seat: Seat) -> Users:
        return await users_of(self.house, seat, [seat.sure.user_id])

    async def _switches(self, seat: Seat, users: Users) -> list[Shown]:
        found = await engaged(self.house, seat.person, [it.id for it in seat.accounts])
        unknown = {it.whom.user_id for it in found} - set(users)
        known = {**users, **await users_of(self.house, seat, unknown)}
        person = seat.person
        return [
            Shown(
                name_of(it.whom, seat, known),
                said_of(it.whom),
                it,
                person.may_change() and (person.is_admin or it.by == person.name),
            )
            for it in found
        ]


def _dial(it: Gauge, names: Mapping[str, str]) -> Dial:
    percent = it.percent
    mood = ""
    if percent is not None and percent >= NEARLY:
        mood = "broken" if percent >= FULL else "attention"
    return Dial(
        name=f"{capital(it.name)}{UNITS[it.unit]}",
        used=None if it.used is None else _amount(it.used, it.unit),
        most=_amount(it.most, it.unit),
        percent=percent,
        over=names.get(it.source, it.source),
        set_by=it.set_by,
        reason=it.reason,
        since=it.since,
        why=it.why,
        mood=mood,
    )


def _amount(value: int, unit: Unit) -> str:
    if unit is Unit.ORDERS:
        return whole(value)
    return money(value) if unit is Unit.RUPEES else price(value)


def _stopped(name: str, accounts: int) -> str:
    many = "" if accounts == 1 else f" ({accounts} accounts)"
    return f"Entries of {name} are stopped{many}; exits pass."


def _cleared(found: Sequence[Stopped], *, flat: bool) -> str:
    """Say in counts what was taken back and closed, and what could not be."""
    taken = [each for it in found for each in it.cancelled]
    closed = [each for it in found for each in it.flattened]
    faults = sum(it.fault is not None for it in taken) + sum(it.left != 0 for it in closed)
    said = f"Asked back: {_counted(sum(it.fault is None for it in taken), 'order')}"
    if flat:
        said += f"; closed: {_counted(sum(it.left == 0 for it in closed), 'position')}"
    return f"{said}; not done: {faults}." if faults else f"{said}."


def _counted(many: int, noun: str) -> str:
    return f"{many} {noun}{'' if many == 1 else 's'}"


def _faults(seat: Seat, found: Sequence[Stopped]) -> list[tuple[str, str]]:
    """Return what could not be done, by account."""
    names = {it.id: it.name for it in seat.accounts}
    faults = []
    for it in found:
        said = [f"Order {each.order_id}: {each.fault}" for each in it.cancelled if each.fault]
        said += [
            f"{whole(abs(each.left))} {spaced(each.key.symbol)} are left: {each.fault}"
            for each in it.flattened
            if each.left
        ]
        faults += [(names.get(it.account_id, str(it.account_id)), each) for each in said]
    return faults
