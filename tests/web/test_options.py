"""The chain and its basket: figures as they trade, legs together, and a basket sent once."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from bahi.bootstrap.chains import ChainSeen, chain_of
from bahi.kernel.words import Role, Segment
from bahi.orders.model.order import Order
from bahi.orders.service.looking import page_of
from tests.web.markets import SCRIPT, Trader, at_the_desk, hidden

NIFTY = {"root": "NIFTY", "segment": "NSE_FNO"}


async def chain(it: Trader) -> ChainSeen:
    return await chain_of(it.it.house, "NIFTY", Segment.NSE_FNO, around=4)


async def spread(it: Trader) -> str:
    """Return a basket of a bought call and a dearer one that is sold."""
    rungs = (await chain(it)).rungs
    near, far = rungs[4].call, rungs[6].call
    assert near is not None
    assert far is not None
    return f"B1.{near.instrument.id}_S1.{far.instrument.id}"


async def orders(it: Trader) -> list[Order]:
    store = it.it.house.stores["sandbox"]
    return (await store.read(page_of, it.account.id, fresh=True)).orders


def test_a_chain_shows_both_sides_with_their_figures(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        page = await it.get("/options", **NIFTY, around=5)
        assert page.count("<tr data-row") == 11
        assert page.count('class="money"') == 1
        assert "Click a price" in page
        seen = await chain(it)
        call = seen.rungs[4].call
        assert call is not None
        answer = await it.browser.get("/options/figures", params={**NIFTY, "around": "5"})
        cells = answer.json()["cells"]
        for column in ("last", "bid", "ask", "oi", "volume", "iv", "delta", "theta", "vega"):
            assert cells[f"{column}-{call.instrument.id}"][0] != "—", column
        assert cells["spot"][0].endswith(tuple("0123456789"))
        later = seen.expiries[1]
        other = await it.get("/options", **NIFTY, expiry=str(later))
        assert re.search(rf'expiry={later}[^"]*" aria-current="true"', other)

    at_the_desk(home, story)


def test_a_basket_says_its_margin_its_payoff_and_is_placed_once(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        said = await spread(it)
        page = await it.get("/options", **NIFTY, basket=said)
        brought = hidden(page)
        assert brought["basket"] == said
        assert re.search(
            r"It makes [\d,.]+ at most. It loses [\d,.]+ at most. It breaks even", page
        )
        assert "<polyline" in page
        assert "Hedge benefit" in page
        assert "<dt>Blocked after</dt>" in page
        placing = re.search(r"<dt>To place</dt><dd>(?:≈ )?([\d,.]+)", page)
        assert placing is not None
        assert re.search(
            rf"Place 2 orders: BUY \d+ NIFTY [\w ]+ at market, SELL \d+ NIFTY [\w ]+ at market, "
            rf"to place ≈ ₹{re.escape(placing[1])}<",
            page,
        )
        form = {**NIFTY, "basket": said, "product": "MARGIN", "name": brought["name"]}
        placed = await it.post("/options/place", **form)
        assert "2 of 2 placed" in placed.text
        assert "basket" not in placed.headers["hx-replace-url"]
        first = await orders(it)
        assert {(order.side, str(order.status)) for order in first} == {
            ("BUY", "EXECUTED"), ("SELL", "EXECUTED"),
        }  # fmt: skip
        assert {order.client_order_id for order in first} == {
            f"{brought['name']}/1", f"{brought['name']}/2",
        }  # fmt: skip
        again = await it.post("/options/place", **form)
        assert again.text.count("placed before") == 2
        assert len(await orders(it)) == 2

    at_the_desk(home, story)


def test_legs_are_clicked_together_changed_and_taken_out(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        rungs = (await chain(it)).rungs
        call, put = rungs[4].call, rungs[4].put
        assert call is not None
        assert put is not None
        one, other = call.instrument.id, put.instrument.id

        async def after(basket: str, **asked: Any) -> str:
            form = {**NIFTY, "basket": basket, "product": "MARGIN", **asked}
            answer = await it.post("/options/basket", **form)
            assert 'hx-swap-oob="true"' in answer.text
            found = hidden(answer.text)["basket"]
            assert (f"basket={found}" in answer.headers["hx-replace-url"]) is bool(found)
            return found

        assert await after("", buy=one) == f"B1.{one}"
        assert await after(f"B1.{one}", buy=one) == f"B2.{one}"
        assert await after(f"B1.{one}", sell=one) == ""
        assert await after(f"B1.{one}", sell=other) == f"B1.{one}_S1.{other}"
        assert await after(f"B1.{one}_S1.{other}", at=1, drop=1) == f"B1.{one}"
        assert await after(f"B1.{one}", at=0, turn=1) == f"S1.{one}"
        assert await after(f"B1.{one}", at=0, lots=3, price="95.50") == f"B3.{one}.955000"
        assert await after(f"B3.{one}.955000", at=0, lots=3, price="") == f"B3.{one}"
        assert await after(f"B3.{one}_S1.{other}", clear=1) == ""
        calm = await it.post(
            "/options/outlook", **NIFTY, basket=f"B1.{one}", product="MARGIN", name="basket-1"
        )
        assert "It loses" in calm.text

    at_the_desk(house, story)


def test_what_cannot_be_is_a_sentence(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        said = await spread(it)
        one = said.partition("_")[0]
        for wrong in ("B0.1", "X1.5", f"{one}.x", "B1.12345", SCRIPT, "_".join([one] * 21)):
            page = await it.browser.get("/options", params={**NIFTY, "basket": wrong})
            assert page.status_code == 200
            assert "<script>alert" not in page.text
            assert 'class="why"' in page.text, wrong
            await it.post("/options/place", 400, **NIFTY, basket=wrong, name="n")
        for wrong in (
            {"at": "9", "drop": "1"},
            {"at": "0", "lots": "many"},
            {"at": "0", "lots": "0"},
        ):
            await it.post("/options/basket", 400, **NIFTY, basket=one, **wrong)
        await it.post("/options/place", 400, **NIFTY, basket="", name="n")
        await it.post("/options/place", 400, **NIFTY, basket=one)
        off = await it.get("/options", **NIFTY, basket=f"{one}.1003")
        assert "is not on the tick" in off
        assert "disabled" in off
        large = await it.get("/options", **NIFTY, basket=one.replace("B1.", "B9000."))
        assert "freeze limit" in large
        assert "disabled" in large
        await it.get("/options", 404, root="NOSUCH", segment="NSE_FNO")
        none = await it.browser.get("/options", params={"root": SCRIPT, "segment": "NSE_FNO"})
        assert none.status_code == 404
        assert "<script>alert" not in none.text
        await it.get("/options", 400, segment="NOWHERE")
        await it.get("/options", 400, around=500)

    at_the_desk(house, story)


def test_a_basket_whose_form_is_wrong_is_refused_before_anything_goes(
    house: dict[str, str],
) -> None:
    async def story(it: Trader) -> None:
        form = {**NIFTY, "basket": await spread(it), "product": "MARGIN", "name": "basket-2"}
        for wrong in ({"segment": "BOGUS"}, {"segment": ""}, {"root": "N" * 50}, {"root": ""}):
            await it.post("/options/place", 400, **form | wrong)
        assert await orders(it) == []

    at_the_desk(house, story)


def test_legs_of_two_days_have_a_margin_and_no_picture(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        seen = await chain(it)
        later = await chain_of(it.it.house, "NIFTY", Segment.NSE_FNO, seen.expiries[1], around=1)
        near, far = seen.rungs[4].call, later.rungs[1].call
        assert near is not None
        assert far is not None
        basket = f"S1.{near.instrument.id}_B1.{far.instrument.id}"
        page = await it.get("/options", **NIFTY, basket=basket)
        assert "end on different days" in page
        assert "<polyline" not in page
        assert "Hedge benefit" in page

    at_the_desk(house, story)


def test_a_viewer_sees_the_chain_and_no_basket(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        said = await spread(it)
        meera = await it.another("meera", Role.VIEWER)
        page = await meera.get("/options", **NIFTY, basket=said)
        assert page.count("<tr data-row") == 21
        assert 'name="buy"' not in page
        assert "/options/place" not in page
        form = {**NIFTY, "basket": said, "product": "MARGIN", "name": "n"}
        answer = await meera.browser.post("/options/place", data={"csrf": meera.csrf, **form})
        assert answer.status_code in {403, 404}
        assert await orders(it) == []

    at_the_desk(house, story)


def test_a_chain_is_handed_out_as_a_file(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        rows = list(csv.DictReader(io.StringIO(await it.get("/options.csv", **NIFTY, around=5))))
        assert len(rows) == 11
        assert all(row["call_symbol"].endswith("CE") for row in rows)
        assert all(row["put_symbol"].endswith("PE") for row in rows)
        assert float(rows[5]["call_delta"]) > 0

    at_the_desk(house, story)
