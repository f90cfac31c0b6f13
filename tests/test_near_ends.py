"""Which contracts are near their end, as the floor knows it; and by which plan an account pays."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pytest

from bahi.bootstrap.ends import NearEnds
from bahi.bootstrap.floor import plans_of
from bahi.exchange.service.settings import Get
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import parse_ist
from bahi.kernel.errors import NotFound
from bahi.kernel.money import parse_money, parse_price
from bahi.kernel.words import InstrumentType, OptionType, Product, Segment, Side
from bahi.portfolio.model.ends import NO_ENDS, Ends
from bahi.portfolio.model.margin import Contract, Footing, for_order
from bahi.quotes.model.quote import Quote
from bahi.settings.service import Wish, set_config
from tests.orders.desks import ACTOR
from tests.quotes.names import an_instrument
from tests.test_settling import MONDAY, Days, days_pass

TODAY = date(2036, 11, 24)
NFO = Segment.NSE_FNO
SBIN = an_instrument(1, "SBIN")


def option(expiry: date) -> Instrument:
    symbol = f"SBIN{expiry:%d%b%y}800CE".upper()
    return an_instrument(
        2, symbol, segment=NFO, kind=InstrumentType.OPTSTK, root="SBIN", expiry=expiry,
        strike=parse_price("800"), option_type=OptionType.CE,
    )  # fmt: skip


def quoted(at: datetime) -> Quote:
    last, before = parse_price("790"), parse_price("812")
    return Quote(
        instrument_id=1, last=last, at=at, received_at=at, source="test", previous_close=before
    )


@pytest.mark.parametrize(
    ("at", "is_in"), [("2036-11-24 10:00:00", True), ("2036-11-21 15:29:00", False)]
)
def test_the_close_is_the_one_before_today_and_is_kept_for_the_day(
    home: dict[str, str], at: str, is_in: bool
) -> None:
    async def story(days: Days) -> None:
        quotes = [quoted(parse_ist(at))]
        near = NearEnds(lambda _, name: SBIN if name == "SBIN" else None, lambda _: quotes[0])
        calendar = days.house.floor.market.days()
        near.renew(calendar, TODAY)
        soon = option(date(2036, 11, 25))
        near.note(soon)
        assert near.known.is_in_the_money(NFO, soon.symbol) is is_in  # 812 of Friday, or 790
        assert near.known.left(NFO, date(2036, 11, 25), TODAY) == 1
        quotes[0] = quoted(parse_ist("2036-11-21 15:29:00" if is_in else at))
        near.note(soon)
        assert near.known.is_in_the_money(NFO, soon.symbol) is is_in
        near.renew(None, TODAY)  # a market that is always open
        assert near.known.left(NFO, date(2036, 11, 25), TODAY) is None

    days_pass(home, story)


def test_the_terms_of_an_account_know_how_many_trading_days_are_left(home: dict[str, str]) -> None:
    async def story(days: Days) -> None:
        await days.at(MONDAY)
        terms = days.house.floor.terms_of(days.desk.account_id)
        for expiry, left in ((date(2036, 11, 25), 1), (date(2036, 11, 28), 4), (TODAY, 0)):
            assert terms.ends.left(NFO, expiry, TODAY) == left
        assert terms.ends.left(NFO, date(2036, 12, 1), TODAY) is None  # E-5, over a weekend
        it = option(date(2036, 11, 25))
        contract = Contract(True, it.strike, it.kind, 750, it.expiry, it.symbol)
        by = Footing(terms.rates, NFO, TODAY, terms.ends)
        asked = (contract, Product.MARGIN, Side.BUY, 750, parse_price("20"))
        # nobody looked the share's close up, so it counts as in the money: 14 % of 6 lakh
        assert for_order(*asked, by) == parse_money("15000") + parse_money("84000")

    days_pass(home, story)


def test_a_market_has_reopened_once_a_later_day_of_it_has_opened(home: dict[str, str]) -> None:
    cases = (
        ("2036-11-24", "2036-11-25 00:05:00", False),
        ("2036-11-24", "2036-11-25 09:14:59", False),
        ("2036-11-24", "2036-11-25 09:15:00", True),
        ("2036-11-28", "2036-11-30 12:00:00", False),  # a weekend
        ("2036-11-28", "2036-12-01 09:15:00", True),
        ("2037-12-31", "2038-02-01 12:00:00", False),  # a year that nobody knows
    )

    async def story(days: Days) -> None:
        market = days.house.floor.market
        for day, at, has in cases:
            asked = (Segment.NSE_EQ, date.fromisoformat(day), parse_ist(at))
            assert market.has_reopened(*asked) is has, at

    days_pass(home, story)


def test_the_last_day_is_known_without_the_days_behind_it() -> None:
    last = Ends(days={NFO: ()})
    assert last.left(NFO, TODAY, TODAY) == 0
    assert last.left(NFO, date(2036, 11, 25), TODAY) is None
    assert NO_ENDS.left(NFO, TODAY, TODAY) is None


def test_an_account_pays_by_the_plan_that_is_set_for_it(home: dict[str, str]) -> None:
    async def story(days: Days) -> None:
        floor, account, main = days.house.floor, days.desk.account_id, days.house.stores["main"]
        assert floor.terms_of(account).plan == "paper"
        for plan, counts in (("dhan", "dhan"), ("nobody's", "paper")):
            wish = Wish(category="charges", key="plans", value={str(account): plan})
            await main.write(set_config, days.house.vault, ACTOR, wish, days.clock())
            await days.house.revisions.look()
            await floor.renew()
            assert floor.terms_of(account).plan == counts
            assert floor.terms_of(account + 1).plan == "paper"

    days_pass(home, story)


@pytest.mark.parametrize("wrong", [["dhan"], {"seven": "dhan"}, {"7": 20}])
def test_plans_that_cannot_be_read_are_said_and_not_used(
    wrong: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def get(_category: str, _key: str) -> Any:
        return wrong

    with caplog.at_level(logging.WARNING, "bahi.floor"):
        assert asyncio.run(_read(get)) == {}
    assert "charges.plans" in caplog.text


def test_nobody_has_to_set_plans() -> None:
    async def get(_category: str, _key: str) -> Any:
        raise NotFound("no such setting")

    assert asyncio.run(_read(get)) == {}


async def _read(get: Get) -> Mapping[int, str]:
    return await plans_of(get)
