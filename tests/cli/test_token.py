"""`bahi token`: a morning at the terminal, with a person who pastes, and without one."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bahi.accounts.model import UPSTOX_NAMES
from bahi.cli.morning import answer_in, state_in
from bahi.kernel.clock import SystemClock
from bahi.kernel.errors import Invalid
from bahi.kernel.ports import Application
from tests.brokers.simulators import (
    Behaviour,
    DhanSimulator,
    KiteSimulator,
    UpstoxSimulator,
    person_logs_in,
)
from tests.cli.here import Teletype, Terminal
from tests.cli.processes import PATIENCE_S
from tests.living import live_in
from tests.tokens.mornings import WHO

BACK = "http://127.0.0.1:8000/auth/callback/"
HASTE = (
    "import bahi.tokens.model.turn as turn, datetime as d;"
    "turn.BETWEEN_LOGINS = d.timedelta(milliseconds=1)"
)
"""Five seconds between logins are proved with a clock of the test's own (tests/tokens)."""

UPSTOX = [
    Application(
        client_id=f"client-{name}",
        secret=f"c4n4ry-{name}",
        redirect_uri=f"{BACK}upstox",
        broker_user_id="7EAHBJ",
    )
    for name in UPSTOX_NAMES
]
DHAN = Application(
    client_id="key-of-dhan",
    secret="c4n4ry-of-dhan",
    broker_user_id="1100",
    pin="847261",
    totp="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    redirect_uri=f"{BACK}dhan",
)
KITE = Application(
    client_id="key-of-kite",
    secret="c4n4ry-of-kite",
    broker_user_id="AB1234",
    redirect_uri=f"{BACK}kite",
)


@pytest.fixture
def upstox() -> Iterator[UpstoxSimulator]:
    with UpstoxSimulator(UPSTOX, SystemClock()) as broker:
        yield broker


@pytest.fixture
def dhan() -> Iterator[DhanSimulator]:
    with DhanSimulator([DHAN], SystemClock()) as broker:
        yield broker


def lead_to(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, addresses: str) -> None:
    """Let the house find its brokers on loopback."""
    monkeypatch.setenv("BAHI_BROKER_ADDRESSES", addresses)
    terminal.environ["BAHI_BROKER_ADDRESSES"] = addresses


def enter_upstox(terminal: Terminal, names: tuple[str, ...] = UPSTOX_NAMES) -> None:
    terminal("account", "add", "Upstox", "--broker", "upstox")
    for it, name in zip(UPSTOX, UPSTOX_NAMES, strict=True):
        if name in names:
            words = ("account", "app", "add", "Upstox", "--name", name, "--client-id", it.client_id)
            assert terminal(*words, "--redirect", it.redirect_uri, answer=it.secret).code == 0


def enter_dhan(terminal: Terminal, *, alone: bool) -> None:
    terminal("account", "add", "Dhan", "--broker", "dhan", "--broker-user", DHAN.broker_user_id)
    words = ("account", "app", "add", "Dhan", "--client-id", DHAN.client_id)
    secrets = f"{DHAN.secret}\n{DHAN.pin}\n{DHAN.totp}\n"
    assert terminal(*words, *(("--pin", "--totp") if alone else ()), answer=secrets).code == 0


def pasted(address: str, back: str) -> str:
    """Log in as a person does, and return the address that the browser ends on."""
    return f"{back}?{urlencode(person_logs_in(address))}"


def tokens_of(*brokers: UpstoxSimulator | DhanSimulator | KiteSimulator) -> set[str]:
    return {token for broker in brokers for token in broker.tokens}


def test_a_morning_of_six_logins_whose_answers_are_pasted(
    terminal: Terminal, upstox: UpstoxSimulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lead_to(terminal, monkeypatch, f"upstox.api={upstox.url}")
    enter_upstox(terminal)
    with Teletype(terminal.environ, "token", "run", before=HASTE) as person:
        for name in UPSTOX_NAMES:
            person.until(f"Upstox, {name}: a person has to log in")
            address = person.until(rf"{re.escape(upstox.url)}\S+").group()
            person.until(r"http://\S+/auth/go/\S+")
            if name == "WEBSOCKET1":  # an answer of another login is no answer
                person.type(f"{BACK}upstox?code=1&state=made-up")
                person.until("Paste the whole address")
            person.type(pasted(address, f"{BACK}upstox"))
            person.until(f"{name}: stored")
        person.until("Upstox: COMPLETED, 6 of 6 tokens are good")
        assert person.end() == 0
    assert upstox.logins == [it.client_id for it in UPSTOX]

    status = terminal.json("token", "status")
    assert status["summary"]["valid"] == 6
    assert "6 of 6 are valid" in terminal("token", "status", "--no-check").out
    upstox.end_all()
    assert terminal.json("token", "status")["summary"] == {
        "valid": 0, "invalid": 6, "expired": 0, "missing": 0, "total": 6,
    }  # fmt: skip

    file = tmp_path / "tokens.csv"
    file.touch(0o644)
    assert terminal("token", "export", "--output", str(file)).code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    rows = list(csv.reader(file.read_text().splitlines()))
    assert rows[0] == ["api_name", "user_id", "is_active", "validity_at"]
    assert [(row[0], row[1], row[2]) for row in rows[1:]] == [
        (name, "7EAHBJ", "1") for name in UPSTOX_NAMES
    ]
    shown = person.shown + terminal.shown + file.read_text()
    for canary in [*tokens_of(upstox), *(it.secret for it in UPSTOX)]:
        assert canary not in shown


def test_a_login_that_is_answered_through_the_web_is_noticed(
    terminal: Terminal, upstox: UpstoxSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead_to(terminal, monkeypatch, f"upstox.api={upstox.url}")
    enter_upstox(terminal, ("PRIMARY",))
    with Teletype(terminal.environ, "token", "run", "--json", before=HASTE) as person:
        address = person.until(rf"{re.escape(upstox.url)}\S+").group()
        person.until("Or paste here")
        answer = person_logs_in(address)
        live_in(
            terminal.environ,
            lambda house: house.handing.answer("upstox", answer["state"], answer, WHO),
        )
        person.until('"came": "all"')
        assert person.end() == 0


def test_dhan_with_totp_needs_nobody(
    quick: Terminal, dhan: DhanSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead_to(quick, monkeypatch, f"dhan.api={dhan.url} dhan.auth={dhan.url}")
    enter_dhan(quick, alone=True)
    (made,) = quick.json("token", "run")["runs"]
    assert (made["status"], made["wanted"], made["missing"]) == ("COMPLETED", ["PRIMARY"], [])
    assert "every token is good" in quick("token", "run", "--account", "Dhan").err
    assert quick("token", "run", "--mode", "ALL").code == 0
    issued = quick.json("token", "history", "--account", "Dhan")
    assert [it["active"] for it in issued] == [True, False]
    assert quick("token", "history", "--account", "Dhan").code == 0
    alive = tokens_of(dhan)
    ended = quick.json("token", "revoke", "--account", "Dhan", "--yes")
    assert ended == [{"api_name": "PRIMARY", "revoked": True}]
    assert quick.json("token", "status")["summary"]["missing"] == 1
    for canary in (*alive, DHAN.secret, DHAN.pin, DHAN.totp):
        assert canary not in quick.shown


def test_a_failed_login_ends_with_one_and_says_why(
    quick: Terminal, dhan: DhanSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead_to(quick, monkeypatch, f"dhan.api={dhan.url} dhan.auth={dhan.url}")
    enter_dhan(quick, alone=True)
    quick("account", "app", "change", "Dhan", "PRIMARY", "--pin", answer="000000\n")
    said = quick("token", "run")
    assert said.code == 1
    assert "Dhan: INCOMPLETE, 0 of 1 tokens are good." in said.out
    assert re.search("PRIMARY: .*PIN", said.out, re.IGNORECASE), said.out


def test_without_a_terminal_the_addresses_are_said_and_the_code_is_two(
    quick: Terminal,
    upstox: UpstoxSimulator,
    dhan: DhanSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = f"upstox.api={upstox.url} dhan.api={dhan.url} dhan.auth={dhan.url}"
    lead_to(quick, monkeypatch, where)
    enter_upstox(quick, ("PRIMARY",))
    enter_dhan(quick, alone=True)
    said = quick("token", "run", "--json")
    assert said.code == 2
    answer = json.loads(said.out)
    assert answer["came"] == "person"
    runs = {it["account"]: it for it in answer["runs"]}
    assert runs["Dhan"]["status"] == "COMPLETED"  # nobody waits for somebody else's login
    asked = runs["Upstox"]["person"]
    assert asked["address"].startswith(upstox.url)
    assert "/auth/go/" in asked["relay"]
    assert asked["address"] in said.err
    again = quick("token", "resume", "--account", "Upstox")
    assert again.code == 2
    assert asked["relay"] not in again.err  # the link before it opens nothing any more
    assert quick("token", "stop").code == 0
    assert "no run" in quick.refusal("token", "stop")


def test_what_nobody_can_open_yet_says_what_is_missing(quick: Terminal) -> None:
    quick("account", "add", "Dhan", "--broker", "dhan")
    words = ("account", "app", "add", "Dhan", "--client-id", DHAN.client_id)
    assert quick(*words, answer="c4n4ry-of-dhan\n").code == 0
    said = quick("token", "run")
    assert said.code == 2
    assert "Dhan, PRIMARY: " in said.err
    assert "Dhan client id" in said.err
    going_on = quick("token", "run")
    assert (going_on.code, "a run is under way" in going_on.err) == (2, True)
    assert "resume it or stop it" in quick("token", "run", "--mode", "ALL").err
    assert quick("token", "run", "--account", "Paper").code == 3
    assert "c4n4ry" not in quick.shown


def test_a_failure_that_is_no_login_ends_with_three(
    quick: Terminal, dhan: DhanSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quick("token", "run").code == 3
    assert "bahi account app add" in quick("token", "run").err
    lead_to(quick, monkeypatch, f"dhan.api={dhan.url} dhan.auth={dhan.url}")
    enter_dhan(quick, alone=True)
    assert quick("token", "run", "--mode", "SOME").code == 3
    unknown = quick("token", "run", "--api", "WEBSOCKET9")
    assert (unknown.code, "PRIMARY" in unknown.err) == (3, True)
    assert quick("token", "run", "--account", "nothing").code == 3


def test_dhan_and_kite_are_answered_by_pasting_too(
    quick: Terminal, dhan: DhanSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with KiteSimulator([KITE], SystemClock()) as kite:
        where = f"dhan.api={dhan.url} dhan.auth={dhan.url} kite.api={kite.url}"
        lead_to(quick, monkeypatch, f"{where} kite.page={kite.page}")
        enter_dhan(quick, alone=False)
        quick("account", "add", "Kite", "--broker", "kite")
        words = ("account", "app", "add", "Kite", "--client-id", KITE.client_id)
        assert quick(*words, answer=KITE.secret).code == 0
        with Teletype(quick.environ, "token", "run", before=HASTE) as person:
            for broker, name in ((dhan, "Dhan"), (kite, "Kite")):
                address = person.until(rf"{re.escape(broker.url)}\S+").group()
                person.until("Or paste here")
                person.type(pasted(address, f"{BACK}{name.lower()}"))
            person.until("Kite: COMPLETED")
            assert person.end() == 0
    for canary in (*tokens_of(dhan, kite), DHAN.secret, KITE.secret):
        assert canary not in person.shown


def test_ctrl_c_leaves_a_run_that_goes_on(
    quick: Terminal, dhan: DhanSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead_to(quick, monkeypatch, f"dhan.api={dhan.url} dhan.auth={dhan.url}")
    enter_dhan(quick, alone=True)
    dhan.behave(Behaviour.THROTTLE, times=1, path="generateAccessToken")
    running = subprocess.Popen(
        [sys.executable, "-m", "bahi", "token", "run"],
        env=quick.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with running:
        assert running.stderr is not None
        for line in running.stderr:
            if "cooldown" in line:
                break
        assert re.search(r"1 of 1, PRIMARY: .* cooldown, 1[01] min \d\d s left", line)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 130
    assert "bahi token resume" in said
    (account,) = quick.json("token", "status")["accounts"]
    assert account["run"]["status"] == "COOLDOWN"
    assert account["cools_until"] == account["run"]["due_at"]


def test_what_was_pasted_is_read_as_an_answer() -> None:
    assert answer_in("https://desk.example/cb?code=1&state=a%20b") == {"code": "1", "state": "a b"}
    assert state_in({"redirect_params": "state=abc"}) == "abc"
    assert state_in({}) == ""
    for nonsense in ("", "code", "https://desk.example/", "http://[", "?"):
        with pytest.raises(Invalid):
            answer_in(nonsense)
