"""What wishes would need: one by one as their verdicts have it, and together less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bahi.db.tx import Row, Tx
from bahi.kernel.errors import Invalid
from bahi.kernel.money import NOTHING, Money, parse_money, parse_price, plain
from bahi.kernel.words import InstrumentType, Product, Segment, Side
from bahi.portfolio.model.hedging import benefit, group_of
from bahi.portfolio.model.margin import Contract, Footing, for_position
from bahi.portfolio.model.position import Fact, Key, Position, fold
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


def in_the_end(legs: Sequence[Asked]) -> int:
    """Return what there is less to be free when all have filled, by the rules of positions."""
    held: dict[Key, Position] = {}
    cash = 0
    for number, it in enumerate(legs):
        by = Footing(KITE.rates, it.key.segment, NOON.date(), KITE.ends)
        known = held.get(it.key) or Position(key=it.key)
        after = fold(known, Fact(NOON, number, it.side, it.quantity, it.value))
        margin = for_position(it.contract, it.key.product, after.net, after.open_cost, by)
        held[it.key] = replace(after, margin=margin)
        cash += it.value if it.side is BUY else -it.value
    every = list(held.values())
    group = group_of(WRITTEN.key)
    assert group is not None
    return cash + sum(it.margin for it in every) - benefit(group, every)


@given(LEGS)
def test_what_is_free_is_enough_on_the_way_and_in_the_end(legs: list[Asked]) -> None:
    found = asked(*legs)
    assert found.bound == in_the_end(legs) + found.charges
    assert found.free_needed >= found.bound or all(it.is_exit for it in found.each)
    so_far = 0
    for place, (leg, need) in enumerate(zip(legs, found.each, strict=True)):
        assert asked(*legs[: place + 1]).each[place] == need  # as if the others had filled
        assert need.is_exit or found.free_needed >= so_far + need.total + need.charges
        so_far = asked(*legs[: place + 1]).bound
        assert leg.quantity > 0


TAKEN_AWAY = (
    option(23000, SELL, "100"), option(23000, SELL, "100"), option(24500, BUY, "100", 3 * LOT),
    option(23500, SELL, "100"), option(23000, SELL, "100"),
)  # fmt: skip
"""The last is written lowest, so it takes what covered the one before it."""


def test_a_cover_that_the_next_order_takes_away_is_counted() -> None:
    found = asked(*TAKEN_AWAY)
    assert not any(it.is_exit for it in found.each)
    assert found.free_needed == found.bound


def test_an_exit_alone_needs_nothing_though_it_uncovers_another() -> None:
    held = [
        Position(key=it.key, net=LOT if it.side is BUY else -LOT, open_cost=it.value, margin=margin)
        for it, margin in ((BOUGHT, NOTHING), (WRITTEN, parse_money("234000")))
    ]
    out = asked(option(24200, SELL, "120"), positions=tuple(held), free=NOTHING)
    assert out.fits
    assert out.bound > parse_money("200000")  # which the page says before it is sent


# -- in the books


@pytest.mark.parametrize("legs", [TAKEN_AWAY, (BOUGHT, WRITTEN), (WRITTEN, BOUGHT), (WRITTEN,)])
def test_it_is_what_the_books_block_then(
    sqlite_home: dict[str, str], legs: tuple[Asked, ...]
) -> None:
    async def story(desk: Desk) -> None:
        before = await desk.page()
        found = await ask(desk, *legs)
        for place, it in enumerate(legs, 1):
            named = {"key": it.key, "contract": it.contract, "order": place}
            await desk.deals(it.side, it.quantity, plain(it.price), **named)
        after = await desk.page()
        assert before.available - after.available == found.bound <= found.free_needed

    at_a_desk(sqlite_home, story)


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
