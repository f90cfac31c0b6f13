"""Webhooks: addresses at which alerts of other programs become orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.ground import served_at
from bahi.calendar.model import parse_hour
from bahi.db.tx import Tx
from bahi.strategies.model.webhooks import WORDS, Alert, AlertSource, Webhook, Wished
from bahi.strategies.service import webhooks
from bahi.web import fields
from bahi.web.fields import Form
from bahi.web.frame import Frame
from bahi.web.pages.settings.tabs import Tabbed
from bahi.web.room import is_part, older
from bahi.web.seat import Seat, done
from bahi.web.sheets import csv_of

PAGE: Final = 50
CSV_AT_MOST: Final = 500
COLUMNS: Final = (
    "id", "name", "source", "account_id", "is_active", "is_signed", "repeats_within_s",
    "created_at", "last_alert_at",
)  # fmt: skip
ALERT_COLUMNS: Final = (
    "id", "received_at", "ip_address", "status", "payload", "outcome", "error_message", "done_at",
)  # fmt: skip
WORD: Final = "word-"


def webhook_routes(house: House, frame: Frame) -> APIRouter:
    """Make the tab of webhooks."""
    pages = Webhooks(house, frame)
    router, here = pages.router, pages.here
    router.get(here)(pages.every)
    router.get(f"{here}.csv")(pages.as_csv)
    router.post(here)(pages.make)
    router.get(here + "/{webhook_id}")(pages.one)
    router.get(here + "/{webhook_id}/alerts.csv")(pages.alerts_as_csv)
    router.post(here + "/{webhook_id}")(pages.change)
    router.post(here + "/{webhook_id}/switch")(pages.switch)
    router.post(here + "/{webhook_id}/remove")(pages.remove)
    return router


class Webhooks(Tabbed):
    """Webhooks."""

    tab = "webhooks"

    async def every(self, request: Request) -> Response:
        """List webhooks, and offer to make one."""
        seat = await self.sit(request)
        shown: dict[str, Any] = {"found": await self._found(seat), "names": _names(seat)}
        if is_part(request):
            return self.part(seat, "settings/webhook_rows.html", **shown)
        shown |= {"words": WORDS, "sources": list(AlertSource), "terms": None}
        return await self.open(request, seat, "settings/webhooks.html", **shown)

    async def as_csv(self, request: Request) -> Response:
        """Hand the list out; no address is in it."""
        return csv_of("webhooks", COLUMNS, await self._found(await self.sit(request)))

    async def make(self, request: Request) -> Response:
        """Make a webhook, and show its address this once."""
        seat, form = await self.sit_with_form(request)
        house, path = self.house, webhooks.new_path()
        digest = house.vault.digest(path, webhooks.PATH_PURPOSE)
        account_id = fields.identity(fields.text(form, "on"), "account")
        signing = form.get("signing", "") or None
        what = (account_id, _wished(form), digest, signing)
        made = await house.stores["main"].write(
            webhooks.add_webhook, seat.person, house.vault, what, house.clock()
        )
        host = served_at(house.settings.home) or house.settings.address
        shown = {"made": made, "url": f"{host}/hooks/alerts/{path}"}
        return await self.once(
            request, seat, "settings/made_webhook.html", "webhooks-changed", **shown
        )

    async def one(self, request: Request, webhook_id: str) -> Response:
        """Show one webhook with the alerts that came, and what became of each."""
        seat = await self.sit(request)
        hook, alerts = await self._alerts(seat, request, webhook_id, PAGE + 1)
        behind = str(alerts[PAGE - 1].id) if len(alerts) > PAGE else None
        shown: dict[str, Any] = {
            "hook": hook,
            "alerts": alerts[:PAGE],
            "more": older(request, seat, behind),
        }
        if is_part(request):
            return self.part(seat, "settings/alert_rows.html", **shown)
        shown |= {"words": WORDS, "sources": list(AlertSource), "terms": hook}
        shown |= {"names": _names(seat)}
        return await self.open(request, seat, "settings/webhook.html", **shown)

    async def alerts_as_csv(self, request: Request, webhook_id: str) -> Response:
        """Hand the alerts out."""
        seat = await self.sit(request)
        _, alerts = await self._alerts(seat, request, webhook_id, CSV_AT_MOST)
        return csv_of("webhook-alerts", ALERT_COLUMNS, alerts)

    async def change(self, request: Request, webhook_id: str) -> Response:
        """Change what a webhook's orders say, and when it listens."""
        seat, form = await self.sit_with_form(request)
        changed = await self._change(seat, webhook_id, (_wished(form), None))
        return done(seat, f"{self.here}/{changed.id}", f"{changed.name} is as you wrote it.")

    async def switch(self, request: Request, webhook_id: str) -> Response:
        """Listen to a webhook, or no longer."""
        seat, form = await self.sit_with_form(request)
        changed = await self._change(seat, webhook_id, (None, fields.ticked(form, "on")))
        state = "listens" if changed.is_active else "is switched off: alerts are refused"
        return done(seat, f"{self.here}/{changed.id}", f"{changed.name} {state}.")

    async def remove(self, request: Request, webhook_id: str) -> Response:
        """Remove a webhook with its alerts."""
        seat, _ = await self.sit_with_form(request)
        identity, now = fields.identity(webhook_id, "webhook"), self.house.clock()
        await self.house.stores["main"].write(webhooks.remove_webhook, seat.person, identity, now)
        return done(seat, self.here, "The webhook is removed; its address opens nothing any more.")

    async def _change(
        self, seat: Seat, webhook_id: str, what: tuple[Wished | None, bool | None]
    ) -> Webhook:
        identity, now = fields.identity(webhook_id, "webhook"), self.house.clock()
        main = self.house.stores["main"]
        return await main.write(webhooks.change_webhook, seat.person, identity, what, now)

    async def _found(self, seat: Seat) -> list[Webhook]:
        main = self.house.stores["main"]
        return await main.read(webhooks.list_webhooks, seat.person, fresh=True)

    async def _alerts(
        self, seat: Seat, request: Request, webhook_id: str, many: int
    ) -> tuple[Webhook, list[Alert]]:
        identity = fields.identity(webhook_id, "webhook")
        said = request.query_params.get("behind", "")
        before = fields.identity(said, "behind") if said else None

        def read(tx: Tx) -> tuple[Webhook, list[Alert]]:
            hook = webhooks.get_webhook(tx, seat.person, identity)
            return hook, webhooks.alerts_of(tx, seat.person, identity, before, many)

        return await self.house.stores["main"].read(read, fresh=True)


def _names(seat: Seat) -> Mapping[int, str]:
    return {it.id: it.name for it in seat.accounts}


def _wished(form: Form) -> Wished:
    template: dict[str, Any] = {
        name.removeprefix(WORD): said
        for name in form
        if name.startswith(WORD) and (said := fields.text(form, name))
    }
    hours = {
        name: parse_hour(said, name) if (said := fields.text(form, name)) else None
        for name in ("opens_at", "closes_at")
    }
    return Wished(
        name=fields.required(form, "name", at_most=100),
        source=fields.one_of(form, "source", AlertSource, AlertSource.TRADINGVIEW),
        template=template,
        addresses=fields.text(form, "addresses", at_most=1_000).replace(",", " ").split(),
        repeats_within_s=fields.maybe_whole(form, "repeats") or 0,
        **hours,
    )
