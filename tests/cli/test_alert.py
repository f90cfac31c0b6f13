"""`bahi alert`: what somebody must look at, whichever store it is in."""

from __future__ import annotations

from bahi.bootstrap import House
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert
from tests.cli.here import Terminal
from tests.living import live_in


def test_alerts_of_every_store_are_shown_and_taken_on(quick: Terminal) -> None:
    async def raises(house: House) -> None:
        for number, store in enumerate(("main", "sandbox", "main")):
            cause = Cause(severity=Severity.WARNING, source="tests", message=f"alert {number}")
            await house.stores[store].write(raise_alert, cause, house.clock())

    live_in(quick.environ, raises)
    listed = quick.json("alert", "list")
    shown = [("alert 2", "main"), ("alert 1", "sandbox"), ("alert 0", "main")]
    assert [(it["message"], it["store"]) for it in listed] == shown
    taken = quick.json("alert", "ack", listed[1]["id"])
    assert (taken["store"], taken["acknowledged_by"]) == ("sandbox", "bahi:terminal")
    assert [it["message"] for it in quick.json("alert", "list")] == ["alert 2", "alert 0"]
    assert "There is no alert 12345" in quick.refusal("alert", "ack", "12345")
