"""What brokers post of orders: verified where they sign, written down once, never believed."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.accounts.model import Account
from bahi.kernel.words import BrokerSlug
from bahi.streams import service as streams
from bahi.streams.model import dedupe_key, is_kites, kind_of, order_ref
from tests.api.openalgo.asking import trading
from tests.api.standing import Standing, as_actor

SECRET = "the-application-s-secret"
TOLD = {
    "order_id": "220303000308932", "order_timestamp": "2022-03-03 09:24:25",
    "status": "COMPLETE", "filled_quantity": 1, "tradingsymbol": "SBIN",
}  # fmt: skip


def signed(told: dict[str, Any], secret: str = SECRET) -> dict[str, Any]:
    text = f"{told['order_id']}{told['order_timestamp']}{secret}"
    return {**told, "checksum": sha256(text.encode()).hexdigest()}


async def inlet(it: Standing, broker: BrokerSlug) -> tuple[str, Account]:
    """Enter an account with an application, and an address for its broker."""
    user = await it.admin()
    account = await it.account(user, broker, f"at {broker}")
    await it.application(user, account, secret=SECRET, client_id="app")
    path = streams.new_path()
    digest = it.house.vault.digest(path, streams.PATH_PURPOSE)
    what = (digest, "http://bahi.test/hooks/postbacks/", ["order"])
    await it.main.write(streams.add_inlet, as_actor(user), account.id, what, it.house.clock())
    return f"/hooks/postbacks/{path}", account


async def messages(it: Standing) -> list[Any]:
    def read(tx: Any) -> list[Any]:
        clause = sa.text(
            "SELECT order_ref, message_type, is_verified, is_processed FROM inbound_messages"
        )
        return [tuple(row) for row in tx.rows(clause)]

    return await it.main.read(read, fresh=True)  # type: ignore[no-any-return] # main is Any


def test_what_kite_signed_is_written_down_once_for_who_reads_the_order_again(
    home: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        path, _ = await inlet(it, BrokerSlug.KITE)
        client = await it.client()
        first = await client.post(path, content=json.dumps(signed(TOLD)))
        assert (first.status_code, first.json()["is_news"]) == (200, True), first.text
        again = await client.post(path, json=signed(TOLD))
        assert again.json()["is_news"] is False
        assert await messages(it) == [("220303000308932", "COMPLETE", 1, 0)]

    trading(home, story)


def test_what_kite_did_not_sign_is_refused(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        path, _ = await inlet(it, BrokerSlug.KITE)
        client = await it.client()
        forged = [TOLD, signed(TOLD, "another"), {**signed(TOLD), "order_id": "1"}]
        for told in (*forged, {**TOLD, "checksum": None}, {"checksum": ["x"]}):
            answer = await client.post(path, json=told)
            assert (answer.status_code, answer.json()["code"]) == (401, "forged"), answer.text
        assert await messages(it) == []

    trading(house, story)


def test_a_broker_that_signs_nothing_is_heard_on_its_path_alone(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        path, _ = await inlet(it, BrokerSlug.DHAN)
        client = await it.client()
        told = {"orderId": "112111182045", "orderStatus": "TRADED", "filled_qty": 40}
        assert (await client.post(path, json=told)).json()["is_news"] is True
        assert await messages(it) == [("112111182045", "TRADED", None, 0)]
        for guess in ("0" * 64, "x", "%2e%2e"):
            answer = await client.post(f"/hooks/postbacks/{guess}", json=told)
            assert answer.status_code == 404

    trading(house, story)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"null", b"[" * 200])
def test_an_ill_postback_is_answered_in_one_sentence(house: dict[str, str], body: bytes) -> None:
    async def story(it: Standing) -> None:
        path, _ = await inlet(it, BrokerSlug.DHAN)
        answer = await (await it.client()).post(path, content=body)
        assert (answer.status_code, answer.json()["status"]) == (400, "error")
        assert await messages(it) == []

    trading(house, story)


@pytest.mark.unit
def test_kites_own_sample_names_its_order(shared_data: Any) -> None:
    told = json.loads((shared_data / "mocks" / "kite" / "postback.json").read_text("utf-8"))
    assert order_ref(told) == told["order_id"]
    assert kind_of(told) == told["status"]
    assert not is_kites(told, SECRET)
    assert is_kites(signed(told), SECRET)
    later = {**told, "filled_quantity": 99}
    assert dedupe_key(told) != dedupe_key(later)
