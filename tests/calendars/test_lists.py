"""Brokers' lists are looked at each morning: a missing year is taken, a known one compared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from bahi.bootstrap import House
from bahi.calendar.service import days_as_entered
from bahi.kernel.clock import StoppedClock
from bahi.kernel.words import BrokerSlug
from bahi.notify.service import find_open
from tests.brokers.simulators import OpenAlgoSimulator, UpstoxSimulator
from tests.brokers.simulators.server import Answer, Asked, Route
from tests.calendars.known import MCX, NFO, NSE, day
from tests.living import MORNING
from tests.test_office import do, live
from tests.tokens.test_logins import application, enter

YEAR = MORNING.year
CLOSED = ["NSE", "NFO", "CDS", "BSE", "BFO", "BCD", "MCX"]


def a_list(year: int, days: int, closed: list[str] = CLOSED) -> dict[str, Any]:
    first = date(year, 12, 1)
    entry = {"description": "Holiday", "holiday_type": "TRADING_HOLIDAY", "open_exchanges": []}
    return {
        "status": "success",
        "data": [
            {**entry, "date": str(first + timedelta(days=n)), "closed_exchanges": closed}
            for n in range(days)
        ],
    }


class Upstox(UpstoxSimulator):
    listed: Any = a_list(YEAR, 12)

    def routes(self) -> Mapping[tuple[str, str], Route]:
        answer = {("GET", "/v2/market/holidays"): lambda _asked: Answer(body=self.listed)}
        return {**super().routes(), **answer}


class Host(OpenAlgoSimulator):
    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {**super().routes(), ("POST", "/api/v1/market/holidays"): self._holidays}

    def _holidays(self, asked: Asked) -> Answer:
        said = asked.json()
        assert said["apikey"] in {it.secret for it in self.applications.values()}
        return Answer(body=a_list(said["year"], 10))


def upstox() -> Upstox:
    return Upstox([application(BrokerSlug.UPSTOX)], StoppedClock(MORNING))


def test_a_year_that_is_missing_is_taken_from_a_brokers_list(home: dict[str, str]) -> None:
    with upstox() as server:

        async def story(house: House, clock: StoppedClock) -> None:
            main = house.stores["main"]
            await main.write(enter, house, BrokerSlug.UPSTOX, server.url)
            server.listed = a_list(YEAR, 3)
            came = await do(house, "calendar_check")
            assert came == {
                "missing": YEAR, "lists": {"upstox": f"it has no list of {YEAR} yet"}
            }  # fmt: skip
            assert await main.read(find_open, "calendar", fresh=True) is not None
            server.listed = a_list(YEAR, 12)
            assert (await do(house, "calendar_check"))["missing"] is None
            assert await main.read(find_open, "calendar", fresh=True) is None
            days = await days_as_entered(main)
            closed = days.hours_on(NSE, day(f"{YEAR}-12-01"))
            assert (closed.is_trading_day, closed.is_verified) == (False, False)
            assert days.is_trading_day(MCX, day(f"{YEAR}-11-28")) is True

        live(home, story, server.url)


def test_a_year_that_is_known_is_compared_and_people_are_told(home: dict[str, str]) -> None:
    with upstox() as server:

        async def story(house: House, clock: StoppedClock) -> None:
            main = house.stores["main"]
            await main.write(enter, house, BrokerSlug.UPSTOX, server.url)
            await do(house, "calendar_check")
            server.listed = a_list(YEAR, 16, ["NFO"])
            came = await do(house, "calendar_check")
            assert came["lists"]["upstox"].endswith("days are otherwise in its list")
            alert = await main.read(find_open, "calendar:upstox", fresh=True)
            assert alert is not None
            assert f"{YEAR}-12-15 full_day for {NFO}" in alert.message
            days = await days_as_entered(main)
            assert days.is_trading_day(NFO, day(f"{YEAR}-12-15")) is True  # nothing changed
            server.listed = a_list(YEAR, 12)
            came = await do(house, "calendar_check")
            assert came["lists"] == {"upstox": "it says what is entered"}
            assert await main.read(find_open, "calendar:upstox", fresh=True) is None

        live(home, story, server.url)


def test_a_broker_that_answers_something_else_does_no_harm(home: dict[str, str]) -> None:
    with upstox() as server:

        async def story(house: House, clock: StoppedClock) -> None:
            await house.stores["main"].write(enter, house, BrokerSlug.UPSTOX, server.url)
            server.listed = {"status": "error"}
            came = await do(house, "calendar_check")
            assert came["missing"] == YEAR
            assert came["lists"]["upstox"].startswith("not asked: This is no list of holidays")

        live(home, story, server.url)


def test_an_openalgo_host_is_asked_for_the_year_with_its_key(home: dict[str, str]) -> None:
    with Host([application(BrokerSlug.OPENALGO)], StoppedClock(MORNING)) as host:

        async def story(house: House, clock: StoppedClock) -> None:
            await house.stores["main"].write(enter, house, BrokerSlug.OPENALGO, host.url)
            await do(house, "auto_login", broker="openalgo")
            came = await do(house, "calendar_check")
            assert came["missing"] is None
            assert came["lists"]["openalgo"] == f"70 days of {YEAR} were taken from its list"

        live(home, story, host.url)
