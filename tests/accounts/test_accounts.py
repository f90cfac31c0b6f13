"""Accounts and persons: entered, changed, removed softly; whose they are and who reaches them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.accounts.model import Account, Person, SeveralAccounts
from bahi.accounts.service import accounts as service
from bahi.accounts.service import people
from bahi.accounts.service.accounts import PAPER_STARTS_WITH, Wished
from bahi.bootstrap import House
from bahi.db.schema import HOUSE
from bahi.db.tx import Tx
from bahi.identity.model import User
from bahi.identity.service.users import delete_user
from bahi.kernel.actor import Actor
from bahi.kernel.errors import BahiError, Conflict, Forbidden, Invalid, NotFound
from bahi.kernel.money import Money
from bahi.kernel.words import AccountMode, BrokerSlug, Role
from tests.identity.lives import a_user, as_user, tell
from tests.tokens.mornings import WHO

PAN = "ABCDE1234F"


async def add(
    house: House,
    user: User,
    name: str,
    broker: BrokerSlug = BrokerSlug.KITE,
    *,
    actor: Actor = WHO,
    opening_cash: Money | None = None,
    **wished: Any,
) -> Account:
    def write(tx: Tx, now: datetime) -> Account:
        wish: Wished = {"name": name, **wished}  # type: ignore[typeddict-item]
        return service.add_account(
            tx, actor, broker, wish, now, user_id=user.id, opening_cash=opening_cash
        )

    return await house.stores["main"].write(write, house.clock())


async def change(house: House, actor: Actor, account_id: int, **wished: Any) -> Account:
    wish: Wished = wished  # type: ignore[assignment]
    return await house.stores["main"].write(
        service.update_account, actor, account_id, wish, house.clock()
    )


async def get(house: House, actor: Actor, account_id: int) -> Account:
    return await house.stores["main"].read(service.get_account, actor, account_id, fresh=True)


async def meant(house: House, actor: Actor, named: str | None = None) -> Account:
    return await house.stores["main"].read(
        service.account_meant, actor, BrokerSlug.KITE, named, fresh=True
    )


def test_an_account_is_entered_changed_removed_and_brought_back(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main, now = house.stores["main"], house.clock()
        vijay = await a_user(house)
        made = await add(house, vijay, "  Kite   of Vijay ", is_primary=True)
        assert (made.name, made.mode, made.opening_cash) == (
            "Kite of Vijay", AccountMode.LIVE, None,
        )  # fmt: skip
        assert made.host_url == "http://127.0.0.1:5000"
        changed = await change(
            house, as_user(vijay), made.id, has_ddpi=True, host_url="https://algo.example/"
        )
        assert changed.has_ddpi
        assert changed.host_url == "https://algo.example"
        await main.write(service.delete_account, as_user(vijay), made.id, now)
        with pytest.raises(NotFound):
            await get(house, as_user(vijay), made.id)
        with pytest.raises(Conflict, match="restore"):
            await add(house, vijay, "Kite of Vijay")
        back = await main.write(service.restore_account, as_user(vijay), made.id, now)
        assert back.is_active
        assert not back.is_primary
        assert await get(house, as_user(vijay), made.id) == back

    tell(home, story)


def test_bringing_back_switches_nothing_on_and_takes_what_was_removed_alone(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        main, now = house.stores["main"], house.clock()
        vijay = await a_user(house)
        made = await add(house, vijay, "Kite of Vijay")
        await change(house, as_user(vijay), made.id, is_active=False)
        with pytest.raises(Conflict, match="Kite of Vijay was not removed"):
            await main.write(service.restore_account, as_user(vijay), made.id, now)
        assert not (await get(house, as_user(vijay), made.id)).is_active
        await main.write(service.delete_account, as_user(vijay), made.id, now)
        back = await main.write(service.restore_account, as_user(vijay), made.id, now)
        assert not back.is_active
        with pytest.raises(Conflict, match="was not removed"):
            await main.write(service.restore_account, as_user(vijay), made.id, now)

    tell(home, story)


def test_a_paper_account_starts_with_a_crore_or_what_is_wished(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        vijay, paper = await a_user(house), BrokerSlug.PAPER
        assert (await add(house, vijay, "Paper", paper)).opening_cash == PAPER_STARTS_WITH
        small = await add(house, vijay, "Small", paper, opening_cash=Money(5))
        assert small.opening_cash == 5
        with pytest.raises(Invalid, match="opening_cash"):
            await add(house, vijay, "Debts", paper, opening_cash=Money(-1))
        with pytest.raises(Invalid, match="opening_cash"):
            await add(house, vijay, "Live", opening_cash=Money(5))

    tell(home, story)


def test_a_name_is_given_once_to_a_user_even_by_two_at_once(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        vijay, asha = await a_user(house), await a_user(house, "asha")
        await add(house, vijay, "Main")
        await add(house, asha, "Main")
        with pytest.raises(Conflict, match="'Main'"):
            await add(house, vijay, "Main")
        tries = [add(house, vijay, "Second") for _ in range(8)]
        found = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(it, Account) for it in found) == 1
        said = {str(it) for it in found if isinstance(it, Conflict)}
        assert len(said) == 1
        assert "'Second'" in said.pop()
        with pytest.raises(Invalid, match="3 to 80"):
            await add(house, vijay, "ab")
        other = await add(house, vijay, "Third")
        with pytest.raises(Conflict):
            await change(house, WHO, other.id, name="Main")
        assert (await change(house, WHO, other.id, name="Third")).name == "Third"

    tell(home, story)


def test_at_most_one_account_of_a_user_is_primary_however_many_become_it_at_once(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        vijay, asha = await a_user(house), await a_user(house, "asha")
        hers = await add(house, asha, "hers", is_primary=True)
        tries = [add(house, vijay, f"account {n}", is_primary=True) for n in range(6)]
        made = await asyncio.gather(*tries)
        again = [change(house, as_user(vijay), it.id, is_primary=True) for it in made]
        await asyncio.gather(*again)
        own = await house.stores["main"].read(service.list_accounts, as_user(vijay), fresh=True)
        assert sum(it.is_primary for it in own) == 1
        assert (await get(house, WHO, hers.id)).is_primary

    tell(home, story)


def test_anothers_account_is_not_there_whatever_is_asked_of_it(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main, now = house.stores["main"], house.clock()
        vijay, asha = await a_user(house), await a_user(house, "asha")
        hers, stranger = await add(house, asha, "hers"), as_user(vijay)
        said = set()
        for account_id in (hers.id, hers.id + 1):
            for attempt in (
                get(house, stranger, account_id),
                change(house, stranger, account_id, has_ddpi=True),
                main.write(service.delete_account, stranger, account_id, now),
                main.write(service.restore_account, stranger, account_id, now),
            ):
                with pytest.raises(NotFound) as refusal:
                    await attempt
                said.add(str(refusal.value).replace(str(account_id), "?"))
        assert len(said) == 1
        with pytest.raises(NotFound):
            await meant(house, stranger, "hers")
        assert await main.read(service.list_accounts, stranger, fresh=True) == []
        with pytest.raises(Forbidden):
            await add(house, asha, "mine", actor=stranger)
        viewer = Actor(name="asha", user_id=asha.id, role=Role.VIEWER)
        with pytest.raises(Forbidden):
            await change(house, viewer, hers.id, has_ddpi=True)

    tell(home, story)


def test_accounts_are_entered_for_users_who_are_there(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        vijay = await a_user(house)
        await house.stores["main"].write(delete_user, WHO, vijay.id, house.clock())
        with pytest.raises(Conflict, match="removed"):
            await add(house, vijay, "late")
        nobody = User(**{name: getattr(vijay, name) for name in User.__slots__} | {"id": 77})
        with pytest.raises(NotFound, match="77"):
            await add(house, nobody, "lost")

    tell(home, story)


def test_the_account_that_is_meant(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        vijay, asha = await a_user(house), await a_user(house, "asha")
        me = as_user(vijay)
        with pytest.raises(NotFound, match="no active account"):
            await meant(house, me)
        first = await add(house, vijay, "first")
        await add(house, asha, "hers", is_primary=True)
        await add(house, vijay, "elsewhere", BrokerSlug.DHAN)
        assert await meant(house, me) == first
        second = await add(house, vijay, "second")
        with pytest.raises(SeveralAccounts, match="first, second"):
            await meant(house, me)
        assert (await meant(house, me, " first ")).id == first.id
        with pytest.raises(Invalid, match="dhan"):
            await meant(house, me, "elsewhere")
        with pytest.raises(NotFound):
            await meant(house, me, "third")
        primary = await change(house, me, second.id, is_primary=True)
        assert await meant(house, me) == primary
        await change(house, me, second.id, is_active=False)
        assert (await meant(house, me)).id == first.id

    tell(home, story)


def test_one_who_sees_everybodys_accounts_means_their_own_first(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        vijay, asha = await a_user(house), await a_user(house, "asha")
        boss = await a_user(house, "boss", Role.ADMIN)
        await add(house, vijay, "Main")
        assert (await meant(house, as_user(boss), "Main")).user_id == vijay.id
        await add(house, asha, "Main")
        with pytest.raises(Conflict, match="Several users"):
            await meant(house, as_user(boss), "Main")
        await add(house, boss, "Main")
        assert (await meant(house, as_user(boss), "Main")).user_id == boss.id

    tell(home, story)


# Persons


async def enter(
    house: House,
    user: User,
    name: str,
    *,
    actor: Actor = WHO,
    pan: str | None = None,
    relation: str | None = None,
) -> Person:
    def write(tx: Tx, now: datetime) -> Person:
        return people.add_person(
            tx,
            actor,
            house.vault,
            name,
            now,
            user_id=user.id,
            pan=pan,
            relation=relation,
        )

    return await house.stores["main"].write(write, house.clock())


def test_a_pan_is_entered_once_for_a_user_and_never_shown(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        vijay, asha = await a_user(house), await a_user(house, "asha")
        person = await enter(house, vijay, "Vijay Kumar", pan=PAN.lower(), relation="self")
        assert person.has_pan
        assert PAN not in repr(person)
        with pytest.raises(Conflict, match="Vijay Kumar") as refusal:
            await enter(house, vijay, "Another", pan=PAN)
        assert PAN not in str(refusal.value)
        await enter(house, asha, "Vijay Kumar", pan=PAN)  # another's books
        tries = [enter(house, vijay, f"Child {n}", pan="FGHIJ5678K") for n in range(6)]
        found = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(it, Person) for it in found) == 1
        assert all("entered with this PAN" in str(it) for it in found if isinstance(it, BahiError))

        def read(tx: Tx) -> str:
            tables = HOUSE.metadata.tables
            rows = [tx.rows(sa.select(tables[it])) for it in ("persons", "audit_trail")]
            return str([list(row) for some in rows for row in some])

        assert PAN not in await main.read(read, fresh=True)
        with pytest.raises(Invalid):
            await enter(house, vijay, "Nobody", pan="ABC")
        with pytest.raises(Invalid):
            await enter(house, vijay, "Nobody", relation="cousin")

    tell(home, story)


def test_anothers_person_is_not_there_and_no_family_is_mixed(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        vijay, asha = await a_user(house), await a_user(house, "asha")
        hers = await enter(house, asha, "Asha Rao")
        with pytest.raises(NotFound):
            await main.read(people.get_person, as_user(vijay), hers.id, fresh=True)
        with pytest.raises(Forbidden):
            await enter(house, asha, "Mine now", actor=as_user(vijay))
        with pytest.raises(NotFound):
            await add(house, vijay, "his", actor=as_user(vijay), person_id=hers.id)
        with pytest.raises(Invalid, match="another user"):
            await add(house, vijay, "his", person_id=hers.id)
        account = await add(house, asha, "hers", person_id=hers.id)
        assert account.login == f"person:{hers.id}"
        assert await main.read(people.list_persons, as_user(vijay), fresh=True) == []

    tell(home, story)
