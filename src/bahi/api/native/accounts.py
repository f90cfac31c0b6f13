"""Broker accounts, and the applications that are registered for them; secrets only go in."""

from __future__ import annotations

from datetime import datetime
from typing import Final, cast

from fastapi import APIRouter
from pydantic import BaseModel, Field

from bahi.accounts.model import Account, Registration
from bahi.accounts.service import accounts, applications
from bahi.accounts.service.accounts import Wished
from bahi.accounts.service.applications import NOTIFIER_PURPOSE, Secrets
from bahi.api.forms import (
    After,
    Form,
    Id,
    Instant,
    Limit,
    Long,
    Page,
    PathId,
    Shown,
    Text,
    number,
    part_of,
)
from bahi.api.native.persons import owner_of
from bahi.api.routes import PRIVATE, Authenticated, Kept, Who, joined
from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.kernel.errors import Invalid
from bahi.kernel.words import AccountMode, BrokerSlug, ConnectionStatus, CopyRole

MAY_BE_NOTHING: Final = frozenset({"person_id", "copy_role", "broker_user_id"})


class AccountShown(Shown):
    """A broker account of one user."""

    id: Id
    user_id: Id
    person_id: Id | None
    name: str
    broker: BrokerSlug
    mode: AccountMode
    copy_role: CopyRole | None
    broker_user_id: str | None
    broker_user_name: str | None
    host_url: str | None
    websocket_url: str | None
    is_primary: bool
    is_active: bool
    has_ddpi: bool
    connection_status: ConnectionStatus
    last_connected_at: Instant | None
    created_at: Instant
    updated_at: Instant


class AccountChange(Form):
    """What is to be different about an account; what is left out stays."""

    name: Text | None = None
    person_id: Id | None = None
    copy_role: CopyRole | None = None
    broker_user_id: Text | None = None
    host_url: Text | None = None
    websocket_url: Text | None = None
    is_primary: bool | None = None
    is_active: bool | None = None
    has_ddpi: bool | None = None

    def wished(self) -> Wished:
        """Return what was said, as the house takes it."""
        given = self.model_dump(include=set(AccountChange.model_fields), exclude_unset=True)
        said = {
            name: value
            for name, value in given.items()
            if value is not None or name in MAY_BE_NOTHING
        }
        if said.get("person_id") is not None:
            said["person_id"] = number(said["person_id"])
        return cast("Wished", said)


class NewAccount(AccountChange):
    """An account to enter."""

    name: Text
    broker: BrokerSlug
    mode: AccountMode | None = None
    user_id: Id | None = None


class ApplicationShown(Shown):
    """An application registered at the broker; its secrets are not told."""

    id: Id
    account_id: Id
    api_name: str
    api_index: int
    client_id: str | None
    redirect_uri: str | None
    is_primary: bool
    enabled: bool
    has_secret: bool
    logs_in_alone: bool
    created_at: Instant
    updated_at: Instant


class Applications(BaseModel):
    """The applications of an account, in the order of their logins."""

    items: list[ApplicationShown]


class ApplicationChange(Form):
    """What is to be different about an application; what is left out stays."""

    client_id: Text | None = None
    redirect_uri: Text | None = None
    enabled: bool | None = None
    secret: Long | None = Field(None, repr=False)
    pin: Long | None = Field(None, repr=False)
    totp: Long | None = Field(None, repr=False)

    @property
    def secrets(self) -> Secrets:
        """What opens it."""
        return Secrets(secret=self.secret, pin=self.pin, totp=self.totp)


class NewApplication(ApplicationChange):
    """An application to register."""

    api_name: Text = "PRIMARY"


class Notifier(BaseModel):
    """Where the broker may post its tokens; the address is shown this once."""

    url: str


def account_routes(house: House) -> APIRouter:
    """Make the doors of accounts and applications."""
    return joined(
        _looking(house), _account_routes(house), _registering(house), _application_routes(house)
    )


def _looking(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/accounts", tags=["accounts"], route_class=Kept)
    main = house.stores["main"]

    @router.get("")
    async def list_accounts(
        actor: Who, limit: Limit = 50, after: After = None
    ) -> Page[AccountShown]:
        """List one's accounts, to a key those that it opens, to an admin everybody's."""
        found = await main.read(accounts.list_accounts, actor, fresh=True)
        return part_of(found, AccountShown, limit, after)

    @router.get("/{account_id}")
    async def get_account(actor: Who, account_id: PathId) -> AccountShown:
        """Show one account."""
        found = await main.read(accounts.get_account, actor, number(account_id), fresh=True)
        return AccountShown.model_validate(found)

    return router


def _account_routes(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/accounts", tags=["accounts"], route_class=Authenticated)
    main = house.stores["main"]

    @router.post("", status_code=201)
    async def add_account(actor: Who, wish: NewAccount) -> AccountShown:
        """Enter an account."""

        def write(tx: Tx, now: datetime) -> Account:
            owner, wished = owner_of(actor, wish.user_id), wish.wished()
            return accounts.add_account(
                tx, actor, wish.broker, wished, now, user_id=owner, mode=wish.mode
            )

        return AccountShown.model_validate(await main.write(write, house.clock()))

    @router.patch("/{account_id}")
    async def change_account(actor: Who, account_id: PathId, wish: AccountChange) -> AccountShown:
        """Change what is said of an account."""
        changed = await main.write(
            accounts.update_account, actor, number(account_id), wish.wished(), house.clock()
        )
        return AccountShown.model_validate(changed)

    @router.delete("/{account_id}", status_code=204)
    async def remove_account(actor: Who, account_id: PathId) -> None:
        """Remove an account softly: its books stay."""
        await main.write(accounts.delete_account, actor, number(account_id), house.clock())

    return router


def _registering(house: House) -> APIRouter:
    router = APIRouter(
        prefix="/v1/accounts/{account_id}/applications",
        tags=["accounts"],
        route_class=Authenticated,
    )
    main = house.stores["main"]

    @router.get("")
    async def list_applications(actor: Who, account_id: PathId) -> Applications:
        """List an account's applications."""

        def read(tx: Tx) -> list[Registration]:
            account = accounts.get_account(tx, actor, number(account_id))
            return applications.list_registrations(tx, account.id)

        found = await main.read(read, fresh=True)
        return Applications(items=[ApplicationShown.model_validate(it) for it in found])

    @router.post("", status_code=201, dependencies=[PRIVATE])
    async def register(actor: Who, account_id: PathId, wish: NewApplication) -> ApplicationShown:
        """Register an application; its secrets are sealed."""

        def write(tx: Tx, now: datetime) -> Registration:
            return applications.register(
                tx,
                actor,
                house.vault,
                number(account_id),
                now,
                secrets_=wish.secrets,
                api_name=wish.api_name,
                client_id=wish.client_id,
                redirect_uri=wish.redirect_uri,
                enabled=wish.enabled is not False,
            )

        return ApplicationShown.model_validate(await main.write(write, house.clock()))

    return router


def _application_routes(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/applications", tags=["accounts"], route_class=Authenticated)
    main = house.stores["main"]

    @router.patch("/{api_id}", dependencies=[PRIVATE])
    async def change_application(
        actor: Who, api_id: PathId, wish: ApplicationChange
    ) -> ApplicationShown:
        """Change what is given of an application."""

        def write(tx: Tx, now: datetime) -> Registration:
            return applications.change_registration(
                tx,
                actor,
                house.vault,
                number(api_id),
                now,
                secrets_=wish.secrets,
                client_id=wish.client_id,
                redirect_uri=wish.redirect_uri,
                enabled=wish.enabled,
            )

        return ApplicationShown.model_validate(await main.write(write, house.clock()))

    @router.delete("/{api_id}", status_code=204)
    async def remove_application(actor: Who, api_id: PathId) -> None:
        """Remove an application, and its tokens with it."""
        await main.write(applications.remove_registration, actor, number(api_id), house.clock())

    @router.post("/{api_id}/notifier", dependencies=[PRIVATE])
    async def make_notifier(actor: Who, api_id: PathId) -> Notifier:
        """Make the address that is entered as Upstox's notifier; the one before is dead."""
        secret = applications.notifier_secret()
        digest = house.vault.digest(secret, NOTIFIER_PURPOSE)

        def write(tx: Tx, now: datetime) -> None:
            registration = applications.get_registration(tx, actor, number(api_id))
            account = accounts.get_account(tx, actor, registration.account_id)
            if account.broker is not BrokerSlug.UPSTOX:
                raise Invalid(f"{account.broker} posts no tokens; Upstox alone has a notifier.")
            applications.new_notifier(tx, actor, registration.id, digest, now)

        await main.write(write, house.clock())
        return Notifier(url=f"{house.settings.address}/auth/notify/upstox/{secret}")

    return router
