"""Tokens of any broker: how they are, runs that make them, one taken out of use."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from bahi.accounts.service.accounts import get_account
from bahi.accounts.service.applications import get_registration
from bahi.api.forms import Form, Id, Instant, PathName, Text, broker_of, number
from bahi.api.native.runs import RunShown, Started, set_going
from bahi.api.routes import PRIVATE, Authenticated, Who
from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.errors import NotFound
from bahi.kernel.words import TokenMode, TokenState
from bahi.tokens.model import Run, TokenStatus
from bahi.tokens.service.status import AccountStatus, status_of, summary

Service = Annotated[str | None, Query(max_length=20, pattern=r"^[A-Za-z]+$")]
AccountId = Annotated[Id | None, Query()]
Check = Annotated[bool, Query(description="Ask the brokers too, not only the clock.")]


class TokenShown(BaseModel):
    """What there is to know of one application's token: never the token."""

    api_id: Id
    api_name: str
    api_index: int
    enabled: bool
    state: TokenState
    why: str
    user_id: str | None
    user_name: str | None
    generated_at: Instant | None
    expires_at: Instant | None
    fingerprint: str | None
    leased_to: str | None


class AccountTokens(BaseModel):
    """The tokens of an account, its newest run, and how long its person has to wait."""

    account_id: Id
    account: str
    broker: str
    tokens: list[TokenShown]
    run: RunShown | None
    cools_until: Instant | None


class Summary(BaseModel):
    """How many tokens are in which state."""

    valid: int
    invalid: int
    expired: int
    missing: int
    total: int


class TokensStatus(BaseModel):
    """The tokens of every account."""

    summary: Summary
    accounts: list[AccountTokens]


class NewRun(Form):
    """Which tokens are to be made."""

    account_id: Id
    mode: TokenMode = TokenMode.INVALID_ONLY
    api_names: list[Text] = Field([], max_length=20)


class OfAccount(Form):
    """Of which account."""

    account_id: Id


class Revoke(Form):
    """Which application's token is to end."""

    api_id: Id


class Revoked(BaseModel):
    """Whether there was a token to end."""

    revoked: bool


def token_routes(house: House) -> APIRouter:
    """Make the doors of tokens."""
    router = APIRouter(prefix="/v1/tokens", tags=["tokens"], route_class=Authenticated)
    main = house.stores["main"]

    @router.get("")
    async def tokens(
        actor: Who,
        service: Service = None,
        account_id: AccountId = None,
        check: Check = True,  # noqa: FBT002 - a question's field
    ) -> TokensStatus:
        """Say how every token is, by its time and by the broker's word."""
        wanted = None if account_id is None else number(account_id)
        if wanted is not None:
            await main.read(get_account, actor, wanted, fresh=True)
        broker = None if service is None else broker_of(service)
        found = await status_of(
            house.login_desk, actor, account_id=wanted, broker=broker, check=check
        )
        return TokensStatus(
            summary=Summary(**summary(found)), accounts=[_shown(it) for it in found]
        )

    @router.post("/runs", status_code=202, dependencies=[PRIVATE])
    async def begin(actor: Who, wish: NewRun) -> Started:
        """Begin a run."""
        run = await house.runs.begin(actor, number(wish.account_id), wish.mode, wish.api_names)
        return await set_going(house, actor, run)

    @router.post("/resume", status_code=202, dependencies=[PRIVATE])
    async def resume(actor: Who, wish: OfAccount) -> Started:
        """Have a run go on where it was; a login that waits for a person is handed over anew."""
        return await set_going(
            house, actor, await house.runs.resume(actor, number(wish.account_id))
        )

    @router.post("/stop")
    async def stop(actor: Who, wish: OfAccount) -> RunShown:
        """Stop an account's run before its next login."""
        return RunShown.model_validate(await house.runs.stop(actor, number(wish.account_id)))

    @router.get("/runs/{execution_id}")
    async def run_of(actor: Who, execution_id: PathName) -> RunShown:
        """Show a run."""
        return RunShown.model_validate(await _seen_run(house, actor, execution_id))

    @router.post("/revoke")
    async def revoke(actor: Who, wish: Revoke) -> Revoked:
        """End a token, here and at its broker."""
        api_id = number(wish.api_id)
        await main.read(get_registration, actor, api_id, fresh=True)
        return Revoked(revoked=await house.login_desk.revoke(actor, api_id))

    return router


async def _seen_run(house: House, actor: Actor, execution_id: str) -> Run:
    """Return a run of an account that the actor may see; any other does not exist for them."""
    run = await house.runs.run(execution_id)

    def read(tx: Tx) -> Any:
        return get_account(tx, actor, run.account_id)

    try:
        await house.stores["main"].read(read, fresh=True)
    except NotFound:
        raise NotFound(f"There is no run {execution_id!r}.") from None
    return run


def _shown(status: AccountStatus) -> AccountTokens:
    return AccountTokens(
        account_id=str(status.account.id),
        account=status.account.name,
        broker=status.account.broker,
        tokens=[_token(it) for it in status.tokens],
        run=None if status.run is None else RunShown.model_validate(status.run),
        cools_until=status.cools_until,
    )


def _token(it: TokenStatus) -> TokenShown:
    return TokenShown(
        api_id=str(it.api_id),
        api_name=it.api_name,
        api_index=it.api_index,
        enabled=it.enabled,
        state=it.state,
        why=it.why,
        user_id=it.broker_user_id,
        user_name=it.broker_user_name,
        generated_at=it.generated_at,
        expires_at=it.expires_at,
        fingerprint=it.fingerprint,
        leased_to=it.leased_to,
    )
