"""The ticket: what it says before, what it refuses, and how what was refused is told after."""

from __future__ import annotations

import re
from html import unescape

from bahi.bootstrap.risks import hold, kill
from bahi.kernel.money import Price, parse_money
from bahi.kernel.words import BrokerSlug, OrderType, Product, Segment, Side
from bahi.risk.model.control import Scope, Whom
from bahi.risk.model.limits import PERCENT, Limits
from tests.api.standing import as_actor
from tests.web.markets import AS_PART, Trader, at_the_desk

RELIANCE = {"segment": "NSE_EQ", "symbol": "RELIANCE", "side": "BUY", "product": "CNC"}


def test_a_ticket_offers_traders_words_and_sends_the_books(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        page = await it.get("/ticket", segment="NSE_EQ", symbol="RELIANCE")
        for value, shown in (("CNC", "CNC"), ("INTRADAY", "MIS"), ("MTF", "MTF")):
            assert re.search(f'value="{value}"[^>]*>{shown}<', page)
        placed = await it.post("/ticket/place", **RELIANCE | {"product": "INTRADAY"}, quantity="3")
        assert "RELIANCE</b>, MIS, MARKET" in placed.text

    at_the_desk(house, story)


def test_what_a_preview_refuses_it_says_with_grouped_rupees(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        form = {**RELIANCE, "quantity": "10", "order_type": "LIMIT", "price": "1234.567"}
        said = (await it.post("/ticket/preview", **form)).text
        assert "1,234.567" in said
        assert "is not on the tick" in said
        assert " disabled" in said
        late = await it.post("/ticket/preview", **RELIANCE, quantity="1", validity="AMO")
        assert "Validity: NSE is open; an AMO is for when it is not" in late.text
        sent = await it.post("/ticket/place", 409, **RELIANCE, quantity="1", validity="AMO")
        assert "Validity: NSE is open" in sent.text
        assert 'value="AMO"' not in await it.get("/ticket", segment="NSE_EQ", symbol="RELIANCE")
        once = await it.post("/ticket/preview", **RELIANCE, quantity="1", validity="IOC")
        assert "at market, IOC ≈" in once.text

    at_the_desk(house, story)


def test_a_ticket_says_before_it_is_sent_that_entries_are_stopped(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        await it.place("RELIANCE", 5)
        whom = Whom(scope=Scope.ACCOUNT, account_id=it.account.id)
        await kill(it.it.house, as_actor(it.user), whom, "the line is on fire")
        entry = (await it.post("/ticket/preview", **RELIANCE, quantity="1")).text
        assert "Entries are stopped by the account's switch (the line is on fire)" in unescape(
            entry
        )
        assert " disabled" in entry
        way_out = {**RELIANCE, "side": "SELL", "product": "INTRADAY"}
        assert " disabled" not in (await it.post("/ticket/preview", **way_out, quantity="5")).text

    at_the_desk(house, story)


def test_a_ticket_says_before_it_is_sent_what_is_not_free_to_deliver(
    house: dict[str, str],
) -> None:
    async def story(it: Trader) -> None:
        await it.place("RELIANCE", 10, product=Product.CNC)
        sale = {**RELIANCE, "side": "SELL"}
        assert " disabled" not in (await it.post("/ticket/preview", **sale, quantity="10")).text
        many = (await it.post("/ticket/preview", **sale, quantity="11")).text
        assert (
            "The account has 10 RELIANCE free to deliver; sell what it holds, or sell MIS" in many
        )
        assert " disabled" in many
        seen = it.it.house.floor.market.look(Segment.NSE_EQ, "RELIANCE").price or Price(0)
        far = Price(seen * 105 // 100 // 100_000 * 100_000)
        await it.place(
            "RELIANCE", 6, product=Product.CNC, side=Side.SELL,
            order_type=OrderType.LIMIT, price=far,
        )  # fmt: skip
        held = (await it.post("/ticket/preview", **sale, quantity="5")).text
        assert "The account has 4 RELIANCE free to deliver, and 6 in orders that rest;" in held
        refused = (await it.post("/ticket/place", **sale, quantity="5")).text
        assert 'data-status="REJECTED"' in refused

    at_the_desk(house, story)


def test_an_order_that_a_limit_refuses_says_so_in_the_ticket_and_in_its_row(
    home: dict[str, str],
) -> None:
    async def story(it: Trader) -> None:
        by, whom = (
            as_actor(await it.it.admin()),
            Whom(scope=Scope.ACCOUNT, account_id=it.account.id),
        )
        limits = Limits(order_value=parse_money("100000"))
        await hold(it.it.house, by, whom, limits, at_once="a test")
        said = unescape((await it.post("/ticket/preview", **RELIANCE, quantity="400")).text)
        assert "The limit is 1,00,000.00 rupees in one order" in said
        assert " disabled" in said
        assert " disabled" not in (await it.post("/ticket/preview", **RELIANCE, quantity="1")).text
        placed = (await it.post("/ticket/place", **RELIANCE, quantity="400")).text
        assert 'data-status="REJECTED"' in placed
        assert "It was rejected" in placed
        why = "The limit is 1,00,000.00 rupees in one order"
        assert why in placed
        assert why in await it.get("/orders")

    at_the_desk(home, story)


def test_a_limit_is_held_to_the_band_whichever_way_it_goes(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        by = as_actor(await it.it.admin())
        whom = Whom(scope=Scope.ACCOUNT, account_id=it.account.id)
        await hold(it.it.house, by, whom, Limits(price_band=20 * PERCENT), at_once="a test")
        for side in Side:  # what sells far below the market would get what is bid, and all of it
            last = it.it.house.floor.market.look(Segment.NSE_EQ, "RELIANCE").price or Price(0)
            far = last * (13 if side is Side.BUY else 7) // 10 // 100_000 * 10
            form = {
                **RELIANCE, "side": str(side), "product": "INTRADAY", "quantity": "1",
                "order_type": "LIMIT", "price": str(far),
            }  # fmt: skip
            said = (await it.post("/ticket/preview", **form)).text
            assert "is more than 20.00 % from the last price" in said
            assert " disabled" in said
            assert 'data-status="REJECTED"' in (await it.post("/ticket/place", **form)).text

    at_the_desk(home, story)


def test_a_stop_that_the_market_has_passed_is_refused_before(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        last = it.it.house.floor.market.look(Segment.NSE_EQ, "RELIANCE").price or Price(0)
        for side, way, share in ((Side.BUY, "above", 9), (Side.SELL, "below", 11)):
            trigger = last * share // 10 // 100_000 * 10
            form = {
                **RELIANCE, "side": str(side), "product": "INTRADAY", "quantity": "1",
                "order_type": "STOP_LOSS_MARKET", "trigger_price": str(trigger),
            }  # fmt: skip
            said = (await it.post("/ticket/preview", **form)).text
            assert f"Trigger: a {side} stop has to be {way} the last price" in said
            assert " disabled" in said

    at_the_desk(house, story)


def test_who_reads_older_orders_stays_with_their_account_and_is_told_of_newer_alone(
    home: dict[str, str],
) -> None:
    async def story(it: Trader) -> None:
        other = await it.it.account(it.user, BrokerSlug.PAPER, "second")
        for _ in range(51):
            await it.place("ITC", 1)
        own = f"account={it.account.id}"
        first = await it.get("/orders", account=it.account.id, symbol="ITC")
        (older,) = re.findall(r'hx-get="(/orders[?][^"]*behind=[^"]*)"', first)
        assert own in older
        await it.get("/orders", account=other.id)  # in another tab: the cookie is of that one now
        strange = await it.browser.get(f"{older}&path=1&self=2", headers=AS_PART)
        assert strange.status_code == 200
        rows = (await it.browser.get(older, headers=AS_PART)).text
        assert "<tr id=" in rows
        (newer,) = re.findall(r'id="newest"[^>]*hx-get="([^"]*)"', unescape(rows))
        assert own in newer
        assert (await it.browser.get(newer, headers=AS_PART)).status_code == 204
        await it.place("SBIN", 1)  # which the filter leaves out
        assert (await it.browser.get(newer, headers=AS_PART)).status_code == 204
        await it.place("ITC", 1)
        told = (await it.browser.get(newer, headers=AS_PART)).text
        assert "There are newer ones" in told
        assert own in told
        assert "than=" not in told
        words = await it.get("/orders", account=it.account.id, symbol="itc")
        assert words.count("<tr id=") == 50

    at_the_desk(home, story)


def test_one_form_that_is_sent_twice_closes_once(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        await it.place(quantity=4)
        form = {"segment": "NSE_EQ", "symbol": "SBIN", "product": "INTRADAY", "name": "out-1"}
        first = await it.post("/positions/close", 303, **form)
        again = await it.post("/positions/close", 303, **form)
        assert first.headers["location"] == again.headers["location"]
        orders = await it.get("/orders", symbol="SBIN")
        assert orders.count("SELL <small") == 1

    at_the_desk(home, story)
