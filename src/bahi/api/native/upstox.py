"""The six tokens of Upstox, in the words of source 000."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from bahi.accounts.model import UPSTOX_NAMES, parse_api_name
from bahi.accounts.service.accounts import account_meant
from bahi.api.forms import Form, Instant, PathName, Text
from bahi.api.native.runs import Started, set_going
from bahi.api.routes import PRIVATE, Authenticated, Who
from bahi.bootstrap import House
from bahi.kernel.actor import Actor
from bahi.kernel.errors import NotFound
from bahi.kernel.words import BrokerSlug, TokenMode, TokenState
from bahi.tokens.model import TokenStatus
from bahi.tokens.service.status import status_of

UPSTOX = BrokerSlug.UPSTOX
AccountName = Annotated[Text | None, Query(description="The account, where one has several.")]


class Counted(BaseModel):
    """How many of the tokens are good; an expired one counts as invalid."""

    valid: int
    invalid: int
    missing: int
    total: int


class UpstoxToken(BaseModel):
    """One of the six; a name without an application is MISSING."""

    apiName: str  # noqa: N815 - that source's spelling
    apiIndex: int  # noqa: N815
    status: TokenState
    userId: str | None = None  # noqa: N815
    userName: str | None = None  # noqa: N815
    generatedAt: Instant | None = None  # noqa: N815
    validityAt: Instant | None = None  # noqa: N815
    why: str


class UpstoxStatus(BaseModel):
    """The six tokens, counted and each."""

    account: str
    summary: Counted
    tokens: list[UpstoxToken]


class Generate(Form):
    """Which of the six are to be made."""

    mode: TokenMode = TokenMode.INVALID_ONLY
    apiNames: list[Text] = Field([], max_length=20)  # noqa: N815
    account: Text | None = None


class LoggedIn(BaseModel):
    """That a login was a success, and which tokens are good now."""

    status: Literal["success"]
    valid: list[str]


def upstox_routes(house: House) -> APIRouter:
    """Make source 000's doors."""
    router = APIRouter(prefix="/api/auth/upstox", tags=["upstox"], route_class=Authenticated)

    @router.get("/tokens/status")
    async def tokens_status(actor: Who, account: AccountName = None) -> UpstoxStatus:
        """Say how the six tokens are, by their time and by Upstox's word."""
        return await _status(house, actor, account, check=True)

    @router.post("/tokens/generate", status_code=202, dependencies=[PRIVATE])
    async def generate(actor: Who, wish: Generate) -> Started:
        """Begin a run over the six."""
        names = [parse_api_name(name, UPSTOX) for name in wish.apiNames]
        main = house.stores["main"]
        meant = await main.read(account_meant, actor, UPSTOX, wish.account, fresh=True)
        run = await house.runs.begin(actor, meant.id, wish.mode, names)
        return await set_going(house, actor, run)

    @router.get("/login-success")
    async def login_success(actor: Who, account: AccountName = None) -> LoggedIn:
        """Say which logins were a success."""
        return await _succeeded(house, actor, account, UPSTOX_NAMES)

    @router.get("/login-success/{api_name}")
    async def login_success_of(
        actor: Who, api_name: PathName, account: AccountName = None
    ) -> LoggedIn:
        """Say whether one login was a success; 404 when it was not."""
        return await _succeeded(house, actor, account, (parse_api_name(api_name, UPSTOX),))

    return router


async def _succeeded(
    house: House, actor: Actor, account: str | None, names: tuple[str, ...]
) -> LoggedIn:
    status = await _status(house, actor, account, check=False)
    good = [it.apiName for it in status.tokens if it.status is TokenState.VALID]
    found = [name for name in names if name in good]
    if not found:
        raise NotFound(f"No good token of {status.account!r}: {', '.join(names)}.")
    return LoggedIn(status="success", valid=found)


async def _status(house: House, actor: Actor, named: str | None, *, check: bool) -> UpstoxStatus:
    main = house.stores["main"]
    meant = await main.read(account_meant, actor, UPSTOX, named, fresh=True)
    found = await status_of(
        house.login_desk, actor, account_id=meant.id, broker=UPSTOX, check=check
    )
    known = {it.api_name: it for status in found for it in status.tokens}
    tokens = [_token(index, name, known.get(name)) for index, name in enumerate(UPSTOX_NAMES)]
    states = [it.status for it in tokens]
    valid, missing = states.count(TokenState.VALID), states.count(TokenState.MISSING)
    counted = Counted(
        valid=valid,
        missing=missing,
        invalid=len(states) - valid - missing,
        total=len(states),
    )
    return UpstoxStatus(account=meant.name, summary=counted, tokens=tokens)


def _token(index: int, name: str, it: TokenStatus | None) -> UpstoxToken:
    if it is None:
        why = "no application of this name is registered"
        return UpstoxToken(apiName=name, apiIndex=index, status=TokenState.MISSING, why=why)
    return UpstoxToken(
        apiName=name,
        apiIndex=index,
        status=it.state,
        userId=it.broker_user_id,
        userName=it.broker_user_name,
        generatedAt=it.generated_at,
        validityAt=it.expires_at,
        why=it.why,
    )
