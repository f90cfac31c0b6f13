"""Settings of the house: what each is, who made it so, and a change with what was before."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bahi.audit.service import recent
from bahi.bootstrap import House
from bahi.kernel.redaction import HIDDEN
from bahi.settings.model import Config, Wish
from bahi.settings.model.declared import KNOWN
from bahi.settings.service import get_all_configs, get_config, set_config
from bahi.web import fields
from bahi.web.fields import Form
from bahi.web.frame import Frame
from bahi.web.pages.settings.tabs import Tabbed
from bahi.web.seat import done
from bahi.web.sheets import csv_of

COLUMNS: Final = (
    "category", "key", "value", "data_type", "description", "is_sensitive", "version",
    "updated_at", "updated_by",
)  # fmt: skip
HISTORY: Final = 20
VALUE_AT_MOST: Final = 20_000


def config_routes(house: House, frame: Frame) -> APIRouter:
    """Make the tab of the house's settings."""
    pages = Configs(house, frame)
    router, here = pages.router, pages.here
    router.get(here)(pages.every)
    router.get(f"{here}.csv")(pages.as_csv)
    router.get(f"{here}/one")(pages.one)
    router.post(f"{here}/one")(pages.change)
    return router


class Configs(Tabbed):
    """Settings of the house."""

    tab = "house"

    async def every(self, request: Request) -> Response:
        """List them, by category."""
        seat = await self.sit(request)
        word = fields.text(request.query_params, "word", at_most=60)
        found = await self._found(word)
        groups: dict[str, list[Config]] = {}
        for it in found:
            groups.setdefault(it.category, []).append(it)
        return await self.open(request, seat, "settings/house.html", groups=groups, word=word)

    async def as_csv(self, request: Request) -> Response:
        """Hand them out; what is sealed stays so."""
        await self.sit(request)
        word = fields.text(request.query_params, "word", at_most=60)
        return csv_of("settings", COLUMNS, await self._found(word))

    async def one(self, request: Request) -> Response:
        """Show one setting, who changed it from what to what, and a form to change it."""
        seat = await self.sit(request)
        category, key = _name(request.query_params)
        main = self.house.stores["main"]
        it = await main.read(get_config, category, key, fresh=True)
        changes = await recent(
            main, seat.person, limit=HISTORY, entity_type="config", entity_id=it.name
        )
        declared = KNOWN.get((category, key))
        shown: dict[str, Any] = {"it": it, "changes": changes, "declared": declared}
        return await self.open(request, seat, "settings/setting.html", **shown)

    async def change(self, request: Request) -> Response:
        """Set one setting; say what it was and what it is."""
        seat, form = await self.sit_with_form(request)
        category, key = _name(form)
        main, now = self.house.stores["main"], self.house.clock()
        before = await main.read(get_config, category, key, fresh=True)
        wish = Wish(category=category, key=key, value=form.get("value", "")[:VALUE_AT_MOST])
        after = await main.write(set_config, self.house.vault, seat.person, wish, now)
        return done(seat, f"{self.here}/one", _said(before, after), name=after.name)

    async def _found(self, word: str) -> list[Config]:
        found = await self.house.stores["main"].read(get_all_configs, fresh=True)
        said = word.casefold()
        return [it for it in found if said in f"{it.name} {it.description or ''}".casefold()]


def _name(asked: Form) -> tuple[str, str]:
    category, _, key = fields.required(asked, "name", at_most=140).partition(".")
    return category, key


def _said(before: Config, after: Config) -> str:
    if after.is_sensitive:
        return f"{after.name} is changed; it is sealed, and shown to nobody."
    was = HIDDEN if before.is_sensitive else before.value
    return f"{after.name}: it was {was}, it is {after.value} now, everywhere within a second."
