"""Market days, kept: what comes with Bahi, what people bring in, and when the house knows of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.audit.service import recent
from bahi.bootstrap import House
from bahi.bootstrap.office import handlers_of
from bahi.calendar import service
from bahi.calendar.model import (
    Document,
    Facts,
    MarketDays,
    Phase,
    SquareOff,
    SquareOffFact,
    read_document,
)
from bahi.calendar.model.document import document_of
from bahi.calendar.service import (
    LiveCalendar,
    TimesOf,
    exceptions_of,
    furnish,
    import_days,
    remove_day,
    remove_square_offs,
    remove_year,
    set_day,
    set_square_offs,
    shipped,
    what_is_missing,
)
from bahi.db.migrate import Migrator
from bahi.db.opening import Database
from bahi.db.revisions import Revisions
from bahi.db.tx import Tx
from bahi.jobs import service as jobs
from bahi.jobs.model import Retry, Terms
from bahi.jobs.service import JobContext
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.clock import IST
from bahi.kernel.errors import Forbidden, Invalid, NotFound
from bahi.kernel.words import BrokerSlug, Role, Segment
from bahi.migrations import history
from bahi.notify.model import Severity
from bahi.notify.service import list_alerts
from tests.calendars.known import DAYS, EVERY, FACTS, MCX, NFO, NSE, at, day
from tests.living import MORNING, live_in, stopped

WHO = the_house("test")
_COUNT = sa.text("SELECT count(*) FROM trading_sessions")
NOW = at("2026-11-20 12:00")
DIWALI = {
    "date": "2026-11-08",
    "segments": ["NSE"],
    "kind": "muhurat",
    "description": "Diwali Laxmi Pujan",
    "sessions": ["18:00-19:00"],
    "source": "NSE circular",
}


async def days_of(house: House) -> MarketDays:
    return await house.calendar.days()


def a_document(*entries: dict[str, Any]) -> Document:
    return document_of(entries)


def test_the_first_start_enters_what_comes_with_bahi_and_the_second_nothing(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        await house.furnish()
        found = (await days_of(house)).facts
        assert same(found, FACTS)
        await house.furnish()
        assert same((await days_of(house)).facts, found)
        assert await main.read(lambda tx: tx.row(_COUNT), fresh=True) == (len(FACTS.weekly),)

    live_in(home, story)


def same(one: Facts, other: Facts) -> bool:
    """Compare facts whatever their order."""
    names = ("weekly", "days", "years", "square_offs", "auctions")
    return all(set(getattr(one, it)) == set(getattr(other, it)) for it in names)


def test_several_starts_at_once_enter_it_once(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        await asyncio.gather(*(furnish(main, NOW) for _ in range(4)))
        assert same((await days_of(house)).facts, FACTS)

    live_in(home, story)


def test_what_people_entered_survives_every_start(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def later(release: int) -> Any:
        """Know, in a second release, the hours of Diwali and of a day that was removed."""
        if release < 1:
            yield 1, FACTS
        if release < 2:
            news = a_document(
                {**DIWALI, "segments": ["NSE", "NFO"], "sessions": ["18:15-19:15"]},
                {**DIWALI, "date": "2026-12-25", "kind": "full_day", "sessions": []},
            ).days
            yield 2, Facts(days=tuple(replace(it, is_shipped=True) for it in news))

    async def story(house: House) -> None:
        main = house.stores["main"]
        await house.furnish()
        await main.write(import_days, WHO, a_document(DIWALI), NOW)
        await main.write(remove_day, WHO, [NSE], day("2026-11-24"), NOW)
        await house.furnish()
        days = await days_of(house)
        assert opens(days, NSE) == ["18:00"]
        assert days.is_trading_day(NSE, day("2026-11-24")) is True

        monkeypatch.setattr(shipped, "newer_than", later)
        monkeypatch.setattr(shipped, "RELEASE", 2)
        await house.furnish()
        days = await days_of(house)
        assert opens(days, NSE) == ["18:00"]  # a person's word stays
        assert opens(days, NFO) == ["18:15"]  # what was ours is corrected
        assert days.is_trading_day(NSE, day("2026-11-24")) is True  # what was removed stays away
        assert days.hours_on(NSE, day("2026-12-25")).reason == "Diwali Laxmi Pujan"

    live_in(home, story)


def opens(days: MarketDays, segment: Segment) -> list[str]:
    sessions = days.hours_on(segment, day("2026-11-08")).sessions
    return [f"{it.starts:%H:%M}" for it in sessions or () if it.phase is Phase.OPEN]


def test_a_file_is_brought_in_whole_and_the_trail_tells(home: dict[str, str]) -> None:
    text = json.dumps(
        {
            "source": "NSE circular",
            "days": [
                {"date": "2027", "segments": "all", "kind": "year"},
                {"date": "2027-01-26", "segments": "all", "kind": "full_day", "description": "R"},
                DIWALI,
            ],
        }
    )

    async def story(house: House) -> None:
        main = house.stores["main"]
        await house.furnish()
        came = await main.write(import_days, WHO, read_document(text), NOW)
        assert (came.added, came.changed, came.same, len(came.years)) == (7, 1, 0, 7)
        days = await days_of(house)
        assert days.state(NSE, at("2027-01-04 11:00")).is_open is True
        assert days.state(NSE, at("2027-01-26 11:00")).reason == "closed: R"
        assert len(exceptions_of(days, 2027)) == 7
        again = await main.write(import_days, WHO, read_document(text), NOW)
        assert (again.added, again.changed, again.same) == (0, 0, 8)
        newest = [it for it in await recent(main, WHO) if it.entity_type == "calendar"]
        assert {it.entity_id for it in newest} == set(EVERY)
        (nse,) = [it for it in newest if it.entity_id == NSE and it.old_value]
        assert nse.old_value["2026-11-08"]["sessions"] == []
        assert nse.new_value["2026-11-08"]["sessions"][0]["from"] == "18:00"

    live_in(home, story)


def test_a_brokers_list_fills_what_is_missing_and_replaces_nothing(home: dict[str, str]) -> None:
    entry = {"kind": "full_day", "description": "by the broker", "segments": ["NSE"]}
    document = a_document({**entry, "date": "2026-11-25"}, {**entry, "date": "2026-11-08"})

    async def story(house: House) -> None:
        main = house.stores["main"]
        await house.furnish()

        def bring(tx: Tx) -> service.Imported:
            return import_days(tx, WHO, document, NOW, replacing=False)

        came = await main.write(bring)
        assert (came.added, came.changed) == (1, 0)
        assert [it.day for it in came.kept] == [day("2026-11-08")]
        days = await days_of(house)
        assert days.is_trading_day(NSE, day("2026-11-25")) is False
        assert days.is_trading_day(NSE, day("2026-11-08")) is True

    live_in(home, story)


def test_what_a_person_entered_is_removed_first_and_then_what_came_with_bahi(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        main, wanted = house.stores["main"], day("2026-11-08")
        await house.furnish()
        came = (await days_of(house)).hours_on(NSE, wanted)
        (diwali,) = a_document(DIWALI).days
        await main.write(set_day, WHO, diwali, NOW)
        assert opens(await days_of(house), NSE) == ["18:00"]
        (removed,) = await main.write(remove_day, WHO, [Segment.NSE_INDEX], wanted, NOW)
        assert removed.was == diwali
        assert removed.now is not None
        assert (await days_of(house)).hours_on(NSE, wanted) == came
        (removed,) = await main.write(remove_day, WHO, [NSE], wanted, NOW)
        assert (removed.was.is_shipped, removed.now) == (True, None)
        assert (await days_of(house)).is_trading_day(NSE, wanted) is False
        with pytest.raises(NotFound, match="Nothing is entered of 2026-11-08 for NSE_EQ"):
            await main.write(remove_day, WHO, [NSE], wanted, NOW)
        newest = [it for it in await recent(main, WHO) if it.action == "remove"]
        assert [it.new_value is None for it in sorted(newest, key=lambda it: it.id)] == [
            *(False, True),
        ]

    live_in(home, story)


def test_a_day_is_removed_of_several_markets_at_once(home: dict[str, str]) -> None:
    hours = {**DIWALI, "date": "2026-11-29", "segments": ["NSE", "MCX"]}

    async def story(house: House) -> None:
        main, wanted = house.stores["main"], day("2026-11-29")
        await house.furnish()
        await main.write(import_days, WHO, a_document(hours), NOW)
        removed = await main.write(remove_day, WHO, EVERY, wanted, NOW)
        assert [it.was.segment for it in removed] == [NSE, MCX]
        assert (await days_of(house)).is_trading_day(MCX, wanted) is False

    live_in(home, story)


def test_a_year_is_taken_back(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        await house.furnish()
        assert await main.write(remove_year, WHO, [Segment.NSE_INDEX, NSE], 2026, NOW) == (NSE,)
        assert (await days_of(house)).state(NSE, NOW).is_open is None
        assert (await days_of(house)).state(NFO, NOW).is_open is True
        with pytest.raises(NotFound, match="The list of 2026 is not complete for NSE_EQ anyway"):
            await main.write(remove_year, WHO, [NSE], 2026, NOW)
        again = {"date": "2026", "segments": ["NSE"], "kind": "year"}
        await main.write(import_days, WHO, a_document(again), NOW)  # its days were never gone
        assert (await days_of(house)).state(NSE, NOW).is_open is True

    live_in(home, story)


def test_no_list_is_complete_without_a_holiday_in_it(home: dict[str, str]) -> None:
    """Or 2027-01-26 would be open everywhere, confirmed, and nobody warned any more."""
    year = {"date": "2027", "segments": "all", "kind": "year"}
    holiday = {**year, "date": "2027-01-26", "kind": "full_day", "description": "Republic Day"}
    settles = {**holiday, "kind": "ordinary"}
    unlisted = {**holiday, "segments": [str(it) for it in EVERY[1:]]}

    async def story(house: House) -> None:
        main = house.stores["main"]
        await house.furnish()
        for entries in ([year], [year, settles], [year, unlisted]):
            with pytest.raises(Invalid, match="The list of 2027 for NSE_EQ would be complete with"):
                await main.write(import_days, WHO, a_document(*entries), NOW)
        assert not (await days_of(house)).is_year_known(MCX, 2027)
        assert exceptions_of(await days_of(house), 2027) == []
        await main.write(import_days, WHO, a_document(year, holiday), NOW)
        # nor does it become so, by whatever way its last holiday would go
        with pytest.raises(Invalid, match="take the year back with `bahi calendar remove 2027`"):
            await main.write(remove_day, WHO, [MCX], day("2027-01-26"), NOW)
        with pytest.raises(Invalid):
            await main.write(import_days, WHO, a_document(settles), NOW)
        await main.write(remove_year, WHO, [MCX], 2027, NOW)
        await main.write(remove_day, WHO, [MCX], day("2027-01-26"), NOW)
        assert (await days_of(house)).is_trading_day(MCX, day("2027-01-26")) is None

    live_in(home, story)


SINCE = day("2026-11-23")
EARLIER = SquareOffFact(
    broker=BrokerSlug.KITE,
    segment=NSE,
    at=time(15, 10),
    valid_from=SINCE,
    source="mail of the broker",
)


def test_square_off_times_are_entered_from_a_day_on_and_taken_back(home: dict[str, str]) -> None:
    kite, later = BrokerSlug.KITE, day("2026-11-25")

    async def story(house: House) -> None:
        main = house.stores["main"]
        await house.furnish()

        async def times(on: date) -> list[str]:
            days = await days_of(house)
            found = [
                days.square_off_at(kite, NSE, on, in_closing_auction=it) for it in (False, True)
            ]
            return [f"{it.at:%H:%M} {it.source}" for it in map(in_india, found)]

        async def enter(fact: SquareOffFact) -> None:
            await main.write(set_square_offs, WHO, [fact], NOW)

        await enter(EARLIER)
        assert await times(day("2026-11-20")) == ["15:20 the ", "15:20 the "]
        assert await times(SINCE) == ["15:10 mail", "15:10 mail"]
        await enter(replace(EARLIER, in_closing_auction=True, at=None, minutes_before_close=30))
        assert await times(SINCE) == ["15:10 mail", "14:45 mail"]  # its trading ends at 15:15
        await enter(replace(EARLIER, valid_from=later, at=time(15, 5)))
        assert await times(later) == ["15:05 mail", "15:05 mail"]  # the newest word
        await enter(EARLIER)  # for both: the half gives way
        assert await times(SINCE) == ["15:10 mail", "15:10 mail"]
        whose = TimesOf(kite, frozenset({NSE, NFO}))
        for since in (later, SINCE):
            assert await main.write(remove_square_offs, WHO, whose, since, NOW) == (NSE,)
        assert await times(later) == ["15:20 the ", "15:20 the "]
        with pytest.raises(NotFound, match="Nobody entered a time of kite from 2026-11-23 on"):
            await main.write(remove_square_offs, WHO, whose, SINCE, NOW)
        trail = [it for it in await recent(main, WHO) if it.action == "square_off"]
        assert len(trail) == 6

    live_in(home, story)


def in_india(found: SquareOff | None) -> SquareOff:
    assert found is not None
    return found._replace(at=found.at.astimezone(IST), source=f"{found.source:.4}")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"at": None}, "Say one of both"),
        ({"minutes_before_close": 5}, "Say one of both"),
        ({"at": None, "minutes_before_close": 0}, "0 minutes before the close is no time"),
        ({"valid_from": None}, "Say from when on"),
        ({"valid_from": day("9999-12-31")}, "Say from when on"),
        ({"source": " "}, "Say who says so"),
    ],
)
def test_a_square_off_time_that_nobody_can_mean_is_refused(change: Any, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        replace(EARLIER, **change).check_entered()


def test_only_an_admin_changes_market_days(home: dict[str, str]) -> None:
    trader = Actor(name="t", user_id=1, role=Role.TRADER)
    (diwali,) = a_document(DIWALI).days

    async def story(house: House) -> None:
        main = house.stores["main"]
        for fn, args in (
            (import_days, (a_document(DIWALI),)),
            (set_day, (diwali,)),
            (remove_day, ([NSE], diwali.day)),
            (remove_year, ([NSE], 2026)),
            (set_square_offs, ([EARLIER],)),
            (remove_square_offs, (TimesOf(BrokerSlug.KITE, frozenset({NSE})), NOW.date())),
        ):
            with pytest.raises(Forbidden):
                await main.write(fn, trader, *args, NOW)

    live_in(home, story)


def test_every_process_knows_of_a_change_and_nobody_reads_without_one(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        await house.furnish()
        time_s = 0.0
        elsewhere = Revisions(main, lambda: time_s)
        calendar = LiveCalendar(main, elsewhere)
        await elsewhere.look()
        before = await calendar.days()
        assert await calendar.days() is before
        await main.write(import_days, WHO, a_document(DIWALI), NOW)
        assert await calendar.days() is before  # less than a second ago
        await elsewhere.look()
        after = await calendar.days()
        assert opens(after, NSE) == ["18:00"]
        await main.write(remove_day, WHO, [NSE], day("2026-11-08"), NOW)
        time_s = 1.0  # the numbers are too old to be trusted: the database is asked
        assert opens(await calendar.days(), NSE) == []

    live_in(home, story)


def test_what_is_missing_is_said_from_december_on() -> None:
    assert what_is_missing(DAYS, at("2026-11-30 23:59")) is None
    said = what_is_missing(DAYS, at("2026-12-01 00:00"))
    assert said is not None
    assert said.sentence.startswith("The market days of 2027 are not known for NSE_EQ, ")
    later = what_is_missing(DAYS, at("2027-05-01 00:00"))
    assert later is not None
    assert later.year == 2027


def test_the_house_warns_each_day_until_the_year_is_there(home: dict[str, str]) -> None:
    this, following = MORNING.year, MORNING.year + 1
    feast = {"segments": "all", "kind": "full_day", "description": "a holiday"}
    whole = [
        [{"date": str(year), "segments": "all", "kind": "year"}, {**feast, "date": f"{year}-01-26"}]
        for year in (this, following)
    ]

    async def story(house: House) -> None:
        main = house.stores["main"]
        await house.furnish()
        assert await do(house, "calendar_check") == {"missing": this}
        assert [it.severity for it in await open_alerts(house)] == [Severity.CRITICAL]
        await main.write(import_days, WHO, a_document(*whole[0]), MORNING)
        assert await do(house, "calendar_check") == {"missing": None}
        assert await open_alerts(house) == []
        house.clock.advance(timedelta(days=7))  # type: ignore[attr-defined]
        for times in (1, 2):
            assert await do(house, "calendar_check") == {"missing": following}
            (alert,) = await open_alerts(house)
            assert (alert.topic, alert.times, alert.severity) == (
                *("calendar", times, Severity.WARNING),
            )
        assert f"The market days of {following} are not known" in alert.message
        await main.write(import_days, WHO, a_document(*whole[1]), house.clock())
        assert await do(house, "calendar_check") == {"missing": None}
        assert await open_alerts(house) == []
        assert "calendar_check" in {it.job_type for it in house.schedules}

    live_in(home, story, clock=stopped())


async def open_alerts(house: House) -> list[Any]:
    found = await list_alerts(house.stores["main"], WHO)
    return [it for it in found if it.source == "calendar" and it.acknowledged_at is None]


async def do(house: House, job_type: str) -> dict[str, Any]:
    main, now = house.stores["main"], house.clock()

    def ask(tx: Tx) -> None:
        jobs.enqueue(tx, WHO.name, job_type, {}, now)

    await main.write(ask)
    terms = Terms("test", 3600, {job_type: Retry()})
    (job,) = await main.write(jobs.claim, terms, now, 1)
    result = await handlers_of(house)[job_type](JobContext(job, main, house.clock))
    await main.write(jobs.complete, job, result, house.clock())
    assert result is not None
    return result


def test_a_step_back_takes_what_came_with_bahi_and_a_step_up_brings_it_again(
    home: dict[str, str],
) -> None:
    """What a person entered stays, as far as the older schema can say it."""

    async def enter(house: House) -> str:
        await house.furnish()
        await house.stores["main"].write(import_days, WHO, a_document(DIWALI), NOW)
        return house.settings.urls["main"]

    moves = Migrator(Database("main", live_in(home, enter)), history("main"))
    moves.downgrade(2)
    with moves.database.opened() as core:
        left = core.exec_driver_sql("SELECT date, market_open FROM market_holidays").all()
    assert [tuple(it) for it in left] == [("2026-11-08", "18:00")]
    moves.upgrade()

    async def look(house: House) -> None:
        await house.furnish()
        days = await days_of(house)
        assert days.state(MCX, at("2026-11-24 18:00")).is_open is True
        assert days.state(NFO, at("2024-03-02 10:30")).phase is Phase.BREAK

    live_in(home, look)


def test_the_sources_own_questions_are_answered(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await house.furnish()
        url = house.settings.urls["main"]
        with Database("main", url).opened() as core:
            ask = core.exec_driver_sql
            templates = ask(
                "SELECT id, name, timezone, is_active, created_at FROM trading_hours_templates"
                " WHERE name = 'NSE_EQ'"
            ).all()
            assert [it[1:4] for it in templates] == [("NSE_EQ", "Asia/Kolkata", 1)]
            hours = ask(
                "SELECT market_open, market_close FROM trading_sessions s"
                f" WHERE calendar_id = {templates[0][0]} AND day_of_week = 0"
                " AND is_trading_day = 1 AND market_open IS NOT NULL"
            ).all()
            assert {tuple(it) for it in hours} == {("09:15", "15:30")}
            holiday = ask(
                "SELECT description, holiday_type FROM market_holidays"
                f" WHERE calendar_id = {templates[0][0]} AND date = '2026-01-26'"
            ).all()
            assert [tuple(it) for it in holiday] == [("Republic Day", "full_day")]

    live_in(home, story)


def test_a_day_that_another_hand_entered_is_read_as_far_as_it_goes(home: dict[str, str]) -> None:
    """An importer of the older schema knows one session a day, or only the kind."""

    async def story(house: House) -> None:
        await house.furnish()

        def enter(tx: Tx) -> None:
            calendar = "(SELECT id FROM trading_calendars WHERE segment = 'NSE_EQ')"
            for n, (text, kind, opens, closes) in enumerate(
                (
                    ("2026-11-26", "special", "10:00", "12:00"),
                    ("2026-11-27", "muhurat", None, None),
                )
            ):
                tx.change(
                    sa.text(
                        "INSERT INTO market_holidays (id, calendar_id, date, holiday_type,"
                        " market_open, market_close) VALUES"
                        f" ({n + 1}, {calendar}, :day, :kind, :opens, :closes)"
                    ),
                    {"day": text, "kind": kind, "opens": opens, "closes": closes},
                )

        await house.stores["main"].write(enter)
        days = await days_of(house)
        assert days.state(NSE, at("2026-11-26 11:00")).is_open is True
        assert days.state(NSE, at("2026-11-26 13:00")).is_open is False
        assert days.state(NSE, at("2026-11-27 11:00")).is_open is None

    live_in(home, story)
