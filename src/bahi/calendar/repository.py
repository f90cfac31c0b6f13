"""The only SQL of market days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final

import sqlalchemy as sa

from bahi.calendar.model import (
    AuctionRules,
    DayFact,
    Facts,
    Hours,
    Kind,
    Phase,
    SquareOffFact,
    Weekly,
    YearFact,
    hhmm,
)
from bahi.calendar.tables import (
    closing_auctions,
    market_day_hours,
    market_holidays,
    market_years,
    square_off_times,
    trading_calendars,
    trading_sessions,
)
from bahi.db.statement import Statement
from bahi.db.tx import Tx
from bahi.kernel.clock import to_micros
from bahi.kernel.words import BrokerSlug, Segment

AT_ONCE: Final = 500
"""Rows that go into one statement; SQLite takes some 30,000 parameters."""

SPANS: Final = {
    Phase.PRE_OPEN: ("pre_market_start", "pre_market_end"),
    Phase.OPEN: ("market_open", "market_close"),
    Phase.CLOSING_AUCTION: ("closing_auction_start", "closing_auction_end"),
    Phase.POST_CLOSE: ("post_market_start", "post_market_end"),
}
"""The columns of a weekday's sessions."""

_NEW_CALENDAR: Final = sa.text(
    "INSERT INTO trading_calendars (id, name, segment, created_at)"
    " VALUES (:id, :segment, :segment, :now) ON CONFLICT (segment) DO NOTHING"
)

_INSERTS: Final = {
    table.name: Statement(table.insert().values({it.name: sa.bindparam(it.name) for it in table.c}))
    for table in (
        trading_sessions,
        market_holidays,
        market_day_hours,
        market_years,
        square_off_times,
        closing_auctions,
    )
}


# Calendars


def releases(tx: Tx) -> dict[Segment, int]:
    """Return which of Bahi's facts were entered in each calendar."""
    calendars = trading_calendars.c
    clause = sa.select(calendars.segment, calendars.facts_release)
    rows = tx.rows(clause.where(calendars.segment.is_not(None)))
    return {Segment(segment): release for segment, release in rows}


def open_calendar(tx: Tx, segment: Segment, now: datetime) -> tuple[int, int]:
    """Return a segment's calendar and its release, locked; enter it where it is missing."""
    tx.change(_NEW_CALENDAR, {"id": tx.new_id(), "segment": segment, "now": to_micros(now)})
    calendars = trading_calendars.c
    row = tx.row(
        sa.select(calendars.id, calendars.facts_release)
        .where(calendars.segment == segment)
        .with_for_update()
    )
    if row is None:
        raise AssertionError(f"the calendar of {segment} was entered and is not there")
    return row[0], row[1]


def set_release(tx: Tx, calendar_id: int, release: int) -> None:
    """Remember which of Bahi's facts were entered."""
    clause = trading_calendars.update().where(trading_calendars.c.id == calendar_id)
    tx.change(clause.values(facts_release=release))


# Writing


def add_weekly(tx: Tx, calendar_id: int, many: Iterable[Weekly]) -> None:
    """Enter the hours of weekdays that came with Bahi, a row for each of a day's sessions."""
    rows = []
    for it in many:
        hours: dict[str, str] = {}
        for session in it.sessions:
            starts, ends = SPANS[session.phase]
            hours |= {starts: hhmm(session.starts), ends: hhmm(session.ends)}
        rows.append(
            {
                **dict.fromkeys(name for pair in SPANS.values() for name in pair),
                **hours,
                "id": tx.new_id(),
                "calendar_id": calendar_id,
                "day_of_week": it.weekday,
                "is_trading_day": int(bool(it.sessions)),
                "valid_from": _iso(it.valid_from),
                "valid_until": _iso(it.valid_until),
                "us_daylight": _flag(it.us_daylight),
                "source": it.source or None,
                "is_unverified": int(not it.is_verified),
                "is_shipped": 1,
            }
        )
    _insert(tx, trading_sessions, rows)


def add_days(tx: Tx, calendar_id: int, days: Iterable[DayFact]) -> None:
    """Enter exceptions of days that have none."""
    rows, hours = [], []
    for it in days:
        holiday_id = tx.new_id()
        trading = [session for session in it.sessions if session.phase is Phase.OPEN]
        rows.append(
            {
                "id": holiday_id,
                "calendar_id": calendar_id,
                "date": it.day.isoformat(),
                "description": it.description,
                "holiday_type": None if it.kind is Kind.ORDINARY else str(it.kind),
                "market_open": hhmm(min(s.starts for s in trading)) if trading else None,
                "market_close": hhmm(max(s.ends for s in trading)) if trading else None,
                "is_settlement_holiday": int(it.is_settlement_holiday),
                "source": it.source or None,
                "is_unverified": int(not it.is_verified),
                "is_shipped": int(it.is_shipped),
            }
        )
        hours += [
            {
                "id": tx.new_id(),
                "holiday_id": holiday_id,
                "phase": str(session.phase),
                "starts": hhmm(session.starts),
                "ends": hhmm(session.ends),
            }
            for session in it.sessions
        ]
    _insert(tx, market_holidays, rows)
    _insert(tx, market_day_hours, hours)


def remove_days(tx: Tx, calendar_id: int, days: Sequence[date]) -> int:
    """Remove exceptions with their hours; return how many there were."""
    gone = 0
    for begin in range(0, len(days), AT_ONCE):
        some = [day.isoformat() for day in days[begin : begin + AT_ONCE]]
        clause = market_holidays.delete().where(
            market_holidays.c.calendar_id == calendar_id, market_holidays.c.date.in_(some)
        )
        gone += tx.change(clause)
    return gone


def add_years(
    tx: Tx, calendar_id: int, years: Iterable[YearFact], *, is_shipped: bool = False
) -> None:
    """Enter that the lists of years are complete; what was said of them before goes."""
    for it in years:
        remove_year(tx, calendar_id, it.year)
        row = {
            "id": tx.new_id(),
            "calendar_id": calendar_id,
            "year": it.year,
            "source": it.source or None,
            "is_unverified": int(not it.is_verified),
            "is_shipped": int(is_shipped),
        }
        _insert(tx, market_years, [row])


def remove_year(tx: Tx, calendar_id: int, year: int) -> int:
    """Enter that the list of a year is not complete; return whether it was."""
    years = market_years.c
    clause = market_years.delete().where(years.calendar_id == calendar_id, years.year == year)
    return tx.change(clause)


def add_square_offs(tx: Tx, calendar_id: int, many: Iterable[SquareOffFact]) -> None:
    """Enter when brokers close intraday positions, as it came with Bahi."""
    rows = [
        {
            "id": tx.new_id(),
            "broker": str(it.broker),
            "calendar_id": calendar_id,
            "in_closing_auction": _flag(it.in_closing_auction),
            "us_daylight": _flag(it.us_daylight),
            "at": _hour(it.at),
            "minutes_before_close": it.minutes_before_close,
            "valid_from": _iso(it.valid_from),
            "valid_until": _iso(it.valid_until),
            "source": it.source or None,
            "is_unverified": int(not it.is_verified),
            "is_shipped": 1,
        }
        for it in many
    ]
    _insert(tx, square_off_times, rows)


def add_auctions(tx: Tx, calendar_id: int, many: Iterable[AuctionRules]) -> None:
    """Enter the rules of closing auctions, as they came with Bahi."""
    rows = [
        {
            "id": tx.new_id(),
            "calendar_id": calendar_id,
            "valid_from": it.valid_from.isoformat(),
            "valid_until": _iso(it.valid_until),
            "order_types": ",".join(it.order_types),
            "allows_stops": int(it.allows_stops),
            "allows_iceberg": int(it.allows_iceberg),
            "stops_purged_at": _hour(it.stops_purged_at),
            "reference_from": _hour(it.reference_from),
            "reference_to": _hour(it.reference_to),
            "entry_ends_from": _hour(it.entry_ends_from),
            "entry_ends_by": _hour(it.entry_ends_by),
            "collar": it.collar,
            "source": it.source or None,
            "is_unverified": int(not it.is_verified),
            "is_shipped": 1,
        }
        for it in many
    ]
    _insert(tx, closing_auctions, rows)


def _insert(tx: Tx, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    tx.change_each(_INSERTS[table.name], rows)


# Reading


def facts(tx: Tx) -> Facts:
    """Return everything that active calendars know."""
    return Facts(
        weekly=tuple(_weekly(it) for it in _rows(tx, trading_sessions)),
        days=tuple(days(tx)),
        years=tuple(_year(it) for it in _rows(tx, market_years)),
        square_offs=tuple(_square_off(it) for it in _rows(tx, square_off_times)),
        auctions=tuple(_auction(it) for it in _rows(tx, closing_auctions)),
    )


def days(tx: Tx, calendar_id: int | None = None) -> list[DayFact]:
    """Return exceptions with their hours, of one calendar or of all that are active."""
    hours: dict[int, list[Hours]] = {}
    spans = market_day_hours.c
    clause = sa.select(spans.holiday_id, spans.phase, spans.starts, spans.ends)
    for holiday_id, phase, starts, ends in tx.rows(clause.order_by(spans.starts)):
        span = Hours(Phase(phase), time.fromisoformat(starts), time.fromisoformat(ends))
        hours.setdefault(holiday_id, []).append(span)
    return [_day(it, hours.get(it["id"], [])) for it in _rows(tx, market_holidays, calendar_id)]


def _rows(tx: Tx, table: sa.Table, calendar_id: int | None = None) -> list[dict[str, Any]]:
    calendars = trading_calendars.c
    clause = (
        sa.select(calendars.segment, *table.columns)
        .join_from(table, trading_calendars, table.c.calendar_id == calendars.id)
        .where(calendars.segment.is_not(None))
        .order_by(table.c.id)
    )
    if calendar_id is None:
        clause = clause.where(calendars.is_active == 1)
    else:
        clause = clause.where(calendars.id == calendar_id)
    names = ("segment", *table.columns.keys())
    return [dict(zip(names, row, strict=True)) for row in tx.rows(clause)]


Named = Mapping[str, Any]


def _weekly(it: Named) -> Weekly:
    sessions = [
        Hours(phase, _time(it[starts]), _time(it[ends]))
        for phase, (starts, ends) in SPANS.items()
        if it["is_trading_day"] and it[starts] and it[ends]
    ]
    return Weekly(
        segment=Segment(it["segment"]),
        weekday=it["day_of_week"],
        sessions=tuple(sessions),
        valid_from=_date(it["valid_from"]),
        valid_until=_date(it["valid_until"]),
        us_daylight=_answer(it["us_daylight"]),
        source=it["source"] or "",
        is_verified=not it["is_unverified"],
    )


def _day(it: Named, hours: list[Hours]) -> DayFact:
    if not hours and it["market_open"] and it["market_close"]:  # entered by other hands
        hours = [Hours(Phase.OPEN, _time(it["market_open"]), _time(it["market_close"]))]
    return DayFact(
        segment=Segment(it["segment"]),
        day=date.fromisoformat(it["date"]),
        kind=Kind(it["holiday_type"] or Kind.ORDINARY),
        description=it["description"] or "",
        sessions=tuple(hours),
        is_settlement_holiday=bool(it["is_settlement_holiday"]),
        source=it["source"] or "",
        is_verified=not it["is_unverified"],
        is_shipped=bool(it["is_shipped"]),
    )


def _year(it: Named) -> YearFact:
    return YearFact(
        segment=Segment(it["segment"]),
        year=it["year"],
        source=it["source"] or "",
        is_verified=not it["is_unverified"],
    )


def _square_off(it: Named) -> SquareOffFact:
    return SquareOffFact(
        broker=BrokerSlug(it["broker"]),
        segment=Segment(it["segment"]),
        in_closing_auction=_answer(it["in_closing_auction"]),
        us_daylight=_answer(it["us_daylight"]),
        at=None if it["at"] is None else _time(it["at"]),
        minutes_before_close=it["minutes_before_close"],
        valid_from=_date(it["valid_from"]),
        valid_until=_date(it["valid_until"]),
        source=it["source"] or "",
        is_verified=not it["is_unverified"],
    )


def _auction(it: Named) -> AuctionRules:
    hours = (
        "stops_purged_at",
        "reference_from",
        "reference_to",
        "entry_ends_from",
        "entry_ends_by",
    )
    return AuctionRules(
        segment=Segment(it["segment"]),
        valid_from=date.fromisoformat(it["valid_from"]),
        valid_until=_date(it["valid_until"]),
        order_types=tuple(it["order_types"].split(",")),
        allows_stops=bool(it["allows_stops"]),
        allows_iceberg=bool(it["allows_iceberg"]),
        collar=it["collar"],
        source=it["source"] or "",
        is_verified=not it["is_unverified"],
        **{name: None if it[name] is None else _time(it[name]) for name in hours},
    )


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _hour(at: time | None) -> str | None:
    return None if at is None else hhmm(at)


def _time(text: str) -> time:
    return time.fromisoformat(text)


def _flag(said: bool | None) -> int | None:  # noqa: FBT001 - one of three answers
    return None if said is None else int(said)


def _answer(flag: int | None) -> bool | None:
    return None if flag is None else bool(flag)
