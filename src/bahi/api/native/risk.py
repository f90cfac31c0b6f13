"""Risk: limits and switches."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, Field

from bahi.api.errors import problem_answers
from bahi.api.forms import Day, Form, Id, Instant, Text
from bahi.api.native.orders import OutcomeShown
from bahi.api.native.position_forms import FlattenedShown
from bahi.api.native.risk_forms import (
    HeldOf,
    LimitsAsked,
    SwitchShown,
    WhomAsked,
    WhomShown,
    seen_in,
)
from bahi.api.routes import Authenticated, Kept, Who, joined
from bahi.bootstrap import House
from bahi.bootstrap.panic import Stopped, stop
from bahi.bootstrap.risks import engaged, held, hold, kill, resume

Reason = Annotated[Text, Field(min_length=1)]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=200,
        pattern=r'^"[0-9]{1,19}(-[0-9]{1,19}){0,8}"$',
        description="The `version` that was seen, quoted; any other is 412.",
    ),
]
OfAccount = Annotated[Id, Query(description="Whose.")]
OnDay = Annotated[Day | None, Query(description="On which day; else today.")]


class HeldByWhom(BaseModel):
    """Limits, by whom they bind."""

    items: list[HeldOf]


class Hold(Form):
    """Whom to hold to what; `at_once` says why it cannot wait for the next day (admins)."""

    whom: WhomAsked
    limits: LimitsAsked
    at_once: Reason | None = None


class Holds(BaseModel):
    """From when all limits are as asked for: what is loosened waits for the next day."""

    since: Instant
    held: HeldOf


class Switches(BaseModel):
    """The switches that are engaged, the oldest first."""

    items: list[SwitchShown]


class Kill(Form):
    """Whose entries to stop, and why; exits pass."""

    whom: WhomAsked
    reason: Reason
    cancel: Annotated[bool, Field(description="Take back all that works, too.")] = False
    flat: Annotated[bool, Field(description="And get out of what is open.")] = False


class StoppedShown(BaseModel):
    """What became of an account: what was taken back, and what it could get out of."""

    account_id: Id
    cancelled: list[OutcomeShown]
    flattened: list[FlattenedShown]

    @classmethod
    def of(cls, it: Stopped) -> StoppedShown:
        """Show it."""
        return cls(
            account_id=str(it.account_id),
            cancelled=[OutcomeShown.of(each) for each in it.cancelled],
            flattened=[FlattenedShown.of(each) for each in it.flattened],
        )


class Killed(BaseModel):
    """How many accounts were stopped; of each what was taken back, where that was asked for."""

    whom: WhomShown
    accounts: int
    stopped: list[StoppedShown]


class Resume(Form):
    """Whom to let trade again, and why."""

    whom: WhomAsked
    reason: Reason


class Resumed(BaseModel):
    """How many switches were released."""

    whom: WhomShown
    released: int


def risk_routes(house: House) -> APIRouter:
    """Make the doors of risk."""
    return joined(_kept(house), _limits(house), _switches(house))


def _kept(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/risk", tags=["risk"], route_class=Kept)

    @router.get("/limits")
    async def list_limits(actor: Who) -> HeldByWhom:
        """List the limits that bind anything of one's own, also those to come."""
        found = await held(house, actor)
        return HeldByWhom(items=[HeldOf.of(whom, many) for whom, many in found.items()])

    return router


def _limits(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/risk", tags=["risk"], route_class=Authenticated)

    @router.put("/limits", responses=problem_answers(412))
    async def set_limits(actor: Who, wish: Hold, seen: IfMatch = None) -> Holds:
        """Hold somebody to limits in place of those before; tightened at once, loosened tomorrow.

        With `If-Match` only where nobody changed them since they were looked at.
        """
        whom, limits = wish.whom.whom(actor).checked(), wish.limits.limits()
        since = await hold(house, actor, whom, limits, at_once=wish.at_once, seen=seen_in(seen))
        found = await held(house, actor)
        return Holds(since=since, held=HeldOf.of(whom, found.get(whom, [])))

    return router


def _switches(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/risk", tags=["risk"], route_class=Authenticated)

    @router.get("/switches")
    async def list_switches(actor: Who) -> Switches:
        """List the switches that are engaged over anything of one's own."""
        return Switches(items=[SwitchShown.of(it) for it in await engaged(house, actor)])

    @router.post("/kill")
    async def engage(actor: Who, wish: Kill) -> Killed:
        """Stop entries, from every process and at once; `cancel` and `flat` then clear up.

        Once this answers, nothing new is opened. Engaged twice, it is stopped as before.
        """
        whom = wish.whom.whom(actor).checked()
        shown = WhomShown.of(whom)
        if not (wish.cancel or wish.flat):
            accounts = await kill(house, actor, whom, wish.reason)
            return Killed(whom=shown, accounts=accounts, stopped=[])
        clearing = stop(house, actor, whom, wish.reason, flat=wish.flat)
        found = await house.trading.errands.see_through(clearing)
        return Killed(
            whom=shown, accounts=len(found), stopped=[StoppedShown.of(it) for it in found]
        )

    @router.post("/resume")
    async def release(actor: Who, wish: Resume) -> Resumed:
        """Let somebody trade again: whoever engaged the switch, or an admin."""
        whom = wish.whom.whom(actor).checked()
        released = await resume(house, actor, whom, wish.reason)
        return Resumed(whom=WhomShown.of(whom), released=released)

    return router
