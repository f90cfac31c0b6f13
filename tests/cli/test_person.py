"""`bahi person`: the family, each of them once, and no PAN is ever shown."""

from __future__ import annotations

from tests.cli.here import Terminal

PAN = "ABCDE1234F"


def test_a_person_is_entered_once_for_each_pan(quick: Terminal) -> None:
    words = ("person", "add", "Meera", "--relation", "spouse", "--pan")
    entered = quick.json(*words, answer=f"{PAN}\n")
    assert (entered["name"], entered["user"], entered["has_pan"]) == ("Meera", "admin", True)
    again = quick.refusal("person", "add", "Somebody", "--pan", answer=f"{PAN.lower()}\n")
    assert "'Meera' is entered with this PAN" in again
    quick("account", "add", "Kite", "--broker", "kite", "--person", "Meera")
    assert quick.json("person", "show", "Meera")["accounts"] == ["Kite"]
    assert "spouse" in quick("person", "list").out
    assert "Meera" in quick("person", "show", entered["id"]).out
    assert PAN not in quick.shown
    assert PAN.lower() not in quick.shown


def test_what_cannot_be_a_person_is_refused_in_a_sentence(quick: Terminal) -> None:
    refused = quick.refusal("person", "add", "Meera", "--pan", answer="ABC\n")
    assert "five letters" in refused
    assert "spouse" in quick.refusal("person", "add", "Meera", "--relation", "cousin")
    assert "no person 'Meera'" in quick.refusal("person", "show", "Meera")
    ids = [quick.json("person", "add", "Meera")["id"] for _ in range(2)]
    assert all(it in quick.refusal("person", "show", "Meera") for it in ids)
