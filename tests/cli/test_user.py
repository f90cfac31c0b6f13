"""`bahi user`: people are added, changed, locked out and let in, and no secret is an argument."""

from __future__ import annotations

import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from bahi.bootstrap import House
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Unauthenticated
from tests.cli.here import Teletype, Terminal
from tests.cli.processes import PATIENCE_S
from tests.living import live_in

SECRET = "c4n4ry-of-the-password"
STRANGER = Actor(name="somebody", address="127.0.0.1")


def test_a_user_is_added_changed_removed_and_brought_back(terminal: Terminal) -> None:
    vijay = terminal.json("user", "add", "Vijay", "--email", "v@desk.example")
    assert (vijay["username"], vijay["role"], vijay["has_password"]) == ("vijay", "trader", False)
    assert {it["username"] for it in terminal.json("user", "list")} == {"admin", "vijay"}
    assert "v@desk.example" in terminal("user", "list").out
    changed = terminal.json("user", "change", "vijay", "--role", "viewer", "--email", "")
    assert (changed["role"], changed["email"]) == ("viewer", None)
    assert terminal.json("user", "show", "vijay") == changed
    assert "viewer" in terminal("user", "show", "vijay").out
    assert terminal("user", "remove", "vijay").code == 0
    assert [it["username"] for it in terminal.json("user", "list")] == ["admin"]
    assert len(terminal.json("user", "list", "--removed")) == 2
    assert terminal.json("user", "restore", "vijay")["active"]


def test_what_cannot_be_is_refused_in_a_sentence(quick: Terminal) -> None:
    quick("user", "add", "vijay")
    assert "another user's" in quick.refusal("user", "add", "vijay")
    assert "no user 'nobody'" in quick.refusal("user", "show", "nobody")
    assert "bahi user list --removed" in quick.refusal("user", "restore", "vijay")
    assert "last admin" in quick.refusal("user", "remove", "admin")
    assert "admin, trader, viewer" in quick.refusal("user", "add", "other", "--role", "king")
    assert "--role" in quick.refusal("user", "change", "vijay")
    assert "one secret a line" in quick.refusal("user", "password", "vijay")
    assert "too short" in quick.refusal("user", "password", "vijay", answer="short\n")
    assert "session" in quick.refusal("user", "sign-out")


def test_a_password_is_read_and_opens_until_sessions_are_ended(quick: Terminal) -> None:
    added = quick.json("user", "add", "vijay", "--password", "--secret-stdin", answer=f"{SECRET}\n")
    assert added["has_password"]
    assert quick("user", "password", "vijay", answer=f"{SECRET}-2\n").code == 0

    async def come_in(house: House) -> list[str]:
        opened = [
            await house.sign_in.sign_in("vijay", f"{SECRET}-2", "", STRANGER) for _ in range(3)
        ]
        return [it.token for it in opened]

    tokens = live_in(quick.environ, come_in)
    found = quick.json("user", "sessions", "vijay")
    assert [it["address"] for it in found] == ["127.0.0.1"] * 3
    assert quick.json("user", "sign-out", found[0]["id"]) == {"ended": 1}
    assert quick.json("user", "sign-out", "--user", "vijay") == {"ended": 2}
    assert quick.json("user", "sessions") == []

    async def come_back(house: House) -> None:
        for token in tokens:
            with pytest.raises(Unauthenticated):
                await house.sign_in.actor_of(token, STRANGER)

    live_in(quick.environ, come_back)
    assert SECRET not in quick.shown
    assert not any(token in quick.shown for token in tokens)


def test_a_link_signs_in_once(quick: Terminal) -> None:
    link = quick.json("user", "link", "admin")["link"]
    assert link.startswith("http://127.0.0.1:")
    token = link.rpartition("/welcome/")[2]
    assert quick("user", "link", "admin").out.startswith("http")

    async def follow(house: House) -> None:
        with pytest.raises(Unauthenticated):  # a newer link takes the place of an older one
            await house.sign_in.whose_link(token)

    live_in(quick.environ, follow)
    newest = quick.json("user", "link", "admin")["link"].rpartition("/")[2]

    async def enter(house: House) -> str:
        return (await house.sign_in.follow_link(newest, SECRET, STRANGER)).user.username

    assert live_in(quick.environ, enter) == "admin"


def test_one_time_codes_are_asked_for_once_the_device_has_shown_one(quick: Terminal) -> None:
    quick("user", "add", "vijay")
    assert "does not fit" in quick.refusal("user", "totp", "vijay", answer="000000\n")
    assert not quick.json("user", "show", "vijay")["two_factor"]
    asking = subprocess.Popen(
        [sys.executable, "-m", "bahi", "user", "totp", "vijay", "--json"],
        env=quick.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with asking:
        assert asking.stderr is not None
        asking.stderr.readline()
        uri = urlsplit(asking.stderr.readline().strip())
        assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Bahi:vijay")
        code = pyotp.TOTP(parse_qs(uri.query)["secret"][0]).now()
        out, err = asking.communicate(code + "\n", timeout=PATIENCE_S)
    assert asking.returncode == 0, err
    assert '"two_factor": true' in out
    assert quick.json("user", "show", "vijay")["two_factor"]
    assert quick("user", "totp", "vijay", "--off").code == 0
    assert not quick.json("user", "show", "vijay")["two_factor"]


def test_a_password_is_typed_twice_at_a_terminal_and_not_shown(quick: Terminal) -> None:
    quick("user", "add", "vijay")
    with Teletype(quick.environ, "user", "password", "vijay") as person:
        for typed in (SECRET, SECRET):
            person.until(": ")  # the blank comes when nothing is echoed any more
            person.type(typed)
        person.until("vijay has a new password")
        assert person.end() == 0
    assert SECRET not in person.shown
