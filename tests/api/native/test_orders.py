"""Orders through our own API: placed, changed, cancelled, looked at, and named once."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from bahi.kernel.words import BrokerSlug, KeyScope
from tests.api.native.desk import Trader, trading


def test_an_order_is_placed_filled_and_shown_with_its_whole_life(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        placed = await it.place(client_order_id="first")
        assert placed["status"] == "EXECUTED"
        assert placed["filled"] == 10
        assert placed["remaining"] == 0
        assert placed["id"].isdecimal()
        assert placed["placed_at"].endswith("+05:30")
        assert Decimal(placed["average_price"]) > 0
        shown = await it.get(it.at(f"/orders/{placed['id']}"))
        assert shown["order"] == placed
        kinds = [event["type"] for event in shown["events"]]
        assert kinds[0] == "PLACED"
        assert kinds[-1] == "EXECUTED"
        first = shown["events"][0]["changes"]
        assert first["price"] == str(Decimal(placed["price"]).quantize(Decimal("0.01")))
        assert first["account_id"] == it.account_id
        assert first["intent_at"].endswith("+05:30")
        took = shown["took_us"]
        assert 0 <= took["sent"] <= took["acked"]
        assert 0 <= took["first_fill"] <= took["done"]
        trades = (await it.get(it.at("/trades")))["items"]
        assert {trade["order_id"] for trade in trades} == {placed["id"]}
        assert sum(trade["quantity"] for trade in trades) == 10

    trading(home, story)


def test_the_same_name_twice_is_one_order_and_the_second_answer_is_200(
    home: dict[str, str],
) -> None:
    async def story(it: Trader) -> None:
        body = await it.order(client_order_id="once")
        first = await it.post(it.at("/orders"), body, 201)
        again = await it.post(it.at("/orders"), body, 200)
        assert again["id"] == first["id"]
        del body["client_order_id"]
        by_header = {"Idempotency-Key": "once"}
        third = await it.post(it.at("/orders"), body, 200, headers=by_header)
        assert third["id"] == first["id"]
        body["client_order_id"] = "another"
        differing = await it.client.post(it.at("/orders"), json=body, headers=by_header)
        assert differing.status_code == 400
        assert "Idempotency-Key" in differing.json()["message"]
        assert len((await it.get(it.at("/orders")))["items"]) == 1

    trading(home, story)


def test_many_at_once_under_one_name_are_one_order_and_one_201(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        body = await it.order(client_order_id="race")
        answers = await asyncio.gather(
            *(it.client.post(it.at("/orders"), json=body) for _ in range(8))
        )
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert len({answer.json()["id"] for answer in answers}) == 1

    trading(home, story)


def test_an_order_is_changed_only_as_it_was_seen(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        body = await it.order(price=await it.away("BUY"))
        placed = await it.client.post(it.at("/orders"), json=body)
        tag, order = placed.headers["etag"], placed.json()
        assert order["status"] == "OPEN"
        assert tag == f'"{order["version"]}"'
        there = it.at(f"/orders/{order['id']}")
        changed = await it.client.patch(there, json={"quantity": 7}, headers={"If-Match": tag})
        assert changed.status_code == 200, changed.text
        assert changed.json()["quantity"] == 7
        late = await it.client.patch(there, json={"quantity": 6}, headers={"If-Match": tag})
        assert late.status_code == 412
        assert late.json()["code"] == "outdated"
        now = changed.headers["etag"]
        seen = await it.client.get(there)
        assert seen.headers["etag"] == now
        assert [change["new"] for change in seen.json()["changes"]] == ["7"]
        nothing = await it.client.patch(there, json={})
        assert nothing.status_code == 400
        cancelled = await it.client.delete(there)
        assert cancelled.json()["status"] == "CANCELLED"
        twice = await it.client.delete(there)
        assert twice.status_code == 409

    trading(home, story)


def test_pages_go_from_the_newest_to_the_oldest_and_filters_hold(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        far = await it.away("BUY")
        made = [(await it.place(price=far, strategy=f"s{n % 2}"))["id"] for n in range(7)]
        await it.place("SELL", strategy="s0")
        seen: list[str] = []
        after = None
        while True:
            params = {"limit": 3, "status": "OPEN"} | ({"after": after} if after else {})
            page = await it.get(it.at("/orders"), **params)
            seen += [order["id"] for order in page["items"]]
            if (after := page["next"]) is None:
                break
        assert seen == made[::-1]
        of_one = await it.get(it.at("/orders"), strategy="s1", symbol="SBIN", segment="NSE_EQ")
        assert {order["strategy"] for order in of_one["items"]} == {"s1"}
        both = await it.client.get(it.at("/orders"), params={"status": ["OPEN", "EXECUTED"]})
        assert len(both.json()["items"]) == 8
        wrong = await it.client.get(it.at("/orders"), params={"after": "c2Vudmlj"})
        assert wrong.status_code == 400
        outcome = await it.post(it.at("/orders/cancel-all"), {"strategy": "s1"})
        assert len(outcome["items"]) == 3
        assert {one["order"]["status"] for one in outcome["items"]} == {"CANCELLED"}
        rest = await it.post(it.at("/orders/cancel-all"))
        assert len(rest["items"]) == 4

    trading(home, story)


def test_pages_skip_and_repeat_nothing_while_orders_come_in(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        await it.it.set("orders", "approved_strategies", "waits")
        body = await it.order(strategy="waits", quantity=1)
        made = [(await it.post(it.at("/orders"), body, 201))["id"] for _ in range(6)]
        seen: list[str] = []
        after: dict[str, str] = {}
        while True:
            coming = (it.post(it.at("/orders"), body, 201) for _ in range(2))
            page, *_ = await asyncio.gather(it.get(it.at("/orders"), limit=2, **after), *coming)
            seen += [order["id"] for order in page["items"]]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert len(seen) == len(set(seen))
        assert set(made) <= set(seen)

    trading(home, story)


def test_of_many_changes_to_what_was_seen_one_is_made(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        body = await it.order(price=await it.away("BUY"))
        placed = await it.client.post(it.at("/orders"), json=body)
        there = it.at(f"/orders/{placed.json()['id']}")
        seen = {"If-Match": placed.headers["etag"]}
        answers = await asyncio.gather(
            *(it.client.patch(there, json={"quantity": many}, headers=seen) for many in range(3, 8))
        )
        statuses = sorted(one.status_code for one in answers)
        assert statuses.count(200) == 1
        assert set(statuses) <= {200, 409, 412}
        (made,) = (one.json()["quantity"] for one in answers if one.status_code == 200)
        assert (await it.get(there))["order"]["quantity"] == made

    trading(home, story)


def test_orders_of_every_kind_are_taken(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        price = int(await it.price())
        market = await it.place(order_type="MARKET", price=None)
        assert market["status"] == "EXECUTED"
        stop = await it.place(
            "SELL", order_type="STOP_LOSS", trigger_price=str(price - 20), price=str(price - 25)
        )
        assert stop["trigger_pending"]
        guarded = await it.place(
            guard={"stop": str(price - 30), "target": str(price + 40), "trailing": "5"}
        )
        assert (guarded["stop"], guarded["target"]) == (f"{price - 30}.00", f"{price + 40}.00")
        later = await it.place(price=str(price - 5), send_at="2099-11-20T10:00:00+05:30")
        assert (later["status"], later["waits_for"]) == ("PENDING", "time")
        assert later["release_at"] == "2099-11-20T10:00:00+05:30"
        exact = await it.client.post(
            it.at("/orders"), json=await it.order(price="800.00001", quantity=1)
        )
        assert exact.status_code == 400
        assert "four decimals" in exact.json()["message"]
        for wrong in (
            {"quantity": 0},
            {"symbol": "NOBODY"},
            {"trigger_price": "1"},
            {"send_at": "2020-01-01T10:00:00+05:30"},
            {"send_at": "2099-01-01T10:00:00"},
            {"product": "BO"},
            {"flavour": "sweet"},
        ):
            refused = await it.client.post(it.at("/orders"), json=await it.order(**wrong))
            assert refused.status_code in {400, 404}, (wrong, refused.text)

    trading(home, story)


def test_several_orders_in_one_wish(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        price = await it.meeting("BUY")
        body: dict[str, Any] = {
            "segment": "NSE_EQ",
            "symbol": "SBIN",
            "product": "INTRADAY",
            "price": price,
        }
        aim = await it.post(it.at("/orders/smart"), {**body, "target": 25})
        assert [order["quantity"] for order in aim["orders"]] == [25]
        there = await it.post(it.at("/orders/smart"), {**body, "target": 25})
        assert (there["orders"], there["net"]) == ([], 25)
        sliced = {**body, "side": "BUY", "quantity": 25, "slice_size": 10}
        parts = await it.post(it.at("/orders/sliced"), {**sliced, "client_order_id": "p"}, 201)
        assert [one["quantity"] for one in parts["slices"]] == [10, 10, 5]
        again = await it.post(it.at("/orders/sliced"), {**sliced, "client_order_id": "p"}, 200)
        assert [one["id"] for one in again["slices"]] == [one["id"] for one in parts["slices"]]
        one = {**body, "side": "BUY", "quantity": 1}
        basket = {"orders": [one, {**one, "symbol": "NOBODY"}, {**one, "symbol": "RELIANCE"}]}
        basket["orders"][2]["price"] = await it.meeting("BUY", "RELIANCE")
        named = {"Idempotency-Key": "b"}
        answers = (await it.post(it.at("/orders/basket"), basket, 201, headers=named))["items"]
        assert answers[0]["order"]["client_order_id"] == "b/1"
        assert answers[1]["fault"]["code"] == "not_found"
        assert answers[2]["order"]["symbol"] == "RELIANCE"
        twice = (await it.post(it.at("/orders/basket"), basket, 200, headers=named))["items"]
        assert twice[0]["order"]["id"] == answers[0]["order"]["id"]
        need = await it.post(it.at("/margin"), {"orders": basket["orders"][::2]})
        assert need["fits"]
        assert Decimal(need["total"]) == sum(Decimal(each["total"]) for each in need["each"])

    trading(home, story)


def test_what_waits_for_a_person_goes_out_by_a_person_alone(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        await it.it.set("orders", "approved_strategies", "careful")
        body = await it.order(strategy="careful")
        waiting = await it.post(it.at("/orders"), body, 201)
        other = await it.post(it.at("/orders"), body, 201)
        assert (waiting["status"], waiting["waits_for"]) == ("PENDING", "approval")
        approve = it.at(f"/orders/{waiting['id']}/approve")
        assert (await it.client.post(approve)).status_code == 403
        browser, csrf = await it.it.signed_in(await it.it.user("asha"))
        browser.headers["X-CSRF-Token"] = csrf
        approved = await browser.post(approve)
        assert approved.status_code == 200, approved.text
        assert approved.json()["status"] == "EXECUTED"
        assert approved.json()["approved_by"] == "asha"
        declined = await browser.post(
            it.at(f"/orders/{other['id']}/decline"), json={"reason": "not today"}
        )
        assert declined.json()["status"] == "CANCELLED"
        conclude = it.at(f"/orders/{waiting['id']}/conclude")
        known = await browser.post(conclude, json={"reason": "it never traded"})
        assert known.status_code == 409

    trading(home, story)


def test_a_key_trades_what_its_scope_allows(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        asha = await it.it.user("asha")
        body = await it.order()
        reading = await it.it.client(await it.it.key(asha, KeyScope.READ))
        assert (await reading.post(it.at("/orders"), json=body)).status_code == 403
        assert (await reading.get(it.at("/orders"))).status_code == 200
        assert (await reading.get(it.at("/funds"))).status_code == 200
        live = await it.it.account(asha, BrokerSlug.UPSTOX, "Live")
        paper = await it.it.client(await it.it.key(asha, KeyScope.PAPER))
        assert (await paper.post(it.at("/orders"), json=body)).status_code == 201
        trade = await it.it.client(await it.it.key(asha))
        there = f"/v1/accounts/{live.id}/orders"
        assert (await paper.post(there, json=body)).status_code in {403, 404}
        answer = await trade.post(there, json=body)
        assert answer.status_code == 503
        assert "live brokers are not connected yet" in answer.json()["message"]
        looked = await trade.get(there)
        assert looked.status_code == 503

    trading(home, story)
