"""Logins at brokers, as source 002 has them: which are there, one anew, one ended, the old gone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from bahi.accounts.model import Account
from bahi.accounts.service.accounts import account_meant
from bahi.accounts.service.applications import list_registrations
from bahi.api.forms import Broker, Form, Id, Instant, Text, broker_of
from bahi.api.native.runs import Started, set_going
from bahi.api.routes import PRIVATE, Authenticated, ForAdmins, Who, joined
from bahi.audit.service import note
from bahi.bootstrap import House
from bahi.bootstrap.housekeeping import cleanup_sessions
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Conflict
from bahi.kernel.words import BrokerSlug, TokenMode, TokenState
from bahi.tokens.service.status import AccountStatus, status_of

SERVICES: Final = (
    BrokerSlug.BREEZE,
    BrokerSlug.KITE,
    BrokerSlug.UPSTOX,
    BrokerSlug.DHAN,
    BrokerSlug.OPENALGO,
)

AccountName = Annotated[Text | None, Query(description="The account, where one has several.")]


class ServiceStatus(BaseModel):
    """Whether one is logged in at a broker, by the broker's own word."""

    connected: bool
    service: str
    account: str | None = None
    account_id: Id | None = None
    user_id: str | None = None
    expires_at: Instant | None = None
    last_updated: Instant | None = None
    why: str | None = None


class AuthStatus(BaseModel):
    """The logins at every broker; of several accounts at one, `accounts` has each."""

    breeze: ServiceStatus
    kite: ServiceStatus
    upstox: ServiceStatus
    dhan: ServiceStatus
    openalgo: ServiceStatus
    accounts: list[ServiceStatus]
    database_backed: Literal[True]
    timestamp: Instant


class Which(Form):
    """Which account is meant."""

    account: Text | None = None


class Disconnected(BaseModel):
    """What was ended."""

    status: Literal["success"]
    service: str
    account: str
    disconnected: list[str]


class Cleaned(BaseModel):
    """How much was ended because its time was over."""

    status: Literal["success"]
    cleaned: int
    tokens: int
    sessions: int
    cache: int
    failures: int
    timestamp: Instant


def auth_routes(house: House) -> APIRouter:
    """Make the doors of source 002's authentication."""
    router = APIRouter(prefix="/auth/db", tags=["auth"], route_class=Authenticated)
    admins = APIRouter(prefix="/auth/db", tags=["auth"], route_class=ForAdmins)
    main = house.stores["main"]

    @router.get("/status")
    async def auth_status(actor: Who) -> AuthStatus:
        """Ask every broker whether its token is still good."""
        statuses = await status_of(house.login_desk, actor)
        own = [_service(it) for it in statuses if it.account.is_active]
        return AuthStatus(
            **{service: _best(own, service) for service in SERVICES},
            accounts=own,
            database_backed=True,
            timestamp=house.clock(),
        )

    @router.post("/{service}/login", status_code=202, dependencies=[PRIVATE])
    async def log_in(
        actor: Who, service: Broker, which: Which | None = None, account: AccountName = None
    ) -> Started:
        """Begin a login, and answer at once."""
        named = account if which is None or which.account is None else which.account
        meant = await main.read(account_meant, actor, broker_of(service), named, fresh=True)
        try:
            run = await house.runs.begin(actor, meant.id, TokenMode.INVALID_ONLY)
        except Conflict:  # one is under way: it goes on, and hands its login over anew
            run = await house.runs.resume(actor, meant.id)
        return await set_going(house, actor, run)

    @router.post("/disconnect/{service}")
    async def disconnect(
        actor: Who, service: Broker, which: Which | None = None, account: AccountName = None
    ) -> Disconnected:
        """End the tokens of an account, here and at its broker."""
        named = account if which is None or which.account is None else which.account

        def read(tx: Tx) -> tuple[Account, list[tuple[int, str]]]:
            meant = account_meant(tx, actor, broker_of(service), named)
            return meant, [(it.id, it.api_name) for it in list_registrations(tx, meant.id)]

        meant, registered = await main.read(read, fresh=True)
        ended = [
            name for api_id, name in registered if await house.login_desk.revoke(actor, api_id)
        ]
        return Disconnected(
            status="success", service=meant.broker, account=meant.name, disconnected=ended
        )

    @admins.post("/cleanup")
    async def clean_up(actor: Who) -> Cleaned:
        """End the broker tokens and web sessions whose time is over."""
        now = house.clock()
        found: dict[str, Any] = await cleanup_sessions(main, now)
        await main.write(_note_cleanup, actor, found, now)
        cleaned = found["tokens"] + found["sessions"]
        return Cleaned(status="success", cleaned=cleaned, timestamp=now, **found)

    return joined(admins, router)


def _note_cleanup(tx: Tx, actor: Actor, found: dict[str, Any], now: datetime) -> None:
    note(tx, actor, "cleanup", ("auth", None), now, new=found)


def _service(status: AccountStatus) -> ServiceStatus:
    """Say how an account is logged in, by the application that comes first."""
    enabled = [it for it in status.tokens if it.enabled] or list(status.tokens)
    first = min(enabled, key=lambda it: it.api_index)
    return ServiceStatus(
        connected=first.state is TokenState.VALID,
        service=status.account.broker,
        account=status.account.name,
        account_id=str(status.account.id),
        user_id=first.broker_user_id,
        expires_at=first.expires_at,
        last_updated=first.generated_at,
        why=first.why,
    )


def _best(own: list[ServiceStatus], service: BrokerSlug) -> ServiceStatus:
    of_it = [it for it in own if it.service == service]
    if not of_it:
        return ServiceStatus(connected=False, service=service, why="no account")
    return next((it for it in of_it if it.connected), of_it[0])
