"""Who attacks the desk: hasty hands, two tabs, other sites, addresses that lead away."""

from __future__ import annotations

import asyncio
import re
from unittest.mock import patch

import pytest

from bahi.bootstrap.risks import engaged
from bahi.db.tx import Tx
from bahi.kernel.words import BrokerSlug, KeyScope, Product, Segment, Side
from bahi.orders.model.order import Order
from bahi.orders.service.looking import Wanted, page_of
from bahi.portfolio.model.position import Key
from bahi.portfolio.service.books import position_of
from bahi.telemetry.service.recording import CallRecorder
from tests.api.standing import BASE, PASSWORD, Standing, as_actor, standing
from tests.web.seated import Trader, trader
from tests.web.test_every_page import MARKET, furnish, ways

LONG = re.compile(r"[A-Za-z0-9_-]{32,}")
KEY = Key(Segment.NSE_EQ, "SBIN", Product.INTRADAY)
AWAY = (
    "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)",
    "\\\\evil.example", "/\t/evil.example", " //evil.example", "/\r\nSet-Cookie: a=b",
    "http:evil.example", "",
)  # fmt: skip


async def orders_of(of: Trader) -> tuple[Order, ...]:
    desk = await of.it.house.desk(as_actor(of.user), of.account.id)
    page = await desk.store.read(page_of, of.account.id, Wanted(), None, 100, fresh=True)
    return tuple(page.orders)


async def net_of(of: Trader) -> int:
    desk = await of.it.house.desk(as_actor(of.user), of.account.id)

    def read(tx: Tx) -> int:
        return position_of(tx, of.account.id, KEY).net

    return await desk.store.read(read, fresh=True)


def test_a_hasty_hand_has_one_effect(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        ticket = {
            "segment": "NSE_EQ", "symbol": "SBIN", "side": "BUY", "quantity": "7",
            "product": "INTRADAY", "order_type": "MARKET", "name": "desk-1",
        }  # fmt: skip
        sent = await asyncio.gather(*(asha.post("/ticket/place", **ticket) for _ in range(4)))
        assert {answer.status_code for answer in sent} <= {200, 409}
        assert len(await orders_of(asha)) == 1
        assert await net_of(asha) == 7
        shut = {"segment": "NSE_EQ", "symbol": "SBIN", "product": "INTRADAY"}
        await asyncio.gather(*(asha.post("/positions/close", **shut) for _ in range(4)))
        assert await net_of(asha) == 0
        await asha.order(Side.SELL, 5)
        await asyncio.gather(*(asha.post("/positions/flatten") for _ in range(3)))
        assert await net_of(asha) == 0
        await asyncio.gather(*(asha.post("/risk/kill", reason="fear") for _ in range(3)))
        assert await engaged(it.house, as_actor(asha.user), [asha.account.id])
        assert (await asha.post("/risk/resume", reason="calm")).status_code == 303
        assert await engaged(it.house, as_actor(asha.user), [asha.account.id]) == []

    standing({**house, **MARKET}, story)


def test_a_form_acts_on_the_account_that_it_names_and_no_other(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        order = await asha.order(rests=True)
        other = await it.account(asha.user, BrokerSlug.PAPER, "another tab")
        asha.browser.cookies.set("bahi_account", str(other.id))
        stray = await asha.post(f"/orders/{order.id}/cancel", account=other.id)
        assert stray.status_code == 404
        unsaid = {"csrf": asha.csrf}
        for path in ("/positions/flatten", "/orders/cancel-all", f"/orders/{order.id}/cancel"):
            assert (await asha.browser.post(path, data=unsaid)).status_code == 400, path
        assert (await orders_of(asha))[0].completed_at is None
        assert (await asha.post(f"/orders/{order.id}/cancel")).status_code == 303
        assert (await orders_of(asha))[0].completed_at is not None

    standing({**house, **MARKET}, story)


@pytest.mark.parametrize("away", AWAY)
def test_no_address_leads_away(house: dict[str, str], away: str) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        looked = await asha.post("/look", back=away, bahi_theme="dark")
        killed = await asha.post("/risk/kill", reason="x", back=away)
        stranger = await it.client()
        page = await stranger.get("/sign-in", params={"next": away})
        form = page.cookies["bahi_form"]
        said = {"name": "asha", "password": PASSWORD, "form": form}
        entered = await stranger.post("/sign-in", params={"next": away}, data=said)
        for answer in (looked, killed, entered):
            assert answer.status_code == 303, answer.text
            assert str(answer.next_request.url if answer.next_request else "").startswith(
                BASE + "/"
            )
            assert "a" not in answer.cookies

    standing({**house, **MARKET}, story)


def test_every_answer_is_kept_by_nobody_and_framed_by_nobody(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        shown = await furnish(it)
        await it.set("api", "rate_limit_per_minute", 100_000)
        browser, _ = await it.signed_in(await it.admin())
        for way in ways(it):
            if not way.is_page:
                continue
            answer = await browser.get(shown.at(way))
            said = answer.headers
            assert said["cache-control"] == "no-store", way
            assert said["x-content-type-options"] == "nosniff", way
            assert said["x-frame-options"] == "DENY", way
            assert said["referrer-policy"] == "no-referrer", way
            assert "frame-ancestors 'none'" in said["content-security-policy"], way
            assert "unsafe" not in said["content-security-policy"], way
            for cookie in answer.headers.get_list("set-cookie"):
                assert {"httponly", "samesite"} <= set(re.findall(r"\w+", cookie.lower())), cookie

    standing({**house, **MARKET}, story)


def test_a_key_that_is_shown_once_stands_in_no_record(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        form = {"name": "mine", "scope": str(KeyScope.READ), f"opens-{asha.account.id}": "1"}
        keep = CallRecorder._keep
        with patch.object(CallRecorder, "_keep", autospec=True, side_effect=keep) as kept:
            answer = await asha.post("/settings/keys", **form)
        assert answer.status_code == 200, answer.text
        assert kept.call_count > 0
        assert answer.headers["cache-control"] == "no-store"
        keys = [each for each in LONG.findall(answer.text) if await opens(it, each)]
        assert keys, answer.text
        head = await it.admin()
        browser, _ = await it.signed_in(head)
        for path in ("/audit.csv", "/logs.csv", "/latency.csv", "/settings/keys.csv"):
            page = await browser.get(path)
            assert page.status_code == 200, path
            assert not any(key in page.text for key in keys), path
        again = await asha.get("/settings/keys")
        assert not any(key in again for key in keys)
        said = f"{answer.headers}{answer.url}{kept.call_args_list}"
        assert not any(key in said for key in keys)

    standing({**house, **MARKET}, story)


async def opens(it: Standing, key: str) -> bool:
    client = await it.client(key)
    return (await client.get("/v1/me")).status_code == 200
