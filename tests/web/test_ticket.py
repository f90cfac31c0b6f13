"""The ticket: what it says before, what it refuses, and how what was refused is told after."""

from __future__ import annotations

import re

from bahi.bootstrap.risks import hold
from bahi.kernel.money import parse_money
from bahi.risk.model.control import Scope, Whom
from bahi.risk.model.limits import Limits
from tests.api.standing import as_actor
from tests.web.markets import Trader, at_the_desk

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
        assert "AMO is for when it is not" in late.text
        once = await it.post("/ticket/preview", **RELIANCE, quantity="1", validity="IOC")
        assert "at market, IOC ≈" in once.text

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
        placed = (await it.post("/ticket/place", **RELIANCE, quantity="400")).text
        assert 'data-status="REJECTED"' in placed
        assert "It was rejected" in placed
        why = "The limit is 1,00,000.00 rupees in one order"
        assert why in placed
        assert why in await it.get("/orders")

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
