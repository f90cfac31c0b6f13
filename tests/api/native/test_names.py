"""A name is given once: with the same wish it finds what it names, with another it is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.api.native.desk import Trader, trading


def is_taken(answer: httpx.Response) -> bool:
    return answer.status_code == 409 and answer.json()["code"] == "name_taken"


@pytest.mark.parametrize(
    "otherwise",
    [
        {"quantity": 11},
        {"side": "SELL"},
        {"symbol": "RELIANCE"},
        {"product": "CNC"},
        {"order_type": "MARKET", "price": None},
        {"price": "700"},
        {"validity": "IOC"},
        {"strategy": "another"},
        {"guard": {"stop": "500"}},
        {"disclosed_quantity": 5},
    ],
    ids=lambda it: next(iter(it)),
)
def test_a_name_with_another_wish_is_refused_and_nothing_is_placed(
    house: dict[str, str], otherwise: dict[str, Any]
) -> None:
    async def story(it: Trader) -> None:
        body = await it.order(client_order_id="mine")
        first = await it.post(it.at("/orders"), body, 201)
        another = await it.client.post(it.at("/orders"), json={**body, **otherwise})
        assert is_taken(another), another.text
        assert first["id"] in another.json()["message"]
        again = await it.post(it.at("/orders"), body, 200)
        assert again["id"] == first["id"]
        assert len((await it.get(it.at("/orders")))["items"]) == 1

    trading(house, story)


def test_an_order_that_was_changed_since_is_found_by_the_wish_that_placed_it(
    home: dict[str, str],
) -> None:
    async def story(it: Trader) -> None:
        body = await it.order(client_order_id="mine", price=await it.away("BUY"))
        first = await it.post(it.at("/orders"), body, 201)
        there = it.at(f"/orders/{first['id']}")
        assert (await it.client.patch(there, json={"quantity": 7})).status_code == 200
        found = await it.post(it.at("/orders"), body, 200)
        assert (found["id"], found["quantity"]) == (first["id"], 7)
        as_it_is = await it.post(it.at("/orders"), {**body, "quantity": 7}, 200)
        assert as_it_is["id"] == first["id"]
        neither = await it.client.post(it.at("/orders"), json={**body, "quantity": 8})
        assert is_taken(neither)

    trading(home, story)


def test_two_wishes_at_once_under_one_name_are_one_order_and_a_refusal(
    home: dict[str, str],
) -> None:
    async def story(it: Trader) -> None:
        body = await it.order(client_order_id="race")
        answers = await asyncio.gather(
            *(
                it.client.post(it.at("/orders"), json={**body, "quantity": quantity})
                for quantity in (1, 2, 1, 2, 1, 2)
            )
        )
        assert sorted(one.status_code for one in answers) == [200, 200, 201, 409, 409, 409]
        found = (await it.get(it.at("/orders")))["items"]
        assert len(found) == 1
        good = {one.json()["quantity"] for one in answers if one.status_code != 409}
        assert good == {found[0]["quantity"]}

    trading(home, story)


def test_wishes_of_several_orders_keep_to_their_names_too(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        body = {**await it.order(), "quantity": 25, "slice_size": 10, "client_order_id": "parts"}
        await it.post(it.at("/orders/sliced"), body, 201)
        larger = await it.client.post(it.at("/orders/sliced"), json={**body, "quantity": 35})
        assert is_taken(larger)
        one = await it.order(quantity=1)
        named = {"Idempotency-Key": "basket"}
        await it.post(it.at("/orders/basket"), {"orders": [one, one]}, 201, headers=named)
        mixed = {"orders": [one, {**one, "quantity": 2}]}
        first, second = (await it.post(it.at("/orders/basket"), mixed, 200, headers=named))["items"]
        assert (first["fault"], second["order"]) == (None, None)
        assert second["fault"]["code"] == "name_taken"
        aim = {"segment": "NSE_EQ", "product": "CNC", "order_type": "MARKET", "target": 40}
        smart = {**aim, "symbol": "SBIN", "client_order_id": "aim"}
        await it.post(it.at("/orders/smart"), smart)
        elsewhere = {**smart, "symbol": "RELIANCE"}
        assert is_taken(await it.client.post(it.at("/orders/smart"), json=elsewhere))

    trading(home, story)


def test_forever_orders_asked_for_twice_are_one_and_the_second_answer_is_200(
    home: dict[str, str],
) -> None:
    async def story(it: Trader) -> None:
        order = await it.order(product="CNC")
        high = {"order": order, "trigger": {"type": "LTP_ABOVE", "above": "5000"}}
        first = await it.post(it.at("/forever"), {**high, "client_order_id": "w"}, 201)
        again = await it.post(it.at("/forever"), {**high, "client_order_id": "w"}, 200)
        assert again == first
        higher = {**high, "trigger": {"type": "LTP_ABOVE", "above": "6000"}}
        taken = await it.client.post(it.at("/forever"), json={**higher, "client_order_id": "w"})
        assert is_taken(taken)
        there = it.at(f"/forever/{first['items'][0]['id']}")
        assert (await it.client.patch(there, json=higher)).status_code == 200
        found = await it.post(it.at("/forever"), {**high, "client_order_id": "w"}, 200)
        assert found["items"][0]["trigger"]["above"] == "6000.00"
        assert len((await it.get(it.at("/forever")))["items"]) == 1

    trading(home, story)
