"""Shares held as MTF: the account's own share of the money, what the broker funds, its interest."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.errors import Invalid
from bahi.kernel.money import Money, parse_money
from bahi.kernel.words import Product, Segment
from bahi.portfolio.model.money import Entry
from bahi.portfolio.model.rates import BILLION, Basis, Charge, Rate, Rates
from bahi.portfolio.model.reconciling import Policy, Snapshot, Told
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.repository.holding import save_own
from bahi.portfolio.service.funding import Accrued, accrue
from bahi.portfolio.service.holdings import deliverable_of, pledge, roll_holdings
from bahi.portfolio.service.reconciling import Stance, reconcile
from bahi.portfolio.service.verifying import verify
from bahi.portfolio.tables import holdings, ledger_entries
from tests.portfolio.books import (
    ACCOUNT,
    ACTOR,
    CRORE,
    HELD,
    KITE,
    MONDAY,
    NOON,
    PLANS,
    Desk,
    at_a_desk,
)

MTF = HELD._replace(product=Product.MTF)
TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
OWN, FUNDED = parse_money("20000"), parse_money("60000")
"""Of 100 shares at 800: a quarter, and what the broker pays."""
A_DAY = parse_money("24")
"""0.04 % of 60,000."""


def row(tx: Tx) -> Row:
    it = holdings.c
    columns = (it.total_qty, it.mtf_qty, it.mtf_t1_qty, it.mtf_pledged_qty, it.mtf_value)
    (found,) = tx.rows(sa.select(*columns, it.mtf_own_value))
    return tuple(found)


def interest(tx: Tx) -> list[Row]:
    it = ledger_entries.c
    clause = sa.select(it.entry_date, it.debit - it.credit).where(it.kind == str(Entry.FEE))
    return [tuple(row) for row in tx.rows(clause.order_by(it.id))]


async def rolls(desk: Desk, through: date, *, pledges: bool = False) -> None:
    def roll(tx: Tx) -> int:
        settled = {Segment.NSE_EQ: through}
        return roll_holdings(tx, ACCOUNT, settled, desk.clock(), pledges=pledges)

    assert await desk.store.write(roll, account=ACCOUNT) == 1


async def accrues(desk: Desk, *days: date) -> Money:
    """Charge the interest of days, each of which has the day before delivered."""
    over = [Accrued(it, {Segment.NSE_EQ: it - timedelta(days=1)}) for it in days]
    by = (over, desk.terms)
    return await desk.store.write(accrue, ACTOR, ACCOUNT, by, desk.clock(), account=ACCOUNT)


async def is_right(desk: Desk) -> None:
    await desk.page()
    assert [it async for it in verify(desk.store)] == []


def test_a_quarter_of_the_money_is_blocked_and_the_broker_pays_the_rest(
    home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        bought = await desk.buys(100, "800", key=MTF)
        charged = CRORE - bought.book.cash
        assert 0 < charged < parse_money("200")  # charges, and not a rupee of the shares
        assert bought.book.margin_used == bought.position.margin == OWN
        cost = OWN + FUNDED
        assert await desk.store.read(row, fresh=True) == (0, 100, 100, 0, cost, OWN)
        await is_right(desk)
        desk.clock.advance(timedelta(days=1))
        await rolls(desk, MONDAY)
        assert await desk.store.read(row, fresh=True) == (0, 100, 0, 0, cost, OWN)
        before = await desk.cash()
        sold = await desk.sells(100, "810", key=MTF, order=2)
        gained = sold.book.cash - CRORE - before
        assert parse_money("900") - gained < parse_money("100")  # 10 each, less charges
        assert sold.book.margin_used == 0
        assert await desk.store.read(row, fresh=True) == (0, 0, 0, 0, 0, 0)
        await is_right(desk)

    at_a_desk(home, story)


def test_days_that_nobody_knows_take_nothing_out_of_the_demat_account(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(10, "800", key=HELD)
        await desk.buys(100, "800", key=MTF, order=2)
        desk.clock.advance(timedelta(days=1))

        def rolls_all(tx: Tx, settled: dict[Segment, date]) -> int:
            return roll_holdings(tx, ACCOUNT, settled, desk.clock(), pledges=True)

        assert await desk.store.write(rolls_all, {Segment.NSE_EQ: MONDAY}, account=ACCOUNT) == 2
        delivered = await desk.store.read(row, fresh=True)
        assert delivered[:4] == (10, 100, 0, 100)
        assert await desk.store.write(rolls_all, {}, account=ACCOUNT) == 0
        assert await desk.store.read(row, fresh=True) == delivered
        await is_right(desk)

    at_a_desk(home, story)


@pytest.mark.parametrize("percent", [100, 130])
def test_where_nothing_is_lent_nothing_is_charged_and_nothing_is_paid(
    sqlite_home: dict[str, str], percent: int
) -> None:
    all_of_it = Rate(
        charge=Charge.MARGIN,
        basis=Basis.CONTRACT,
        product=Product.MTF,
        rate=percent * BILLION // 100,
        valid_from=date(2020, 1, 1),
    )

    async def story(desk: Desk) -> None:
        desk.terms = Terms(plan="kite", rates=Rates([*KITE.rates, all_of_it], "kite"))
        await desk.buys(100, "800", key=MTF)
        desk.clock.advance(timedelta(days=1))
        assert await accrues(desk, TUESDAY) == 0
        await is_right(desk)

    at_a_desk(sqlite_home, story)


def test_another_plan_does_not_charge_anew_what_was_charged_long_ago(home: dict[str, str]) -> None:
    days = [TUESDAY + timedelta(days=it) for it in range(30)]

    async def story(desk: Desk) -> None:
        await desk.buys(100, "800", key=MTF)
        desk.clock.advance(timedelta(days=30))
        assert await accrues(desk, *days) == 30 * A_DAY
        desk.terms = Terms(plan="upstox", rates=PLANS.of("upstox"))
        assert await accrues(desk, *days) == 4 * parse_money("6")  # today and three days back
        assert await accrues(desk, *days) == 0
        await is_right(desk)

    at_a_desk(home, story)


def test_it_stands_beside_what_is_held_of_the_same_share_and_each_is_sold_by_its_product(
    home: dict[str, str],
) -> None:
    def free(tx: Tx, key: object) -> int:
        return deliverable_of(tx, ACCOUNT, key, MONDAY).quantity  # type: ignore[arg-type]

    async def story(desk: Desk) -> None:
        await desk.buys(10, "800", key=HELD)
        await desk.buys(100, "800", key=MTF, order=2)
        assert (await desk.store.read(row, fresh=True))[:2] == (10, 100)
        assert await desk.store.read(free, HELD, fresh=True) == 10
        assert await desk.store.read(free, MTF, fresh=True) == 100
        await desk.sells(60, "800", key=MTF, order=3)
        assert (await desk.store.read(row, fresh=True))[:2] == (10, 40)
        assert (await desk.position(HELD)).net == 10
        await is_right(desk)

    at_a_desk(home, story)


def test_interest_is_of_what_was_delivered_and_each_day_is_charged_once(
    home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(100, "800", key=MTF)
        assert await accrues(desk, MONDAY) == 0  # nothing was delivered yet
        desk.clock.advance(timedelta(days=1))
        assert await accrues(desk, MONDAY, TUESDAY) == A_DAY
        assert await accrues(desk, MONDAY, TUESDAY) == 0
        await desk.sells(100, "800", key=MTF, order=2)
        desk.clock.advance(timedelta(days=1))
        assert await accrues(desk, TUESDAY, WEDNESDAY) == 0  # sold yesterday, and delivered
        assert await desk.store.read(interest, fresh=True) == [(str(TUESDAY), A_DAY)]
        await is_right(desk)

    at_a_desk(home, story)


def test_a_trade_that_is_told_late_changes_what_its_days_cost(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(100, "800", key=MTF)
        desk.clock.advance(timedelta(days=1))
        await accrues(desk, TUESDAY)
        await desk.sells(50, "800", key=MTF, order=2, at=NOON + timedelta(minutes=5))
        assert await accrues(desk, TUESDAY) == -A_DAY // 2  # half of it goes back
        await desk.buys(50, "800", key=MTF, order=3, at=NOON - timedelta(minutes=5))
        assert await accrues(desk, TUESDAY) == A_DAY // 2
        assert sum(it[1] for it in await desk.store.read(interest, fresh=True)) == A_DAY
        await is_right(desk)

    at_a_desk(home, story)


def test_some_brokers_pledge_what_is_delivered_and_of_others_a_person_does(
    home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        async def pledged() -> int:
            return int((await desk.store.read(row, fresh=True))[3])

        async def by_hand(quantity: int) -> None:
            which = (MTF, quantity)
            await desk.store.write(pledge, ACTOR, ACCOUNT, which, desk.clock(), account=ACCOUNT)

        await desk.buys(100, "800", key=MTF)
        with pytest.raises(Invalid, match="0 are held"):
            await by_hand(100)  # it still comes
        desk.clock.advance(timedelta(days=1))
        await rolls(desk, MONDAY)
        assert await pledged() == 0
        await by_hand(70)
        assert await pledged() == 70
        await rolls(desk, MONDAY)
        assert await pledged() == 70
        await desk.sells(60, "800", key=MTF, order=2)
        assert await pledged() == 40  # a broker frees what is sold
        await desk.buys(10, "800", key=MTF, order=3)
        await is_right(desk)
        await rolls(desk, TUESDAY, pledges=True)
        assert await pledged() == 50
        await is_right(desk)

    at_a_desk(home, story)


def test_a_holding_that_says_another_own_share_than_its_position_blocks_is_found(
    home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(100, "800", key=MTF)
        wrong = (ACCOUNT, MTF, Money(OWN - 1), desk.clock())
        await desk.store.write(save_own, *wrong, account=ACCOUNT)
        (found,) = [it async for it in verify(desk.store)]
        assert found.fault == "FUNDED_IS_NOT_ITS_POSITION"
        assert "19,999.9999 of it the account's own" in found.sentence.replace("19999", "19,999")

    at_a_desk(home, story)


def test_a_broker_that_has_fewer_is_a_break_and_adopting_it_moves_the_money_too(
    home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(100, "800", key=MTF)
        told = Snapshot(ACCOUNT, desk.clock(), positions={MTF: Told(60)}, holdings={})
        got = await desk.store.write(reconcile, ACTOR, told, Stance(KITE), desk.clock())
        assert [(it.classification, it.missing) for it in got.breaks] == [("QUANTITY", -40)]
        desk.clock.advance(timedelta(minutes=1))
        told = told._replace(at=desk.clock())
        adopting = Stance(KITE, Policy.ADOPT)
        await desk.store.write(reconcile, ACTOR, told, adopting, desk.clock())
        assert (await desk.store.read(row, fresh=True))[1] == 60
        assert (await desk.page()).margin_used == OWN * 60 // 100
        await is_right(desk)

    at_a_desk(home, story)
