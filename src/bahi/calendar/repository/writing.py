"""What is entered in a calendar, and removed from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, time
from typing import Any, Final

import sqlalchemy as sa

from bahi.calendar.model import (
    AuctionRules,
    DayFact,
    Kind,
    Phase,
    SquareOffFact,
    Weekly,
    YearFact,
    hhmm,
)
from bahi.calendar.tables import (
    SPANS,
    closing_auctions,
    market_day_hours,
    market_holidays,
    market_years,
    square_off_times,
    trading_sessions,
)
from bahi.db.statement import Statement
from bahi.db.tx import Tx
from bahi.kernel.words import BrokerSlug

AT_ONCE: Final = 500
"""Rows that go into one statement; SQLite takes some 30,000 parameters."""

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


def add_weekly(tx: Tx, calendar_id: int, many: Iterable[Weekly]) -> None:
    """Enter the hours of weekdays: a row for each, which holds one session of each kind."""
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
                "is_shipped": int(it.is_shipped),
            }
        )
    _insert(tx, trading_sessions, rows)


def remove_weekly(
    tx: Tx,
    calendar_id: int,
    since: date,
    *,
    weekdays: Collection[int] = range(7),
    us_daylight: bool | None = None,
) -> int:
    """Remove the hours that people entered from a day on; return how many rows that were."""
    hours = trading_sessions.c
    clause = trading_sessions.delete().where(
        hours.calendar_id == calendar_id,
        hours.valid_from == since.isoformat(),
        hours.day_of_week.in_(sorted(weekdays)),
        hours.is_shipped == 0,
    )
    if us_daylight is not None:
        clause = clause.where(hours.us_daylight == int(us_daylight))
    return tx.change(clause)


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
    """Enter when brokers close intraday positions."""
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
            "is_shipped": int(it.is_shipped),
        }
        for it in many
    ]
    _insert(tx, square_off_times, rows)


def remove_square_offs(
    tx: Tx,
    calendar_id: int,
    broker: BrokerSlug,
    since: date,
    *,
    in_closing_auction: bool | None = None,
) -> int:
    """Remove what people entered of a broker from a day on; return how many rows that were."""
    times = square_off_times.c
    clause = square_off_times.delete().where(
        times.calendar_id == calendar_id,
        times.broker == str(broker),
        times.valid_from == since.isoformat(),
        times.is_shipped == 0,
    )
    if in_closing_auction is not None:
        clause = clause.where(times.in_closing_auction == int(in_closing_auction))
    return tx.change(clause)


def add_auctions(tx: Tx, calendar_id: int, many: Iterable[AuctionRules]) -> None:
    """Enter the rules of closing auctions."""
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
            "is_shipped": int(it.is_shipped),
        }
        for it in many
    ]
    _insert(tx, closing_auctions, rows)


def remove_auctions(tx: Tx, calendar_id: int, since: date) -> int:
    """Remove the rules that people entered from a day on; return how many rows that were."""
    rules = closing_auctions.c
    clause = closing_auctions.delete().where(
        rules.calendar_id == calendar_id,
        rules.valid_from == since.isoformat(),
        rules.is_shipped == 0,
    )
    return tx.change(clause)


def _insert(tx: Tx, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    tx.change_each(_INSERTS[table.name], rows)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _hour(at: time | None) -> str | None:
    return None if at is None else hhmm(at)


def _flag(said: bool | None) -> int | None:  # noqa: FBT001 - one of three answers
    return None if said is None else int(said)
