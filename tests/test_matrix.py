"""All accounts on one page: exact, each its own, paper and live apart, fifty as cheap as one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest

from bahi.accounts.service.accounts import Wished, add_account, update_account
from bahi.accounts.service.addresses import add_egress, bind
from bahi.accounts.service.people import add_person
from bahi.bootstrap import House
from bahi.bootstrap.finding import find_anything
from bahi.bootstrap.looking import look_at
from bahi.bootstrap.matrix import matrix_of
from bahi.bootstrap.risks import kill
from bahi.bootstrap.today import Days, today_of
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Invalid
from bahi.kernel.words import AccountMode, BrokerSlug, DeploymentStatus, Role, Side
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import place_order
from bahi.portfolio.service.books import open_book
from bahi.risk.model.control import Scope, Whom
from bahi.strategies.tables import strategies, strategy_deployments
from tests.living import MORNING, live_in, stopped
from tests.orders.desks import ACTOR, NOON, OPEN, away, limit, paper_desk
from tests.portfolio.books import opening
from tests.statements import counted

BUY, SELL = Side
Story = Callable[[House, Desk], Awaitable[None]]


@pytest.fixture
def furnished_at() -> datetime:
    """Have these houses furnished on the morning of their day."""
    return MORNING


@pytest.fixture
def at_the_desk(home: dict[str, str]) -> Callable[[Story], None]:
    """Return what tells a story at a paper desk, on either database."""

    def tell(story: Story) -> None:
        async def whole(house: House) -> None:
            await story(house, await paper_desk(house))

        live_in(home | OPEN, whole, stopped(NOON))

    return tell


async def enter(house: House, name: str, broker: BrokerSlug) -> int:
    """Enter one more account of the user that there is."""
    main, now = house.stores["main"], house.clock()
    known = (await matrix_of(house, ACTOR)).rows[0].account
    wished = Wished(name=name)

    def write(tx: Tx) -> int:
        return add_account(tx, ACTOR, broker, wished, now, user_id=known.user_id).id

    return await main.write(write)


def test_an_account_says_all_there_is_to_know_of_it(at_the_desk: Callable[[Story], None]) -> None:
    async def story(house: House, desk: Desk) -> None:
        main, now = house.stores["main"], house.clock()
        (before,) = (await matrix_of(house, ACTOR)).rows
        user_id, account_id = before.account.user_id, desk.account_id
        assert before.made.net == 0
        person = await main.write(
            lambda tx: add_person(tx, ACTOR, house.vault, "Asha", now, user_id=user_id)
        )
        egress = await main.write(lambda tx: add_egress(tx, ACTOR, "10.0.0.9", now))
        await main.write(update_account, ACTOR, account_id, Wished(person_id=person.id), now)
        await main.write(bind, ACTOR, account_id, egress.id, now)
        await main.write(_arm, account_id, now)
        await place_order(desk, limit(desk, BUY, 10))
        await place_order(desk, limit(desk, BUY, 5, price=away(desk, BUY)))
        (it,) = (await matrix_of(house, ACTOR)).rows
        kept = await look_at(house, ACTOR, account_id)
        assert it.made == (await today_of(house, Days(), kept)).whole
        assert (it.open_positions, it.working_orders, it.unprotected) == (1, 1, 1)
        assert it.person is not None
        assert it.egress is not None
        assert (it.person.name, it.egress.seen_as) == ("Asha", "10.0.0.9")
        assert it.strategies == ("momentum",)
        assert it.killed == ()
        assert it.free is not None
        assert before.free is not None
        assert it.free < before.free
        await place_order(desk, limit(desk, SELL, 10, price=away(desk, SELL)))
        await kill(house, ACTOR, Whom(scope=Scope.ACCOUNT, account_id=account_id), "enough")
        (it,) = (await matrix_of(house, ACTOR)).rows
        assert it.unprotected == 0
        assert (it.killed, it.kill_reason) == (("the account",), "enough")

    at_the_desk(story)


def _arm(tx: Tx, account_id: int, now: datetime) -> None:
    at = int(now.timestamp() * 1_000_000)
    for number, status in enumerate(DeploymentStatus, 1):
        name = "momentum" if status is DeploymentStatus.ACTIVE else status.value
        tx.change(
            strategies.insert(),
            {"id": number, "name": name, "is_active": 1, "created_at": at, "updated_at": at},
        )
        tx.change(
            strategy_deployments.insert(),
            {"id": number, "strategy_id": number, "account_id": account_id, "status": status.value},
        )


def test_paper_and_live_are_in_no_common_sum_and_what_is_unknown_stays_so(
    at_the_desk: Callable[[Story], None],
) -> None:
    async def story(house: House, desk: Desk) -> None:
        live = await enter(house, "Real money", BrokerSlug.KITE)
        it = await matrix_of(house, ACTOR)
        row = next(row for row in it.rows if row.account.id == live)
        assert (row.free, row.made.net) == (None, None)
        assert row.made.why
        assert (row.breaks, row.open_positions, row.working_orders, row.unprotected) == (
            (None,) * 4
        )  # nobody compared with its broker: none of it is known to be none
        assert row.tokens.total == 0
        assert {(sums.mode, sums.accounts) for sums in it.families} == {
            (AccountMode.PAPER, 1),
            (AccountMode.LIVE, 1),
        }
        for sums in it.families:
            is_live = sums.mode is AccountMode.LIVE
            assert (sums.free is None, sums.made.net is None) == (is_live, is_live)
            assert ("Real money" in sums.made.why) is is_live

    at_the_desk(story)


def test_nobody_sees_anothers(at_the_desk: Callable[[Story], None]) -> None:
    async def story(house: House, desk: Desk) -> None:
        order = await place_order(desk, limit(desk, BUY, 1, name="mine-1"))
        stranger = Actor(name="stranger", user_id=99, role=Role.TRADER)
        assert (await matrix_of(house, stranger)).rows == []
        for word in (str(order.id), "mine-1", str(desk.account_id)):
            found = await find_anything(house, stranger, word)
            assert (found.orders, found.accounts) == ([], [])

    at_the_desk(story)


def test_fifty_cost_as_many_statements_as_one(at_the_desk: Callable[[Story], None]) -> None:
    async def story(house: House, desk: Desk) -> None:
        await place_order(desk, limit(desk, BUY, 10))

        async def cost() -> int:
            await house.floor.renew()
            with counted() as beside:
                await house.floor.renew()
            with counted() as found:
                await matrix_of(house, ACTOR)
            return found.number - beside.number

        one = await cost()
        for number in range(49):
            added = await enter(house, f"Paper {number}", BrokerSlug.PAPER)
            await desk.store.write(open_book, opening(added), house.clock(), account=added)
        it = await matrix_of(house, ACTOR)
        assert len(it.rows) == 50
        assert [sums.accounts for sums in it.families] == [50]
        assert await cost() == one == 9

    at_the_desk(story)


def test_a_word_finds_symbols_orders_and_accounts(at_the_desk: Callable[[Story], None]) -> None:
    async def story(house: House, desk: Desk) -> None:
        order = await place_order(desk, limit(desk, BUY, 1, name="mine-1"))
        by_id = await find_anything(house, ACTOR, f" {order.id} ")
        by_name = await find_anything(house, ACTOR, "mine-1")
        assert [it.id for it in by_id.orders] == [it.id for it in by_name.orders] == [order.id]
        found = await find_anything(house, ACTOR, "SBIN", of_each=2)
        assert found.symbols[0].symbol == "SBIN"
        assert len(found.symbols) <= 2
        (account,) = (await matrix_of(house, ACTOR)).rows
        name = account.account.name
        by_part = await find_anything(house, ACTOR, name[:4].upper())
        assert [it.name for it in by_part.accounts] == [name]
        assert await find_anything(house, ACTOR, "  ") == ([], [], [])
        for far in ("9" * 30, "\u0664\u0662"):
            assert (await find_anything(house, ACTOR, far)).orders == []
        with pytest.raises(Invalid, match="characters"):
            await find_anything(house, ACTOR, "x" * 81)
        with pytest.raises(Invalid, match="of_each"):
            await find_anything(house, ACTOR, "x", of_each=51)

    at_the_desk(story)
