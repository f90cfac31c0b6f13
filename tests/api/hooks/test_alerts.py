"""Alerts that become orders: of TradingView, of Chartink, of OpenAlgo's `Strategy`."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from datetime import time, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from bahi.accounts.service.accounts import list_accounts
from bahi.kernel.clock import IST, StoppedClock
from bahi.orders.service.looking import page_of
from bahi.strategies.model.webhooks import AlertSource, AlertStatus, Webhook, Wished
from bahi.strategies.service import webhooks
from tests.api.openalgo.asking import trading
from tests.api.serving import Server
from tests.api.standing import STRANGER, Standing, as_actor
from tests.orders.desks import NOON, OPEN

TEMPLATE = {
    "symbol": "{{ticker}}", "exchange": "NSE", "action": "{{side}}", "quantity": "10",
    "product": "MIS",
}  # fmt: skip
ALERT = {"ticker": "SBIN", "side": "buy", "time": "2026-11-24T10:00:00Z"}
SIGNING = "a-secret-to-sign-with"


async def hooked(
    it: Standing, template: dict[str, Any] = TEMPLATE, *, signing: str | None = None, **more: Any
) -> tuple[str, Webhook]:
    """Enter a webhook on the paper account; return its path and what it is."""
    user, path = await it.admin(), webhooks.new_path()
    (account, *_) = await it.main.read(list_accounts, as_actor(user), fresh=True)
    digest = it.house.vault.digest(path, webhooks.PATH_PURPOSE)
    wished = Wished(name="breakout", template=template, **more)
    what = (account.id, wished, digest, signing)
    made = await it.main.write(
        webhooks.add_webhook, as_actor(user), it.house.vault, what, it.house.clock()
    )
    return f"/hooks/alerts/{path}", made


async def orders(it: Standing, hook: Webhook) -> list[Any]:
    store = it.house.stores["sandbox"]
    return list((await store.read(page_of, hook.account_id, fresh=True)).orders)


async def the_alerts(it: Standing, hook: Webhook) -> list[Any]:
    user = as_actor(await it.admin())
    return await it.main.read(webhooks.alerts_of, user, hook.id, fresh=True)  # type: ignore[no-any-return] # main is Any


def test_an_alert_becomes_an_order_of_its_strategy(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        path, hook = await hooked(it)
        client = await it.client()
        answer = await client.post(path, json=ALERT)
        assert answer.status_code == 200, answer.text
        (row,) = answer.json()["results"]
        assert (row["symbol"], row["status"]) == ("SBIN", "success")
        (order,) = await orders(it, hook)
        assert (str(order.id), order.side, order.quantity) == (row["orderid"], "BUY", 10)
        assert (order.strategy, order.filled) == ("breakout", 10)
        (alert,) = await the_alerts(it, hook)
        assert (alert.status, alert.payload["ticker"]) == (AlertStatus.DONE, "SBIN")
        assert alert.outcome[0]["orderid"] == row["orderid"]

    trading(home, story)


def test_the_same_alert_again_places_nothing_again(home: dict[str, str]) -> None:
    clock = StoppedClock(NOON)

    async def story(it: Standing) -> None:
        path, hook = await hooked(it, repeats_within_s=60)
        client = await it.client()
        first = (await client.post(path, json=ALERT)).json()
        again = (await client.post(path, json=ALERT)).json()
        assert again["results"] == first["results"]
        assert "before" in again["message"]
        assert len(await orders(it, hook)) == 1
        clock.advance(timedelta(seconds=61))
        assert (await client.post(path, json=ALERT)).json()["status"] == "success"
        assert len(await orders(it, hook)) == 2
        named = {**ALERT, "alert_id": "bar-17"}
        await client.post(path, json=named)
        clock.advance(timedelta(days=1))
        assert (
            "before" in (await client.post(path, json={**named, "time": "later"})).json()["message"]
        )
        assert len(await orders(it, hook)) == 3

    trading(home, story, clock=clock)


def test_many_at_once_place_one(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        path, hook = await hooked(it)
        client = await it.client()
        answers = await asyncio.gather(*(client.post(path, json=ALERT) for _ in range(8)))
        assert {answer.status_code for answer in answers} == {200}
        assert len(await orders(it, hook)) == 1

    trading(home, story)


def test_an_alert_whose_process_died_is_seen_through_when_it_comes_again(
    home: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        path, hook = await hooked(it)
        taken = await it.main.write(webhooks.take_alert, hook, ALERT, "127.0.0.1", it.house.clock())
        assert await orders(it, hook) == []
        client = await it.client()
        for _ in range(2):
            answer = (await client.post(path, json=ALERT)).json()
            assert answer["alert_id"] == str(taken.alert.id)
        (order,) = await orders(it, hook)
        assert order.client_order_id == f"hook:{taken.alert.id}/1"

    trading(home, story)


def test_what_a_template_fixes_no_alert_changes(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        path, hook = await hooked(it)
        client = await it.client()
        evil = {**ALERT, "quantity": 100_000, "product": "CNC", "account": "another"}
        assert (await client.post(path, json=evil)).json()["status"] == "success"
        (order,) = await orders(it, hook)
        assert (order.quantity, order.product) == (10, "INTRADAY")

    trading(home, story)


def test_chartink_tells_of_several_stocks(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        template = {"exchange": "NSE", "quantity": 5, "product": "MIS"}
        path, hook = await hooked(it, template, source=AlertSource.CHARTINK)
        told = {
            "stocks": "SBIN,TCS,NO-SUCH-THING", "trigger_prices": "1017.5,2233,1",
            "triggered_at": "2:34 pm", "scan_name": "Sell the breakdown",
        }  # fmt: skip
        client = await it.client()
        as_json = (await client.post(path, json=told)).json()
        assert [row["status"] for row in as_json["results"]] == ["success", "success", "error"]
        assert {order.side for order in await orders(it, hook)} == {"SELL"}
        as_form = await client.post(path, data={**told, "scan_name": "Cover"})
        assert as_form.status_code == 200, as_form.text
        assert len(await orders(it, hook)) == 4

    trading(house, story)


def test_openalgos_strategy_posts_here_unchanged(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        template = {"exchange": "NSE", "quantity": 4, "product": "MIS"}
        path, hook = await hooked(it, template, repeats_within_s=0)
        client = await it.client()
        path = path.replace("/hooks/alerts/", "/strategy/webhook/")
        for said, net in (
            ({"symbol": "SBIN", "action": "BUY"}, 4),
            ({"symbol": "SBIN", "action": "SELL", "position_size": -3}, -3),
            ({"symbol": "SBIN", "action": "short_exit"}, 0),
            ({"symbol": "SBIN", "action": "short_exit"}, 0),
        ):
            answer = await client.post(path, json=said)
            assert answer.status_code == 200, answer.text
            positions = (await (await it.admin_client()).get(
                f"/v1/accounts/{hook.account_id}/positions"
            )).json()["items"]  # fmt: skip
            assert positions[0]["net"] == net
        refused = await client.post(path, json={"action": "start", "mode": "live"})
        assert refused.status_code == 400
        assert refused.json()["code"] == "not_available"

    trading(house, story)


def test_who_may_post_when_and_from_where(house: dict[str, str]) -> None:
    clock = StoppedClock(NOON)  # a Monday, 12:00 in India
    assert NOON.astimezone(IST).hour == 12

    async def story(it: Standing) -> None:
        client, stranger = await it.client(), await it.client(peer=STRANGER)
        near, _ = await hooked(it, addresses=("127.0.0.0/8",))
        assert (await client.post(near, json=ALERT)).status_code == 200
        assert (await stranger.post(near, json=ALERT)).status_code == 403
        late, _ = await hooked(it, opens_at=time(9, 20), closes_at=time(11, 30))
        shut = await client.post(late, json=ALERT)
        assert (shut.status_code, shut.json()["code"]) == (409, "out_of_hours")
        clock.advance(timedelta(hours=-1))
        assert (await client.post(late, json=ALERT)).status_code == 200
        signed, _ = await hooked(it, signing=SIGNING)
        body = json.dumps(ALERT).encode()
        right = hmac.new(SIGNING.encode(), body, sha256).hexdigest()
        for said, status in ((None, 401), ("sha256=00", 401), (f"sha256={right}", 200)):
            headers = {} if said is None else {"X-Bahi-Signature": said}
            answer = await client.post(signed, content=body, headers=headers)
            assert answer.status_code == status, answer.text

    trading(house, story, clock=clock)


def test_a_webhook_that_is_off_or_gone_or_guessed_takes_nothing(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        client = await it.client()
        path, hook = await hooked(it)
        by = as_actor(await it.admin())
        await it.main.write(webhooks.change_webhook, by, hook.id, (None, False), it.house.clock())
        assert (await client.post(path, json=ALERT)).status_code == 403
        await it.main.write(webhooks.remove_webhook, by, hook.id, it.house.clock())
        assert (await client.post(path, json=ALERT)).status_code == 404
        for guess in ("x", "0" * 64, "%00", "../v1/me"):
            assert (await client.post(f"/hooks/alerts/{guess}", json=ALERT)).status_code == 404
        assert await orders(it, hook) == []

    trading(house, story)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"not json", b"[]", b'"text"', b"{", b"\xff\xfe", b'{"ticker":' + b"[" * 100,
        b'{"side":"buy"}', b'{"ticker":{"a":1},"side":"buy"}',
        b'{"ticker":"\\ud800","side":"buy"}', b'{"ticker":"SBIN","side":"\\udfff"}',
        b'{"ticker":"SBIN","side":"sideways"}',
        b'{"ticker":"\\u0000","side":"buy"}', b'{"ticker":"SBIN","side":null}',
        b'{"ticker":"SBIN","side":"buy","price":"NaN"}',
        b'{"ticker":"SBIN","side":["buy"],"alert_id":[1],"price":{}}',
    ],
)  # fmt: skip
def test_an_ill_alert_is_answered_in_one_sentence(house: dict[str, str], body: bytes) -> None:
    async def story(it: Standing) -> None:
        path, hook = await hooked(it)
        answer: httpx.Response = await (await it.client()).post(path, content=body)
        assert answer.status_code in {400, 422} or b"NaN" in body, answer.text
        assert answer.json()["status"] == "error" or b"NaN" in body
        if b"NaN" not in body:
            assert await orders(it, hook) == []

    trading(house, story)


def test_the_address_and_the_signing_secret_are_in_no_log_and_no_record(
    house: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def story(it: Standing) -> list[str]:
        path, _ = await hooked(it, signing=SIGNING)
        client = await it.client()
        await client.post(path, json=ALERT)
        await client.post(path, json=ALERT, headers={"X-Bahi-Signature": "sha256=00"})
        return [path.rpartition("/")[2], SIGNING]

    secrets = trading(house, story)
    ours = [it.getMessage() for it in caplog.records if it.name.startswith("bahi")]
    kept = "\n".join(ours).encode()
    for file in Path(house["BAHI_HOME"]).rglob("*"):
        kept += file.read_bytes() if file.is_file() else b""
    for secret in secrets:
        assert secret.encode() not in kept


def test_webhooks_are_made_by_people_and_seen_by_their_owner_alone(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        key = await it.admin_client()
        accounts = (await key.get("/v1/accounts")).json()["items"]
        wish = {"name": "mine", "account_id": accounts[0]["id"], "template": TEMPLATE}
        assert (await key.post("/v1/webhooks", json=wish)).status_code == 403
        admin, csrf = await it.signed_in(await it.admin())
        headers = {"X-CSRF-Token": csrf}
        made = await admin.post("/v1/webhooks", json=wish, headers=headers)
        assert made.status_code == 201, made.text
        url, shown = made.json()["url"], made.json()["webhook"]
        path = url.partition("/hooks/")[2]
        answer = await (await it.client()).post(f"/hooks/{path}", json=ALERT)
        assert answer.json()["status"] == "success"
        listed = (await key.get("/v1/webhooks")).json()["items"]
        assert listed == [{**shown, "last_alert_at": listed[0]["last_alert_at"]}]
        alerts = (await key.get(f"/v1/webhooks/{shown['id']}/alerts")).json()["items"]
        assert [each["status"] for each in alerts] == ["DONE"]
        other = await it.client(await it.key(await it.user("other")))
        assert (await other.get("/v1/webhooks")).json()["items"] == []
        assert (await other.get(f"/v1/webhooks/{shown['id']}")).status_code == 404
        bad = {**wish, "template": {"account": "x"}}
        refused = await admin.post("/v1/webhooks", json=bad, headers=headers)
        assert refused.status_code == 400
        assert "template.account" in refused.json()["message"]
        here = f"/v1/webhooks/{shown['id']}"
        off = await admin.patch(here, json={"is_active": False}, headers=headers)
        assert off.json()["is_active"] is False
        assert (await admin.delete(here, headers=headers)).status_code == 204
        assert (await key.get(here)).status_code == 404

    trading(house, story)


def test_the_real_clients_strategy_is_served_unchanged(house: dict[str, str]) -> None:
    openalgo = pytest.importorskip("openalgo")
    template = {"exchange": "NSE", "quantity": 4, "product": "MIS"}
    with Server({**house, **OPEN}) as server:
        path, hook = server.do(lambda it: hooked(it, template))
        strategy = openalgo.Strategy(server.url, path.rpartition("/")[2])
        if hasattr(strategy, "long_entry"):
            strategy.long_entry("SBIN")
        else:
            strategy.strategyorder("SBIN", "BUY")
            strategy.strategyorder("SBIN", "SELL", position_size=-2)
        placed = server.do(lambda it: orders(it, hook))
        assert placed[-1].side == "BUY"
        assert {order.symbol for order in placed} == {"SBIN"}


def test_guesses_are_looked_up_only_so_often_and_what_opened_before_goes_on(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 10)
        path, _ = await hooked(it)
        other, _ = await hooked(it, {**TEMPLATE, "quantity": "20"})
        client = await it.client(peer=STRANGER)
        assert (await client.post(path, json=ALERT)).status_code == 200
        found = [
            (await client.post(f"/hooks/alerts/{webhooks.new_path()}", json=ALERT)).status_code
            for _ in range(15)
        ]
        assert found == [404] * 10 + [429] * 5
        assert (await client.post(other, json=ALERT)).status_code == 429  # nobody knows it yet
        assert (await client.post(path, json={**ALERT, "n": 2})).status_code == 200
        elsewhere = await it.client(peer=("203.0.113.77", 1))
        assert (await elsewhere.post(other, json=ALERT)).status_code == 200

    trading(house, story)
