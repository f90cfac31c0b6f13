"""`bahi calendar`: when markets are open, and how days are brought in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bahi.calendar.model import CALENDARS
from tests.cli.here import Teletype, Terminal

DIWALI = ("calendar", "set", "2026-11-08", "--kind", "muhurat", "--segment", "NSE,NFO")


def test_now_shows_every_market(quick: Terminal) -> None:
    found = quick.json("calendar", "now")
    assert [it["segment"] for it in found] == list(CALENDARS)
    assert all({"phase", "is_open", "reason", "since", "next_change"} <= it.keys() for it in found)
    shown = quick("calendar", "now").out
    assert all(segment in shown for segment in CALENDARS)


def test_at_a_terminal_now_has_colours(quick: Terminal) -> None:
    before = (
        "import bahi.kernel.clock as c; from datetime import datetime, UTC;"
        "c.SystemClock.__call__ = lambda _: datetime(2026, 11, 25, 9, 50, tzinfo=UTC)"
    )
    quick("calendar", "holidays")  # the house is furnished by today's clock
    with Teletype(quick.environ, "calendar", "now", before=before) as seen:
        assert seen.end() == 0
    assert "\x1b[32mOPEN" in seen.shown
    assert "NSE_EQ (in the auction)" in seen.shown
    assert "CLOSING_AUCTION" in seen.shown
    assert "closing auction until 15:35" in seen.shown


def test_the_hours_of_a_day_are_shown(terminal: Terminal) -> None:
    (mcx,) = terminal.json("calendar", "show", "--segment", "MCX", "--on", "2026-11-24")
    assert mcx["sessions"] == [
        {"phase": "OPEN", "from": "17:00", "to": "23:55", "verified": True},
    ]
    assert (mcx["trading_day"], mcx["reason"]) == (True, "Guru Nanak Jayanti")
    (unknown,) = terminal.json("calendar", "show", "--segment", "NSE", "--on", "2027-01-04")
    assert (unknown["trading_day"], unknown["sessions"]) == (None, None)
    shown = terminal("calendar", "show", "--on", "2026-11-08").out
    assert shown.count("not known") == len(CALENDARS)


def test_the_exceptions_of_a_year_are_listed(quick: Terminal) -> None:
    listed = quick.json("calendar", "holidays", "2026", "--segment", "NSE_EQ")
    assert listed["not_complete"] == []
    assert len(listed["days"]) == 18
    shown = quick("calendar", "holidays", "2026").out
    assert shown.count("Republic Day") == 2  # the banks' markets are not confirmed
    assert "all markets" in next(it for it in shown.splitlines() if "2026-11-08" in it)
    nothing = quick("calendar", "holidays", "2027")
    assert "The list of 2027 is not complete for NSE_EQ, NSE_FNO" in nothing.err


def test_square_off_times_are_shown_with_their_doubt(quick: Terminal) -> None:
    found = quick.json("calendar", "square-off", "--on", "2026-11-20", "--segment", "NSE")
    kite = [it for it in found if it["broker"] == "kite"]
    assert [it["in_closing_auction"] for it in kite] == [False, True]
    assert {(it["at"], it["verified"]) for it in kite} == {("2026-11-20 15:20:00", False)}
    shown = quick("calendar", "square-off", "2026-11-20").out
    assert "kite" in shown
    assert shown.count("the broker's pages, all from before the closing auction") == 2
    nothing = quick("calendar", "square-off", "2026-11-22")
    assert (nothing.out, nothing.err) == (
        *("", "No broker is known to close positions of all markets on 2026-11-22.\n"),
    )


def test_a_square_off_time_is_entered_and_taken_back(terminal: Terminal) -> None:
    words = ("calendar", "set-square-off", "kite", "--segment", "NSE,BSE", "--source", "their mail")
    entered = terminal(*words, "--at", "15:10", "--from", "2026-11-23", "--verified").out
    assert entered == "From 2026-11-23 on, kite closes positions of NSE_EQ, BSE_EQ at 15:10.\n"
    terminal(*words, "--before-close", "45", "--from", "2026-11-23", "--in-auction")

    def kite(on: str) -> set[tuple[str, str]]:
        found = terminal.json("calendar", "square-off", on, "--segment", "NSE")
        return {(it["at"][11:16], it["source"]) for it in found if it["broker"] == "kite"}

    assert kite("2026-11-23") == {("15:10", "their mail"), ("14:30", "their mail")}
    assert {hour for hour, _ in kite("2026-11-20")} == {"15:20"}
    gone = ("remove-square-off", "kite", "--from", "2026-11-23", "--segment", "all", "--yes")
    assert terminal("calendar", *gone).out == (
        "What was entered of kite from 2026-11-23 on is gone for NSE_EQ, BSE_EQ.\n"
    )
    assert {hour for hour, _ in kite("2026-11-23")} == {"15:20"}
    assert "Nobody entered a time of kite" in terminal.refusal("calendar", *gone)
    assert "Say one of both" in terminal.refusal(*words)
    assert "--at: '25:00' is no hour" in terminal.refusal(*words, "--at", "25:00")


def test_a_day_is_set_and_removed(terminal: Terminal) -> None:
    words = (*DIWALI, "--why", "Diwali", "--sessions", "18:00-19:15", "--pre-open", "17:45-18:00")
    assert terminal(*words).out == "0 added, 2 changed, 0 as they were.\n"
    shown = terminal("calendar", "show", "--on", "2026-11-08", "--segment", "NFO").out
    assert "17:45-18:00 PRE_OPEN" in shown
    again = terminal.json(*words)
    assert (again["changed"], again["same"]) == (0, 2)
    assert terminal("calendar", "remove", "2026-11-08", "--segment", "NFO", answer="n\n").code == 1
    back = terminal("calendar", "remove", "2026-11-08", "--segment", "all", "--yes").out
    assert back == (
        "2026-11-08 has the hours of its weekday for NSE_CURRENCY, BSE_EQ, BSE_FNO, BSE_CURRENCY,"
        " MCX_COMM.\n"
        "2026-11-08 is again what came with Bahi for NSE_EQ, NSE_FNO: Diwali Laxmi Pujan.\n"
    )
    gone = terminal("calendar", "remove", "2026-11-08", "--segment", "nfo,", "--yes")
    assert gone.out == "2026-11-08 has the hours of its weekday for NSE_FNO.\n"
    (sunday,) = terminal.json("calendar", "show", "--on", "2026-11-08", "--segment", "NFO")
    assert (sunday["trading_day"], sunday["reason"]) == (False, "Sunday")
    sentence = terminal.refusal("calendar", "remove", "2026-11-08", "--segment", "NFO", "--yes")
    assert sentence == "Nothing is entered of 2026-11-08 for NSE_FNO."


def test_a_year_is_complete_only_with_its_holidays_and_is_taken_back(terminal: Terminal) -> None:
    year = ("calendar", "set", "2027", "--kind", "year", "--segment", "all")
    assert "The list of 2027 for NSE_EQ would be complete without one holiday" in (
        terminal.refusal(*year)
    )
    (day,) = terminal.json("calendar", "show", "2027-01-26", "--segment", "NSE")
    assert day["trading_day"] is None
    holiday = ("calendar", "set", "2027-01-26", "--kind", "full_day", "--why", "Republic Day")
    terminal(*holiday, "--segment", "ALL")
    assert "The list of 2027 is complete for all markets." in terminal(*year).out
    gone = terminal("calendar", "remove", "2027", "--segment", "MCX,NSE", "--yes").out
    assert gone == "The list of 2027 is not complete any more for NSE_EQ, MCX_COMM.\n"
    assert terminal.json("calendar", "holidays", "2027")["not_complete"] == ["NSE_EQ", "MCX_COMM"]
    again = terminal.refusal("calendar", "remove", "2027", "--segment", "MCX", "--yes")
    assert again == "The list of 2027 is not complete for MCX_COMM anyway."


def test_a_day_is_shown_as_it_is_named_and_with_its_doubt(quick: Terminal) -> None:
    named, said = (
        quick.json("calendar", "show", *words)
        for words in (("2026-08-17",), ("--on", "2026-08-17"))
    )
    assert named == said
    assert [it["date"] for it in quick.json("calendar", "show", "today")] == [
        it["date"] for it in quick.json("calendar", "show")
    ]
    assert "name one" in quick.refusal("calendar", "show", "today", "--on", "2026-08-17")
    (bfo,) = quick.json("calendar", "show", "2026-08-17", "--segment", "BFO")
    assert bfo["verified"] is False
    row = quick("calendar", "show", "2026-08-17", "--segment", "BFO").out.splitlines()[1]
    assert row.endswith("no")
    marked = " ".join(quick("calendar", "show", "2026-08-17", "--segment", "BFO").out.split())
    assert "(not" in marked


def test_what_no_calendar_can_be_is_not_read_to_its_end(quick: Terminal, tmp_path: Path) -> None:
    for broker in ((), ("--from", "upstox")):
        sentence = quick.refusal("calendar", "load", "/dev/zero", *broker)
        assert sentence == "/dev/zero: it is larger than 2,000,000 bytes; no list of days is."
    assert "standard input: it is larger" in quick.refusal(
        "calendar", "load", "-", answer=" " * 2_000_001
    )
    number = tmp_path / "number.json"
    number.write_text(f'[{{"date": {"9" * 5_000}}}]')
    assert "a number in it is too long" in quick.refusal("calendar", "load", str(number))
    assert quick.refusal("calendar", "load", str(number), "--from", "upstox") == (
        "This is no answer of upstox: it cannot be read as JSON."
    )


def test_a_file_is_loaded_whole_or_not_at_all(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "2027.csv"
    head = "date,segments,kind,description\n"
    year = "2027,all,year,\n2027-01-26,all,full_day,Republic Day\n"
    file.write_text(head + year + "2027-02-31,all,full_day,Never\n")
    sentence = terminal.refusal("calendar", "load", str(file))
    assert sentence == (
        "2027.csv: line 4, column date: '2027-02-31' is no day; write it as 2027-01-26."
    )
    assert len(terminal.json("calendar", "holidays", "2027")["not_complete"]) == 7
    file.write_text(head + year)
    loaded = terminal("calendar", "load", str(file)).out
    assert loaded.startswith("7 added, 0 changed, 0 as they were.\nThe list of 2027 is complete")
    assert terminal.json("calendar", "holidays", "2027")["not_complete"] == []
    from_stdin = terminal.json("calendar", "load", "-", answer=head + year)
    assert (from_stdin["added"], from_stdin["same"]) == (0, 7)


def test_a_brokers_answer_is_loaded_and_replaces_nothing(quick: Terminal, tmp_path: Path) -> None:
    entry = {"description": "Holi", "holiday_type": "TRADING_HOLIDAY", "open_exchanges": []}
    data = [
        {**entry, "date": "2027-03-22", "closed_exchanges": ["NSE", "NFO"]},
        {**entry, "date": "2026-11-08", "closed_exchanges": ["NSE"]},
    ]
    file = tmp_path / "answer.json"
    file.write_text(json.dumps({"status": "success", "data": data}))
    came = quick.json("calendar", "load", str(file), "--from", "upstox", "--complete", "2027")
    assert (came["added"], came["changed"]) == (2, 0)
    assert came["kept"] == [{"date": "2026-11-08", "segment": "NSE_EQ"}]
    assert [it["segment"] for it in came["years"]] == ["NSE_EQ", "NSE_FNO"]
    assert "was kept: Diwali" in quick("calendar", "load", str(file), "--from", "openalgo").err
    assert "upstox and openalgo do" in quick.refusal(
        "calendar", "load", str(file), "--from", "dhan"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "--segment", "NYSE"), "segment: 'NYSE' is not known here"),
        (("show", "--on", "tomorrow"), "'tomorrow' is no day; write it as 2026-11-24."),
        (("show", "20261124"), "'20261124' is no day; write it as 2026-11-24."),
        (("show", "--segment", " ,"), "--segment: it is empty; name markets"),
        (("set", "2026-11-08", "--kind", "muhurat", "--segment", ","), "--segment: it is empty"),
        (("remove", "9999", "--segment", "all", "--yes"), "year: '9999' is none of ours"),
        (("holidays", "0"), "year: '0' is none of ours; the calendar knows 1990 to 2100."),
        (("holidays", "--", "-5"), "year: '-5' is none of ours"),
        (("holidays", "99999"), "year: '99999' is none of ours"),
        (("load", "/no/such/file"), "cannot be read"),
        (DIWALI[1:], "description: it is empty; say why the day is not as others."),
        ((*DIWALI[1:], "--why", "x", "--sessions", "18-19"), "sessions: '18' is no hour"),
    ],
)
def test_what_cannot_be_right_is_refused_in_a_sentence(
    quick: Terminal, words: tuple[str, ...], sentence: str
) -> None:
    assert sentence in quick.refusal("calendar", *words)


def test_weekly_hours_and_auction_rules_are_entered_and_taken_back(quick: Terminal) -> None:
    words = ("calendar", "set-hours", "mon-fri", "--segment", "NSE", "--source", "circular")
    entered = quick(*words, "--sessions", "09:00-17:00", "--from", "2026-11-30").out
    assert entered == "The hours of mon-fri are entered for NSE_EQ.\n"
    (shown,) = quick.json("calendar", "show", "2026-11-30", "--segment", "NSE")
    assert [(it["from"], it["to"]) for it in shown["sessions"]] == [("09:00", "17:00")]
    gone = ("calendar", "remove-hours", "--segment", "NSE", "--from", "2026-11-30", "--yes")
    assert "Gone: the hours entered from 2026-11-30 on for NSE_EQ" in quick(*gone).out
    assert "Nobody entered any" in quick.refusal(*gone)
    assert "Say one of both" in quick.refusal(*words)
    assert "'moo' is no weekday" in quick.refusal(*words[:2], "moo", *words[3:], "--closed")
    rules = ("calendar", "set-auction", "--segment", "NSE", "--order-types", "limit")
    more = ("--collar", "2.5", "--reference", "15:00-15:10", "--from", "2026-12-01")
    quick(*rules, *more, "--source", "circular")
    (told,) = quick.json("calendar", "auction", "2026-12-01", "--segment", "NSE")
    assert (told["collar"], told["reference_to"], told["order_types"]) == (
        25_000,
        "15:10",
        ["LIMIT"],
    )
    assert "order types" in quick("calendar", "auction", "2026-12-01", "--segment", "NSE").out
    back = ("calendar", "remove-auction", "--segment", "all", "--from", "2026-12-01", "--yes")
    assert "closing auction entered from 2026-12-01 on for NSE_EQ" in quick(*back).out
    assert "no percentage" in quick.refusal(*rules, "--source", "x", "--collar", "a lot")
