"""`bahi account` and `bahi egress`: accounts, what is registered for them, where calls leave."""

from __future__ import annotations

from bahi.accounts.model import UPSTOX_NAMES
from bahi.accounts.service.applications import NOTIFIER_PURPOSE, find_by_notifier
from bahi.bootstrap import House
from tests.cli.here import Teletype, Terminal
from tests.living import live_in

SECRET = "c4n4ry-of-the-application"
PIN = "847261"
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_an_account_is_entered_changed_removed_and_brought_back(terminal: Terminal) -> None:
    terminal("person", "add", "Meera")
    words = ("account", "add", "Upstox of Meera", "--broker", "upstox", "--person", "Meera")
    entered = terminal.json(*words, "--primary")
    assert (entered["user"], entered["person"], entered["mode"]) == ("admin", "Meera", "live")
    assert entered["primary"]
    assert [(it["name"], it["primary"]) for it in terminal.json("account", "list")] == [
        ("Paper", False),
        ("Upstox of Meera", True),
    ]
    changed = terminal.json(
        "account", "change", "upstox of meera".title().replace("Of", "of"), "--name", "Meera's",
        "--person", "", "--copy-role", "leader", "--ddpi", "--inactive",
    )  # fmt: skip
    assert (changed["name"], changed["person"], changed["copy_role"]) == ("Meera's", None, "leader")
    assert (changed["ddpi"], changed["active"]) == (True, False)
    assert terminal.json("account", "primary", "Paper")["primary"]
    assert not terminal.json("account", "show", "admin/Meera's")["primary"]
    assert terminal("account", "remove", "Meera's").code == 0
    assert len(terminal.json("account", "list")) == 1
    assert len(terminal.json("account", "list", "--removed")) == 2
    assert terminal.json("account", "restore", "Meera's")["removed_at"] is None


def test_what_cannot_be_an_account_is_refused_in_a_sentence(quick: Terminal) -> None:
    assert "no account 'nothing'" in quick.refusal("account", "show", "nothing")
    assert "upstox" in quick.refusal("account", "add", "One", "--broker", "nobody")
    assert "for paper trading" in quick.refusal(
        "account", "add", "Kite", "--broker", "kite", "--mode", "paper"
    )
    quick("user", "add", "vijay")
    for owner in ("admin", "vijay"):
        assert quick("account", "add", "Kite", "--broker", "kite", "--user", owner).code == 0
    assert "admin/Kite, vijay/Kite" in quick.refusal("account", "show", "Kite")
    assert quick.json("account", "show", "vijay/Kite")["user"] == "vijay"
    cash = ("account", "add", "Little", "--broker", "paper", "--cash", "25000.50")
    assert quick.json(*cash)["opening_cash"] == "25000.50"
    assert "Say what to change" in quick.refusal("account", "change", "Little")


def test_six_applications_are_registered_and_their_secrets_never_shown(quick: Terminal) -> None:
    quick("account", "add", "Upstox", "--broker", "upstox")
    for name in reversed(UPSTOX_NAMES):
        words = ("account", "app", "add", "Upstox", "--name", name, "--client-id", f"id-{name}")
        assert quick(*words, answer=f"{SECRET}\n").code == 0
    found = quick.json("account", "app", "list", "Upstox")
    assert [it["api_name"] for it in found] == list(UPSTOX_NAMES)
    assert all(it["has_secret"] for it in found)
    changed = quick.json(
        "account", "app", "change", "Upstox", "websocket_2", "--secret", "--disabled",
        answer=f"{SECRET}-2\n",
    )  # fmt: skip
    assert (changed["api_name"], changed["enabled"]) == ("WEBSOCKET2", False)
    assert quick("account", "app", "remove", "Upstox", "OPTIONCHAIN2", answer="n\n").code == 1
    assert quick("account", "app", "remove", "Upstox", "OPTIONCHAIN2", "--yes").code == 0
    assert len(quick.json("account", "app", "list", "Upstox")) == 5
    assert "WEBSOCKET1" in quick("account", "app", "list", "Upstox").out
    assert SECRET not in quick.shown


def test_pin_and_totp_secret_are_read_in_their_order(quick: Terminal) -> None:
    quick("account", "add", "Dhan", "--broker", "dhan", "--broker-user", "1100")
    words = ("account", "app", "add", "Dhan", "--client-id", "k", "--pin", "--totp")
    added = quick.json(*words, answer=f"{SECRET}\n{PIN}\n{TOTP}\n")
    assert added["logs_in_alone"]
    again = (*words, "--name", "SECOND")
    assert "pin: standard input ended" in quick.refusal(*again, answer=f"{SECRET}\n")
    assert "secret: give" in quick.refusal("account", "app", "add", "Dhan", "--name", "B",
                                           "--client-id", "k", "--no-secret")  # fmt: skip
    for canary in (SECRET, PIN, TOTP):
        assert canary not in quick.shown


def test_a_secret_is_asked_for_at_a_terminal_and_not_shown(quick: Terminal) -> None:
    quick("account", "add", "Kite", "--broker", "kite")
    words = ("account", "app", "add", "Kite", "--client-id", "k")
    with Teletype(quick.environ, *words) as person:
        person.until("secret: ")
        person.type(SECRET)
        person.until("PRIMARY is registered for Kite")
        assert person.end() == 0
    assert SECRET not in person.shown


def test_a_notifier_has_an_address_that_only_upstox_is_told(quick: Terminal) -> None:
    for broker in ("upstox", "kite"):
        quick("account", "add", f"At {broker}", "--broker", broker)
        words = ("account", "app", "add", f"At {broker}", "--client-id", "k")
        assert quick(*words, answer=f"{SECRET}\n").code == 0
    address = quick.json("account", "app", "notifier", "At upstox", "PRIMARY")["notifier"]
    before, _, secret = address.rpartition("/")
    assert before.endswith("/auth/notify/upstox")

    async def whose(house: House) -> str | None:
        digest = house.vault.digest(secret, NOTIFIER_PURPOSE)
        found = await house.stores["main"].read(find_by_notifier, digest, fresh=True)
        return found and found.api_name

    assert live_in(quick.environ, whose) == "PRIMARY"
    assert "only Upstox" in quick.refusal("account", "app", "notifier", "At kite", "PRIMARY")


def test_calls_are_bound_to_an_address_and_what_a_broker_minds_is_said(quick: Terminal) -> None:
    for name in ("Upstox A", "Upstox B"):
        quick("account", "add", name, "--broker", "upstox")
    quick("egress", "add", "127.0.0.7", "--public", "203.0.113.7", "--provider", "a line")
    assert quick.json("egress", "bind", "Upstox A", "203.0.113.7")["warnings"] == []
    shared = quick("egress", "bind", "Upstox B", "127.0.0.7")
    assert "Warning: 203.0.113.7 is also the address of 'Upstox A'" in shared.err
    (found,) = quick.json("egress", "list")
    assert found["accounts"] == ["Upstox A", "Upstox B"]
    assert "a line" in quick("egress", "list").out
    (again,) = quick.json("egress", "bind", "Upstox B", "--none")["warnings"]
    assert "less than a week ago" in again
    assert "entered already" in quick.refusal("egress", "add", "127.0.0.7")
    assert "no IP address" in quick.refusal("egress", "add", "here")
    assert "--none" in quick.refusal("egress", "bind", "Upstox A")


def test_a_paper_account_begins_anew_and_no_other(quick: Terminal) -> None:
    begun = quick.json("account", "reset", "Paper", "--cash", "50000")
    assert begun == {"name": "Paper", "cash": "50000.00"}
    assert "with 10000000.00 rupees" in quick("account", "reset", "Paper").out
    quick("account", "add", "Kite", "--broker", "kite")
    assert "is live" in quick.refusal("account", "reset", "Kite")
