"""Where people come back from a broker, and read what came of it: in words, never a token."""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Request, Response

from bahi.bootstrap import House
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Invalid, Unauthenticated
from bahi.kernel.names import BROKER_NAMES
from bahi.kernel.words import BrokerSlug
from bahi.tokens.model import ENDED
from bahi.web.frame import Frame
from bahi.web.pages.going import LOGIN_AT, have_it_go_on, state_cookie
from bahi.web.visit import FIELDS_AT_MOST, caller_of, form_of, page_route

BY_A_LINK: Final = "a person with a link"
AGAIN: Final = "bahi_again"
UNKNOWN: Final = (
    "This login was not begun in this browser, or took too long; begin again with a new link."
)

NOTHING_CAME: Final = (
    "The broker's page brought nothing back, and nothing was done; log in on it, and come back "
    "from there."
)
BRING_A_STATE_BACK: Final = (BrokerSlug.UPSTOX, BrokerSlug.KITE)
"""What comes from them without a state was not sent by a login: our cookie is no proof of one."""
NO_ANSWER: Final = {"state", "redirect_params", AGAIN}

Broker = Annotated[str, Path(max_length=20)]


def coming_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page at which brokers let people down."""
    router = APIRouter(route_class=page_route(frame))

    @router.api_route("/auth/callback/{broker}", methods=["GET", "POST"])
    async def come_back(request: Request, broker: Broker) -> Response:
        caller = caller_of(request)
        await caller.passer_by()
        known = next((it for it in LOGIN_AT if it == broker.lower()), None)
        if known is None:
            raise Invalid(f"broker: there is no login at {broker!r}.")
        form = await form_of(request)
        brought = {**_query(request), **form}
        cookie = request.cookies.get(state_cookie(known), "")
        state = _state(known, brought, cookie)
        if not state:
            may_come_along = request.method == "POST" and known not in BRING_A_STATE_BACK
            if may_come_along and AGAIN not in brought:
                return _ask_again(frame, known, form)
            raise Unauthenticated(UNKNOWN)
        if not any(value for name, value in brought.items() if name not in NO_ANSWER):
            raise Invalid(NOTHING_CAME)
        person = await caller.person()
        actor = person or _visitor(caller.visitor)
        answered = await house.handing.answer(known, state, brought, actor)
        run = answered.run
        goes_on = run is not None and run.status not in ENDED
        if run is not None and goes_on:
            await have_it_go_on(house, actor, run)
        signed_in = person is not None and caller.session is not None
        page = frame.page(
            "logins/came.html",
            broker=BROKER_NAMES[known],
            answered=answered,
            goes_on=goes_on,
            csrf=house.sign_in.csrf_of(caller.session) if signed_in and caller.session else None,
        )
        page.delete_cookie(
            state_cookie(known),
            path="/auth/callback/",
            secure=frame.is_https,
            httponly=True,
            samesite="lax",
        )
        return page

    return router


def _query(request: Request) -> dict[str, str]:
    return dict(request.query_params.multi_items()[:FIELDS_AT_MOST])


def _state(broker: BrokerSlug, brought: Mapping[str, str], cookie: str) -> str:
    """Return the state of the login that comes back, empty where nothing says which it is.

    Kite may bring it inside what it was asked to bring. Wherever there is more than one, they are
    the same, or somebody else's login was put into this browser.
    """
    inside = dict(parse_qsl(brought.get("redirect_params", "")[:2000]))
    came = [each for each in (brought.get("state"), inside.get("state")) if each]
    if not came and broker in BRING_A_STATE_BACK:
        return ""
    states = [*came, cookie] if cookie else came
    if not all(_same(each, states[0]) for each in states[1:]):
        raise Unauthenticated(UNKNOWN)
    return states[0] if states else ""


def _same(one: str, other: str) -> bool:
    return compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


def _ask_again(frame: Frame, broker: BrokerSlug, form: Mapping[str, str]) -> Response:
    """Have the person's own click send the form again: only then does our cookie come along."""
    return frame.page(
        "logins/again.html",
        broker=BROKER_NAMES[broker],
        slug=broker,
        fields=dict(form),
        again=AGAIN,
    )


def _visitor(visitor: Actor) -> Actor:
    return Actor(
        name=BY_A_LINK,
        address=visitor.address,
        agent=visitor.agent,
        request_id=visitor.request_id,
    )
