"""The brokers' lists of holidays become documents, and nothing in them is guessed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.brokers.openalgo import calendar as openalgo
from bahi.brokers.upstox import calendar as upstox
from bahi.calendar.model import DayFact, Document, Kind
from bahi.calendar.model.document import document_of
from bahi.kernel.errors import Invalid
from tests.calendars.known import BSE, CDS, MCX, NFO, NSE, day


def read(found: dict[str, Any]) -> Document:
    return document_of(found["days"], source=found["source"])


def by_day(document: Document) -> dict[tuple[Any, date], DayFact]:
    return {(it.segment, it.day): it for it in document.days}


def answer(**entry: Any) -> dict[str, Any]:
    known = {"description": "Diwali", "holiday_type": "TRADING_HOLIDAY", "closed_exchanges": []}
    return {"status": "success", "data": [{"date": "2025-10-21", **known, **entry}]}


def test_upstox_as_its_documentation_answers(shared_data: Path) -> None:
    file = shared_data / "mocks" / "upstox" / "docs" / "19a-market-holidays.json"
    said = json.loads(file.read_text("utf-8"))[0]["json"]
    (it,) = read(upstox.market_days(said)).days
    assert (it.segment, it.day, it.kind) == (MCX, day("2024-01-01"), Kind.SPECIAL)
    assert [(f"{s.starts:%H:%M}", f"{s.ends:%H:%M}") for s in it.sessions] == [("09:00", "17:00")]
    assert (it.source, it.is_verified) == ("Upstox's list", False)


def test_openalgo_as_its_documentation_answers(shared_data: Path) -> None:
    file = shared_data / "mocks" / "openalgo" / "market-calendar__holidays.json"
    said = json.loads(file.read_text("utf-8"))[1]
    document = read(openalgo.market_days(said, complete=2026))
    found = by_day(document)
    assert found[NSE, day("2026-01-26")].kind is Kind.FULL_DAY
    assert found[MCX, day("2026-01-26")].kind is Kind.FULL_DAY
    settles = found[CDS, day("2026-02-19")]
    assert (settles.kind, settles.is_settlement_holiday) == (Kind.ORDINARY, True)
    holi = found[MCX, day("2026-03-10")]  # its hours are those of 2025: they are not taken
    assert (holi.kind, holi.sessions) == (Kind.SPECIAL, ())
    assert "hours unusable" in holi.description
    assert {it.year for it in document.years} == {2026}
    assert not any(it.is_verified for it in document.years)


def test_special_hours_are_read_in_india_and_several_sessions_stay_several() -> None:
    hours = [(1761034500000, 1761038100000), (1761040000000 // 60000 * 60000, 1761042000000)]
    opened = [{"exchange": "NSE", "start_time": a, "end_time": b} for a, b in hours]
    said = answer(
        description="Muhurat Trading",
        closed_exchanges=["NSE", "BSE", "NSCOM"],
        open_exchanges=opened,
        holiday_type="SPECIAL_TIMING",
    )
    found = by_day(read(upstox.market_days(said)))
    nse = found[NSE, day("2025-10-21")]
    assert nse.kind is Kind.MUHURAT
    assert [f"{it.starts:%H:%M}" for it in nse.sessions] == ["13:45", "15:16"]
    assert found[BSE, day("2025-10-21")].kind is Kind.FULL_DAY
    assert (NFO, day("2025-10-21")) not in found  # neither closed nor special: as always


def test_a_list_is_complete_only_for_the_markets_that_it_names_in_that_year() -> None:
    said = answer(closed_exchanges=["NSE", "MCX"])
    listed = read(upstox.market_days(said, complete=2025)).years
    assert {(it.segment, it.year) for it in listed} == {(NSE, 2025), (MCX, 2025)}
    for text in (2024, -5, 20251):
        with pytest.raises(Invalid, match=f"Upstox's list of holidays has no day of {text}"):
            upstox.market_days(said, complete=text)


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        {"status": "error", "data": []},
        {"status": "success", "data": None},
        {"status": "success", "data": [7]},
        answer(holiday_type="FEAST"),
        answer(date="soon"),
        answer(date=None),
    ],
)
def test_what_is_no_list_of_holidays_is_refused(said: Any) -> None:
    for read_it in (upstox.market_days, openalgo.market_days):
        with pytest.raises(Invalid) as refused:
            read_it(said)
        assert str(refused.value).endswith(".")


@given(st.integers() | st.none() | st.text(max_size=20) | st.booleans() | st.floats())
def test_hours_that_are_none_make_the_day_unknown(odd: Any) -> None:
    opened = [{"exchange": "NSE", "start_time": odd, "end_time": odd}]
    said = answer(open_exchanges=opened)
    entries = upstox.market_days(said)["days"]
    assert [it["sessions"] for it in entries if it["segments"] == ["NSE_EQ"]] == [[]]


def test_openalgos_hours_of_a_day_as_its_documentation_answers(shared_data: Path) -> None:
    file = shared_data / "mocks" / "openalgo" / "market-calendar__timings.json"
    said = json.loads(file.read_text("utf-8"))[1]
    found = by_day(read(openalgo.day_hours(said, day("2025-12-19"))))
    hours = found[NSE, day("2025-12-19")]
    assert (hours.kind, hours.is_verified) == (Kind.SPECIAL, False)
    assert [(f"{s.starts:%H:%M}", f"{s.ends:%H:%M}") for s in hours.sessions] == [
        ("09:15", "15:30")
    ]
    assert len(found) == 7
    other = by_day(read(openalgo.day_hours(said, day("2025-12-20"))))
    assert other[NSE, day("2025-12-20")].sessions == ()  # the hours are of another day


def test_hours_of_a_day_without_a_market_say_nothing() -> None:
    mcx = {"exchange": "MCX", "start_time": 1766115000000, "end_time": 1766168700000}
    found = by_day(
        read(openalgo.day_hours({"status": "success", "data": [mcx]}, day("2025-12-19")))
    )
    assert found[NSE, day("2025-12-19")].kind is Kind.FULL_DAY
    assert found[MCX, day("2025-12-19")].kind is Kind.SPECIAL
    with pytest.raises(Invalid, match="names no market"):
        openalgo.day_hours({"status": "success", "data": []}, day("2025-12-19"))
    with pytest.raises(Invalid, match="no answer of OpenAlgo"):
        openalgo.day_hours({"status": "error"}, day("2025-12-19"))
