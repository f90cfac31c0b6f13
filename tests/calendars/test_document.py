"""The file in which days are brought in: what it takes, and how it says what is wrong where."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.calendar.model import CALENDARS, BadFile, Kind, Phase, read_document
from bahi.kernel.words import Segment

CSV = """date,segments,kind,description,sessions,pre_open,settlement_holiday,source,unverified
2027,all,year,,,,,NSE circular,
2027-01-26,all,full_day,Republic Day,,,,NSE circular,
2027-10-29,NSE NFO;MCX,muhurat,Diwali,18:00-19:00 19:30-20:00,17:45-18:00,yes,press,yes

"""


def test_a_csv_file_is_read() -> None:
    read = read_document("\ufeff" + CSV.replace("\n", "\r\n"), name="2027.csv")
    assert {(it.segment, it.year, it.source) for it in read.years} == {
        (it, 2027, "NSE circular") for it in CALENDARS
    }
    assert len(read.days) == 7 + 3
    diwali = read.days[-1]
    assert (diwali.segment, diwali.day) == (Segment.MCX_COMM, date(2027, 10, 29))
    assert (diwali.kind, diwali.is_settlement_holiday, diwali.is_verified) == (
        *(Kind.MUHURAT, True, False),
    )
    assert [(it.phase, f"{it.starts:%H:%M}") for it in diwali.sessions] == [
        *((Phase.PRE_OPEN, "17:45"), (Phase.OPEN, "18:00"), (Phase.OPEN, "19:30")),
    ]


def test_json_says_the_same() -> None:
    days = [
        {"date": 2027, "segments": "all", "kind": "year", "source": "NSE circular"},
        {
            "date": "2027-01-26",
            "segments": ["all"],
            "kind": "full_day",
            "description": "Republic Day",
        },
        {
            "date": "2027-10-29",
            "segments": ["NSE", "NFO", "MCX"],
            "kind": "muhurat",
            "description": "Diwali",
            "sessions": ["18:00-19:00", "19:30-20:00"],
            "pre_open": ["17:45-18:00"],
            "settlement_holiday": True,
            "source": "press",
            "unverified": True,
        },
    ]
    text = json.dumps({"source": "NSE circular", "days": days})
    assert read_document(text) == read_document(CSV)


GOOD: dict[str, Any] = {
    "date": "2027-01-26",
    "segments": ["NSE"],
    "kind": "special",
    "description": "Drill",
    "sessions": ["09:15-10:00"],
}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"date": "26-01-2027"}, "days[0].date: '26-01-2027' is no day; write it as 2027-01-26."),
        ({"date": "2027-02-30"}, "days[0].date: '2027-02-30' is no day"),
        ({"date": None}, "days[0].date: '' is no day"),
        ({"kind": "year", "date": "27"}, "days[0].date: '27' is no year; write it as 2027."),
        ({"kind": "half_day"}, "days[0].kind: 'half_day' is not known here; it is one of ordinary"),
        ({"segments": []}, "days[0].segments: it is empty; name segments, or write `all`."),
        ({"segments": ["NYSE"]}, "days[0].segments: 'NYSE' is not known here; it is one of"),
        ({"description": " "}, "days[0].description: it is empty"),
        ({"description": 7.5}, "days[0].description: it has to be a text"),
        ({"sessions": ["9:15-10:00"]}, "'9:15' is no hour; write it as 09:15, 00:00 to 23:59."),
        ({"sessions": ["09:15"]}, "days[0].sessions: '09:15' is no while"),
        ({"sessions": ["10:00-09:15"]}, "'10:00-09:15' ends before it begins"),
        (
            {"sessions": ["09:15-10:00", "09:30-11:00"]},
            "09:30-11:00 begins before 09:15-10:00 ends",
        ),
        ({"sessions": [], "pre_open": ["09:00-09:08"]}, "there is no hour of trading"),
        ({"sessions": ["09:15-15:30"], "closing_auction": ["08:00-08:30"]}, "08:00-08:30 does not"),
        ({"closing_auction": ["09:45-09:55"]}, "closing_auction: 09:45-09:55 does not follow the"),
        ({"closing_auction": ["10:01-10:15"]}, "it has to begin in 09:15-10:00, or when that ends"),
        ({"closing_auction": ["09:45-10:05", "10:05-10:10"]}, "there are 2; a day has one"),
        ({"closing_auction": ["09:45-10:05", "09:50-10:10"]}, "there are 2; a day has one"),
        (
            {"sessions": ["09:15-10:00", "11:30-12:30"], "closing_auction": ["09:45-10:05"]},
            "it has to begin in 11:30-12:30",
        ),
        (
            {"closing_auction": ["09:45-10:15"], "post_close": ["10:10-10:30"]},
            "closing_auction: 09:45-10:15 lies over 10:10-10:30, another session.",
        ),
        ({"description": "\ud800"}, "days[0].description: it has to be a text"),
        ({"kind": "full_day"}, "days[0].sessions: a day of kind full_day has none of its own"),
        ({"unverified": "perhaps"}, "days[0].unverified: 'perhaps' is neither yes nor no."),
        ({"holiday": "x"}, "days[0].holiday: no such name; there are date, segments"),
    ],
)
def test_what_cannot_be_right_is_named_with_its_place(change: Any, sentence: str) -> None:
    with pytest.raises(BadFile) as refused:
        read_document(json.dumps([{**GOOD, **change}]), name="days.json")
    assert str(refused.value).startswith("days.json: ")
    assert sentence in str(refused.value)


@pytest.mark.parametrize("auction", ["15:15-15:35", "15:30-15:50", "09:15-15:30"])
def test_a_closing_auction_takes_over_from_the_last_trading(auction: str) -> None:
    day = {"sessions": ["09:15-15:30"], "closing_auction": [auction], "post_close": ["15:50-16:00"]}
    (read,) = read_document(json.dumps([{**GOOD, **day}])).days
    assert [it.phase for it in read.sessions if it.phase is Phase.CLOSING_AUCTION]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it is empty"),
        ("  \n", "it is empty"),
        ("[]", "there is no day in it"),
        ("{}", "`days` is missing"),
        ('{"days": [], "holidays": []}', "'holidays' is not known"),
        ('[{"date": "2027-01-26",]', "line 1, column 24: this is no JSON"),
        ("[7]", "days[0]: it has to be an object with a date"),
        ("[" * 100_000, "it is nested too deeply"),
        (f'[{{"date": {"9" * 5_000}}}]', "a number in it is too long to be read"),
        (f'[{{"segments": {"9" * 4_000}}}]', "days[0].segments: it has to be a text of up to 300"),
        ("<html>", "line 1: the first line has to name the columns"),
        ("date,kind,kind\n", "line 1: a column is named twice"),
        ("date,segments,kind\n2027-01-26,all\n", "line 2: it has 2 columns, and the first line"),
        ('date,segments,kind\n"2027', "line 2: this is no CSV"),
        (
            "date,segments,kind,description\n2027-01-26,NSE,full_day,x\n2027-01-26,NSE,full_day,y\n",
            "line 3, column date: 2027-01-26 of NSE_EQ is there twice",
        ),
        (CSV.replace("Republic Day", ""), "line 3, column description: it is empty"),
        (CSV.replace("18:00-19:00", "1800-1900"), "line 4, column sessions: '1800' is no hour"),
    ],
)
def test_a_file_that_is_none_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadFile) as refused:
        read_document(text)
    assert sentence in str(refused.value)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda it: it.decode("latin-1")))
def test_no_text_at_all_brings_it_down(text: str) -> None:
    for begins in ("", "[", '[{"date":', "date,segments,kind\n"):
        with suppress(BadFile):
            read_document(begins + text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted({*GOOD, "unverified", "source"})), json_values))
def test_no_entry_at_all_brings_it_down(entry: dict[str, Any]) -> None:
    with suppress(BadFile):
        read_document(json.dumps([{**GOOD, **entry}]))
