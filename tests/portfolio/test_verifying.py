"""The books against their facts: nothing is found in good ones, and every fault by its name."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bahi.db.permits import permitted
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.money import parse_money
from bahi.kernel.words import Product
from bahi.portfolio.model.adjustment import Action
from bahi.portfolio.model.finding import Fault, Finding, broken, follows
from bahi.portfolio.service.adjusting import Conversion, Corporate, act, convert
from bahi.portfolio.service.notes import Day, settle_day
from bahi.portfolio.service.verifying import verify
from bahi.portfolio.tables import (
    funds,
    holdings,
    ledger_entries,
    margin_blocks,
    position_adjustments,
    positions,
    trades,
)
from tests.portfolio.books import ACCOUNT, ACTOR, HELD, KITE, MONDAY, SBIN, SHARE, Desk, at_a_desk


async def found(store: Store) -> list[Finding]:
    return [it async for it in verify(store)]


async def a_day(desk: Desk) -> None:
    """Trade, convert, be given a bonus, settle."""
    await desk.buys(10, "800.05")
    await desk.sells(4, "801", order=2)
    await desk.buys(20, "799", key=HELD, order=3)
    await desk.sells(5, "803", key=SBIN._replace(symbol="INFY"), order=4)
    wish = Conversion(account_id=ACCOUNT, key=SBIN, to=Product.CNC, quantity=3, contract=SHARE)
    await desk.store.write(convert, ACTOR, wish, KITE, desk.clock())
    bonus = Corporate(
        account_id=ACCOUNT, key=HELD, action=Action.BONUS, notice="one for one", at=desk.clock()
    )
    await desk.store.write(act, ACTOR, bonus, KITE, desk.clock())
    await desk.store.write(settle_day, ACTOR, Day(ACCOUNT, MONDAY, {}), KITE, desk.clock())
    await desk.page()


def test_good_books_have_no_fault_and_say_how_far_the_check_is(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await a_day(desk)
        steps: list[tuple[int, int]] = []
        faults = [it async for it in verify(desk.store, lambda done, of: steps.append((done, of)))]
        assert faults == []
        assert steps == [(1, 3), (2, 3), (3, 3)]  # the account and two symbols

    at_a_desk(home, story)


def change(table: sa.Table, **values: Any) -> Any:
    """Return what spoils the first row of a table that has none of the values."""

    def spoil(tx: Tx) -> None:
        key = next(iter(table.primary_key.columns))
        first = tx.row(sa.select(sa.func.max(key)))
        assert first is not None
        with permitted(tx, "a planted fault"):
            tx.change(table.delete().where(key == first[0]) if not values else (
                table.update().where(key == first[0]).values(values)
            ))  # fmt: skip

    return spoil


MORE = {"quantity": 11}
PLANTED = [
    ("a trade's quantity", change(trades, quantity=999), Fault.POSITION_IS_NOT_ITS_FACTS),
    ("a trade that is gone", change(trades), Fault.TRADES_AND_LEDGER_DIFFER),
    ("a trade's tax", change(trades, stt=123), Fault.CHARGES_DO_NOT_ADD_UP),
    ("a position's quantity", change(positions, net_qty=77), Fault.POSITION_IS_NOT_ITS_FACTS),
    ("a position's cost", change(positions, open_cost=77), Fault.POSITION_IS_NOT_ITS_FACTS),
    ("a position's profit", change(positions, realized_pnl=77), Fault.POSITION_IS_NOT_ITS_FACTS),
    (
        "a position's margin",
        change(positions, margin_required=77),
        Fault.POSITION_MARGIN_IS_NOT_ITS_BLOCKS,
    ),
    ("a position that is gone", change(positions), Fault.POSITION_IS_MISSING),
    (
        "an adjustment's quantity",
        change(position_adjustments, quantity=5),
        Fault.POSITION_IS_NOT_ITS_FACTS,
    ),
    ("a block", change(margin_blocks, amount=77), Fault.MARGIN_IS_NOT_ITS_BLOCKS),
    ("the used margin", change(funds, margin_used=77), Fault.MARGIN_IS_NOT_ITS_BLOCKS),
    ("the cash", change(funds, cash=77), Fault.CASH_IS_NOT_ITS_LEDGER),
    (
        "what is free",
        change(funds, available_balance=77),
        Fault.AVAILABLE_IS_NOT_CASH_LESS_MARGIN,
    ),
    ("a line's amount", change(ledger_entries, credit=77_0000), Fault.CASH_IS_NOT_ITS_LEDGER),
    ("a line's balance", change(ledger_entries, balance=77), Fault.BALANCES_DO_NOT_FOLLOW),
    ("a line that is gone", change(ledger_entries), Fault.CASH_IS_NOT_ITS_LEDGER),
    ("a holding", change(holdings, total_qty=77), Fault.HOLDING_IS_NOT_ITS_POSITION),
]


@pytest.mark.parametrize(
    ("spoil", "fault"), [it[1:] for it in PLANTED], ids=[it[0] for it in PLANTED]
)
def test_a_planted_fault_is_found_by_name(
    sqlite_home: dict[str, str], spoil: Any, fault: Fault
) -> None:
    async def story(desk: Desk) -> None:
        await a_day(desk)
        await desk.store.write(spoil)
        assert fault in {it.fault for it in await found(desk.store)}

    at_a_desk(sqlite_home, story)


def test_several_faults_are_all_found_on_either_database(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await a_day(desk)
        await desk.store.write(change(funds, cash=77))
        await desk.store.write(change(positions, net_qty=77))
        await desk.store.write(change(trades, gst=77))
        faults = {it.fault for it in await found(desk.store)}
        assert faults >= {
            Fault.CASH_IS_NOT_ITS_LEDGER,
            Fault.POSITION_IS_NOT_ITS_FACTS,
            Fault.CHARGES_DO_NOT_ADD_UP,
        }

    at_a_desk(home, story)


@given(st.lists(st.integers(-9, 9).filter(bool), min_size=1), st.randoms(use_true_random=False))
def test_balances_follow_each_other_in_whatever_order_they_are_read(
    amounts: list[int], random: Any
) -> None:
    lines, cash = [], 0
    for it in amounts:
        cash += it
        lines.append((it, cash))
    loose: Counter[int] = Counter()
    follows(random.sample(lines, len(lines)), loose)
    assert broken(loose, cash) is None
    wrong: Counter[int] = Counter()
    index = random.randrange(len(lines))
    lines[index] = (lines[index][0], parse_money("77"))
    follows(lines, wrong)
    assert broken(wrong, cash) is not None
