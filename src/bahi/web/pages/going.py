"""The way out to a broker: for who has a link, and for who is signed in.

A browser may follow no redirect of a form to another site (form-action covers redirects too), so
what answers the form is a page of our own that goes on by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response

from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.jobs.service import enqueue
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.names import BROKER_NAMES
from bahi.kernel.words import BrokerSlug
from bahi.tokens.model import ENDED, PERSON_TAKES, Run
from bahi.tokens.service.outcomes import HandedOver
from bahi.web.frame import Frame
from bahi.web.visit import caller_of, form_of, page_route, signed_in

LOGIN_AT: Final = (
    BrokerSlug.KITE, BrokerSlug.UPSTOX, BrokerSlug.DHAN, BrokerSlug.BREEZE, BrokerSlug.OPENALGO,
)  # fmt: skip
"""Brokers at which people log in."""
WAIT_AT_MOST: Final = timedelta(seconds=8)
"""Logins of one person are five seconds apart: so long a browser may wait for its turn."""
CALLBACK: Final = "/auth/callback/"

Code = Annotated[str, Path(max_length=100)]
AccountId = Annotated[str, Path(pattern=r"^[0-9]{1,18}$")]


def state_cookie(broker: str) -> str:
    """Name the cookie that holds the state of a login at a broker that brings none back."""
    return f"bahi_login_{broker}"


def going_routes(house: House, frame: Frame) -> APIRouter:
    """Make the pages that lead to brokers."""
    router = APIRouter(route_class=page_route(frame))

    async def leave(code: str) -> Response:
        _, account, registration = await house.handing.peek(code)
        address, state = await house.handing.open_link(code)
        page = frame.page(
            "logins/leave.html",
            address=address,
            broker=BROKER_NAMES[account.broker],
            account=account.name,
            api_name=registration.api_name,
        )
        page.set_cookie(
            state_cookie(account.broker),
            state,
            max_age=int(PERSON_TAKES.total_seconds()),
            path=CALLBACK,
            secure=frame.is_https,
            httponly=True,
            samesite="lax",
        )
        return page

    @router.get("/auth/go/{code}")
    async def ask_to_go(request: Request, code: Code) -> Response:
        await caller_of(request).passer_by()
        handover, account, registration = await house.handing.peek(code)
        return frame.page(
            "logins/go.html",
            broker=BROKER_NAMES[account.broker],
            account=account,
            registration=registration,
            until=handover.expires_at,
        )

    @router.post("/auth/go/{code}")
    async def go(request: Request, code: Code) -> Response:
        await caller_of(request).passer_by()
        return await leave(code)

    @router.post("/auth/begin/{account_id}")
    async def begin(request: Request, account_id: AccountId) -> Response:
        actor = await signed_in(house, request, await form_of(request))
        require_change(actor)
        run = await house.runs.resume(actor, int(account_id))
        came = await as_far_as_a_person(house, actor, run)
        if isinstance(came, HandedOver):
            return await leave(came.code)
        if came.status not in ENDED:
            await have_it_go_on(house, actor, came)
        return frame.page("logins/by_itself.html", run=came, ended=came.status in ENDED)

    return router


async def as_far_as_a_person(house: House, actor: Actor, run: Run) -> HandedOver | Run:
    """Go on with a run while that takes moments, until it ends or somebody has to log in."""
    until = house.clock() + WAIT_AT_MOST
    while run.status not in ENDED:
        came = await house.runs.advance(run.execution_id, actor)
        if isinstance(came, HandedOver):
            return came
        run = came
        if run.due_at is not None and run.due_at > until:
            break
        if run.due_at is not None and run.due_at > house.clock():
            await house.login_desk.pause((run.due_at - house.clock()).total_seconds())
    return run


async def have_it_go_on(house: House, actor: Actor, run: Run) -> None:
    """Ask the worker to go on with a run."""

    def write(tx: Tx, now: datetime) -> None:
        payload = {"execution_id": run.execution_id}
        enqueue(tx, actor.name, "token_run", payload, now, user_id=actor.user_id)

    await house.stores["main"].write(write, house.clock())
