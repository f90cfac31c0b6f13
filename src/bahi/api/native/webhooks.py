"""Webhooks, at which alerts become orders; and the addresses that brokers post to."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from bahi.api.forms import (
    After,
    Form,
    Id,
    Instant,
    Limit,
    Page,
    PathId,
    Shown,
    Text,
    Whole,
    number,
    page_of,
    part_of,
    place,
)
from bahi.api.routes import PRIVATE, Authenticated, Who, joined
from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.kernel.errors import Invalid, NotFound
from bahi.strategies.model.webhooks import AlertSource, AlertStatus, Wished
from bahi.strategies.service import webhooks
from bahi.streams import service as streams
from bahi.streams.model import Inlet

Template = dict[Text, str | int | float]


class WebhookTerms(Form):
    """What a webhook is: whose words its orders have, and from where and when it takes alerts."""

    name: Annotated[Text, Field(min_length=1, max_length=100)]
    source: AlertSource = AlertSource.TRADINGVIEW
    template: Annotated[
        Template,
        Field(
            max_length=20,
            examples=[{"symbol": "{{ticker}}", "exchange": "NSE", "quantity": "10"}],
        ),
    ]
    addresses: list[Text] = Field([], max_length=50)
    opens_at: time | None = None
    closes_at: time | None = None
    repeats_within_s: Annotated[Whole, Field(ge=0, le=86_400)] = 60

    def wished(self) -> Wished:
        """Return it as the house takes it."""
        if (self.opens_at and self.opens_at.tzinfo) or (self.closes_at and self.closes_at.tzinfo):
            raise Invalid("opens_at: hours are India's; write them without a zone: 09:20.")
        return Wished(**self.model_dump(include=set(WebhookTerms.model_fields)))


class NewWebhook(WebhookTerms):
    """A webhook to enter."""

    account_id: Id
    signing_secret: str | None = Field(None, min_length=8, max_length=500, repr=False)


class WebhookChange(Form):
    """What is to be different: all terms anew, or whether it is listened to."""

    terms: WebhookTerms | None = None
    is_active: bool | None = None


class WebhookShown(Shown):
    """A webhook; its address was shown once."""

    id: Id
    account_id: Id
    name: str
    source: AlertSource
    template: dict[str, Any]
    addresses: list[str]
    opens_at: time | None
    closes_at: time | None
    repeats_within_s: int
    is_signed: bool
    is_active: bool
    created_at: Instant
    last_alert_at: Instant | None


class MadeWebhook(BaseModel):
    """A new webhook, and its address, which is shown this once."""

    webhook: WebhookShown
    url: str


class AlertShown(Shown):
    """An alert that came, and what became of it."""

    id: Id
    payload: Any
    ip_address: str | None
    status: AlertStatus
    outcome: Any
    error_message: str | None
    received_at: Instant
    done_at: Instant | None


class NewInlet(Form):
    """An address that a broker is to call, and for what, as far as one says so."""

    event_types: list[Text] = Field([], max_length=20)


class InletShown(Shown):
    """An address that a broker was told to call."""

    id: Id
    account_id: Id
    address: str
    event_types: list[str]
    is_active: bool
    created_at: Instant
    last_triggered_at: Instant | None


class MadeInlet(BaseModel):
    """A new address, whole this once."""

    postback: InletShown
    url: str


class Inlets(BaseModel):
    """The addresses of an account."""

    items: list[InletShown]


def webhook_routes(house: House) -> APIRouter:
    """Make the doors of webhooks and of postback addresses."""
    return joined(_entering(house), _changing(house), _inlets(house))


def _entering(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=Authenticated)
    main = house.stores["main"]

    @router.get("")
    async def list_webhooks(
        actor: Who, limit: Limit = 50, after: After = None
    ) -> Page[WebhookShown]:
        """List one's webhooks, to an admin everybody's."""
        found = await main.read(webhooks.list_webhooks, actor, fresh=True)
        shown = [WebhookShown.model_validate(it) for it in found]
        return part_of(shown, WebhookShown, limit, after)

    @router.post("", status_code=201, dependencies=[PRIVATE])
    async def add_webhook(actor: Who, wish: NewWebhook) -> MadeWebhook:
        """Enter a webhook; its address is shown this once. Keys cannot do this."""
        path, now = webhooks.new_path(), house.clock()
        digest = house.vault.digest(path, webhooks.PATH_PURPOSE)
        what = (number(wish.account_id), wish.wished(), digest, wish.signing_secret)
        made = await main.write(webhooks.add_webhook, actor, house.vault, what, now)
        url = f"{house.settings.address}/hooks/alerts/{path}"
        return MadeWebhook(webhook=WebhookShown.model_validate(made), url=url)

    @router.get("/{webhook_id}")
    async def get_webhook(actor: Who, webhook_id: PathId) -> WebhookShown:
        """Show one webhook."""
        found = await main.read(webhooks.get_webhook, actor, number(webhook_id), fresh=True)
        return WebhookShown.model_validate(found)

    @router.get("/{webhook_id}/alerts")
    async def list_alerts(
        actor: Who, webhook_id: PathId, limit: Limit = 50, after: After = None
    ) -> Page[AlertShown]:
        """List the alerts that came, the newest first, with what became of their orders."""
        ended = place(after)
        asked = (number(webhook_id), None if ended is None else ended[0], limit + 1)
        found = await main.read(webhooks.alerts_of, actor, *asked, fresh=True)
        return page_of(found, AlertShown, limit, lambda it: it.id)

    return router


def _changing(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=Authenticated)
    main = house.stores["main"]

    @router.patch("/{webhook_id}")
    async def change_webhook(actor: Who, webhook_id: PathId, wish: WebhookChange) -> WebhookShown:
        """Change a webhook, or switch it off; its address stays. Keys cannot do this."""
        terms = None if wish.terms is None else wish.terms.wished()
        what = (terms, wish.is_active)
        changed = await main.write(
            webhooks.change_webhook, actor, number(webhook_id), what, house.clock()
        )
        return WebhookShown.model_validate(changed)

    @router.delete("/{webhook_id}", status_code=204)
    async def remove_webhook(actor: Who, webhook_id: PathId) -> None:
        """Remove a webhook with its alerts; the address opens nothing any more."""
        await main.write(webhooks.remove_webhook, actor, number(webhook_id), house.clock())

    return router


def _inlets(house: House) -> APIRouter:
    router = APIRouter(
        prefix="/v1/accounts/{account_id}/postbacks", tags=["webhooks"], route_class=Authenticated
    )
    main = house.stores["main"]

    @router.get("")
    async def list_postbacks(actor: Who, account_id: PathId) -> Inlets:
        """List the addresses that an account's broker was told to call."""
        found = await main.read(streams.list_inlets, actor, number(account_id), fresh=True)
        return Inlets(items=[InletShown.model_validate(it) for it in found])

    @router.post("", status_code=201, dependencies=[PRIVATE])
    async def add_postback(actor: Who, account_id: PathId, wish: NewInlet) -> MadeInlet:
        """Make an address for the account's broker, shown whole this once."""
        path, now = streams.new_path(), house.clock()
        digest = house.vault.digest(path, streams.PATH_PURPOSE)
        address = f"{house.settings.address}/hooks/postbacks/"

        def write(tx: Tx, at: datetime) -> Inlet:
            what = (digest, address, wish.event_types)
            return streams.add_inlet(tx, actor, number(account_id), what, at)

        made = await main.write(write, now)
        return MadeInlet(postback=InletShown.model_validate(made), url=f"{address}{path}")

    @router.delete("/{postback_id}", status_code=204)
    async def remove_postback(actor: Who, account_id: PathId, postback_id: PathId) -> None:
        """Forget an address: it opens nothing any more."""

        def write(tx: Tx, at: datetime) -> None:
            found = streams.get_inlet(tx, actor, number(postback_id))
            if found.account_id != number(account_id):
                raise NotFound(f"There is no postback address {postback_id} of this account.")
            streams.remove_inlet(tx, actor, found.id, at)

        await main.write(write, house.clock())

    return router
