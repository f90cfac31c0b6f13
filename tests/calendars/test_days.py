"""What markets do at an instant: by name where somebody would lose money, and by property."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.calendar.model import (
    NO_FACTS,
    DayFact,
    Facts,
    Hours,
    Kind,
    MarketDays,
    Phase,
    UnknownDay,
    Weekly,
    YearFact,
    is_us_daylight,
)
from bahi.calendar.model.facts import us_law_says_daylight
from bahi.kernel.clock import IST, session_boundary
from bahi.kernel.errors import Invalid
from bahi.kernel.words import BrokerSlug, Segment
from tests.calendars.known import (
    BFO,
    BSE,
    CDS,
    DAYS,
    EVERY,
    EXCHANGES,
    FACTS,
    MCX,
    NFO,
    NSE,
    at,
    day,
    phase,
    spans,
    state,
)

MINUTE = timedelta(minutes=1)
WEST = timezone(timedelta(hours=-8))


# By name


def test_a_cash_day_before_the_closing_auction() -> None:
    seen = [
        phase(NSE, f"2026-07-31 {it}")
        for it in ("08:59", "09:00", "09:08", "09:15", "15:29", "15:30", "15:40", "16:00")
    ]
    assert seen == [
        *("CLOSED", "PRE_OPEN", "BREAK", "OPEN"),
        *("OPEN", "BREAK", "POST_CLOSE", "CLOSED"),
    ]
    assert phase(NSE, "2026-07-31 15:20", auction=True) == "OPEN"
    assert DAYS.auction_rules(NSE, day("2026-07-31")) is None


def test_a_cash_day_with_the_closing_auction() -> None:
    in_it = [
        phase(NSE, f"2026-08-03 {it}", auction=True)
        for it in ("15:14", "15:15", "15:34", "15:35", "15:50", "16:00")
    ]
    assert in_it == ["OPEN", "CLOSING_AUCTION", "CLOSING_AUCTION", "BREAK", "POST_CLOSE", "CLOSED"]
    assert state(NSE, "2026-08-03 15:20", auction=True).is_open is True
    out_of_it = [phase(BSE, f"2026-08-03 {it}") for it in ("15:15", "15:29", "15:30", "15:50")]
    assert out_of_it == ["OPEN", "OPEN", "BREAK", "POST_CLOSE"]
    assert state(NSE, "2026-08-03 15:10", auction=True).reason == "open until 15:15"


def test_derivatives_trade_until_1540_since_the_auction_came() -> None:
    assert phase(NFO, "2026-07-31 15:29") == "OPEN"
    assert phase(NFO, "2026-07-31 15:30") == "CLOSED"
    for segment in (NFO, BFO):
        assert phase(segment, "2026-08-03 15:39") == "OPEN"
        assert phase(segment, "2026-08-03 15:40") == "CLOSED"
    assert state(NFO, "2026-08-03 15:00").is_verified
    assert not state(BFO, "2026-08-03 15:00").is_verified  # BSE is only taken to do as NSE


def test_muhurat_of_2024_was_an_hour_in_the_evening() -> None:
    for segment in EXCHANGES:
        assert phase(segment, "2024-11-01 10:00") == "CLOSED"
        assert phase(segment, "2024-11-01 18:00") == "OPEN"
        assert phase(segment, "2024-11-01 19:00") == "CLOSED"
    assert phase(NSE, "2024-11-01 17:45") == "PRE_OPEN"
    assert "Diwali Laxmi Pujan" in state(NSE, "2024-11-01 18:30").reason


def test_muhurat_of_2025_was_an_hour_in_the_afternoon() -> None:
    for segment in EXCHANGES:
        assert phase(segment, "2025-10-21 13:44") != "OPEN"
        assert phase(segment, "2025-10-21 13:45") == "OPEN"
        assert phase(segment, "2025-10-21 14:45") == "CLOSED"
        assert phase(segment, "2025-10-21 18:30") == "CLOSED"


def test_muhurat_of_2026_is_unknown_and_so_is_the_saturday_of_2024() -> None:
    for segment in EVERY:
        assert state(segment, "2026-11-08 18:15").is_open is None
    found = state(NSE, "2024-01-20 10:00")
    assert (found.phase, found.is_open) == (Phase.UNKNOWN, None)
    assert found.reason.startswith("unknown: the hours of Saturday session")
    assert (found.since, found.next_change) == (at("2024-01-20 00:00"), at("2024-01-21 00:00"))


def test_the_drills_of_2024_had_two_sessions_and_a_break() -> None:
    for text in ("2024-03-02", "2024-05-18"):
        for segment in EXCHANGES:
            seen = [
                phase(segment, f"{text} {it}")
                for it in ("09:14", "09:15", "10:00", "11:29", "11:30", "12:29", "12:30")
            ]
            assert seen == ["CLOSED", "OPEN", "BREAK", "BREAK", "OPEN", "OPEN", "CLOSED"]
    assert phase(MCX, "2024-03-02 10:30") == "CLOSED"


def test_the_budget_days_on_a_weekend_trade() -> None:
    for text in ("2025-02-01", "2026-02-01"):
        assert spans(NSE, text) == spans(NFO, text) == ["09:15-15:30"]
    assert spans(MCX, "2026-02-01") == ["09:00-17:00"]
    assert DAYS.hours_on(NSE, day("2026-02-01")).is_settlement_holiday


def test_mcx_has_its_evening_on_most_holidays_of_the_others() -> None:
    assert phase(NSE, "2026-03-03 12:00") == "CLOSED"
    assert phase(MCX, "2026-03-03 12:00") == "CLOSED"
    assert phase(MCX, "2026-03-03 17:00") == "OPEN"
    assert phase(MCX, "2026-03-03 23:54") == "OPEN"  # before New York's change
    assert phase(MCX, "2026-09-14 23:29") == "OPEN"
    assert phase(MCX, "2026-09-14 23:30") == "CLOSED"
    assert state(MCX, "2026-03-03 12:00").reason == "closed: trading begins at 17:00 (Holi)"


@pytest.mark.parametrize(
    "text",
    [
        *("2024-01-26", "2024-03-29", "2024-08-15", "2024-10-02", "2024-12-25"),
        *("2025-04-18", "2025-08-15", "2025-10-02", "2025-12-25"),
        *("2026-01-26", "2026-04-03", "2026-10-02", "2026-12-25"),
    ],
)
def test_mcx_is_closed_all_day(text: str) -> None:
    for hour in ("09:00", "12:00", "17:00", "23:00"):
        assert phase(MCX, f"{text} {hour}") == "CLOSED"
    assert DAYS.is_trading_day(MCX, day(text)) is False


def test_on_new_years_day_mcx_has_no_evening_and_the_others_trade() -> None:
    for text in ("2024-01-01", "2025-01-01", "2026-01-01"):
        assert phase(MCX, f"{text} 16:59") == "OPEN"
        assert phase(MCX, f"{text} 17:00") == "CLOSED"
        assert phase(NSE, f"{text} 12:00") == "OPEN"


@pytest.mark.parametrize(
    ("before", "after", "closes"),
    [
        ("2024-03-07", "2024-03-11", ("23:55", "23:30")),
        ("2024-10-31", "2024-11-04", ("23:30", "23:55")),
        ("2025-03-07", "2025-03-10", ("23:55", "23:30")),
        ("2025-10-31", "2025-11-03", ("23:30", "23:55")),
        ("2026-03-06", "2026-03-09", ("23:55", "23:30")),
        ("2026-10-30", "2026-11-02", ("23:30", "23:55")),
    ],
)
def test_mcx_closes_by_new_yorks_clock(before: str, after: str, closes: tuple[str, str]) -> None:
    assert spans(MCX, before) == [f"09:00-{closes[0]}"]
    assert spans(MCX, after) == [f"09:00-{closes[1]}"]


def test_new_yorks_clock_is_the_same_with_and_without_zone_files() -> None:
    try:
        ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:
        pytest.skip("this machine has no zone files")
    first = date(2007, 1, 1)
    for n in range(366 * 30):
        it = first + timedelta(days=n)
        assert is_us_daylight(it) is us_law_says_daylight(it), it


def test_currency_is_open_until_five_and_says_that_it_is_not_confirmed() -> None:
    assert phase(CDS, "2026-11-20 16:59") == "OPEN"
    assert phase(CDS, "2026-11-20 17:00") == "CLOSED"
    assert not state(CDS, "2026-11-20 12:00").is_verified


def test_a_year_without_data_is_unknown_and_never_open() -> None:
    for segment in (*EVERY, Segment.NSE_INDEX):
        after = state(segment, "2027-01-04 11:00")
        assert (after.phase, after.is_open) == (Phase.UNKNOWN, None)
        assert "2027" in after.reason
        assert (after.since, after.next_change) == (at("2027-01-01 00:00"), None)
        before = state(segment, "2023-12-29 11:00")
        assert (before.is_open, before.since) == (None, None)
        assert before.next_change == at("2024-01-01 00:00")
        assert DAYS.is_trading_day(segment, day("2027-01-04")) is None
    with pytest.raises(UnknownDay, match=r"2027-01-01 is not known: nothing is entered of NSE_EQ"):
        DAYS.trading_days(NSE, day("2026-12-30"), day("2027-01-02"))
    with pytest.raises(UnknownDay):
        DAYS.next_trading_day(NSE, day("2026-12-31"))
    with pytest.raises(UnknownDay):
        DAYS.previous_trading_day(NSE, day("2024-01-01"))
    assert DAYS.auction_rules(NSE, day("2027-01-04")) is None
    assert DAYS.square_off_at(BrokerSlug.KITE, NSE, day("2027-01-04")) is None


def test_where_nothing_is_entered_nothing_is_known() -> None:
    found = MarketDays(NO_FACTS).state(NSE, at("2026-11-20 11:00"))
    assert (found.is_open, found.since, found.next_change) == (None, None, None)


def test_one_day_entered_in_a_year_without_data_is_known_alone() -> None:
    hours = (Hours(Phase.OPEN, at("2027-01-04 14:30").time(), at("2027-01-04 15:30").time()),)
    only = DayFact(
        segment=NSE, day=day("2027-01-04"), kind=Kind.SPECIAL, description="x", sessions=hours
    )
    days = MarketDays(Facts(days=(only,)))
    assert days.is_trading_day(NSE, day("2027-01-04")) is True
    assert days.state(NSE, at("2027-01-03 12:00")).next_change == at("2027-01-04 00:00")
    assert days.state(NSE, at("2027-01-05 12:00")).since == at("2027-01-05 00:00")
    assert days.state(NSE, at("2027-01-05 12:00")).next_change is None


def test_an_index_moves_with_its_exchange() -> None:
    for index, segment in (
        (Segment.NSE_INDEX, NSE),
        (Segment.BSE_INDEX, BSE),
        (Segment.MCX_INDEX, MCX),
    ):
        instant = at("2026-11-20 15:35")
        assert DAYS.state(index, instant) == DAYS.state(segment, instant)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(Invalid):
        DAYS.state(NSE, datetime(2026, 11, 20, 10, 0))  # noqa: DTZ001 - that is the fault


def test_at_the_ends_of_time_nothing_is_known_and_nothing_breaks() -> None:
    ends = [
        (datetime(9999, 12, 31, 23, tzinfo=UTC), at("2027-01-01 00:00"), None),
        (datetime(9999, 12, 31, 23, tzinfo=WEST), at("2027-01-01 00:00"), None),
        (datetime(1, 1, 1, tzinfo=UTC), None, at("2024-01-01 00:00")),
        (datetime(1, 1, 1, tzinfo=IST), None, at("2024-01-01 00:00")),
    ]
    for instant, since, following in ends:
        for segment in EVERY:
            found = DAYS.state(segment, instant)
            assert (found.phase, found.is_open) == (Phase.UNKNOWN, None)
            assert (found.since, found.next_change) == (since, following)
            assert f" in {instant.year};" in found.reason
    for last in (date.min, date.max):
        assert DAYS.is_trading_day(NSE, last) is None
        assert DAYS.square_off_at(BrokerSlug.KITE, NSE, last) is None
        for ask in (DAYS.previous_trading_day, DAYS.next_trading_day, DAYS.expiry_day):
            with pytest.raises(UnknownDay):
                ask(NSE, last)
        with pytest.raises(UnknownDay):
            DAYS.trading_days(NSE, last, last)


def test_what_somebody_entered_of_an_impossible_year_is_not_known() -> None:
    facts = [YearFact(segment=NSE, year=it) for it in (1, 1989, 2101, 9999)]
    only = DayFact(segment=NSE, day=date.max, kind=Kind.FULL_DAY, description="x")
    days = MarketDays(Facts(weekly=FACTS.weekly, days=(only,), years=tuple(facts)))
    for text in ("1989-12-29 11:00", "2101-01-03 11:00"):
        assert days.state(NSE, at(text)).next_change is None
    assert days.state(NSE, datetime.max.replace(tzinfo=UTC)).is_open is None
    assert days.is_trading_day(NSE, date.max) is None


def test_hours_that_are_not_confirmed_make_none_of_the_day_look_so() -> None:
    assert not state(BFO, "2026-08-03 15:40").is_verified  # only taken to close then, as NSE does
    assert not DAYS.hours_on(BFO, day("2026-08-03")).is_confirmed
    assert state(NFO, "2026-08-03 15:40").is_verified
    assert not DAYS.hours_on(NFO, day("2026-08-03")).is_confirmed  # its pre-open is not
    assert DAYS.hours_on(NFO, day("2026-07-31")).is_confirmed
    assert not DAYS.hours_on(CDS, day("2026-07-31")).is_confirmed
    assert DAYS.hours_on(MCX, day("2026-11-24")).is_confirmed


def test_a_break_is_as_sure_as_the_hours_on_both_its_sides() -> None:
    morning = Hours(Phase.OPEN, time(10), time(11))
    noon = Hours(Phase.OPEN, time(12), time(13))
    week = (
        Weekly(segment=NSE, weekday=4, sessions=(morning,)),
        Weekly(segment=NSE, weekday=4, sessions=(noon,), is_verified=False),
    )
    days = MarketDays(Facts(weekly=week, years=(YearFact(segment=NSE, year=2026),)))
    seen = [days.state(NSE, at(f"2026-11-20 {it}:30")).is_verified for it in range(10, 14)]
    assert days.state(NSE, at("2026-11-20 09:30")).is_verified
    assert seen == [True, False, False, False]


# Trading days


def test_trading_days_between_dates() -> None:
    days = DAYS.trading_days(NSE, day("2026-11-20"), day("2026-11-26"))
    assert [it.isoformat() for it in days] == [
        *("2026-11-20", "2026-11-23", "2026-11-25", "2026-11-26"),
    ]
    assert DAYS.next_trading_day(NSE, day("2026-11-23")) == day("2026-11-25")
    assert DAYS.previous_trading_day(NSE, day("2026-11-25")) == day("2026-11-23")
    assert DAYS.next_trading_day(MCX, day("2026-11-23")) == day("2026-11-24")  # in the evening
    with pytest.raises(Invalid):
        DAYS.trading_days(NSE, day("2026-11-26"), day("2026-11-20"))


@pytest.mark.parametrize(
    ("segment", "nominal", "expires"),
    [
        (NFO, "2026-11-24", "2026-11-23"),  # a Tuesday that is a holiday
        (NFO, "2026-11-17", "2026-11-17"),
        (BFO, "2025-10-02", "2025-10-01"),
        (NFO, "2025-10-21", "2025-10-20"),  # the muhurat is no day to expire on
        (NFO, "2024-05-20", "2024-05-17"),  # nor is the drill of Saturday
        (MCX, "2026-11-24", "2026-11-24"),  # an evening is
        (MCX, "2026-12-25", "2026-12-24"),
    ],
)
def test_an_expiry_is_moved_before_a_holiday(segment: Segment, nominal: str, expires: str) -> None:
    assert DAYS.expiry_day(segment, day(nominal)) == day(expires)


def test_the_session_boundary_is_at_three_in_the_morning() -> None:
    assert session_boundary(at("2026-11-20 02:59")) == at("2026-11-20 03:00")
    assert session_boundary(at("2026-11-20 03:00")) == at("2026-11-21 03:00")


# Squaring off, and the auction


@pytest.mark.parametrize(
    ("broker", "segment", "text", "time"),
    [
        ("kite", NSE, "2026-11-20", "15:20"),
        ("kite", NFO, "2026-11-20", "15:25"),
        ("kite", CDS, "2026-11-20", "16:45"),
        ("kite", MCX, "2026-11-20", "23:30"),
        ("kite", MCX, "2026-09-18", "23:05"),
        ("kite", MCX, "2026-01-01", "16:35"),
        ("dhan", MCX, "2026-11-20", "23:45"),
        ("dhan", MCX, "2026-09-18", "23:15"),
        ("upstox", NSE, "2026-11-20", "15:15"),
    ],
)
def test_brokers_square_off(broker: str, segment: Segment, text: str, time: str) -> None:
    found = DAYS.square_off_at(BrokerSlug(broker), segment, day(text))
    assert found is not None
    assert found.at == at(f"{text} {time}")
    assert not found.is_verified  # every page that was found is older than the closing auction
    assert found.source


def test_a_square_off_that_nobody_knows_is_not_guessed() -> None:
    assert DAYS.square_off_at(BrokerSlug.BREEZE, NSE, day("2026-11-20")) is None
    assert DAYS.square_off_at(BrokerSlug.KITE, NSE, day("2025-10-21")) is None  # the muhurat
    assert DAYS.square_off_at(BrokerSlug.KITE, NSE, day("2026-11-24")) is None  # a holiday
    assert DAYS.square_off_at(BrokerSlug.DHAN, MCX, day("2026-01-01")) is None  # no evening


def test_the_closing_auction_has_rules_of_its_own() -> None:
    rules = DAYS.auction_rules(NSE, day("2026-08-03"))
    assert rules is not None
    assert rules.order_types == ("LIMIT", "MARKET")
    assert (rules.allows_stops, rules.allows_iceberg, rules.collar) == (False, False, 30_000)
    hours = (
        rules.stops_purged_at,
        rules.reference_from,
        rules.reference_to,
        rules.entry_ends_from,
        rules.entry_ends_by,
    )
    assert [f"{it:%H:%M}" for it in hours if it] == ["15:15", "15:00", "15:15", "15:28", "15:30"]
    assert DAYS.auction_rules(NFO, day("2026-08-03")) is None
    assert DAYS.auction_rules(NSE, day("2026-11-24")) is None


# By property

segments = st.sampled_from(Segment)
instants = st.datetimes(
    datetime(2023, 11, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2027, 2, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
) | st.builds(
    lambda day, minute: (
        datetime(2023, 11, 1, 18, 30, tzinfo=UTC) + timedelta(days=day, minutes=minute)
    ),
    st.integers(0, 1180),
    st.sampled_from([0, 540, 548, 555, 915, 930, 935, 940, 950, 960, 1020, 1410, 1435]),
)


@given(segments, instants, st.booleans())
def test_a_state_holds_exactly_until_its_next_change(
    segment: Segment, instant: datetime, auction: bool
) -> None:
    now = DAYS.state(segment, instant, in_closing_auction=auction)
    assert now.is_open is now.phase.is_open  # one answer: never both open and closed
    if now.next_change is not None:
        assert now.next_change > instant
        before = DAYS.state(
            segment, now.next_change - timedelta.resolution, in_closing_auction=auction
        )
        after = DAYS.state(segment, now.next_change, in_closing_auction=auction)
        assert (before.phase, before.since) == (now.phase, now.since)
        assert after.phase is not now.phase
        assert after.since == now.next_change  # the boundary belongs to the later side
        middle = instant + (now.next_change - instant) / 2
        assert DAYS.state(segment, middle, in_closing_auction=auction).phase is now.phase
    if now.since is not None:
        assert now.since <= instant
        first = DAYS.state(segment, now.since, in_closing_auction=auction)
        assert (first.phase, first.next_change) == (now.phase, now.next_change)
        earlier = DAYS.state(segment, now.since - timedelta.resolution, in_closing_auction=auction)
        assert earlier.phase is not now.phase


@given(segments, st.dates(date(2024, 1, 1), date(2026, 12, 1)), st.integers(0, 30))
def test_trading_days_are_the_days_that_are_trading_days(
    segment: Segment, first: date, length: int
) -> None:
    last = first + timedelta(days=length)
    days = DAYS.trading_days(segment, first, last)
    each = [first + timedelta(days=n) for n in range(length + 1)]
    assert list(days) == [it for it in each if DAYS.is_trading_day(segment, it)]
    for one, after in pairwise(days):
        assert DAYS.next_trading_day(segment, one) == after
        assert DAYS.previous_trading_day(segment, after) == one
    assert DAYS.expiry_day(segment, last) <= last


times = st.times().map(lambda it: it.replace(second=0, microsecond=0))
session = st.builds(
    Hours, st.sampled_from([it for it in Phase if it.is_session]), times, times, st.booleans()
)


@given(st.lists(session, max_size=6), st.booleans(), st.integers(0, 24 * 60 - 1))
def test_whatever_rows_somebody_enters_a_day_has_one_answer(
    sessions: list[Hours], auction: bool, minute: int
) -> None:
    odd = DayFact(
        segment=NSE,
        day=day("2026-11-20"),
        kind=Kind.SPECIAL,
        description="odd",
        sessions=tuple(sessions),
    )
    days = MarketDays(Facts(days=(odd,), years=(YearFact(segment=NSE, year=2026),)))
    instant = at("2026-11-20 00:00") + minute * MINUTE
    now = days.state(NSE, instant, in_closing_auction=auction)
    assert now.since is not None
    assert now.since <= instant
    assert now.next_change is None or now.next_change > instant
    if now.is_open:
        assert any(it.starts <= at_time(instant) < it.ends for it in sessions)


def at_time(instant: datetime) -> object:
    return (instant + timedelta(hours=5, minutes=30)).time()


def test_what_is_remembered_of_days_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bahi.calendar.model.known.REMEMBERED", 10)
    days = MarketDays(FACTS)
    for n in range(400):
        days.state(NSE, at("2025-01-01 11:00") + timedelta(days=n))
    known = days._calendars[NSE]
    assert len(known._laid) <= 10
    assert len(known._kept) <= 10
