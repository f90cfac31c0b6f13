"""The persons whose money it is: a family of a user's."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter

from bahi.accounts.model import Person
from bahi.accounts.service import people
from bahi.api.forms import After, Form, Id, Instant, Limit, Page, Shown, Text, number, part_of
from bahi.api.routes import PRIVATE, Authenticated, Who
from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.errors import NotFound


class PersonShown(Shown):
    """The holder of a PAN; the PAN is not told."""

    id: Id
    user_id: Id
    name: str
    relation: str | None
    has_pan: bool
    created_at: Instant


class NewPerson(Form):
    """A person of the family."""

    name: Text
    relation: Text | None = None
    pan: Text | None = None
    user_id: Id | None = None


def owner_of(actor: Actor, named: str | None) -> int:
    """Return whose something is to be: the one named, or who asks."""
    wanted = actor.user_id if named is None else number(named)
    if wanted is None or not actor.owns(wanted):
        raise NotFound(f"There is no user {named}.")
    return wanted


def person_routes(house: House) -> APIRouter:
    """Make the doors of persons."""
    router = APIRouter(prefix="/v1/persons", tags=["people"], route_class=Authenticated)
    main = house.stores["main"]

    @router.get("")
    async def list_persons(actor: Who, limit: Limit = 50, after: After = None) -> Page[PersonShown]:
        """List the persons of one's family, an admin everybody's."""
        found = await main.read(people.list_persons, actor, fresh=True)
        return part_of(found, PersonShown, limit, after)

    @router.post("", status_code=201, dependencies=[PRIVATE])
    async def add_person(actor: Who, wish: NewPerson) -> PersonShown:
        """Enter a person, once for each PAN."""

        def write(tx: Tx, now: datetime) -> Person:
            return people.add_person(
                tx,
                actor,
                house.vault,
                wish.name,
                now,
                user_id=owner_of(actor, wish.user_id),
                pan=wish.pan,
                relation=wish.relation,
            )

        return PersonShown.model_validate(await main.write(write, house.clock()))

    return router
