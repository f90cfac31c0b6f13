"""How the doors of OpenAlgo answer: who may, what is wrong with a body, and nothing that tells."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

import httpx
import pytest

from bahi.accounts.service.keys import issue_key
from bahi.api.openalgo.door import Door
from bahi.db.tx import Tx
from bahi.identity.service.keys import PURPOSE, new_key
from bahi.kernel.words import BrokerSlug, KeyScope, Role
from tests.api.openalgo.asking import MARKET, Asking, asking, trading
from tests.api.standing import Seconds, Standing, as_actor, standing
from tests.api.test_canary import ROWS, everything_logged, rows_of
from tests.orders.desks import OPEN

LEG: Final = {"offset": "ATM", "option_type": "CE", "action": "BUY", "quantity": 75}
GTT: Final = {**MARKET, "trigger_type": "SINGLE", "triggerprice_sl": 1, "price": 1}
INDEX: Final = {"underlying": "NIFTY", "exchange": "NSE_INDEX", "expiry_date": "28OCT25"}
BODIES: Final[dict[str, dict[str, Any]]] = {
    "placeorder": MARKET,
    "placesmartorder": {**MARKET, "position_size": 1},
    "basketorder": {"orders": [MARKET]},
    "splitorder": {**MARKET, "splitsize": 1},
    "modifyorder": {**MARKET, "orderid": "1"},
    "cancelorder": {"orderid": "1"},
    "cancelallorder": {},
    "closeposition": {},
    "optionsorder": {**INDEX, **LEG},
    "optionsmultiorder": {**INDEX, "legs": [LEG]},
    "placegttorder": GTT,
    "modifygttorder": {**GTT, "trigger_id": "1"},
    "cancelgttorder": {"trigger_id": "1"},
    "margin": {"positions": [MARKET]},
    "analyzer/toggle": {"mode": True},
    "telegram/notify": {"message": "m"},
    "whatsapp/notify": {"message": "m", "self": True},
}
"""A body that is understood, for each door that changes something."""
OF_AN_ACCOUNT: Final = {
    **{path: body for path, body in BODIES.items() if "/" not in path},
    "orderstatus": {"orderid": "1"},
    "openposition": {"symbol": "SBIN", "exchange": "NSE", "product": "MIS"},
    **{path: {} for path in ("orderbook", "tradebook", "positionbook", "holdings", "funds")},
    **{path: {} for path in ("pnl/symbols", "gttorderbook", "ping")},
}
"""The same for each door that is about an account."""


def doors_of(it: Standing) -> list[Door]:
    return [door for door in it.app.router.routes if isinstance(door, Door)]


def test_every_door_refuses_whoever_is_not_known(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 100_000)
        for number, door in enumerate(doors_of(it)):
            client = await it.client(peer=(f"203.0.{number}.1", 1))
            for key in ("", "no key of ours", "0" * 64):
                if door.methods == {"POST"}:
                    answer = await client.post(door.path, json={"apikey": key})
                else:
                    answer = await client.get(door.path, params={"apikey": key})
                said = answer.json()
                assert answer.status_code == 403, (door.path, said)
                assert said["message"] == "Invalid openalgo apikey"
                assert set(said) == {"status", "message", "code", "request_id"}

    standing(house, story)


def test_a_key_that_only_reads_and_a_viewer_change_nothing(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        reading = await asking(it, scope=KeyScope.READ)
        viewer = Asking(await it.client(), await key_of_viewer(it))
        changing = [door.path.removeprefix("/api/v1/") for door in doors_of(it) if door.changes]
        assert set(changing) == set(BODIES)
        for path in changing:
            for who in (reading, viewer):
                said = await who.bad(path, 403, **BODIES[path])
                assert said["code"] == "forbidden", path

    trading(house, story)


async def key_of_viewer(it: Standing) -> str:
    """Issue a viewer's key, which an admin has to do for them."""
    key, boss = new_key(), as_actor(await it.admin())
    viewer = await it.user("nani", Role.VIEWER)
    digest, now = it.house.vault.digest(key, PURPOSE), it.house.clock()

    def write(tx: Tx) -> None:
        issue_key(tx, boss, digest, now, user_id=viewer.id, name="v", scope=KeyScope.READ)

    await it.main.write(write)
    return key


@pytest.mark.parametrize("path", OF_AN_ACCOUNT)
def test_anothers_account_and_orders_are_as_if_they_were_not_there(
    house: dict[str, str], path: str
) -> None:
    async def story(it: Standing) -> None:
        asha, ravi = await it.user("asha"), await it.user("ravi")
        account = await it.account(asha, BrokerSlug.PAPER, "Hers")
        await it.account(ravi, BrokerSlug.PAPER, "His")
        hers, his = [await asking(it, name=name) for name in ("asha", "ravi")]
        order = (await hers.good("placeorder", **MARKET))["orderid"]
        body = OF_AN_ACCOUNT[path]
        for name in ("Hers", str(account.id)):
            theirs = await his.bad(path, 404, **{**body, "account": name})
            nobodys = await his.bad(path, 404, **{**body, "account": "Nobody"})
            said = nobodys["message"].replace("Nobody", "#")
            assert theirs["message"].replace(name, "#") == said
        if "orderid" in body:
            said = await his.bad(path, 404, **{**body, "orderid": order})
            missing = await his.bad(path, 404, **{**body, "orderid": "777"})
            assert said["message"].replace(order, "#") == missing["message"].replace("777", "#")

    trading(house, story)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "body: "),
        (b"{", "body: "),
        (b"[]", "body: "),
        (b"\xff\xfe", "body: "),
        (b'{"orders":' + b"[" * 30_000, "body: "),
    ],
)
def test_what_is_no_json_is_said_so(house: dict[str, str], body: bytes, message: str) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        answer = await me.client.post(
            "/api/v1/placeorder", content=body, headers={"X-API-Key": me.key}
        )
        assert answer.status_code == 400
        assert answer.json()["message"].startswith(message)

    standing(house, story)


def test_a_field_that_is_wrong_is_named(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        for wrong, said in (
            ({"symbol": None}, "symbol: "),
            ({"quantity": "many"}, "quantity: "),
            ({"quantity": 1.5}, "quantity: "),
            ({"quantity": 0}, "quantity: "),
            ({"price": "dear"}, "price: "),
            ({"pricetype": "LIMIT"}, "price: "),
            ({"pricetype": "LIMIT", "price": "80.123456"}, "price: "),
            ({"pricetype": "STOP"}, "pricetype: 'STOP' is not known here; it is one of MARKET"),
            ({"trigger_price": 5}, "trigger_price: "),
            ({"action": "HOLD"}, "action: 'HOLD' is not known here; it is one of BUY, SELL"),
            ({"product": "NRML"}, "product: NRML is for derivatives; NSE takes MIS or CNC"),
            ({"exchange": "NYSE"}, "exchange: "),
            ({"client_order_id": "~mine"}, "client_order_id: "),
            ({"client_order_id": "x" * 300}, "client_order_id: "),
        ):
            answer = await me.bad("placeorder", 400, **{**MARKET, **wrong})
            assert answer["message"].startswith(said), answer
        missing = {name: value for name, value in MARKET.items() if name != "symbol"}
        assert (await me.bad("placeorder", 400, **missing))["message"] == "symbol: it is missing."
        loose = {**MARKET, "action": "buy", "quantity": 10.0, "price": 0, "unheard_of": {"a": 1}}
        await me.good("placeorder", **loose)

    trading(house, story)


def test_the_header_is_taken_where_the_body_has_no_key(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        asked = {"headers": {"X-API-Key": me.key}}
        assert (await me.client.post("/api/v1/ping", json={}, **asked)).status_code == 200
        wrong = await me.client.post("/api/v1/ping", json={"apikey": "0" * 64}, **asked)
        assert wrong.status_code == 403

    standing(house, story)


def test_where_nothing_is_it_is_said_in_the_same_form(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        client = await it.client()
        for answer, status in (
            (await client.post("/api/v1/nothing", json={}), 404),
            (await client.get("/api/v1/placeorder"), 405),
        ):
            assert answer.status_code == status
            assert set(answer.json()) == {"status", "message", "code", "request_id"}

    standing(house, story)


def test_a_key_has_its_share_and_is_told_when_to_come_again(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "key_requests_per_minute", 3)
        me, other = await asking(it), await asking(it)
        answers = [await me.raw("analyzer") for _ in range(4)]
        assert [it.status_code for it in answers] == [200, 200, 200, 429]
        assert 1 <= answers[-1].json()["retry_after"] <= 60
        assert answers[-1].headers["retry-after"]
        await other.good("analyzer")

    standing(house, story, seconds=Seconds())


def test_no_key_stands_in_a_record_or_a_log(home: dict[str, str]) -> None:
    async def story(it: Standing) -> tuple[str, list[str], list[httpx.Response]]:
        me = await asking(it)
        wrong = "f" * 64
        answers = [
            await me.raw("placeorder", **MARKET),
            await me.raw("placeorder", **{**MARKET, "quantity": me.key}),
            await me.raw("placeorder", **{**MARKET, "symbol": me.key}),
            await me.raw("basketorder", orders=[{**MARKET, "apikey": me.key}]),
            await me.raw("orderbook", **{"from": me.key}),
            await me.raw("nothing/at/all"),
            await me.raw(me.key),
            await me.client.post("/api/v1/placeorder", json={**MARKET, "apikey": wrong}),
            await me.client.post("/api/v1/ping", content=json.dumps({"apikey": me.key})[:-1]),
            await me.client.get("/api/v1/strategy/list", params={"apikey": me.key}),
        ]
        rows = []
        for store, tables in ROWS.items():
            await it.house.stores[store].write(lambda tx: None)  # behind what was offered before
            found = await it.house.stores[store].read(rows_of, tables, fresh=True)
            rows += [row for row in found if me.key in row or wrong in row]
        rows += [said.text for said in answers[4:] if me.key in said.text]
        return me.key, rows, answers

    logging.getLogger("httpx").setLevel(logging.WARNING)  # the test's own client
    try:
        with everything_logged() as (_chain, said):
            key, rows, answers = standing({**home, **OPEN}, story)
    finally:
        logging.getLogger("httpx").setLevel(logging.NOTSET)
    assert said.getvalue()
    assert rows == []
    assert key not in said.getvalue()
    assert answers[0].status_code == 200
