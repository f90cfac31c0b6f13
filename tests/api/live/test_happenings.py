"""What happened is told once, in time, and to nobody whom it does not concern."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from bahi.accounts.service.accounts import list_accounts
from bahi.api.live import listening
from bahi.api.live.events import Event, Topic, payload_of
from bahi.api.live.happenings import A_SECOND, Happenings
from bahi.api.live.listening import Listener
from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.identity.model import User
from bahi.identity.service.users import create_user
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.words import Role, Side
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert
from bahi.orders.service.placing import place_order
from tests.living import live_in
from tests.orders.desks import OPEN, away, limit, paper_desk

HOUSE = the_house("test")
Story = Callable[[House], Awaitable[None]]


def within(home: dict[str, str], story: Story) -> None:
    """Let a story happen in a house with an open market."""

    async def whole(house: House) -> None:
        async with asyncio.timeout(20):
            await story(house)

    live_in(home | OPEN, whole)


async def owner(house: House) -> Actor:
    """Return the user whose account the paper desk's is."""
    (account, *_) = await house.stores["main"].read(list_accounts, HOUSE, fresh=True)
    return Actor(name="owner", user_id=account.user_id, role=Role.TRADER)


async def several(listener: Listener, many: int) -> list[Event]:
    """Return the next events."""
    return [await listener.next() for _ in range(many)]


def test_an_order_is_told_with_its_trade_to_whoever_opens_its_account(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        async with Happenings(house).listen(await owner(house)) as listener:
            order = await place_order(desk, limit(desk, quantity=1))
            heard = await several(listener, 3)
        assert [(it.topic, it.what) for it in sorted(heard, key=lambda it: it.id)][:1] == [
            (Topic.ORDER, "PLACED")
        ]
        assert {it.topic for it in heard} == {Topic.ORDER, Topic.POSITION}
        (last, *_) = [payload_of(it) for it in heard if it.topic is Topic.ORDER][::-1]
        assert (last["order_id"], last["status"], last["filled"]) == (str(order.id), "EXECUTED", 1)
        (moved,) = [payload_of(it) for it in heard if it.topic is Topic.POSITION]
        assert (moved["net"], moved["symbol"], moved["order_id"]) == (1, "SBIN", str(order.id))
        assert {it.account_id for it in heard} == {desk.account_id}

    within(home, story)


def test_nobody_hears_of_another_users_orders(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        happenings = Happenings(house)

        def another(tx: Tx) -> User:
            return create_user(tx, HOUSE, "another", house.clock(), role=Role.TRADER)

        user = await house.stores["main"].write(another)
        stranger = Actor(name="another", user_id=user.id, role=Role.TRADER)
        admin = Actor(name="admin", user_id=user.id, role=Role.ADMIN)
        async with (
            happenings.listen(stranger) as deaf,
            happenings.listen(admin) as own,
            happenings.listen(admin, own=False) as everybody,
            happenings.listen(await owner(house)) as mine,
        ):
            await place_order(desk, limit(desk))
            await several(mine, 3)
            await several(everybody, 3)
            assert (deaf.take(), own.take()) == (None, None)

    within(home, story)


def test_who_comes_back_goes_on_behind_the_last_event_and_hears_none_twice(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        happenings, actor = Happenings(house), await owner(house)
        async with happenings.listen(actor) as everything:
            async with happenings.listen(actor) as first:
                await place_order(desk, limit(desk, price=away(desk, Side.BUY)))
                before = await several(first, 2)
            await place_order(desk, limit(desk, price=away(desk, Side.BUY)))
            whole = await several(everything, 4)
            async with happenings.listen(actor, after=before[-1].id) as again:
                behind = await several(again, 2)
        assert [it.id for it in before + behind] == [it.id for it in whole]

    within(home, story)


def test_another_process_tells_behind_an_event_too(home: dict[str, str]) -> None:
    """It does not know what was handed over, so it may tell again what is ten seconds older."""

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        actor = await owner(house)
        async with Happenings(house).listen(actor) as first:
            await place_order(desk, limit(desk))
            whole = await several(first, 3)
        async with Happenings(house).listen(actor, after=whole[0].id) as again:
            found = {(await again.next()).id for _ in range(2)}
        assert {whole[1].id, whole[2].id} <= found

    within(home, story)


def test_what_commits_late_with_a_smaller_id_is_told_too(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        actor = await owner(house)
        early = await house.stores["sandbox"].write(Tx.new_id)
        cause = Cause(
            severity=Severity.WARNING, source="test", message="late", user_id=actor.user_id
        )

        class Late:
            """A transaction whose ids were minted before it began."""

            def __init__(self, tx: Tx) -> None:
                self.tx, self.ids = tx, iter((early, early + 1))

            def new_id(self) -> int:
                return next(self.ids)

            def __getattr__(self, name: str) -> Any:
                return getattr(self.tx, name)

        def raised(tx: Tx) -> None:
            raise_alert(cast("Tx", Late(tx)), cause, house.clock())

        async with Happenings(house).listen(actor) as listener:
            await place_order(desk, limit(desk))
            await several(listener, 3)
            await house.stores["sandbox"].write(raised)
            told = await listener.next()
            assert told.id == early + 1
            assert payload_of(told)["message"] == "late"

    within(home, story)


def test_who_does_not_read_misses_nothing_and_holds_little(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "WAITING_AT_MOST", 3)

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        happenings, actor = Happenings(house), await owner(house)
        async with happenings.listen(actor) as slow, happenings.listen(actor) as other:
            for _ in range(4):
                await place_order(desk, limit(desk, price=away(desk, Side.BUY)))
            heard = {it.id for it in await several(other, 8)}
            assert slow.caught_up
            assert {it.id for it in await several(slow, 8)} == heard
            assert slow.take() is None

    within(home, story)


def test_nothing_is_read_while_nobody_listens(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await paper_desk(house)
        happenings = Happenings(house)
        tasks = {it.get_name() for it in asyncio.all_tasks()}
        async with happenings.listen(await owner(house)):
            assert {it.get_name() for it in asyncio.all_tasks()} - tasks == {"events"}
        assert {it.get_name() for it in asyncio.all_tasks()} == tasks
        assert happenings.listeners == 0

    within(home, story)


def test_an_id_counts_time() -> None:
    assert A_SECOND == 1_000 << 22
