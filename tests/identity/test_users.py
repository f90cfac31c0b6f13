"""Users: added, found, changed, removed softly; who may do it, and what goes with them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

import pytest

from bahi.audit.service import recent
from bahi.bootstrap import House
from bahi.bootstrap.first_start import admin_of
from bahi.db.tx import Tx
from bahi.identity.model import User
from bahi.identity.service import keys, sign_in, users
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from bahi.kernel.words import KeyScope, Role
from tests.identity.lives import PASSWORD, VISITOR, a_user, as_user, tell
from tests.tokens.mornings import WHO


async def the_admin(house: House) -> User:
    return await house.stores["main"].read(admin_of, fresh=True)


async def change(house: House, actor: object, user_id: int, **given: object) -> User:
    def write(tx: Tx) -> User:
        return users.update_user(tx, actor, user_id, house.clock(), **given)  # type: ignore[arg-type]

    return await house.stores["main"].write(write)


def test_a_user_is_added_found_changed_removed_and_brought_back(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main, now = house.stores["main"], house.clock
        vijay = await a_user(house)
        found = await main.read(users.get_user_by_username, " VIJAY ", fresh=True)
        assert found == vijay
        assert found.has_password
        assert not found.has_totp
        changed = await change(house, WHO, vijay.id, email="V@Example.org", role=Role.VIEWER)
        assert (changed.email, changed.role) == ("v@example.org", Role.VIEWER)
        await main.write(users.delete_user, WHO, vijay.id, now())
        await main.write(users.delete_user, WHO, vijay.id, now())  # again: nothing more
        with pytest.raises(NotFound):
            await main.read(users.get_user_by_username, "vijay", fresh=True)
        gone = await main.read(users.get_user, vijay.id, fresh=True)
        assert gone.deleted_at == now()
        assert not gone.is_active
        shown = await main.read(users.list_users, fresh=True)
        assert [user.username for user in shown] == ["admin"]
        with pytest.raises(NotFound, match="removed"):
            await change(house, WHO, vijay.id, email="w@example.org")
        back = await main.write(users.restore_user, WHO, vijay.id, now())
        assert back.is_active
        assert back.deleted_at is None
        trail = await recent(main, WHO, entity_type="user", entity_id=str(vijay.id))
        assert [it.action for it in trail] == ["restore", "delete", "update", "create"]
        assert PASSWORD not in str(trail)

    tell(home, story)


def test_a_name_and_an_address_are_given_once_even_by_two_at_once(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        vijay = await a_user(house)
        await change(house, WHO, vijay.id, email="v@example.org")
        for name, email in (("Vijay", None), ("asha", "V@example.org")):
            with pytest.raises(Conflict, match="another user"):
                await main.write(add, house, name, email)
        await main.write(users.delete_user, WHO, vijay.id, house.clock())
        with pytest.raises(Conflict, match="removed user"):
            await main.write(add, house, "vijay", None)
        tries = [main.write(add, house, "meera", None) for _ in range(8)]
        found = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(it, User) for it in found) == 1
        assert sum(isinstance(it, Conflict) for it in found) == 7

    tell(home, story)


def add(tx: Tx, house: House, name: str, email: str | None) -> User:
    return users.create_user(tx, WHO, name, house.clock(), email=email)


def test_the_last_admin_stays_however_many_leave_at_once(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main, now = house.stores["main"], house.clock()
        first = await the_admin(house)
        with pytest.raises(Conflict, match="last admin"):
            await main.write(users.delete_user, WHO, first.id, now)
        for given in ({"role": Role.TRADER}, {"is_active": False}):
            with pytest.raises(Conflict, match="last admin"):
                await change(house, WHO, first.id, **given)
        others = [await a_user(house, f"admin{n}", Role.ADMIN, None) for n in range(5)]
        everybody = [first, *others]
        leave: list[Coroutine[Any, Any, object]] = []
        leave += [main.write(users.delete_user, WHO, it.id, now) for it in everybody[::2]]
        leave += [change(house, WHO, it.id, role=Role.VIEWER) for it in everybody[1::2]]
        ended = await asyncio.gather(*leave, return_exceptions=True)
        assert sum(isinstance(it, Conflict) for it in ended) == 1
        left = await main.read(users.list_users, fresh=True)
        assert sum(it.role is Role.ADMIN and it.is_active for it in left) == 1

    tell(home, story)


def test_roles_say_who_may_do_what_to_whom(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main, now = house.stores["main"], house.clock()
        admin, vijay = await the_admin(house), await a_user(house)
        asha = await a_user(house, "asha", Role.VIEWER)
        by_trader, by_viewer = as_user(vijay), as_user(asha)
        for actor in (by_trader, by_viewer):
            with pytest.raises(Forbidden):
                await main.write(add_as, actor, now)
            with pytest.raises(Forbidden):
                await main.write(users.delete_user, actor, admin.id, now)
            with pytest.raises(Forbidden):
                await change(house, actor, admin.id, email="x@example.org")
            with pytest.raises(Forbidden):
                await change(house, actor, 1234, email="x@example.org")
            with pytest.raises(Forbidden):
                await change(house, actor, actor.user_id or 0, role=Role.ADMIN)
            with pytest.raises(Forbidden):
                await house.sign_in.make_link(actor, vijay.id)
        own = await change(house, by_viewer, asha.id, email="asha@example.org")
        assert own.email == "asha@example.org"
        with pytest.raises(Forbidden, match="sign in"):
            await change(house, as_user(vijay, scope=KeyScope.TRADE), vijay.id, email="y@e.org")

    tell(home, story)


def add_as(tx: Tx, actor: Actor, now: datetime) -> User:
    return users.create_user(tx, actor, "new", now)


@pytest.mark.parametrize("scope", KeyScope)
def test_an_admins_key_never_becomes_more_than_it_is(home: dict[str, str], scope: KeyScope) -> None:
    async def story(house: House) -> None:
        main, now = house.stores["main"], house.clock()
        admin = await the_admin(house)
        key = as_user(admin, scope=scope, key_id=1)
        with pytest.raises(Forbidden):
            await house.sign_in.make_link(key, admin.id)
        with pytest.raises(Forbidden):
            await main.write(
                lambda tx: keys.issue_key(
                    tx, key, "0" * 64, now, user_id=admin.id, name="more", scope=KeyScope.TRADE
                )
            )
        if scope is KeyScope.TRADE:
            return
        with pytest.raises(Forbidden):
            await main.write(lambda tx: users.create_user(tx, key, "new", now, role=Role.ADMIN))
        vijay = await a_user(house)
        with pytest.raises(Forbidden):
            await main.write(users.delete_user, key, vijay.id, now)

    tell(home, story)


def test_with_a_user_go_sessions_keys_and_links_and_none_comes_back(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main, now = house.stores["main"], house.clock()
        vijay = await a_user(house)
        link = await house.sign_in.make_link(WHO, vijay.id)
        session = await house.sign_in.sign_in("vijay", PASSWORD, "", VISITOR)
        key = keys.new_key()
        digest = house.vault.digest(key, keys.PURPOSE)
        await main.write(
            lambda tx: keys.issue_key(
                tx, WHO, digest, now, user_id=vijay.id, name="k", scope=KeyScope.TRADE
            )
        )
        assert (await house.keys.holder(key)).user_id == vijay.id
        await main.write(users.delete_user, WHO, vijay.id, now)
        for _ in range(2):
            with pytest.raises(Unauthenticated):
                await house.sign_in.actor_of(session.token, VISITOR)
            with pytest.raises(Unauthenticated):
                await house.sign_in.whose_link(link)
            with pytest.raises(Unauthenticated):
                await house.sign_in.follow_link(link, "another-Good-1", VISITOR)
            with pytest.raises(Unauthenticated):
                await house.keys.holder(key)
            await main.write(users.restore_user, WHO, vijay.id, now)
        signed = await house.sign_in.sign_in("vijay", PASSWORD, "", VISITOR)
        assert signed.user.id == vijay.id

    tell(home, story)


def test_one_who_is_not_active_gets_in_by_no_way_until_they_are(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        vijay = await a_user(house)
        link = await house.sign_in.make_link(WHO, vijay.id)
        session = await house.sign_in.sign_in("vijay", PASSWORD, "", VISITOR)
        await change(house, WHO, vijay.id, is_active=False)
        with pytest.raises(Unauthenticated):
            await house.sign_in.sign_in("vijay", PASSWORD, "", VISITOR)
        with pytest.raises(NotFound, match="not active"):
            await house.sign_in.make_link(WHO, vijay.id)
        await change(house, WHO, vijay.id, is_active=True)
        for gone in (
            house.sign_in.actor_of(session.token, VISITOR),
            house.sign_in.follow_link(link, "another-Good-1", VISITOR),
        ):
            with pytest.raises(Unauthenticated):
                await gone
        house.clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]
        await house.sign_in.sign_in("vijay", PASSWORD, "", VISITOR)

    tell(home, story)


def test_a_change_that_says_something_unusable_changes_nothing(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        vijay = await a_user(house)
        with pytest.raises(Invalid):
            await change(house, WHO, vijay.id, role=Role.VIEWER, email="no address")
        kept = await house.stores["main"].read(users.get_user, vijay.id, fresh=True)
        assert kept == vijay
        with pytest.raises(NotFound):
            await change(house, WHO, 77, email="x@example.org")
        for secret in ("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "too short", "1"):
            with pytest.raises(Invalid) as refusal:
                sign_in.check_totp(secret, "000", house.clock())
            assert secret == "1" or secret not in str(refusal.value)

    tell(home, story)
