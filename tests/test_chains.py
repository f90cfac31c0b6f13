"""A chain as it trades: prices with their age, greeks with their basis, unknown with why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from bahi.bootstrap import House
from bahi.bootstrap.chains import FORWARD, SPOT, chain_of, next_expiry, underlying_at
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.words import Segment
from bahi.quotes.model.quote import Quote
from tests.living import MORNING, live_in, stopped
from tests.orders.desks import NOON, OPEN

Story = Callable[[House], Awaitable[None]]


@pytest.fixture
def furnished_at() -> datetime:
    """Have these houses furnished on the morning of their day."""
    return MORNING


@pytest.fixture
def in_a_market(home: dict[str, str]) -> Callable[[Story], None]:
    """Return what tells a story in a market that is made up and always open."""
    return lambda story: live_in(home | OPEN, story, stopped(NOON))


def test_each_side_has_its_price_its_age_and_its_greeks(
    in_a_market: Callable[[Story], None],
) -> None:
    async def story(house: House) -> None:
        it = await chain_of(house, "NIFTY", Segment.NSE_INDEX, around=3, rate=0.065)
        assert len(it.rungs) == 7
        assert it.expiry == next(day for day in it.expiries if day >= exchange_day(NOON))
        assert it.at_the_money in [rung.strike for rung in it.rungs]
        assert it.basis.priced_on == FORWARD
        assert it.ends_at > it.at
        for rung in it.rungs:
            assert rung.call is not None
            assert rung.put is not None
            for side in (rung.call, rung.put):
                assert side.quote is not None
                assert side.age(it.at) is not None
                assert (side.figures is None) is bool(side.why)
        money = next(rung for rung in it.rungs if rung.strike == it.at_the_money)
        assert money.call is not None
        assert money.call.figures is not None
        assert 0 < money.call.figures.greeks.delta < 1
        assert money.call.label == "ATM"

    in_a_market(story)


def test_what_has_no_price_says_so_and_the_spot_stands_in_for_the_forward(
    in_a_market: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(house: House) -> None:
        real = house.quotes.quotes

        async def no_options(asked: list[Instrument]) -> dict[int, Quote]:
            return await real([it for it in asked if it.strike is None])

        monkeypatch.setattr(house.quotes, "quotes", no_options)
        it = await chain_of(house, "NIFTY", Segment.NSE_FNO, around=1)
        assert it.forward is None
        assert it.basis.priced_on == SPOT
        call = it.rungs[0].call
        assert call is not None
        assert (call.quote, call.figures, call.age(it.at)) == (None, None, None)
        assert call.why == f"There is no price of {call.instrument.symbol}."

    in_a_market(story)


def test_the_next_expiry_is_todays_until_its_options_have_ended(
    in_a_market: Callable[[Story], None],
) -> None:
    async def story(house: House) -> None:
        chain = (await house.instruments.catalogue()).chain("NIFTY", Segment.NSE_FNO)
        first, second = chain.expiries[:2]
        noon = NOON + (first - exchange_day(NOON))
        assert next_expiry(chain, "NIFTY", noon) == first
        assert next_expiry(chain, "NIFTY", noon + timedelta(hours=5)) == second
        with pytest.raises(NotFound, match="No option of NIFTY"):
            next_expiry(chain, "NIFTY", NOON + timedelta(days=9_000))

    in_a_market(story)


def test_the_index_prices_it_whichever_way_it_is_named(
    in_a_market: Callable[[Story], None],
) -> None:
    async def story(house: House) -> None:
        by_index = await underlying_at(house, "nifty", Segment.NSE_INDEX)
        by_market = await underlying_at(house, "NIFTY", Segment.NSE_FNO)
        assert by_index.priced_by == by_market.priced_by
        with pytest.raises(NotFound):
            await underlying_at(house, "NOBODY", Segment.NSE_FNO)
        with pytest.raises(Invalid, match="around"):
            await chain_of(house, "NIFTY", Segment.NSE_FNO, around=101)

    in_a_market(story)
