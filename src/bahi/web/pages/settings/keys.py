"""Keys: by which programs call; each is shown once, with the lines that use it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from bahi.accounts.model import Account
from bahi.accounts.service.keys import accounts_of_each, issue_key, turn
from bahi.bootstrap import House
from bahi.bootstrap.ground import served_at
from bahi.db.tx import Tx
from bahi.identity.model import ApiKey
from bahi.identity.service import keys
from bahi.identity.service.users import list_users
from bahi.kernel.errors import Invalid
from bahi.kernel.words import AccountMode, KeyScope, Role
from bahi.web import fields
from bahi.web.fields import Form
from bahi.web.frame import Frame
from bahi.web.pages.settings.tabs import Tabbed
from bahi.web.room import is_part
from bahi.web.seat import Seat, done
from bahi.web.sheets import csv_of

LONGEST_DAYS: Final = 3650
COLUMNS: Final = (
    "key.id", "key.name", "owner", "key.scope", "opens", "means", "key.needs_approval",
    "key.created_at", "key.last_used_at", "key.expires_at", "state",
)  # fmt: skip
SCOPES: Final = {
    KeyScope.READ: "read: looks, and changes nothing",
    KeyScope.PAPER: "paper: trades on paper accounts",
    KeyScope.TRADE: "trade: trades with real money too",
}


def key_routes(house: House, frame: Frame) -> APIRouter:
    """Make the tab of keys."""
    pages = KeyPages(house, frame)
    router, here = pages.router, pages.here
    router.get("/settings")(pages.every)
    router.get(here)(pages.every)
    router.get(f"{here}.csv")(pages.as_csv)
    router.post(here)(pages.issue)
    router.post(here + "/{key_id}/revoke")(pages.revoke)
    router.post(here + "/{key_id}/turn")(pages.turn)
    return router


class Shown(NamedTuple):
    """A key in words."""

    key: ApiKey
    owner: str
    opens: str
    means: str
    state: str
    may_turn: bool


class KeyPages(Tabbed):
    """Keys."""

    tab = "keys"

    async def every(self, request: Request) -> Response:
        """List keys, and offer to issue one."""
        seat = await self.sit(request)
        found = await self._found(seat)
        if is_part(request):
            return self.part(seat, "settings/key_rows.html", found=found)
        mine = [it for it in seat.accounts if it.user_id == seat.person.user_id and it.is_active]
        scopes = [KeyScope.READ] if seat.person.role is Role.VIEWER else list(KeyScope)
        return await self.open(
            request,
            seat,
            "settings/keys.html",
            found=found,
            mine=mine,
            scopes={it: SCOPES[it] for it in scopes},
        )

    async def as_csv(self, request: Request) -> Response:
        """Hand the list out; no key is in it."""
        return csv_of("keys", COLUMNS, await self._found(await self.sit(request)))

    async def issue(self, request: Request) -> Response:
        """Issue a key, and show it this once."""
        seat, form = await self.sit_with_form(request)
        house, key = self.house, keys.new_key()
        digest, now = house.vault.digest(key, keys.PURPOSE), house.clock()
        wish = _wish(form, seat, now)

        def write(tx: Tx, at: datetime) -> ApiKey:
            return issue_key(tx, seat.person, digest, at, **wish)

        issued = await house.stores["main"].write(write, now)
        host = served_at(house.settings.home) or house.settings.address
        shown = {"issued": issued, "secret_key": key, "host": host}
        return await self.once(request, seat, "settings/issued_key.html", "keys-changed", **shown)

    async def revoke(self, request: Request, key_id: str) -> Response:
        """End a key."""
        seat, _ = await self.sit_with_form(request)
        identity, now = fields.identity(key_id, "key"), self.house.clock()
        ended = await self.house.stores["main"].write(keys.revoke_key, seat.person, identity, now)
        said = f"The key {ended.name} is revoked: within a second it opens nothing."
        return done(seat, self.here, said)

    async def turn(self, request: Request, key_id: str) -> Response:
        """Have a key mean its live default, or paper again."""
        seat, form = await self.sit_with_form(request)
        identity, live = fields.identity(key_id, "key"), fields.ticked(form, "live")

        def write(tx: Tx, now: datetime) -> ApiKey:
            return turn(tx, seat.person, identity, now, live=live)

        turned = await self.house.stores["main"].write(write, self.house.clock())
        means = "its live account" if turned.goes_live else "its paper account"
        said = f"The key {turned.name} means {means} from now on, where a program names none."
        return done(seat, self.here, said)

    async def _found(self, seat: Seat) -> list[Shown]:
        person, now = seat.person, self.house.clock()

        def read(tx: Tx) -> list[Shown]:
            found = keys.list_keys(tx, person)
            opens = accounts_of_each(tx, [it.id for it in found])
            owners = {it.id: it.username for it in list_users(tx, deleted=True)}
            names = {it.id: it for it in seat.accounts}
            shown = [_shown(it, opens[it.id], names, owners, now) for it in found]
            return sorted(shown, key=lambda it: it.state != "opens")

        return await self.house.stores["main"].read(read, fresh=True)


def _shown(
    key: ApiKey,
    opens: Mapping[int, AccountMode | None],
    names: Mapping[int, Account],
    owners: Mapping[int, str],
    now: datetime,
) -> Shown:
    meant = {mode: names[it].name for it, mode in opens.items() if mode and it in names}
    wanted = AccountMode.LIVE if key.goes_live else AccountMode.PAPER
    is_over = key.expires_at is not None and key.expires_at <= now
    return Shown(
        key=key,
        owner=owners.get(key.user_id, ""),
        opens=", ".join(names[it].name for it in opens if it in names),
        means=meant.get(wanted, ""),
        state="revoked" if not key.is_active else "ended" if is_over else "opens",
        may_turn=key.scope is KeyScope.TRADE and AccountMode.LIVE in meant,
    )


def _wish(form: Form, seat: Seat, now: datetime) -> dict[str, Any]:
    days = fields.maybe_whole(form, "days")
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise Invalid(f"days: {days} is not 1 to {LONGEST_DAYS}; empty: it does not end.")
    chosen = [fields.identity(it[6:], "account") for it in form if it.startswith("opens-")]
    meant = (fields.text(form, f"default-{mode}") for mode in ("paper", "live"))
    return {
        "user_id": seat.person.user_id or 0,
        "name": fields.required(form, "name", at_most=100),
        "scope": fields.one_of(form, "scope", KeyScope, KeyScope.PAPER),
        "accounts": chosen or None,
        "defaults": [fields.identity(it, "default") for it in meant if it],
        "expires_at": None if days is None else now + timedelta(days=days),
        "needs_approval": fields.ticked(form, "approval"),
    }
