"""Weekly hours and auction rules are people's from a day on, and Bahi's again once taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest

from bahi.audit.service import recent
from bahi.bootstrap import House
from bahi.calendar.model import AuctionRules, Hours, MarketDays, Phase, Weekly, hhmm, hours_of
from bahi.calendar.model.document import BadFile
from bahi.calendar.service import (
    Since,
    days_as_entered,
    remove_auction,
    remove_hours,
    set_auctions,
    set_hours,
)
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.errors import Forbidden, Invalid, NotFound
from bahi.kernel.words import Role, Segment
from tests.calendars.known import MCX, NSE, day
from tests.calendars.test_service import NOW
from tests.living import live_in

WHO = the_house("tests")
SINCE = day("2026-11-30")
"""A Monday."""
LONGER = Weekly(
    segment=NSE,
    weekday=0,
    sessions=(Hours(Phase.OPEN, time(9), time(17)),),
    valid_from=SINCE,
    source="circular",
)
RULES = AuctionRules(
    segment=NSE, valid_from=SINCE, order_types=("LIMIT",), collar=20_000, source="circular"
)


def spans(days: MarketDays, on: date, segment: Segment = NSE) -> list[str]:
    sessions = days.hours_on(segment, on).sessions or ()
    found = [it for it in sessions if it.phase is Phase.OPEN]
    return [f"{hhmm(it.starts)}-{hhmm(it.ends)}" for it in found]


def test_hours_are_entered_from_a_day_on_and_taken_back(home: dict[str, str]) -> None:
    monday, later = SINCE, day("2026-12-07")

    async def story(house: House) -> None:
        main = house.stores["main"]
        await house.furnish()
        (usual,) = spans(await days_as_entered(main), monday)
        assert await main.write(set_hours, WHO, [LONGER], NOW) == (NSE,)
        days = await days_as_entered(main)
        assert spans(days, monday) == ["09:00-17:00"]
        assert [it.phase for it in days.hours_on(NSE, monday).sessions or ()] == [Phase.OPEN]
        assert spans(days, day("2026-11-23")) == [usual]  # before it holds
        assert spans(days, day("2026-12-01")) == [usual]  # another weekday
        twice = hours_of({"sessions": ["09:00-12:00", "13:00-15:00"]})
        await main.write(set_hours, WHO, [replace(LONGER, sessions=twice)], NOW)
        assert spans(await days_as_entered(main), monday) == ["09:00-12:00", "13:00-15:00"]
        shut = replace(LONGER, sessions=(), valid_from=later, valid_until=later)
        await main.write(set_hours, WHO, [shut], NOW)
        days = await days_as_entered(main)
        assert days.is_trading_day(NSE, later) is False  # the newest word
        assert spans(days, day("2026-12-14")) == ["09:00-12:00", "13:00-15:00"]
        for since in (SINCE, later):
            what = Since(frozenset({NSE, MCX}), since)
            assert await main.write(remove_hours, WHO, what, NOW) == (NSE,)
        assert spans(await days_as_entered(main), monday) == [usual]
        with pytest.raises(NotFound, match="Nobody entered any from 2026-11-30 on for NSE_EQ"):
            await main.write(remove_hours, WHO, Since(frozenset({NSE}), SINCE), NOW)
        trail = [it for it in await recent(main, WHO) if it.action == "hours"]
        assert len(trail) == 5

    live_in(home, story)


def test_hours_of_a_season_go_before_those_of_all_the_year(home: dict[str, str]) -> None:
    always = replace(LONGER, segment=MCX)
    winter = replace(
        always, us_daylight=False, sessions=(Hours(Phase.OPEN, time(10), time(23, 50)),)
    )

    async def story(house: House) -> None:
        main = house.stores["main"]
        await house.furnish()
        await main.write(set_hours, WHO, [always], NOW)
        await main.write(set_hours, WHO, [winter], NOW)
        days = await days_as_entered(main)
        assert spans(days, SINCE, MCX) == ["10:00-23:50"]  # New York has winter time
        await main.write(set_hours, WHO, [always], NOW)  # for both: the half gives way
        assert spans(await days_as_entered(main), SINCE, MCX) == ["09:00-17:00"]

    live_in(home, story)


def test_the_rules_of_an_auction_are_entered_and_taken_back(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        await house.furnish()

        async def collar(on: date) -> int | None:
            rules = (await days_as_entered(main)).auction_rules(NSE, on)
            assert rules is not None
            return rules.collar

        assert await main.write(set_auctions, WHO, [RULES], NOW) == (NSE,)
        await main.write(set_auctions, WHO, [replace(RULES, collar=10_000)], NOW)
        assert await collar(SINCE) == 10_000
        assert await collar(day("2026-11-27")) == 30_000  # what came with Bahi, before it
        assert await main.write(remove_auction, WHO, Since(frozenset({NSE}), SINCE), NOW) == (NSE,)
        assert await collar(SINCE) == 30_000

    live_in(home, story)


@pytest.mark.parametrize(
    ("fact", "sentence"),
    [
        (replace(LONGER, valid_from=None), "Say from when on"),
        (replace(LONGER, valid_until=day("2026-11-29")), "no last day"),
        (replace(LONGER, source=" "), "Say who says so"),
        (replace(RULES, order_types=("LIMIT", "ANY")), "which orders it takes"),
        (replace(RULES, collar=0), "The collar is a share"),
        (replace(RULES, reference_from=time(15)), "the reference price"),
        (replace(RULES, entry_ends_from=time(15, 30), entry_ends_by=time(15)), "the end of entry"),
    ],
)
def test_what_nobody_can_mean_is_refused(fact: Any, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        fact.check_entered()


def test_hours_that_cannot_be_are_refused() -> None:
    with pytest.raises(BadFile, match="no hour of trading"):
        hours_of({"pre_open": ["09:00-09:15"]})
    with pytest.raises(BadFile, match="begins before"):
        hours_of({"sessions": ["09:00-12:00", "11:00-15:00"]})


def test_only_an_admin_changes_hours(home: dict[str, str]) -> None:
    trader = Actor(name="t", user_id=1, role=Role.TRADER)
    gone = Since(frozenset({NSE}), SINCE)

    async def story(house: House) -> None:
        main = house.stores["main"]
        for fn, what in (
            (set_hours, [LONGER]),
            (set_auctions, [RULES]),
            (remove_hours, gone),
            (remove_auction, gone),
        ):
            with pytest.raises(Forbidden):
                await main.write(fn, trader, what, NOW)

    live_in(home, story)
