"""Who sits at the desk, and before which account: looked up once for each request."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse

from bahi.accounts.model import Account
from bahi.accounts.service.accounts import list_accounts
from bahi.accounts.service.people import list_persons
from bahi.bootstrap import House
from bahi.identity.service.users import get_user
from bahi.kernel.actor import Actor
from bahi.kernel.clock import unix_ms
from bahi.kernel.errors import Invalid, NotFound, Unauthenticated
from bahi.kernel.ids import earliest_at
from bahi.kernel.words import AccountMode
from bahi.web.frame import Frame
from bahi.web.visit import caller_of, form_of, signed_in

ACCOUNT_COOKIE: Final = "bahi_account"
SAID_COOKIE: Final = "bahi_said"
SAID_FOR_S: Final = 20
SAID_AT_MOST: Final = 500
SEE_OTHER: Final = 303
MAY_OVERLAP_MS: Final = 500
"""How long before a page is drawn something may have got its id that is committed only after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A person who signed in, the accounts that they may see, and the one that is in view."""

    person: Actor
    csrf: str
    accounts: tuple[Account, ...]
    account: Account | None
    owner: str = ""
    since: int
    """From which id on a page that is drawn now may have missed what happened."""
    is_https: bool = False

    @property
    def is_live(self) -> bool:
        """Whether what is done here moves real money."""
        return self.account is not None and self.account.mode is AccountMode.LIVE

    @property
    def sure(self) -> Account:
        """The account in view."""
        if self.account is None:
            raise NotFound("You have no account yet; an admin enters one on the page Accounts.")
        return self.account

    def link(self, path: str, /, **query: object) -> str:
        """Return an address of this desk that keeps the account in view."""
        said = {name: str(value) for name, value in query.items() if value is not None}
        if self.account is not None and len(self.accounts) > 1:
            said = {"account": str(self.account.id), **said}
        return f"{path}?{urlencode(said)}" if said else path


def desk_route(frame: Frame) -> type[APIRoute]:
    """Make the kind of route whose pages are for who is signed in: others are led to the door."""

    class DeskRoute(APIRoute):
        """A page of the desk."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """Say how a failure looks here, and where a stranger goes."""
            answer = super().get_route_handler()

            async def shown(request: Request) -> Response:
                request.state.failure_page = frame.failure
                request.state.is_private = True
                try:
                    return _onward(request, await answer(request))
                except Unauthenticated:
                    if request.method != "GET" or "hx-request" in request.headers:
                        raise
                    return _to_the_door(request)

            return shown

    return DeskRoute


def _onward(request: Request, answer: Response) -> Response:
    """Have a page that sent its form by script go where the answer leads, and not stand still.

    Sent so, a form that is refused stays as it was typed, with the sentence beside it.
    """
    if "hx-boosted" not in request.headers or answer.status_code != SEE_OTHER:
        return answer
    onward = Response(status_code=204, headers={"HX-Redirect": answer.headers["location"]})
    onward.raw_headers += [it for it in answer.raw_headers if it[0] == b"set-cookie"]
    return onward


def _to_the_door(request: Request) -> Response:
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = "" if path == "/" else f"?next={quote(path, safe='')}"
    return RedirectResponse(f"/sign-in{back}", SEE_OTHER)


async def sit(house: House, request: Request, form: dict[str, str] | None = None) -> Seat:
    """Return who asks; one who changes something brings the form that a page of theirs gave."""
    since = earliest_at(unix_ms() - MAY_OVERLAP_MS)
    person = await signed_in(house, request, form)
    every = await house.stores["main"].read(list_accounts, person, fresh=True)
    in_view = _in_view(every, request, form, person)
    session = caller_of(request).session
    seat = Seat(
        person=person,
        csrf=house.sign_in.csrf_of(session or ""),
        accounts=tuple(every),
        account=in_view,
        owner=await _owner(house, in_view, person),
        since=since,
        is_https=house.settings.address.startswith("https:"),
    )
    request.state.seat = seat
    return seat


async def _owner(house: House, account: Account | None, person: Actor) -> str:
    """Return whose real money it is, in their own name; of paper nobody asks."""
    if account is None or account.mode is not AccountMode.LIVE:
        return ""
    if account.broker_user_name:
        return account.broker_user_name
    main = house.stores["main"]
    if account.person_id is not None:
        persons = await main.read(list_persons, person, fresh=True)
        if found := next((it for it in persons if it.id == account.person_id), None):
            return found.name
    return (await main.read(get_user, account.user_id, fresh=True)).username


async def sit_with_form(house: House, request: Request) -> tuple[Seat, dict[str, str]]:
    """Return who sent a form, and its fields; of a form that another site sent there is none."""
    form = await form_of(request)
    return await sit(house, request, form), form


def done(seat: Seat, path: str, sentence: str, **query: object) -> Response:
    """Lead back to a page, which says what was done."""
    answer = RedirectResponse(seat.link(path, **query), SEE_OTHER)
    return say(seat, answer, sentence)


def say(seat: Seat, answer: Response, sentence: str) -> Response:
    """Have the next page that this browser opens say a sentence, once."""
    answer.set_cookie(
        SAID_COOKIE,
        quote(sentence[:SAID_AT_MOST]),
        max_age=SAID_FOR_S,
        path="/",
        secure=seat.is_https,
        httponly=True,
        samesite="strict",
    )
    return answer


def is_ours(path: str) -> bool:
    """Say whether an address stays in this house."""
    return path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()


def _in_view(
    every: list[Account], request: Request, form: dict[str, str] | None, person: Actor
) -> Account | None:
    """Return the account that is meant: the one that is named, remembered, one's own, or any."""
    named = (form or {}).get("account") or request.query_params.get("account")
    if named:
        found = next((it for it in every if str(it.id) == named), None)
        if found is None:
            raise NotFound("That account is not there, or it is not yours to see.")
        return found
    if form is not None and len(every) > 1:
        raise Invalid("account: the form does not say which; open its page again.")
    remembered = request.cookies.get(ACCOUNT_COOKIE)
    ranked = sorted(
        every,
        key=lambda it: (
            str(it.id) != remembered,
            it.user_id != person.user_id,
            not it.is_active,
            it.mode is not AccountMode.PAPER,
            it.id,
        ),
    )
    return ranked[0] if ranked else None
