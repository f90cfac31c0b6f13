"""Which account a caller means, and what is kept of it: a second old at most."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Self

import pytest

from bahi.accounts.service.accounts import delete_account, update_account
from bahi.bootstrap.meant import account_meant, desk_meant, page_meant
from bahi.identity.service.keys import list_keys, revoke_key
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Forbidden, Invalid, NotFound, Unauthenticated
from bahi.kernel.words import BrokerSlug, KeyScope
from tests.api.openalgo.asking import MARKET, asking, trading
from tests.api.standing import Standing, as_actor

A_SECOND_S: Final = 1.0
"""After it nothing in memory may be as it was (`docs/decisions/0007`)."""


async def actor_of(it: Standing, key: str) -> Actor:
    """Return a key as who asks."""
    known = await it.house.keys.holder(key)
    return Actor(
        name=known.username,
        user_id=known.user_id,
        role=known.role,
        scope=known.scope,
        key_id=known.key_id,
        goes_live=known.goes_live,
    )


class Spy:
    """Hears what is read of a store."""

    def __init__(self, store: Any) -> None:
        self.heard: set[str] = set()
        self._store, self._read = store, store.read

    def __enter__(self) -> Self:
        self._store.read = self._listened
        return self

    def __exit__(self, *_: object) -> None:
        del self._store.read

    async def _listened(self, work: Any, *given: Any, **more: Any) -> Any:
        self.heard.add(getattr(work, "__name__", ""))
        return await self._read(work, *given, **more)


def test_an_order_that_comes_again_asks_for_neither_key_nor_account_nor_page(
    home: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        for _ in range(3):
            await me.good("placeorder", **MARKET)
        looked_up = it.house.keys.looked_up
        await it.house.revisions.look()
        with Spy(it.house.stores["main"]) as main, Spy(it.house.stores["sandbox"]) as sandbox:
            for _ in range(3):
                await me.good("placeorder", **MARKET)
        assert it.house.keys.looked_up == looked_up
        assert main.heard <= {"_numbers"}  # which every process reads twice a second
        assert "has_page" not in sandbox.heard

    trading(home, story)


def test_what_is_switched_off_removed_or_revoked_is_heeded_within_a_second(
    home: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        user = await it.user("asha")
        account = await it.account(user, BrokerSlug.PAPER, "Hers")
        key = await it.key(user)
        actor, by = await actor_of(it, key), as_actor(user)
        clock, house, main = it.house.clock, it.house, it.main
        await desk_meant(house, actor, None)
        await main.write(update_account, by, account.id, {"is_active": False}, clock())
        await asyncio.sleep(A_SECOND_S)
        with pytest.raises(Forbidden, match="switched off"):
            await desk_meant(house, actor, "Hers")
        with pytest.raises(Forbidden, match="switched off"):
            await house.desk(actor, account.id)
        await main.write(update_account, by, account.id, {"is_active": True}, clock())
        await asyncio.sleep(A_SECOND_S)
        assert (await desk_meant(house, actor, str(account.id))).account_id == account.id
        await main.write(delete_account, by, account.id, clock())
        await asyncio.sleep(A_SECOND_S)
        with pytest.raises(NotFound):
            await house.desk(actor, account.id)
        with pytest.raises(Invalid, match="no paper account is meant"):
            await account_meant(house, actor, None)
        (issued,) = await main.read(list_keys, by)
        await main.write(revoke_key, by, issued.id, clock())
        await asyncio.sleep(A_SECOND_S)
        with pytest.raises(Unauthenticated):
            await house.keys.holder(key)

    trading(home, story)


def test_a_person_means_their_primary_account_and_anothers_is_not_there(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        user, other = await it.user("asha"), await it.user("ravi")
        first = await it.account(user, BrokerSlug.PAPER, "One")
        person = as_actor(user)
        assert (await account_meant(it.house, person, None)).id == first.id
        second = await it.account(user, BrokerSlug.PAPER, "Two")
        await it.house.revisions.look()
        with pytest.raises(Invalid, match="name one of 'One', 'Two'"):
            await account_meant(it.house, person, None)
        wish = {"is_primary": True}
        await it.main.write(update_account, person, second.id, wish, it.house.clock())
        await it.house.revisions.look()
        assert (await account_meant(it.house, person, None)).id == second.id
        for said in ("One", str(first.id), "", "777"):
            with pytest.raises(NotFound, match="name one of none"):
                await account_meant(it.house, as_actor(other), said)

    trading(house, story)


def test_a_key_that_only_reads_sees_a_page_and_has_no_desk(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        user = await it.user("asha")
        account = await it.account(user, BrokerSlug.PAPER, "Hers")
        actor = await actor_of(it, await it.key(user, KeyScope.READ))
        found, store = await page_meant(it.house, actor, None)
        assert (found.id, store) == (account.id, it.house.stores["sandbox"])
        with pytest.raises(Forbidden):
            await desk_meant(it.house, actor, None)

    trading(house, story)
