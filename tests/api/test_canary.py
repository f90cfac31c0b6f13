"""Secrets through every door: no answer, no log record and no row has them in plain text."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.kernel.words import BrokerSlug, KeyScope
from bahi.telemetry.service import Logging, end_logging, set_up_logging
from tests.api.doors import BODIES, ENDLESS
from tests.api.standing import Standing, standing
from tests.api.test_every_route import doors_of
from tests.ports import LOOPBACK, reserve_port

CANARY: Final = "Kx9vQ2mW7tR4pL8sZ1nB6cD3fG5hJ0aY"
SHORT: Final = "canary-sings"
ROWS: Final = {
    "logs": ("app_log",),
    "latency": ("api_calls",),
    "main": ("audit_trail", "config", "users", "user_sessions", "persons", "broker_apis", "jobs"),
}
FORM_TYPE: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@contextmanager
def everything_logged() -> Iterator[tuple[Logging, io.StringIO]]:
    said = io.StringIO()
    chain = set_up_logging("DEBUG", "json", stream=said)
    try:
        yield chain, said
    finally:
        end_logging(chain)


def rows_of(tx: Tx, tables: tuple[str, ...]) -> list[str]:
    return [str(row) for table in tables for row in tx.rows(sa.text(f"SELECT * FROM {table}"))]


def sings(text: str) -> bool:
    return CANARY in text or SHORT in text


async def sing_everywhere(it: Standing) -> list[httpx.Response]:
    """Bring secrets to every door, in every place where somebody may put them."""
    answers = []
    user = await it.admin()
    account = await it.account(user, BrokerSlug.KITE, "Kite")
    stranger, admin = await it.client(), await it.admin_client()
    browser, csrf = await it.signed_in(user)
    browser.headers["X-CSRF-Token"] = csrf
    for door in doors_of(it.app):
        answers += [
            await stranger.request(door.method, door.at(), headers={"X-API-Key": key})
            for key in (CANARY, SHORT)
        ]
        query = {"api_key": CANARY, "token": CANARY, "code": SHORT, "password": SHORT}
        answers.append(await stranger.request(door.method, door.at(), params=query))
        if door.name in ENDLESS:
            continue
        body = {**(BODIES.get(door.name) or {}), "password": SHORT, "access_token": CANARY}
        answers.append(await admin.request(door.method, door.at(), json=body))
        answers.append(await admin.request(door.method, door.at(), content=CANARY.encode()))
    registered = await admin.post(
        f"/v1/accounts/{account.id}/applications",
        json={"client_id": "c", "secret": CANARY, "pin": SHORT, "totp": CANARY},
    )
    assert registered.status_code == 201
    answers += [
        registered,
        await admin.post("/config/api/broker_api_key", json={"value": CANARY}),
        await admin.post("/config/api/plain", json={"value": SHORT, "sensitive": True}),
        await admin.post("/config/api/broker_password", json={"value": {"deep": SHORT}}),
        await admin.get("/config/all"),
        await admin.post("/v1/persons", json={"name": "Asha", "pan": f"{SHORT}-{CANARY}"}),
        await stranger.post(f"/auth/notify/upstox/{CANARY}", json={"access_token": CANARY}),
        await stranger.post(f"/auth/notify/upstox/{SHORT}", json={"access_token": CANARY}),
        await stranger.get(f"/welcome/{CANARY}"),
        await stranger.get(f"/auth/go/{SHORT}"),
        await stranger.post(f"/auth/go/{CANARY}"),
    ]
    reading = await it.admin_client(KeyScope.READ)
    for path, body in (
        ("/config/api/broker_key", {"value": CANARY}),
        ("/config/api/plain", {"value": SHORT}),
        ("/v1/persons", {"name": "Asha", "pan": SHORT}),
        (f"/v1/accounts/{account.id}/applications", {"secret": SHORT, "client_id": "c"}),
    ):
        answers += [await reading.post(path, json=body), await stranger.post(path, json=body)]
    for broker in ("kite", "upstox", "dhan"):
        fields = {"request_token": CANARY, "code": CANARY, "tokenId": SHORT, "state": SHORT}
        answers.append(await stranger.get(f"/auth/callback/{broker}", params=fields))
        answers.append(await stranger.post(f"/auth/callback/{broker}", data=fields))
    form = {"name": CANARY, "password": SHORT, "code": SHORT}
    stranger.cookies["bahi_form"] = form["form"] = "the form's"
    answers.append(await stranger.post("/sign-in", data=form))
    stranger.cookies["bahi_session"] = CANARY
    answers += [await stranger.get("/"), await stranger.get("/v1/me")]
    handed = await admin.post("/auth/db/kite/login")
    assert handed.json()["status"] == "person_needed", handed.text
    link = handed.json()["open"].partition("/auth/go/")[2]
    leaving = await browser.post(f"/auth/go/{link}")
    state = leaving.headers["set-cookie"].partition("=")[2].partition(";")[0]
    brought = {"request_token": CANARY, "state": state, "status": "success"}
    answers.append(await browser.get("/auth/callback/kite", params=brought))
    assert answers[-1].status_code in {422, 502, 504}, answers[-1].text
    return answers


def test_no_secret_that_is_brought_to_a_door_stands_anywhere(home: dict[str, str]) -> None:
    nowhere = f"http://{LOOPBACK}:{reserve_port()}"

    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 100_000)
        with everything_logged() as (chain, said):
            chain.keep_in(it.house.stores["logs"])
            logging.getLogger("httpx").setLevel(logging.WARNING)  # the test's own client
            logging.getLogger("httpcore").setLevel(logging.WARNING)
            try:
                answers = await sing_everywhere(it)
                logging.getLogger("bahi").warning("password=%s, token=%s", SHORT, CANARY)
            finally:
                logging.getLogger("httpx").setLevel(logging.NOTSET)
                logging.getLogger("httpcore").setLevel(logging.NOTSET)
            chain.keep_in(None)
        assert len(answers) > 200
        loud = [(answer.request.url.path, answer.text) for answer in answers if sings(answer.text)]
        assert not loud
        assert not [line for line in said.getvalue().splitlines() if sings(line)]
        found: list[Any] = []
        for store, tables in ROWS.items():
            await it.house.stores[store].write(lambda tx: None)  # behind what was offered before
            rows = await it.house.stores[store].read(rows_of, tables, fresh=True)
            assert rows, (store, it.house.stores[store].dropped)
            found += [row for row in rows if sings(row)]
        assert not found

    standing({**home, "BAHI_BROKER_ADDRESSES": f"kite.api={nowhere}"}, story)
