"""Options that cover each other need less, in a block of its own that is exact at every step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.money import Money, parse_money, parse_price
from bahi.kernel.words import InstrumentType, OptionType, Product, Segment
from bahi.portfolio.model.hedging import benefit, group_of
from bahi.portfolio.model.margin import Contract, for_position
from bahi.portfolio.model.position import Key, Position
from bahi.portfolio.service.beginning import reset_paper
from bahi.portfolio.service.verifying import verify
from bahi.portfolio.tables import margin_blocks
from tests.portfolio.books import ACCOUNT, ACTOR, CRORE, FREE, Desk, at_a_desk
from tests.portfolio.test_verifying import change


def option(strike: int, right: str = "CE", expiry: str = "25NOV36") -> Key:
    return Key(Segment.NSE_FNO, f"NIFTY{expiry}{strike}{right}", Product.MARGIN)


def contract(strike: int) -> Contract:
    return Contract(True, parse_price(str(strike)), InstrumentType.OPTIDX, 75)


def leg(strike: int, net: int, right: str = "CE", each: str = "5000") -> Position:
    margin = Money(parse_money(each) * -net) if net < 0 else Money(0)
    return Position(key=option(strike, right), net=net, margin=margin)


GROUP = group_of(option(26000))


@pytest.mark.parametrize(
    ("legs", "expected"),
    [
        ([leg(26000, -75)], "0"),
        ([leg(26000, 75)], "0"),
        ([leg(26000, -75), leg(26200, 75)], str((5000 - 200) * 75)),  # loses 200 each at most
        ([leg(26000, -75), leg(25900, 75)], str(5000 * 75)),  # loses nothing
        ([leg(26000, -75), leg(26200, 50)], str((5000 - 200) * 50)),  # a part is covered
        ([leg(26000, -75), leg(26000, 75, "PE")], "0"),  # of the other right
        ([leg(26000, -75, "PE"), leg(25800, 75, "PE")], str((5000 - 200) * 75)),
        ([leg(26000, -75, "PE"), leg(26100, 75, "PE")], str(5000 * 75)),
        ([leg(20000, -75), leg(26000, 75)], "0"),  # so far apart that it blocks less alone
        (
            [leg(26000, -75), leg(26100, -75), leg(26050, 75), leg(26200, 75)],
            str((5000 - 50) * 75 + (5000 - 100) * 75),
        ),
    ],
)
def test_what_is_given_back(legs: list[Position], expected: str) -> None:
    assert GROUP is not None
    assert benefit(GROUP, legs) == parse_money(expected)


def test_an_option_of_another_month_or_product_covers_nothing() -> None:
    assert GROUP is not None
    short = leg(26000, -75)
    later = Position(key=option(26200, expiry="30DEC36"), net=75)
    other = Position(key=option(26200)._replace(product=Product.INTRADAY), net=75)
    assert benefit(GROUP, [short, later, other]) == 0
    assert group_of(option(26000)._replace(symbol="NIFTY25NOV36FUT")) is None
    assert group_of(Key(Segment.NSE_EQ, "ONCE", Product.CNC)) is None


nets = st.integers(-10, 10).filter(bool)
strikes = st.sampled_from([25_800, 25_900, 26_000, 26_100, 26_200])


@given(st.dictionaries(st.tuples(strikes, st.sampled_from(list(OptionType))), nets))
def test_what_is_left_is_enough_for_the_worst_that_can_happen(
    held: dict[tuple[int, OptionType], int],
) -> None:
    assert GROUP is not None  # and alone each blocks more than the strikes lie apart
    legs = [leg(strike, net, str(right), "500") for (strike, right), net in held.items()]
    given_back = benefit(GROUP, legs)
    blocked = sum(it.margin for it in legs)
    assert 0 <= given_back <= blocked
    covered_by = {
        right: sum(max(net, 0) for (_, of), net in held.items() if of is right)
        for right in OptionType
    }
    for right in OptionType:
        written = {k: -n for (k, of), n in held.items() if of is right and n < 0}
        if sum(written.values()) > covered_by[right]:
            return  # a naked option has no worst
    for close in range(25_700, 26_400, 50):
        loss = -sum(
            net * max(0, close - strike if right is OptionType.CE else strike - close)
            for (strike, right), net in held.items()
        )
        assert blocked - given_back >= parse_money(str(loss))


def test_a_spread_blocks_what_it_can_lose_and_every_step_is_exact(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        short, long = option(26000), option(26200)
        of_short, of_long = (
            {"key": short, "contract": contract(26000)},
            {
                "key": long,
                "contract": contract(26200),
            },
        )
        alone = for_position(contract(26000), short.product, -75, parse_money("7500"))
        await desk.sells(75, "100", **of_short)
        assert (await desk.page()).margin_used == alone
        await desk.buys(75, "40", order=2, **of_long)
        assert (await desk.page()).margin_used == parse_money(str(200 * 75))
        await desk.sells(25, "45", order=3, **of_long)
        part = alone * 25 // 75 + parse_money(str(200 * 50))
        assert (await desk.page()).margin_used == part
        assert [it async for it in verify(desk.store)] == []
        await desk.buys(75, "90", order=4, **of_short)
        assert (await desk.page()).margin_used == 0
        await desk.sells(75, "100", order=5, **of_short)
        await desk.store.write(reset_paper, ACTOR, ACCOUNT, CRORE, desk.clock())
        assert (await desk.page()).margin_used == 0
        assert [it async for it in verify(desk.store)] == []

    at_a_desk(home, story)


def test_a_benefit_that_is_not_its_legs_is_found(sqlite_home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await desk.sells(75, "100", key=option(26000), contract=contract(26000))
        await desk.buys(75, "40", order=2, key=option(26200), contract=contract(26200))
        await desk.store.write(change(margin_blocks, amount=-1))
        faults = {str(it.fault) async for it in verify(desk.store)}
        assert faults == {"BENEFIT_IS_NOT_ITS_LEGS", "MARGIN_IS_NOT_ITS_BLOCKS"}

    at_a_desk(sqlite_home, story)
