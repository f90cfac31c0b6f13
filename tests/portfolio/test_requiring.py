"""What wishes would need: one by one as their verdicts have it, and together less."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bahi.db.tx import Row, Tx
from bahi.kernel.errors import Invalid
from bahi.kernel.money import NOTHING, Money, parse_money, parse_price
from bahi.kernel.words import InstrumentType, Product, Segment, Side
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.position import Key, Position
from bahi.portfolio.model.requiring import Asked, Required, required
from bahi.portfolio.service.requiring import KEPT, require, work_out
from bahi.portfolio.service.verifying import verify
from bahi.portfolio.tables import margin_requirements
from tests.portfolio.books import (
    ACCOUNT,
    ACTOR,
    CRORE,
    HELD,
    KITE,
    NOON,
    SBIN,
    SHARE,
    Desk,
    at_a_desk,
)

EXPIRY = date(2036, 12, 30)
LOT = 75
BUY, SELL = Side


def option(strike: int, side: Side, rupees: str, quantity: int = LOT) -> Asked:
    key = Key(Segment.NSE_FNO, f"NIFTY30DEC36{strike}CE", Product.MARGIN)
    contract = Contract(
        True, parse_price(str(strike)), InstrumentType.OPTIDX, LOT, EXPIRY, key.symbol
    )
    return Asked(
        key=key, contract=contract, side=side, quantity=quantity, price=parse_price(rupees)
    )


def shares(key: Key, side: Side, quantity: int, rupees: str = "800") -> Asked:
    price = parse_price(rupees)
    return Asked(key=key, contract=SHARE, side=side, quantity=quantity, price=price)


def asked(*many: Asked, positions: tuple[Position, ...] = (), free: Money = CRORE) -> Required:
    return required(many, positions, free, KITE, NOON)


BOUGHT, WRITTEN = option(24200, BUY, "120"), option(24000, SELL, "200")


def test_a_bought_option_needs_its_premium_and_a_written_one_its_margin() -> None:
    bought, written = asked(BOUGHT), asked(WRITTEN)
    (paid,), (blocked,) = bought.each, written.each
    assert (paid.total, paid.premium, paid.span) == (parse_money("9000"), parse_money("9000"), 0)
    # 13 % of 75 at 24,000: 2.34 lakh
    assert (blocked.total, blocked.span, blocked.premium) == (
        parse_money("234000"),
        parse_money("234000"),
        0,
    )
    assert blocked.exposure == 0
    assert (bought.total, written.total) == (paid.total, blocked.total)


def test_a_hedged_pair_needs_less_than_either_of_the_two_would_add() -> None:
    for pair in ((BOUGHT, WRITTEN), (WRITTEN, BOUGHT)):
        found = asked(*pair)
        # it loses at most 200 each, 15,000, beside the premium of 9,000 that is paid
        assert found.total == parse_money("24000")
        assert found.benefit == parse_money("219000")
        assert found.total < min(asked(WRITTEN).total, sum(it.total for it in found.each))
    first, last = asked(BOUGHT, WRITTEN), asked(WRITTEN, BOUGHT)
    assert first.free_needed > first.total  # each order is judged by itself
    assert first.free_needed == parse_money("243000") + first.charges
    assert last.free_needed >= parse_money("234000")


def test_it_fits_by_what_has_to_be_free_on_the_way() -> None:
    need = asked(BOUGHT, WRITTEN).free_needed
    assert asked(BOUGHT, WRITTEN, free=need).fits
    assert not asked(BOUGHT, WRITTEN, free=Money(need - 1)).fits


def test_an_exit_needs_nothing_and_more_than_an_exit_all_of_it() -> None:
    held = Position(key=SBIN, net=100, open_cost=parse_money("80000"), margin=parse_money("16000"))
    out = asked(shares(SBIN, SELL, 100), positions=(held,), free=NOTHING)
    assert (out.total, out.each[0].is_exit) == (0, True)
    assert out.charges > 0
    assert out.fits  # what was blocked pays for it
    over = asked(shares(SBIN, SELL, 101), positions=(held,))
    assert over.total == over.each[0].var == parse_money("16160")  # a fifth of all, as its verdict
    taken = shares(SBIN, SELL, 60)
    twice = asked(taken, taken, positions=(held,))
    assert [it.is_exit for it in twice.each] == [True, False]
    beside = Asked(key=SBIN, contract=SHARE, side=SELL, quantity=60, price=taken.price, exiting=41)
    assert not asked(beside, positions=(held,)).each[0].is_exit


def test_what_is_bought_and_sold_in_one_basket_is_an_exit() -> None:
    found = asked(shares(HELD, BUY, 10), shares(HELD, SELL, 10))
    assert [it.total for it in found.each] == [parse_money("8000"), 0]


def test_the_last_day_asks_for_exposure_beside_the_usual() -> None:
    last = Contract(True, parse_price("24000"), InstrumentType.OPTIDX, LOT, NOON.date())
    key = Key(Segment.NSE_FNO, "NIFTY24NOV3624000CE", Product.MARGIN)
    it = Asked(key=key, contract=last, side=SELL, quantity=LOT, price=parse_price("200"))
    (need,) = asked(it).each
    assert (need.span, need.exposure) == (parse_money("234000"), parse_money("36000"))


LEGS = st.lists(
    st.builds(
        option,
        st.sampled_from([23_800, 24_000, 24_200]),
        st.sampled_from(list(Side)),
        st.sampled_from(["5", "120", "350.05"]),
        st.sampled_from([LOT, 2 * LOT]),
    ),
    min_size=1,
    max_size=6,
)


@given(LEGS)
def test_a_basket_never_needs_more_than_its_orders_do(legs: list[Asked]) -> None:
    found = asked(*legs)
    assert 0 <= found.total <= sum(it.total for it in found.each)
    assert found.charges == sum(it.charges for it in found.each) > 0
    assert all(0 <= it.span + it.exposure + it.premium == it.total for it in found.each)


# -- in the books


def kept(tx: Tx) -> list[Row]:
    it = margin_requirements.c
    clause = sa.select(it.security_id, it.quantity, it.total_margin, it.order_id)
    return [tuple(row) for row in tx.rows(clause.order_by(it.id))]


async def ask(desk: Desk, *many: Asked) -> Required:
    by = (ACTOR, ACCOUNT, many, KITE, desk.clock())
    return await desk.store.write(require, *by, account=ACCOUNT)


def test_an_answer_is_written_down_and_moves_no_money(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        before = await desk.page()
        found = await ask(desk, BOUGHT, WRITTEN)
        assert (found.total, found.available) == (parse_money("24000"), CRORE)
        assert await desk.store.read(kept, fresh=True) == [
            ("NIFTY30DEC3624200CE", LOT, parse_money("9000"), None),
            ("NIFTY30DEC3624000CE", LOT, parse_money("234000"), None),
        ]
        assert await desk.page() == before
        assert [it async for it in verify(desk.store)] == []
        desk.clock.advance(KEPT + timedelta(seconds=1))
        await ask(desk, shares(SBIN, BUY, 1))
        assert [row[0] for row in await desk.store.read(kept, fresh=True)] == ["SBIN"]

    at_a_desk(home, story)


def test_an_open_position_is_known(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await desk.deals(BUY, LOT, "120", key=BOUGHT.key, contract=BOUGHT.contract)
        found = await ask(desk, WRITTEN)
        assert found.total == parse_money("15000")  # it is covered already
        out = await ask(desk, option(24200, SELL, "110"))
        assert (out.total, out.each[0].is_exit) == (0, True)

    at_a_desk(home, story)


@pytest.mark.parametrize("many", [(), (BOUGHT,) * 101, (option(24000, BUY, "0"),)])
def test_what_cannot_be_answered_is_refused(
    sqlite_home: dict[str, str], many: tuple[Asked, ...]
) -> None:
    async def story(desk: Desk) -> None:
        with pytest.raises(Invalid):
            await desk.store.read(work_out, ACCOUNT, many, KITE, desk.clock())

    at_a_desk(sqlite_home, story)
