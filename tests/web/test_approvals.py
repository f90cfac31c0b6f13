"""Approvals: what waits, for whom it stands there, and what comes of each answer."""

from __future__ import annotations

import csv
import io
import re

from bahi.kernel.words import OrderStatus, Role
from bahi.orders.model.order import APPROVAL, Order
from bahi.orders.service.looking import timeline_of
from tests.web.markets import SCRIPT, Trader, at_the_desk


async def holds(it: Trader, strategy: str = "waits") -> Order:
    """Return an order that waits, because its strategy does."""
    await it.it.set("orders", "approved_strategies", strategy)
    order = await it.place(quantity=7, strategy=strategy)
    assert order.waits_for == APPROVAL
    return order


async def ended(it: Trader, order: Order) -> Order:
    store = it.it.house.stores["sandbox"]
    line = await store.read(timeline_of, it.account.id, order.id, fresh=True)
    assert line is not None
    return line.order


def test_a_ticket_says_before_that_its_order_will_wait(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        await holds(it)
        form = {
            "segment": "NSE_EQ", "symbol": "SBIN", "side": "BUY", "product": "INTRADAY",
            "quantity": "3",
        }  # fmt: skip
        waits = (await it.post("/ticket/preview", **form, strategy="waits")).text
        assert "It waits for a person's word before it goes out." in waits
        goes = (await it.post("/ticket/preview", **form)).text
        assert "It waits for a person" not in goes

    at_the_desk(home, story)


def test_what_waits_is_let_go_or_declined_by_a_person(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        assert "Nothing waits for a person" in await it.get("/approvals")
        first, other = await holds(it), await holds(it)
        page = await it.get("/approvals")
        assert page.count('<tr id="approval-') == 2
        assert "BUY 7 SBIN, MIS, at market" in page
        assert "asha's paper" in page
        cells = (await it.browser.get("/approvals/figures")).json()["cells"]
        assert re.fullmatch(r"14 min \d\d s", cells[f"left-{first.id}"][0])
        now = await it.get(f"/approvals/{first.id}/now")
        assert re.search(r"needs [\d,.]+ of 99,9[\d,.]+, charges", now)
        gone = await it.post(f"/approvals/{first.id}/approve", 303)
        assert gone.headers["location"].startswith("/approvals")
        assert "is executed now" in await it.get("/approvals")
        assert (await ended(it, first)).approved_by == "asha"
        await it.post(f"/approvals/{other.id}/decline", 400)
        await it.post(f"/approvals/{other.id}/decline", 303, reason="too late today")
        after = await ended(it, other)
        assert after.status is OrderStatus.CANCELLED
        assert after.error_message is not None
        assert "too late today" in after.error_message
        assert "Nothing waits" in await it.get("/approvals")
        assert "waits no longer" in await it.get(f"/approvals/{other.id}/now")
        await it.post(f"/approvals/{other.id}/approve", 409)

    at_the_desk(home, story)


def test_one_approves_what_one_sees_and_nothing_else(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        order = await holds(it)
        ravi = await it.another()
        assert "SBIN" not in await ravi.get("/approvals")
        for path in (f"/approvals/{order.id}/approve", f"/approvals/{order.id}/decline"):
            await ravi.post(path, 404, reason="mine now")
        await ravi.get(f"/approvals/{order.id}/now", 404)
        assert (await ended(it, order)).status is OrderStatus.PENDING
        refused = await it.browser.post(
            f"/approvals/{order.id}/approve", data={"account": str(it.account.id)}
        )
        assert refused.status_code == 403
        meera = await it.another("meera", Role.VIEWER)
        assert "/approve" not in await meera.get("/approvals")
        admin = await it.it.admin()
        browser, csrf = await it.it.signed_in(admin)
        page = await browser.get("/approvals")
        assert "BUY 7 SBIN" in page.text
        accounts = re.findall(r'name="account" value="(\d+)"', page.text)
        form = {"csrf": csrf, "account": accounts[0]}
        gone = await browser.post(f"/approvals/{order.id}/approve", data=form)
        assert gone.status_code == 303
        assert (await ended(it, order)).approved_by == "admin"

    at_the_desk(house, story)


def test_what_is_written_is_shown_as_text_and_handed_out(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        await holds(it, SCRIPT)
        raw = await it.browser.get("/approvals")
        assert SCRIPT not in raw.text
        assert SCRIPT in await it.get("/approvals")
        rows = list(csv.DictReader(io.StringIO((await it.browser.get("/approvals.csv")).text)))
        assert [row["order_symbol"] for row in rows] == ["SBIN"]
        await it.get("/approvals/x/now", 400)
        await it.get("/approvals/7/now", 404)

    at_the_desk(house, story)
