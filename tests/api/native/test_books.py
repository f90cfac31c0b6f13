"""Positions, holdings, money and reports through our own API."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.api.native.desk import Trader, trading

NAMED = {"segment": "NSE_EQ", "symbol": "SBIN", "product": "INTRADAY"}


def rupees(*amounts: str) -> Decimal:
    return sum((Decimal(it) for it in amounts), Decimal())


def test_positions_are_worth_what_the_newest_price_says(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        placed = await it.place(quantity=50)
        (held,) = (await it.get(it.at("/positions")))["items"]
        assert held["net"] == 50
        assert held["average_price"] == placed["average_price"]
        assert held["source"] == "simulated"
        value = Decimal(held["last_price"]) * 50
        assert Decimal(held["value"]) == value
        assert Decimal(held["unrealized"]) == value - Decimal(placed["traded_value"])
        funds = await it.get(it.at("/funds"))
        assert Decimal(funds["margin_used"]) == Decimal(held["margin"]) > 0
        assert Decimal(funds["available"]) == rupees(funds["cash"], f"-{funds['margin_used']}")
        closed = await it.post(it.at("/positions/close"), {**NAMED, "client_order_id": "out"})
        assert [order["side"] for order in closed["orders"]] == ["SELL"]
        again = await it.post(it.at("/positions/close"), {**NAMED, "client_order_id": "out"})
        assert [order["id"] for order in again["orders"]] in ([], [closed["orders"][0]["id"]])
        assert (await it.get(it.at("/positions"), open=True))["items"] == []
        (flat,) = (await it.get(it.at("/positions")))["items"]
        assert flat["net"] == 0
        assert flat["today"]["buy_quantity"] == flat["today"]["sell_quantity"] == 50

    trading(home, story)


def test_everything_is_closed_or_got_out_of_at_once(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        await it.place(quantity=5)
        await it.place(symbol="RELIANCE", price=await it.meeting("BUY", "RELIANCE"), quantity=3)
        done = (await it.post(it.at("/positions/close-all")))["items"]
        assert {one["symbol"] for one in done} == {"SBIN", "RELIANCE"}
        assert not any(one["fault"] for one in done)
        assert (await it.post(it.at("/positions/flatten")))["items"] == []
        named = {"position": NAMED}
        left = (await it.post(it.at("/positions/flatten"), named))["items"]
        assert left == [{**NAMED, "left": 0, "fault": None}]

    trading(home, story)


def test_a_conversion_of_one_name_is_made_once(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        await it.place(quantity=10)
        wish = {**NAMED, "to": "CNC", "quantity": 4}
        named = {"Idempotency-Key": "c1"}
        done = await it.post(it.at("/positions/convert"), wish, headers=named)
        assert (done["moves"], done["stage"]) == (4, "MADE")
        again = await it.post(it.at("/positions/convert"), wish, headers=named)
        assert again["id"] == done["id"]
        nets = {one["product"]: one["net"] for one in (await it.get(it.at("/positions")))["items"]}
        assert nets == {"INTRADAY": 6, "CNC": 4}
        (held,) = (await it.get(it.at("/holdings")))["items"]
        assert (held["total"], held["coming"], held["mtf"]) == (4, 4, None)
        refused = await it.client.post(it.at("/positions/convert"), json={**wish, "quantity": 100})
        assert refused.status_code == 409

    trading(home, story)


def test_a_person_enters_lots_pledges_and_what_companies_did(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        lots = [{"day": "2020-01-06", "quantity": 100, "cost": "30000.00"}]
        brought = {"segment": "NSE_EQ", "symbol": "SBIN", "lots": lots, "reason": "from before"}
        made = await it.post(it.at("/holdings/brought-forward"), brought, 201)
        assert (made["kind"], made["quantity"], made["cost"]) == ("OPENING", 100, "30000.00")
        assert made["cash"] == "0.00"
        action = {
            "segment": "NSE_EQ",
            "symbol": "SBIN",
            "action": "BONUS",
            "new": 1,
            "old": 2,
            "notice": "bonus 1:2",
            "at": "2024-01-05T09:00:00+05:30",
        }
        (bonus,) = (await it.post(it.at("/corporate-actions"), action))["items"]
        assert bonus["quantity"] == 50
        assert (await it.post(it.at("/corporate-actions"), action))["items"] == []
        (held,) = (await it.get(it.at("/holdings")))["items"]
        assert (held["total"], held["cost"]) == (150, "30000.00")
        pledged = {"segment": "NSE_EQ", "symbol": "SBIN", "quantity": 1}
        refused = await it.client.put(it.at("/holdings/pledged"), json=pledged)
        assert refused.status_code == 400
        assert "held as MTF" in refused.json()["message"]
        lots[0]["day"] = "2999-01-01"
        assert (await it.client.post(
            it.at("/holdings/brought-forward"), json=brought
        )).status_code == 400  # fmt: skip

    trading(home, story)


def test_the_ledger_comes_in_pages_and_adds_up_to_the_cash(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        for _ in range(3):
            await it.place(quantity=1, product="CNC")
        lines: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            page = await it.get(it.at("/ledger"), limit=2, **after)
            lines += page["items"]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert lines[-1]["kind"] == "OPENING"
        assert lines[-1]["amount"] == "10000000.00"
        cash = (await it.get(it.at("/funds")))["cash"]
        assert rupees(*(line["amount"] for line in lines)) == Decimal(cash)
        assert lines[0]["balance"] == cash
        assert len({line["id"] for line in lines}) == len(lines)

    trading(home, story)


def test_a_paper_account_begins_anew(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        await it.place()
        still_open = await it.client.post(it.at("/funds/reset"))
        assert still_open.status_code == 409
        await it.post(it.at("/positions/close-all"))
        anew = await it.post(it.at("/funds/reset"), {"cash": "500000.50"})
        assert (anew["cash"], anew["margin_used"]) == ("500000.50", "0.00")

    trading(home, story)


def test_reports_say_what_was_gained_and_what_it_cost(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        bought = await it.place("BUY")
        sold = await it.place("SELL")
        report = await it.get(it.at("/reports/gains"), by="symbol")
        of_sbin = next(one for one in report["items"] if one["label"] == "SBIN")
        gained = Decimal(sold["traded_value"]) - Decimal(bought["traded_value"])
        assert Decimal(of_sbin["gross"]) == gained
        assert Decimal(of_sbin["net"]) == gained - Decimal(of_sbin["charges"])
        assert Decimal(of_sbin["charges"]) > 0
        trades = (await it.get(it.at("/trades")))["items"]
        assert rupees(*(one["charges"] for one in trades)) == Decimal(of_sbin["charges"])
        by_day = await it.get(it.at("/reports/gains"))
        assert by_day["total"]["gross"] == of_sbin["gross"]
        named = await it.place("BUY", strategy="swing")
        by_strategy = (await it.get(it.at("/reports/gains"), by="strategy"))["items"]
        of_swing = next(one for one in by_strategy if one["label"] == "swing")
        assert Decimal(of_swing["bought"]) == Decimal(named["traded_value"])
        assert {one["label"] for one in by_strategy} == {"swing", None}
        lots = (await it.get(it.at("/reports/lots")))["items"]
        assert {one["term"] for one in lots} == {"SPECULATIVE"}
        assert rupees(*(one["gain"] for one in lots)) == gained
        (tax,) = (await it.get(it.at("/reports/tax")))["items"]
        assert (tax["term"], Decimal(tax["gain"])) == ("SPECULATIVE", gained)
        for wrong in ({"first": "2026-01-01", "last": "2025-01-01"}, {"first": "1990-01-01"}):
            answer = await it.client.get(it.at("/reports/gains"), params=wrong)
            assert answer.status_code == 400

    trading(home, story)


def test_the_past_is_as_it_was_written_down(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        begun = await it.get(it.at("/funds"))
        await it.place(quantity=10)
        between = it.it.house.clock()
        at = between.isoformat()
        await it.place(quantity=5)
        then = await it.get(it.at("/as-of/positions"), at=at)
        assert [one["net"] for one in then["items"]] == [10]
        orders = await it.get(it.at("/as-of/orders"), at=at)
        assert [one["quantity"] for one in orders["items"]] == [10]
        assert orders["next"] is None
        assert len((await it.get(it.at("/trades"), at=at))["items"]) >= 1
        one = await it.get(it.at("/as-of/orders"), at=at, limit=1)
        assert (len(one["items"]), one["next"]) == (1, None)
        funds = await it.get(it.at("/as-of/funds"), at=at)
        assert Decimal(funds["margin_used"]) > 0
        assert Decimal(funds["cash"]) <= Decimal(begun["cash"])
        risk = await it.get(it.at("/as-of/risk"), at=at)
        assert risk["switches"] == []
        assert risk["limits"][0]["whom"]["account_id"] == it.account_id
        long_ago = (between - timedelta(days=400)).isoformat()
        none = await it.client.get(it.at("/as-of/funds"), params={"at": long_ago})
        assert none.status_code == 404

    trading(home, story)


def test_books_are_compared_with_the_exchange_and_leave_to_deliver_is_asked_for(
    home: dict[str, str],
) -> None:
    async def story(it: Trader) -> None:
        await it.place()
        found = await it.post(it.at("/reconcile"), {"dry_run": True})
        assert (found["breaks"], found["unread"]) == ([], [])
        assert (await it.get(it.at("/breaks")))["items"] == []
        settle = it.at("/breaks/777/settle")
        assert (await it.client.post(settle, json={"reason": "it is so"})).status_code == 404
        ask = {"isin": "INE062A01020", "quantity": 3, "tpin": "482913"}
        asked = await it.client.post(it.at("/edis"), json=ask)
        assert asked.status_code == 201
        assert "482913" not in asked.text
        request_id = asked.json()["id"]
        given = await it.post(it.at(f"/edis/{request_id}/authorize"))
        assert given["status"] == "AUTHORIZED"
        again = await it.client.post(it.at(f"/edis/{request_id}/reject"), json={"reason": "no"})
        assert again.status_code == 409
        assert [one["id"] for one in (await it.get(it.at("/edis")))["items"]] == [request_id]

    trading(home, story)


def test_forever_orders_wait_pair_and_are_taken_back(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        price = int(await it.price())
        order = {**NAMED, "side": "SELL", "quantity": 10, "price": str(price + 50)}
        up = {"order": order, "trigger": {"type": "LTP_ABOVE", "above": str(price + 50)}}
        down = {
            "order": {**order, "price": str(price - 50)},
            "trigger": {"type": "LTP_BELOW", "below": str(price - 45)},
        }
        named = {"Idempotency-Key": "pair"}
        pair = await it.post(it.at("/forever"), {**up, "other": down}, 201, headers=named)
        one, other = pair["items"]
        assert (one["kind"], one["other_id"]) == ("OCO", other["id"])
        again = await it.post(it.at("/forever"), {**up, "other": down}, 200, headers=named)
        assert [each["id"] for each in again["items"]] == [one["id"], other["id"]]
        there = it.at(f"/forever/{one['id']}")
        up["order"] = {**order, "quantity": 7}
        changed = await it.client.patch(there, json=up)
        assert changed.json()["quantity"] == 7, changed.text
        at_once = {"order": order, "trigger": {"type": "LTP_ABOVE", "above": "1"}}
        assert (await it.client.post(it.at("/forever"), json=at_once)).status_code == 409
        gone = await it.client.delete(there)
        assert gone.json()["status"] == "CANCELLED"
        listed = await it.get(it.at("/forever"), limit=1)
        assert listed["next"] is not None
        rest = await it.get(it.at("/forever"), limit=1, after=listed["next"])
        assert {listed["items"][0]["status"], rest["items"][0]["status"]} == {"CANCELLED"}
        assert (await it.get(there))["id"] == one["id"]

    trading(home, story)
