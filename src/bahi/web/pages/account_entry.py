"""One account: entered, changed, its applications registered; secrets only go in."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from bahi.accounts.model import FAMILY, UPSTOX_NAMES, Account, Egress, Person, Registration
from bahi.accounts.service import accounts, applications
from bahi.accounts.service.accounts import Wished
from bahi.accounts.service.addresses import bind, list_egress
from bahi.accounts.service.applications import Secrets
from bahi.accounts.service.people import add_person, list_persons
from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.identity.service.users import list_users
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Forbidden, NotFound
from bahi.kernel.money import Money
from bahi.kernel.words import BrokerSlug
from bahi.web import fields
from bahi.web.fields import Form
from bahi.web.frame import Frame
from bahi.web.room import Room
from bahi.web.seat import SEE_OTHER, Seat, say
from bahi.web.whom import users_of

ACCOUNTS: Final = "/accounts"
BROKERS: Final = tuple(it for it in BrokerSlug if it is not BrokerSlug.PAPER)
RELATIONS: Final = (*sorted(FAMILY), "other")


def entry_routes(house: House, frame: Frame) -> APIRouter:
    """Make the pages of one account."""
    pages = Entry(house, frame)
    router = pages.router
    router.get(f"{ACCOUNTS}/new")(pages.blank)
    router.post(f"{ACCOUNTS}/new")(pages.enter)
    router.get(ACCOUNTS + "/{account_id}")(pages.one)
    router.post(ACCOUNTS + "/{account_id}")(pages.change)
    router.post(ACCOUNTS + "/{account_id}/address")(pages.bind)
    router.post(ACCOUNTS + "/{account_id}/remove")(pages.remove)
    router.post(ACCOUNTS + "/{account_id}/restore")(pages.restore)
    router.post(ACCOUNTS + "/{account_id}/applications")(pages.register)
    router.post(ACCOUNTS + "/{account_id}/applications/{api_id}")(pages.change_application)
    router.post(ACCOUNTS + "/{account_id}/applications/{api_id}/remove")(pages.unregister)
    return router


class Around(NamedTuple):
    """What stands around an account."""

    persons: list[Person]
    addresses: list[Egress]
    registrations: list[Registration]


class Entry(Room):
    """An account as it is entered and changed."""

    async def blank(self, request: Request) -> Response:
        """Show the forms that enter an account."""
        seat = await self.sit(request)
        main = self.house.stores["main"]
        persons = await main.read(list_persons, seat.person, fresh=True)
        users = await main.read(list_users, fresh=True) if seat.person.is_admin else []
        return await self.show(
            request,
            seat,
            "accounts/new.html",
            here=ACCOUNTS,
            persons=persons,
            users=users,
            brokers=BROKERS,
            relations=RELATIONS,
        )

    async def enter(self, request: Request) -> Response:
        """Enter an account: paper with its cash, or one at a broker."""
        seat, form = await self.sit_with_form(request)
        broker = fields.one_of(form, "broker", BrokerSlug)
        cash = fields.maybe_price(form, "cash")
        owner = _owner(seat.person, form)
        wished = _wished({**form, "name": fields.required(form, "name")})

        def write(tx: Tx, now: datetime) -> Account:
            said = wished.copy()
            if new := fields.text(form, "new_person"):
                said["person_id"] = add_person(
                    tx,
                    seat.person,
                    self.house.vault,
                    new,
                    now,
                    user_id=owner,
                    relation=fields.text(form, "relation") or None,
                ).id
            opening = None if cash is None else Money(cash)
            return accounts.add_account(
                tx, seat.person, broker, said, now, user_id=owner, opening_cash=opening
            )

        made = await self.house.stores["main"].write(write, self.house.clock())
        onward = (
            "it trades at once, with play money at real prices."
            if broker is BrokerSlug.PAPER
            else "register its application next, as its broker's developer page shows it."
        )
        return _back(seat, made.id, f"{made.name} is entered; {onward}")

    async def one(self, request: Request, account_id: str) -> Response:
        """Show one account: whose it is, where its calls leave from, its applications."""
        seat = await self.sit(request)
        account = _found(seat, account_id)

        def read(tx: Tx) -> Around:
            return Around(
                list_persons(tx, seat.person),
                list_egress(tx),
                applications.list_registrations(tx, account.id),
            )

        around = await self.house.stores["main"].read(read, fresh=True)
        users = await users_of(self.house, seat, [account.user_id])
        taken = {it.api_name for it in around.registrations}
        free = [it for it in UPSTOX_NAMES if it not in taken]
        egress = {it.id: it for it in around.addresses}
        return await self.show(
            request,
            seat,
            "accounts/one.html",
            here=ACCOUNTS,
            it=account,
            owner=users.get(account.user_id, f"user {account.user_id}"),
            person=next((it.name for it in around.persons if it.id == account.person_id), None),
            persons=[it for it in around.persons if it.user_id == account.user_id],
            egress=egress.get(account.egress_address_id or 0),
            addresses=[it for it in around.addresses if it.is_active],
            registrations=around.registrations,
            names=free if account.broker is BrokerSlug.UPSTOX else [],
            callback=f"{self.house.settings.address}/auth/callback/{account.broker}",
        )

    async def change(self, request: Request, account_id: str) -> Response:
        """Rename an account, say whose it is, switch it off or on."""
        seat, form = await self.sit_with_form(request)
        account, wished = _found(seat, account_id), _wished(form)
        changed = await self.house.stores["main"].write(
            accounts.update_account, seat.person, account.id, wished, self.house.clock()
        )
        if changed.is_active == account.is_active:
            return _back(seat, account.id, f"{changed.name} is changed.")
        said = "is switched on" if changed.is_active else "is switched off; its books stay"
        return _back(seat, account.id, f"{changed.name} {said}.")

    async def bind(self, request: Request, account_id: str) -> Response:
        """Have an account's calls leave from an address."""
        seat, form = await self.sit_with_form(request)
        account, said = _found(seat, account_id), fields.text(form, "egress")
        egress = fields.identity(said, "egress") if said else None
        warnings = await self.house.stores["main"].write(
            bind, seat.person, account.id, egress, self.house.clock()
        )
        return _back(seat, account.id, " ".join(["The address is bound.", *warnings]))

    async def remove(self, request: Request, account_id: str) -> Response:
        """Remove an account softly."""
        seat, _ = await self.sit_with_form(request)
        account = _found(seat, account_id)
        await self.house.stores["main"].write(
            accounts.delete_account, seat.person, account.id, self.house.clock()
        )
        answer = RedirectResponse(ACCOUNTS, SEE_OTHER)
        said = f"{account.name} is removed; its books stay, and it can be brought back below."
        return say(seat, answer, said)

    async def restore(self, request: Request, account_id: str) -> Response:
        """Bring back an account that was removed."""
        seat, _ = await self.sit_with_form(request)
        number, now = fields.identity(account_id, "account"), self.house.clock()
        back = await self.house.stores["main"].write(
            accounts.restore_account, seat.person, number, now
        )
        still = "" if back.is_active else "; it is switched off"
        return _back(seat, back.id, f"{back.name} is back, with its books{still}.")

    async def register(self, request: Request, account_id: str) -> Response:
        """Register an application as a broker's developer page shows it."""
        seat, form = await self.sit_with_form(request)
        account, given = _found(seat, account_id), _secrets(form)

        def write(tx: Tx, now: datetime) -> Registration:
            return applications.register(
                tx,
                seat.person,
                self.house.vault,
                account.id,
                now,
                secrets_=given,
                api_name=fields.text(form, "api_name") or "PRIMARY",
                client_id=fields.text(form, "client_id") or None,
                redirect_uri=fields.text(form, "redirect_uri") or None,
            )

        made = await self.house.stores["main"].write(write, self.house.clock())
        said = f"{made.api_name} is registered; its secrets are sealed, and nobody reads them here."
        return _back(seat, account.id, said)

    async def change_application(self, request: Request, account_id: str, api_id: str) -> Response:
        """Give an application other secrets, or leave it out of logins."""
        seat, form = await self.sit_with_form(request)
        account, given = _found(seat, account_id), _secrets(form)
        enabled = {"0": False, "1": True}.get(form.get("enabled", ""))

        def write(tx: Tx, now: datetime) -> Registration:
            _of(tx, seat.person, account, api_id)
            return applications.change_registration(
                tx,
                seat.person,
                self.house.vault,
                fields.identity(api_id, "application"),
                now,
                secrets_=given,
                client_id=fields.text(form, "client_id") or None,
                enabled=enabled,
            )

        changed = await self.house.stores["main"].write(write, self.house.clock())
        return _back(seat, account.id, f"{changed.api_name} is changed.")

    async def unregister(self, request: Request, account_id: str, api_id: str) -> Response:
        """Remove an application, and its tokens with it."""
        seat, _ = await self.sit_with_form(request)
        account = _found(seat, account_id)

        def write(tx: Tx, now: datetime) -> Registration:
            found = _of(tx, seat.person, account, api_id)
            applications.remove_registration(tx, seat.person, found.id, now)
            return found

        gone = await self.house.stores["main"].write(write, self.house.clock())
        return _back(seat, account.id, f"{gone.api_name} is removed, and its tokens with it.")


def _back(seat: Seat, account_id: int, sentence: str) -> Response:
    path = f"{ACCOUNTS}/{account_id}?account={account_id}"
    return say(seat, RedirectResponse(path, SEE_OTHER), sentence)


def _found(seat: Seat, account_id: str) -> Account:
    number = fields.identity(account_id, "account")
    for it in seat.accounts:
        if it.id == number:
            return it
    raise NotFound("That account is not there, or it is not yours to see.")


def _of(tx: Tx, actor: Actor, account: Account, api_id: str) -> Registration:
    """Return an application of this account; of another's there is none here."""
    found = applications.get_registration(tx, actor, fields.identity(api_id, "application"))
    if found.account_id != account.id:
        raise NotFound(f"{account.name} has no such application.")
    return found


def _owner(person: Actor, form: Form) -> int:
    """Return whose account it is: one's own, or the user whom an admin chose."""
    said = fields.text(form, "owner")
    if said:
        return fields.identity(said, "owner")
    if person.user_id is None:
        raise Forbidden("Say whose account it is: owner.")
    return person.user_id


def _wished(form: Form) -> Wished:
    """Return what a form says of an account; what it does not hold stays."""
    wished = Wished()
    if "name" in form:
        wished["name"] = fields.required(form, "name")
    if "person" in form:
        said = fields.text(form, "person")
        wished["person_id"] = fields.identity(said, "person") if said else None
    if "broker_user_id" in form:
        wished["broker_user_id"] = fields.text(form, "broker_user_id") or None
    if host := fields.text(form, "host_url", at_most=300):
        wished["host_url"] = host
    if "has_ddpi" in form:
        wished["has_ddpi"] = form["has_ddpi"] == "1"
    if "is_primary" in form:
        wished["is_primary"] = form["is_primary"] == "1"
    if "is_active" in form:
        wished["is_active"] = form["is_active"] == "1"
    return wished


def _secrets(form: Form) -> Secrets:
    """Return what opens an application; what was left empty stays as it is."""
    return Secrets(
        secret=form.get("secret", "").strip() or None,
        pin=form.get("pin", "").strip() or None,
        totp=form.get("totp", "").strip() or None,
    )
