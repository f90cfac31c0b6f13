"""The depository's fee: for what left the demat account that day, however late one hears of it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.money import parse_money
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.money import Entry
from bahi.portfolio.service.notes import Day, settle_day
from bahi.portfolio.service.verifying import verify
from bahi.portfolio.tables import ledger_entries
from tests.portfolio.books import ACCOUNT, ACTOR, HELD, KITE, MONDAY, NOON, Desk, at_a_desk

FEE = parse_money("15.34")
"""13 rupees and 18 % of GST."""
AT_BSE = HELD._replace(segment=Segment.BSE_EQ)
ISINS = {(HELD.segment, "SBIN"): "INE062A01020", (AT_BSE.segment, "SBIN"): "INE062A01020"}


def lines(tx: Tx) -> list[Row]:
    it = ledger_entries.c
    clause = sa.select(it.voucher_no, it.credit - it.debit).where(it.kind == str(Entry.DP))
    return [tuple(row) for row in tx.rows(clause.order_by(it.id))]


async def settles(desk: Desk, isins: dict[tuple[Segment, str], str] = ISINS) -> int:
    """Settle the day, and return what the depository took or gave back."""
    day = Day(ACCOUNT, MONDAY, isins)
    done = await desk.store.write(settle_day, ACTOR, day, KITE, desk.clock())
    return done.depository


async def fees(desk: Desk) -> dict[str, int]:
    found: dict[str, int] = {}
    for voucher, amount in await desk.store.read(lines, fresh=True):
        found[voucher] = found.get(voucher, 0) + amount
    return {voucher: amount for voucher, amount in found.items() if amount}


def test_a_late_purchase_of_the_day_takes_the_fee_back_and_a_later_sale_charges_it_again(
    home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        await desk.sells(10, "800", key=HELD)
        assert await settles(desk) == -FEE
        assert await settles(desk) == 0
        desk.clock.advance(timedelta(days=1))
        await desk.buys(10, "790", key=AT_BSE, order=2, at=NOON)  # told a day late, on the other
        assert await settles(desk) == FEE
        assert await settles(desk) == 0
        assert await fees(desk) == {}
        await desk.sells(1, "800", key=HELD, order=3, at=NOON)
        assert await settles(desk) == -FEE
        voucher = f"dp/{MONDAY}/INE062A01020"
        assert await desk.store.read(lines, fresh=True) == [
            (voucher, -FEE),
            (voucher, FEE),
            (voucher, -FEE),
        ]
        assert [it async for it in verify(desk.store)] == []

    at_a_desk(home, story)


def test_a_security_that_is_known_by_its_number_only_later_is_charged_once(
    home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        await desk.sells(10, "800", key=HELD)
        assert await settles(desk, {}) == -FEE
        assert await settles(desk) == 0  # what stood under its symbol stands under its ISIN now
        assert await fees(desk) == {f"dp/{MONDAY}/INE062A01020": -FEE}

    at_a_desk(home, story)


PLACES = [
    it._replace(product=product) for it in (HELD, AT_BSE) for product in (Product.CNC, Product.MTF)
]


SYMBOLS = [f"S{number}" for number in range(12)]
LISTED = {(it.segment, symbol): f"IN{symbol}" for it in PLACES for symbol in SYMBOLS}


async def any_order(desk: Desk, random: Random, sold: Counter[str], story: int) -> None:
    """Tell fills of two securities in any order, settle now and then, and compare with the sum."""
    for number in range(random.randint(1, 5)):
        side, quantity = random.choice(list(Side)), random.randint(1, 3)
        key = random.choice(PLACES)._replace(
            symbol=random.choice(SYMBOLS[2 * story : 2 * story + 2])
        )
        late = timedelta(minutes=random.randint(0, 60))
        order = 100 * story + number
        await desk.deals(side, quantity, "100", key=key, order=order, at=NOON - late)
        sold[key.symbol] += quantity if side is Side.SELL else -quantity
        if random.random() < 0.5:
            await settles(desk, LISTED)
    await settles(desk, LISTED)
    assert await settles(desk, LISTED) == 0
    due = {f"dp/{MONDAY}/IN{symbol}": -FEE for symbol, many in sold.items() if many > 0}
    assert await fees(desk) == due


@pytest.mark.parametrize("seed", range(2))
def test_any_order_of_arrival_settled_at_any_time_ends_in_the_same_fees(
    home: dict[str, str], seed: int
) -> None:
    random, sold = Random(seed), Counter[str]()

    async def story(desk: Desk) -> None:
        for number in range(6):
            desk.clock.advance(timedelta(seconds=1))
            await any_order(desk, random, sold, number)
            assert [it async for it in verify(desk.store)] == []

    at_a_desk(home, story)
