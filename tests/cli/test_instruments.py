"""`bahi instruments`: files brought in, refused with a reason, and looked up."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.brokers.test_download import publisher
from tests.cli.here import Teletype, Terminal

HEADER = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,"
    "lot_size,instrument_type,segment,exchange\n"
)
SHARES = HEADER + "".join(
    f"{token * 256},{token},{symbol},{name},0,,0,0.05,1,EQ,NSE,NSE\n"
    for token, symbol, name in (
        (2885, "RELIANCE", "RELIANCE INDUSTRIES"),
        (11536, "TCS", "TATA CONSULTANCY SERVICES"),
        (1594, "INFY", "INFOSYS"),
    )
)
LOAD = ("instruments", "load", "--broker", "zerodha")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kite.csv"
    path.write_text(SHARES)
    return path


def test_a_file_comes_into_force_and_is_looked_up(quick: Terminal, file: Path) -> None:
    done = quick(*LOAD, str(file))
    assert done.code == 0, done
    assert "3 listings of kite" in done.err
    (row,) = [it for it in quick.json("instruments", "masters") if it["broker"] == "kite"]
    assert (row["segment"], row["listings"]) == ("NSE_EQ", 3)
    found = quick.json("instruments", "show", "reliance")
    assert found["brokers"]["kite"] == {"symbol": "RELIANCE", "token": str(2885 * 256)}
    assert found["tick_size"] == "0.05"
    assert quick.json("instruments", "search", "relianc")[0]["symbol"] == "RELIANCE"
    (load, *_others) = quick.json("instruments", "loads", "--broker", "kite")
    assert (load["status"], load["source"]) == ("IN_FORCE", "kite.csv")


def test_standard_input_and_an_address_do_as_well_zipped_or_not(quick: Terminal) -> None:
    assert "3 listings" in quick(*LOAD, "-", answer=SHARES).err
    with publisher(sent=gzip.compress(SHARES.encode())) as address:
        done = quick(*LOAD, f"{address}?key=canary-of-an-address")
    assert "3 listings" in done.err
    assert "canary" not in quick("instruments", "loads").out


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "empty"),
        ("<!DOCTYPE html><html><body>Bad gateway</body></html>", "HTML|web page"),
        (SHARES[:-30], "cut|ends in the middle|truncated"),
    ],
)
def test_what_is_no_master_changes_nothing_and_says_why(
    quick: Terminal, file: Path, content: str, why: str
) -> None:
    quick(*LOAD, str(file))
    before = quick.json("instruments", "masters")
    file.write_text(content)
    sentence = quick.refusal(*LOAD, str(file))
    assert any(word in sentence for word in why.split("|")), sentence
    assert quick.json("instruments", "masters") == before
    (load, *_others) = quick.json("instruments", "loads", "--broker", "kite")
    assert (load["status"], load["reason"]) == ("REFUSED", sentence)


def test_wrong_words_are_refused(quick: Terminal, file: Path) -> None:
    assert "broker" in quick.refusal("instruments", "load", str(file), "--broker", "nobody")
    assert "no file" in quick.refusal(*LOAD, str(file.with_name("another")))
    assert "is no day" in quick.refusal(*LOAD, str(file), "--day", "yesterday")
    assert "not listed at NSE" in quick.refusal("instruments", "show", "NOBODY")


def test_a_chain_is_laid_out_around_a_price(quick: Terminal) -> None:
    quick("user", "list")
    found = quick.json("instruments", "chain", "NIFTY", "--price", "24111", "--around", "1")
    assert [it["strike"] for it in found["strikes"]] == ["24050.00", "24100.00", "24150.00"]
    assert [it["call_label"] for it in found["strikes"]] == ["ITM1", "ATM", "OTM1"]
    days = quick.json("instruments", "expiries", "NIFTY")
    assert found["expiry"] == days["options"][0]


def test_at_a_terminal_a_load_shows_how_far_it_is(quick: Terminal, file: Path) -> None:
    with Teletype(quick.environ, *LOAD, str(file)) as seen:
        assert seen.end() == 0
    assert "reading the file of kite" in seen.shown
