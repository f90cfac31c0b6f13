"""The symbol master in memory: found at once, whole, and new in every process after a load."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from bahi.bootstrap import House
from bahi.bootstrap.masters import load_shipped
from bahi.instruments.model.loads import Covers, Wanted
from bahi.instruments.service.live import LiveInstruments
from bahi.instruments.service.loading import Pieces, load_master
from bahi.kernel.actor import the_house
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.listings import Listing
from bahi.kernel.money import Price, parse_price
from bahi.kernel.words import BrokerSlug, InstrumentType, OptionType, Segment
from tests.living import live_in, stopped

ME = the_house("tests")
FRIDAY = datetime(2036, 11, 21, 3, 0, tzinfo=UTC)


async def at_once(listings: Sequence[Listing]) -> Pieces:
    yield listings


def a_share(symbol: str, token: str, lot: int = 1) -> Listing:
    return Listing(
        1, Segment.NSE_EQ, symbol, symbol, token, InstrumentType.EQUITY,
        exchange_token=token, lot_size=lot, tick_size=Price(500), series="EQ",
    )  # fmt: skip


async def load(house: House, listings: Sequence[Listing], day: date) -> None:
    wanted = Wanted(
        broker=BrokerSlug.KITE, source="a test", day=day, is_checked=True, covers=Covers.PART
    )
    await load_master(house.stores["main"], ME, wanted, at_once(listings), house.clock)


def test_the_small_master_is_there_from_the_first_start(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await house.furnish()
        catalogue = await house.instruments.catalogue()
        nifty = catalogue.get("nifty", "NSE_INDEX")
        assert (nifty.exchange, nifty.is_tradable) == ("NSE_INDEX", False)
        future = catalogue.search("nifty fut", today=date(2026, 11, 21))[0]
        assert (future.root, future.lot_size, future.largest_order) == ("NIFTY", 65, 1755)
        assert catalogue.underlying_of(future) == nifty
        chain = catalogue.chain("NIFTY", "NSE")
        bought = chain.by_offset(chain.expiries[0], parse_price("24111"), "ATM", OptionType.CE)
        assert bought.strike == parse_price("24100")

    live_in(home, story)


def test_it_is_renewed_each_day_and_what_ended_stays_by_its_id(home: dict[str, str]) -> None:
    clock = stopped(FRIDAY)

    async def story(house: House) -> None:
        await load_shipped(house, ME)
        before = await house.instruments.newest()
        (ending, *_others) = before.expiries("NIFTY", "NFO", is_option=True)
        old = next(it for it in before if it.expiry == str(ending) and it.root == "NIFTY")
        clock.set(datetime.combine(ending, FRIDAY.timetz()) + timedelta(days=1))
        await load_shipped(house, ME)
        after = await house.instruments.newest()
        assert ending not in after.expiries("NIFTY", "NFO")
        assert after.find(old.symbol, Segment.NSE_FNO) is None
        assert (await house.instruments.by_id(old.id)).symbol == old.symbol

    live_in(home, story, clock)


def test_another_process_sees_a_new_master_within_its_next_look(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        day = date(2036, 11, 21)
        await load(house, [a_share("RELIANCE", "2885")], day)
        await house.revisions.look()
        other = LiveInstruments(house.stores["main"], house.revisions)
        assert (await other.catalogue()).find("TCS", Segment.NSE_EQ) is None
        await load(house, [a_share("RELIANCE", "2885"), a_share("TCS", "11536")], day)
        await house.revisions.look()
        before = await other.catalogue()
        assert before.find("RELIANCE", Segment.NSE_EQ)  # never without one while it reads
        assert (await other.newest()).find("TCS", Segment.NSE_EQ)
        await other.close()

    live_in(home, story, stopped(FRIDAY))


def test_a_broker_and_we_find_each_others_names(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        day = date(2036, 11, 21)
        twin = a_share("TWIN", "500")._replace(segment=Segment.BSE_EQ)
        await load(house, [a_share("RELIANCE", "2885"), a_share("ONE", "500"), twin], day)
        names = await house.instruments.names(BrokerSlug.KITE)
        catalogue = await house.instruments.catalogue()
        reliance = catalogue.get("RELIANCE", "NSE")
        assert names.instrument_id("2885") == reliance.id
        assert names.of(reliance.id).security_id == "2885"  # type: ignore[union-attr]
        assert names.instrument_id("500") is None  # two things: which one, nobody can say
        assert names.instrument_id("500", Segment.BSE_EQ) == catalogue.get("TWIN", "BSE").id
        assert names.instrument_id("nobody's") is None
        assert (await house.instruments.names(BrokerSlug.DHAN)).of(reliance.id) is None

    live_in(home, story, stopped(FRIDAY))


def test_terms_are_those_of_the_day(home: dict[str, str]) -> None:
    clock = stopped(FRIDAY)

    async def story(house: House) -> None:
        first, later = date(2036, 11, 21), date(2036, 12, 1)
        await load(house, [a_share("RELIANCE", "2885", lot=1)], first)
        clock.advance(later - first)
        await load(house, [a_share("RELIANCE", "2885", lot=5)], later)
        it = (await house.instruments.newest()).get("RELIANCE", "NSE")
        for day, lot in ((first, 1), (date(2036, 11, 30), 1), (later, 5), (date(2040, 1, 1), 5)):
            assert (await house.instruments.terms_on(it.id, day)).lot_size == lot, day
        with pytest.raises(NotFound, match="not known here"):
            await house.instruments.terms_on(it.id, date(2036, 11, 20))

    live_in(home, story, clock)


def test_what_is_not_listed_is_refused_with_what_may_be_meant(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await house.furnish()
        catalogue = await house.instruments.catalogue()
        with pytest.raises(NotFound, match="There is NIFTY at NSE_INDEX"):
            catalogue.get("NIFTY", "NSE")
        with pytest.raises(NotFound, match="there are NSE, BSE, NFO"):
            catalogue.get("NIFTY", "NASDAQ")
        with pytest.raises(NotFound, match="No contract on 'NOBODY'"):
            catalogue.chain("NOBODY", "NFO")
        chain = catalogue.chain("NIFTY", "NFO")
        with pytest.raises(Invalid, match="offset"):
            chain.by_offset(chain.expiries[0], parse_price("24100"), "MTA", OptionType.CE)

    live_in(home, story)


def test_many_who_ask_at_once_read_it_once(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await house.furnish()
        live = LiveInstruments(house.stores["main"], house.revisions)
        found = await asyncio.gather(*(live.catalogue() for _ in range(20)))
        assert len({id(it) for it in found}) == 1

    live_in(home, story)


def test_ours_yields_to_a_brokers_master_segment_by_segment(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        day = date(2036, 11, 21)
        await load_shipped(house, ME)
        ours = await house.instruments.newest()
        assert ours.find("TCS", Segment.NSE_EQ)
        await load(house, [a_share("RELIANCE", "2885")._replace(tick_size=Price(100))], day)
        await load_shipped(house, ME)
        both = await house.instruments.newest()
        kept = both.get("RELIANCE", "NSE")
        assert (kept.id, kept.tick_size) == (ours.get("RELIANCE", "NSE").id, 100)
        assert both.find("TCS", Segment.NSE_EQ) is None  # the broker does not list it
        assert both.counts()[Segment.NSE_FNO] == ours.counts()[Segment.NSE_FNO]
        await load(house, [a_share("NOBODY", "1")._replace(segment=Segment.MCX_COMM)], day)
        await load_shipped(house, ME)
        assert (await house.instruments.newest()).counts()[Segment.MCX_COMM] == 1

    live_in(home, story, stopped(FRIDAY))
