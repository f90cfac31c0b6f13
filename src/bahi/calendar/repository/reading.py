"""What calendars know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any

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
)
from bahi.calendar.tables import (
    SPANS,
    closing_auctions,
    market_day_hours,
    market_holidays,
    market_years,
    square_off_times,
    trading_calendars,
    trading_sessions,
)
from bahi.db.tx import Tx
from bahi.kernel.words import BrokerSlug, Segment


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


def years(tx: Tx, calendar_id: int) -> list[YearFact]:
    """Return the years of a calendar whose exceptions are all entered."""
    return [_year(it) for it in _rows(tx, market_years, calendar_id)]


def square_offs(tx: Tx, calendar_id: int) -> list[SquareOffFact]:
    """Return what a calendar knows of brokers that close intraday positions."""
    return [_square_off(it) for it in _rows(tx, square_off_times, calendar_id)]


def weekly(tx: Tx, calendar_id: int) -> list[Weekly]:
    """Return what a calendar knows of the hours of weekdays."""
    return [_weekly(it) for it in _rows(tx, trading_sessions, calendar_id)]


def auctions(tx: Tx, calendar_id: int) -> list[AuctionRules]:
    """Return what a calendar knows of its closing auction."""
    return [_auction(it) for it in _rows(tx, closing_auctions, calendar_id)]


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
        is_shipped=bool(it["is_shipped"]),
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
        is_shipped=bool(it["is_shipped"]),
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
        is_shipped=bool(it["is_shipped"]),
        **{name: None if it[name] is None else _time(it[name]) for name in hours},
    )


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _time(text: str) -> time:
    return time.fromisoformat(text)


def _answer(flag: int | None) -> bool | None:
    return None if flag is None else bool(flag)
