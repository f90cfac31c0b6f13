"""`bahi quote`: prices with their age and source, watched and looked back at."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.here import Teletype, Terminal
from tests.cli.processes import PATIENCE_S

WARNING = "These prices are simulated: no market made them."
PRICES = """at,exchange,symbol,last,previous_close,volume,bids,asks
2026-11-20T10:00:00+05:30,NSE,SBIN,970.05,960,100,970:50:1,970.05:7:2 970.10:9
2026-11-20T10:00:00+05:30,NSE,TCS,2200,2250.5,100,,
"""


@pytest.fixture
def always_open(quick: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return setting(quick, monkeypatch, BAHI_MARKET_ALWAYS_OPEN="yes")


def setting(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, **more: str) -> Terminal:
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    terminal.environ.update(more)
    return terminal


def replayed(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    (Path(terminal.environ["BAHI_HOME"]) / "day.csv").write_text(PRICES, "utf-8")
    return setting(terminal, monkeypatch, BAHI_MARKET="replay:day.csv")


def test_a_simulated_price_is_shown_and_said_to_be_one(always_open: Terminal) -> None:
    said = always_open("quote", "reliance", "NIFTY", "SENSEX")
    assert said.code == 0, said
    headings, share, index, _ = said.out.splitlines()
    assert headings.split()[:5] == ["symbol", "at", "last", "change", "%"]
    assert share.split()[:2] == ["RELIANCE", "NSE"]
    assert share.rstrip().endswith("simulated")
    assert index.split()[:2] == ["NIFTY", "NSE_INDEX"]
    assert WARNING in said.err


def test_a_program_hears_exact_prices_with_their_book(always_open: Terminal) -> None:
    (it,) = always_open.json("quote", "SBIN", "--exchange", "NSE")
    assert (it["symbol"], it["exchange"], it["is_simulated"]) == ("SBIN", "NSE", True)
    assert it["bid"] == it["bids"][0]["price"]
    assert it["ask"] == it["asks"][0]["price"]
    assert len(it["bids"]) == len(it["asks"]) == 5
    assert it["age_s"] < 60
    change = round(float(it["last"]) - float(it["previous_close"]), 2)
    assert float(it["change"]) == change


def test_the_change_has_a_sign_and_at_a_terminal_a_colour(
    quick: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = replayed(quick, monkeypatch)
    said = terminal("quote", "SBIN", "TCS", "--depth")
    assert "simulated" not in said.out + said.err
    _, up, down, *book = said.out.splitlines()
    assert up.split()[:10] == [
        "SBIN", "NSE", "970.05", "+10.05", "+1.05%", "970.00", "970.05", "100", "0", "s",
    ]  # fmt: skip
    assert down.split()[2:5] == ["2,200.00", "-50.50", "-2.24%"]
    assert [it.split() for it in book if "970.05" in it] == [
        ["1", "50", "970.00", "970.05", "7", "2"]
    ]
    assert any("nobody bids or offers" in it for it in book)
    with Teletype(terminal.environ, "quote", "SBIN", "TCS") as seen:
        assert seen.end() == 0
    assert "\x1b[32m+10.05" in seen.shown
    assert "\x1b[31m-50.50" in seen.shown


def test_what_has_no_price_is_said(quick: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    said = replayed(quick, monkeypatch)("quote", "SBIN", "INFY")
    assert "no price" in said.out
    assert "There is no price of INFY (NSE)" in said.err
    assert "day.csv has told none" in quick.refusal("quote", "INFY")
    setting(quick, monkeypatch, BAHI_MARKET="off")
    assert "see BAHI_MARKET" in quick.refusal("quote", "SBIN")


def test_wrong_words_are_refused(quick: Terminal) -> None:
    assert "symbol search NOBODY" in quick.refusal("quote", "NOBODY")
    assert "not listed at BSE" in quick.refusal("quote", "NIFTY", "--exchange", "BSE")
    assert "no exchange" in quick.refusal("quote", "SBIN", "--exchange", "NYSE")
    assert "add --json" in quick.refusal("quote", "SBIN", "--watch")
    assert "leave out --depth" in quick.refusal("quote", "SBIN", "--watch", "--depth")
    assert "interval" in quick.refusal("quote", "history", "SBIN", "--interval", "7m")
    assert "is no day" in quick.refusal("quote", "history", "SBIN", "--from", "monday")
    later = ("--from", "2026-11-20", "--to", "2026-11-19")
    assert "earlier day first" in quick.refusal("quote", "history", "SBIN", *later)
    assert quick("quote", "--help").code == 0


def test_a_watched_table_is_drawn_again_until_ctrl_c(always_open: Terminal) -> None:
    with Teletype(always_open.environ, "quote", "SBIN", "--watch") as seen:
        for _ in range(3):
            seen.until(r"SBIN +NSE")
        assert WARNING in seen.shown
        seen.process.send_signal(signal.SIGINT)
        assert seen.end() == 0
    assert "Traceback" not in seen.shown


def test_a_program_that_watches_hears_a_line_for_each_price(always_open: Terminal) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "bahi", "quote", "SBIN", "TCS", "--watch", "--json"],
        env={**always_open.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdout is not None
        told = [json.loads(watching.stdout.readline()) for _ in range(4)]
        watching.send_signal(signal.SIGINT)
        _, errors = watching.communicate(timeout=PATIENCE_S)
    assert (watching.returncode, errors) == (0, "")
    assert {it["symbol"] for it in told} == {"SBIN", "TCS"}
    assert told[-1]["at"] > told[0]["at"]


def test_history_is_a_table_json_or_csv(always_open: Terminal) -> None:
    asked = ("quote", "history", "SBIN", "--from", "2026-11-18", "--to", "2026-11-19")
    days = always_open.json(*asked)
    assert [it["at"][:10] for it in days] == ["2026-11-18", "2026-11-19"]
    fives = always_open.json(*asked, "--interval", "5m")
    assert fives[0]["open"] == days[0]["open"]
    assert fives[-1]["close"] == days[-1]["close"]
    assert sum(it["volume"] for it in fives) == sum(it["volume"] for it in days)
    rows = list(csv.DictReader(io.StringIO(always_open(*asked, "--csv").out)))
    assert [it["close"] for it in rows] == [it["close"] for it in days]
    said = always_open(*asked)
    assert days[0]["high"] in said.out
    assert WARNING in said.err


def test_days_of_which_nothing_is_known_are_said(
    quick: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = replayed(quick, monkeypatch)("quote", "history", "SBIN", "--interval", "5m")
    assert "Nothing is known of these days" in said.err
