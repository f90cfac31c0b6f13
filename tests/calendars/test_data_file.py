"""Every holiday and special session of the shared file, by the facts that come with Bahi."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bahi.calendar.model import Kind
from bahi.kernel.words import Segment
from tests.calendars.known import BFO, BSE, DAYS, EVERY, EXCHANGES, FACTS, MCX, NFO, NSE, day, spans

MUHURAT = {"2024-11-01", "2025-10-21"}
"""The file lists them twice: as closed, and with the hour of the muhurat."""
CLOSES = {"23:30", "23:55"}


@pytest.fixture(scope="module")
def file(shared_data: Path) -> dict[str, Any]:
    return json.loads((shared_data / "calendars" / "india_2024_2026.json").read_text("utf-8"))


def test_every_holiday_of_the_file_is_what_it_says(file: dict[str, Any]) -> None:
    assert len(file["holidays"]) == 50
    for it in file["holidays"]:
        text = it["date"]
        for segment in EXCHANGES:
            if text in MUHURAT:
                assert DAYS.hours_on(segment, day(text)).kind is Kind.MUHURAT
                continue
            is_open = it["NSE_BSE_cash_fno"] == "open"
            assert DAYS.is_trading_day(segment, day(text)) is is_open, it
        _same_on_mcx(it)


def _same_on_mcx(it: dict[str, Any]) -> None:
    match it["mcx_morning"], it["mcx_evening"]:
        case "closed", "closed":
            assert spans(MCX, it["date"]) == [], it
        case "open", "closed":
            assert spans(MCX, it["date"]) == ["09:00-17:00"], it
        case "closed", "open":
            (evening,) = spans(MCX, it["date"]) or [""]
            assert evening[:6] == "17:00-", it
            assert evening[6:] in CLOSES, it
        case other:
            raise AssertionError(other)


def test_what_is_a_pattern_in_the_file_is_marked_unverified(file: dict[str, Any]) -> None:
    doubtful = {"2024-01-01", "2024-01-22", "2024-11-20"}
    for it in file["holidays"]:
        sure = it["date"] not in doubtful and not it["date"].startswith("2025")
        assert DAYS.hours_on(MCX, day(it["date"])).is_verified is sure, it


def test_every_special_session_of_the_file_has_its_hours(file: dict[str, Any]) -> None:
    assert len(file["special_sessions"]) == 8
    for it in file["special_sessions"]:
        unknown = it["sessions"][0].startswith("UNC")
        for segment in EXCHANGES:
            assert spans(segment, it["date"]) == (None if unknown else it["sessions"]), it
            assert DAYS.is_trading_day(segment, day(it["date"])) is True
        if "preopen" in it:
            assert spans(NSE, it["date"], "PRE_OPEN") == [it["preopen"]]
        if "mcx" in it:
            assert spans(MCX, it["date"]) == [it["mcx"]]


def test_every_regular_session_of_the_file_is_there(file: dict[str, Any]) -> None:
    markets = {
        "NSE/BSE cash": (NSE, BSE),
        "NFO/BFO": (NFO, BFO),
        "CDS/BCD": (Segment.NSE_CURRENCY,),
    }
    for it in file["regular_sessions"]:
        if it["exchange"] == "MCX/NCO":  # its two closes have tests of their own
            continue
        on = it.get("until", it.get("since", "2026-08-03"))
        for segment in markets[it["exchange"]]:
            if "closing_auction" in it:
                assert spans(segment, on, "CLOSING_AUCTION") == [it["closing_auction"]]
                continue
            assert spans(segment, on) == [it["normal"]], it
            if "post_close" in it:
                assert spans(segment, on, "POST_CLOSE") == [it["post_close"]]
            if "preopen" in it:
                assert spans(segment, on, "PRE_OPEN") == [it["preopen"]]


def test_no_other_day_is_an_exception(file: dict[str, Any]) -> None:
    listed = {it["date"] for part in ("holidays", "special_sessions") for it in file[part]}
    assert {it.day.isoformat() for it in FACTS.days} == listed


def test_trading_days_are_as_many_as_the_libraries_count() -> None:
    """As weekdays less holidays, with the muhurat; sessions on weekends come on top."""
    for year, weekdays, more in ((2024, 246, 3), (2025, 248, 1), (2026, 245, 2)):
        days = DAYS.trading_days(NSE, day(f"{year}-01-01"), day(f"{year}-12-31"))
        assert sum(it.weekday() < 5 for it in days) == weekdays
        assert len(days) == weekdays + more


def test_every_fact_says_where_it_comes_from() -> None:
    facts = (*FACTS.weekly, *FACTS.days, *FACTS.years, *FACTS.square_offs, *FACTS.auctions)
    assert all(it.source for it in facts)
    assert all(it.is_shipped for it in FACTS.days)
    assert {it.segment for it in FACTS.years} == set(EVERY)
