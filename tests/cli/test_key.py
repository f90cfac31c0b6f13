"""`bahi key`: a key is shown once, opens what was said, and ends when it is told to."""

from __future__ import annotations

import re

import pytest

from bahi.bootstrap import House
from bahi.kernel.errors import Unauthenticated
from tests.cli.here import Terminal
from tests.living import live_in


def opens(terminal: Terminal, key: str) -> str:
    async def ask(house: House) -> str:
        return (await house.keys.holder(key)).username

    return live_in(terminal.environ, ask)


def test_a_key_of_the_first_admin_is_shown_once_and_opens(terminal: Terminal) -> None:
    said = terminal("key", "issue")
    key, paste = said.out.splitlines()
    assert re.fullmatch("[0-9a-f]{64}", key)
    assert re.fullmatch(
        rf'api\(api_key="{key}", host="http://([^"]+)", ws_url="ws://\1/ws"\)', paste
    )
    assert opens(terminal, key) == "admin"
    (listed,) = terminal.json("key", "list")
    assert (listed["user"], listed["scope"], listed["opens"]) == (
        "admin",
        "paper",
        {"Paper": "paper"},
    )
    assert terminal("key", "list").code == 0
    assert terminal("key", "revoke", listed["id"]).code == 0
    with pytest.raises(Unauthenticated):
        opens(terminal, key)
    assert terminal.json("key", "list") == []
    assert len(terminal.json("key", "list", "--all")) == 1
    assert terminal.shown.count(key) == 2  # by itself, and in the line to be pasted


def test_a_key_opens_the_accounts_that_were_said(quick: Terminal) -> None:
    quick("user", "add", "vijay")
    for name, broker in (("Trial", "paper"), ("Kite", "kite"), ("Spare", "kite")):
        quick("account", "add", name, "--broker", broker, "--user", "vijay")
    made = quick.json(
        "key", "issue", "--user", "vijay", "--name", "algo", "--scope", "trade", "--days", "30",
        "--account", "Trial", "--account", "Kite", "--default", "Kite",
    )  # fmt: skip
    assert made["opens"] == {"Trial": "paper", "Kite": "live"}
    assert made["expires_at"] is not None
    widened = quick.json("key", "open", "algo", "Spare")
    assert widened["opens"] == {"Trial": "paper", "Kite": "live", "Spare": None}
    assert quick.json("key", "revoke", "algo")["active"] is False


def test_what_cannot_be_a_key_is_refused_in_a_sentence(quick: Terminal) -> None:
    assert "read, paper, trade" in quick.refusal("key", "issue", "--scope", "all")
    assert "no user 'nobody'" in quick.refusal("key", "issue", "--user", "nobody")
    assert "no account 'Kite'" in quick.refusal("key", "issue", "--account", "Kite")
    quick("account", "add", "Kite", "--broker", "kite")
    assert "scope paper opens paper" in quick.refusal("key", "issue", "--account", "Kite")
    assert "bahi key list" in quick.refusal("key", "revoke", "nothing")
    ids = [quick.json("key", "issue")["id"] for _ in range(2)]
    assert all(it in quick.refusal("key", "revoke", "terminal") for it in ids)
    assert quick("key", "issue", "--days", "0").code == 2
