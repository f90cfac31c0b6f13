"""Trading from the terminal: orders, positions, money, risk, and all of it on one screen."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys

import pytest

from tests.cli.here import Terminal
from tests.cli.processes import PATIENCE_S, bahi

WIDTH = 80
PLACED_AT_MOST = 30


def never_closed(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("BAHI_MARKET_ALWAYS_OPEN", "yes")
    terminal.environ["BAHI_MARKET_ALWAYS_OPEN"] = "yes"
    return terminal


@pytest.fixture
def desk(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Stand at the terminal of a house whose market never closes, and whose service is down."""
    return never_closed(terminal, monkeypatch)


@pytest.fixture
def seat(quick: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Stand there once: for what the terminal itself refuses and shows."""
    return never_closed(quick, monkeypatch)


def away(desk: Terminal, symbol: str) -> int:
    """Return a price that nobody meets for a while, and that no band keeps off."""
    (it,) = desk.json("quote", symbol)
    return int(float(it["last"]) * 0.9)


def test_an_order_is_placed_filled_looked_at_and_seen_in_the_books(desk: Terminal) -> None:
    said = desk("order", "place", "buy", "10", "SBIN")
    assert said.code == 0, said
    assert "10 filled at" in said.out
    (order,) = desk.json("order", "list")
    assert (order["symbol"], order["side"], order["status"]) == ("SBIN", "BUY", "EXECUTED")
    life = desk.json("order", "show", order["id"])
    assert [it["type"] for it in life["events"]] == ["PLACED", "EXECUTED"]
    (position,) = desk.json("position", "list")
    assert (position["net"], position["average_price"]) == (10, order["average_price"])
    (trade,) = desk.json("funds", "trades")
    assert (trade["order_id"], trade["quantity"]) == (order["id"], 10)
    newest, *_, first = desk.json("funds", "ledger")
    assert (first["amount"], newest["amount"]) == ("10000000.00", f"-{trade['charges']}")
    assert desk.json("funds")["cash"] == newest["balance"]


def test_a_limit_rests_is_changed_and_taken_back(desk: Terminal) -> None:
    price = away(desk, "SBIN")
    placed = desk.json("order", "place", "buy", "5", "SBIN", "--price", str(price))
    assert placed["status"] == "OPEN"
    wish = ("--price", str(price + 1), "--quantity", "6")
    changed = desk.json("order", "modify", placed["id"], *wish)
    assert (changed["price"], changed["quantity"]) == (f"{price + 1}.00", 6)
    assert desk.json("order", "cancel", placed["id"])["status"] == "CANCELLED"
    assert "CANCELLED" in desk.refusal("order", "cancel", placed["id"])


def test_the_same_name_twice_is_one_order(seat: Terminal) -> None:
    words = ("order", "place", "buy", "1", "SBIN", "--name", "mine")
    assert seat.json(*words)["id"] == seat.json(*words)["id"]
    assert len(seat.json("order", "list")) == 1


def test_what_cannot_be_is_refused_in_one_sentence(seat: Terminal) -> None:
    assert "not listed" in seat.refusal("order", "place", "buy", "1", "NO-SUCH-THING")
    assert "side" in seat.refusal("order", "place", "take", "1", "SBIN")
    assert "price" in seat.refusal("order", "place", "buy", "1", "SBIN", "--price", "12.3456789")
    assert "index" in seat.refusal("order", "place", "buy", "1", "NIFTY")
    assert "no order 7" in seat.refusal("order", "show", "7")
    assert "one of both" in seat.refusal("order", "cancel")
    assert "account" in seat.refusal("order", "list", "--account", "nobody's")


def test_a_refused_order_is_written_and_ends_with_1(seat: Terminal) -> None:
    seat("risk", "limit", "--orders-a-day", "0")
    said = seat("order", "place", "buy", "1", "SBIN", "--json")
    assert said.code == 1
    assert json.loads(said.out)["status"] == "REJECTED"


def test_panic_works_straight_on_the_stores_and_says_first_what_it_would_send(
    desk: Terminal,
) -> None:
    desk("order", "place", "buy", "10", "SBIN")
    price = str(away(desk, "TCS"))
    resting = desk.json("order", "place", "buy", "5", "TCS", "--price", price)
    (plan,) = desk.json("position", "flatten", "--dry-run")
    assert (plan["side"], plan["quantity"], plan["symbol"]) == ("SELL", 10, "SBIN")
    would = desk.json("risk", "kill", "--all", "--dry-run", "--cancel", "--flatten")
    assert would["is_engaged"] is False
    (account,) = would["stopped"]
    assert account["cancels"] == [resting["id"]]
    assert account["exits"][0].startswith("SELL 10 SBIN at ")
    assert not desk.json("risk", "show")["switches"]

    done = desk.json("risk", "kill", "--all", "--cancel", "--flatten", "--reason", "drill")
    assert done["is_engaged"] is True
    assert not any(it["faults"] for it in done["stopped"])
    assert desk.json("position", "list") == []
    assert [it["status"] for it in desk.json("order", "list", "--symbol", "TCS")] == ["CANCELLED"]
    assert desk("order", "place", "buy", "1", "SBIN").code == 1
    switches = desk.json("risk", "show")["switches"]
    assert {it["reason"] for it in switches} == {"drill"}
    assert desk("risk", "resume", "--all").code == 0
    assert desk("order", "place", "buy", "1", "SBIN").code == 0


def test_a_position_is_closed_by_name(seat: Terminal) -> None:
    seat("order", "place", "sell", "3", "SBIN")
    assert seat("position", "close", "SBIN").code == 0
    assert seat.json("position", "list") == []
    assert seat.json("position", "list", "--all")[0]["net"] == 0


def test_one_screen_says_how_the_house_is(seat: Terminal) -> None:
    said = seat("status")
    assert said.code == 0, said
    names = [line.split()[0] for line in said.out.splitlines()]
    assert names[:4] == ["what", "house", "service", "market"]
    assert {"tokens", "book", "switches", "jobs", "alerts", "backup"} <= set(names)
    found = seat.json("status")
    assert found["service"]["is_up"] is False
    assert found["book"]["open_positions"] == 0


def test_tables_fit_eighty_columns(seat: Terminal) -> None:
    seat("order", "place", "buy", "10", "SBIN")
    looks = (
        ("order", "list"), ("position", "list"), ("funds",), ("funds", "trades"),
        ("funds", "ledger"), ("funds", "holdings"), ("risk", "show"), ("status",),
        ("risk", "violations"), ("symbol", "search", "nifty"),
    )  # fmt: skip
    for words in looks:
        said = seat(*words)
        assert said.code == 0, said
        assert max(map(len, said.out.splitlines())) <= WIDTH, said.out


def test_a_watcher_is_told_of_every_change(seat: Terminal) -> None:
    command = [sys.executable, "-c", "from bahi.__main__ import main; main()", "order", "watch"]
    with subprocess.Popen(
        [*command, "--json"], env=seat.environ, stdout=subprocess.PIPE, text=True
    ) as watching:
        try:
            assert watching.stdout is not None
            for _ in range(PLACED_AT_MOST):  # the first ones may be there before it looks
                placed = bahi("order", "place", "buy", "1", "SBIN", "--json", env=seat.environ)
                assert placed.returncode == 0, placed
                if select.select([watching.stdout], [], [], 0)[0]:
                    break
            heard = json.loads(watching.stdout.readline())
            assert (heard["symbol"], heard["status"]) == ("SBIN", "EXECUTED")
        finally:
            watching.send_signal(signal.SIGINT)
            assert watching.wait(PATIENCE_S) == 0


def test_a_webhook_is_entered_listed_switched_and_removed(desk: Terminal) -> None:
    words = ("--order", "symbol={{ticker}}", "--order", "exchange=NSE", "--order", "quantity=5")
    made = desk.json("webhook", "add", "breakout", *words, "--hours", "09:20-15:00")
    assert "/hooks/alerts/" in made["url"]
    secret = made["url"].rpartition("/")[2]
    (listed,) = desk.json("webhook", "list")
    assert (listed["name"], listed["hours"]) == ("breakout", "09:20-15:00")
    assert secret not in desk("webhook", "list").out + json.dumps(listed)
    assert desk("webhook", "switch", made["id"], "--off").out == "breakout is off.\n"
    assert desk.json("webhook", "list")[0]["active"] is False
    assert desk.json("webhook", "alerts", made["id"]) == []
    secret = "what-alerts-are-signed-with"
    signed = desk.json("webhook", "add", "signed", *words, "--signed", answer=f"{secret}\n")
    assert signed["signed"] is True
    assert secret not in desk.shown
    assert "hours" in desk.refusal("webhook", "add", "x", *words, "--hours", "late")
    assert "template.account" in desk.refusal("webhook", "add", "x", "--order", "account=other")
    assert desk("webhook", "remove", made["id"], "--yes").code == 0
    assert "no webhook" in desk.refusal("webhook", "alerts", made["id"])
