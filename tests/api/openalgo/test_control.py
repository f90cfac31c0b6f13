"""Ping, the analyzer, messages, and what is not available."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from bahi.accounts.service.keys import issue_key
from bahi.db.tx import Tx
from bahi.identity.service.keys import PURPOSE, new_key
from bahi.kernel.words import BrokerSlug, KeyScope
from bahi.notify.service import list_alerts
from tests.api.openalgo.asking import MARKET, Asking, asking, trading
from tests.api.standing import Standing, as_actor


def test_a_key_moves_between_its_two_defaults_and_nobody_elses_does(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        admin = await it.admin()
        await it.account(admin, BrokerSlug.UPSTOX, "Upstox")
        me, other = await asking(it), await asking(it)
        assert (await me.good("ping"))["data"] == {"message": "pong", "broker": "paper"}
        assert (await me.good("analyzer"))["data"]["analyze_mode"] is True
        turned = await me.good("analyzer/toggle", mode=False)
        assert turned["data"]["mode"] == turned["mode"] == "live"
        assert (await me.good("analyzer"))["mode"] == "live"
        assert (await other.good("analyzer"))["mode"] == "analyze"
        live = await me.bad("placeorder", 503, **MARKET)
        assert "live" in live["message"]
        named = await me.good("placeorder", **MARKET, account="Paper")
        assert named["mode"] == "analyze"
        back = await me.good("analyzer/toggle", mode="true")
        assert back["data"]["message"] == "Analyzer mode switched to analyze"
        assert (await me.good("placeorder", **MARKET))["mode"] == "analyze"
        trail = await it.main.read(_turned, fresh=True)
        assert len(trail) == 2

    trading(home, story)


def _turned(tx: Tx) -> list[Any]:
    clause = "SELECT new_value FROM audit_trail WHERE entity_type = 'api_key'"
    return [row for row in tx.rows(sa.text(clause)) if "goes_live" in str(row)]


def test_only_a_key_of_scope_trade_that_opens_a_live_account_goes_live(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        said = await me.bad("analyzer/toggle", 409, mode=False)
        assert "no live account" in said["message"]
        await it.account(await it.admin(), BrokerSlug.UPSTOX, "Upstox")
        for scope in (KeyScope.PAPER, KeyScope.READ):
            low = await asking(it, scope=scope)
            await low.bad("analyzer/toggle", 403, mode=False)
            assert (await low.good("analyzer"))["mode"] == "analyze"
        await me.bad("analyzer/toggle", 400)

    trading(house, story)


def test_an_account_is_meant_by_name_by_id_or_by_default(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        admin = await it.admin()
        second = await it.account(admin, BrokerSlug.PAPER, "Second")
        me = await asking(it)
        by_name = await me.good("placeorder", **MARKET, account="Second")
        by_id = await me.good("orderbook", account=second.id)
        assert [row["orderid"] for row in by_id["data"]["orders"]] == [by_name["orderid"]]
        assert (await me.good("orderbook"))["data"]["orders"] == []
        said = await me.bad("placeorder", 404, **MARKET, account="Nobody's")
        assert "'Second'" in said["message"]
        nothing = Asking(me.client, await _without_default(it))
        said = await nothing.bad("placeorder", 400, **MARKET)
        assert "name one of" in said["message"]

    trading(house, story)


async def _without_default(it: Standing) -> str:
    key, admin = new_key(), await it.admin()
    digest = it.house.vault.digest(key, PURPOSE)

    def write(tx: Tx) -> None:
        issue_key(
            tx,
            as_actor(admin),
            digest,
            it.house.clock(),
            user_id=admin.id,
            name="opens nothing",
            scope=KeyScope.TRADE,
            accounts=[],
        )

    await it.main.write(write)
    return key


def test_messages_are_kept_as_alerts(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        await me.good("telegram/notify", username="u", message="Line one\nline two", priority=5)
        said = await me.good("whatsapp/notify", self=True, message="Built", wait_for_delivery=True)
        assert said["queued"] == 1
        assert (await me.good("whatsapp/notify", phones=["1", 2], caption="A"))["queued"] == 2
        alerts = await list_alerts(it.main, as_actor(await it.admin()))
        assert {"Line one line two", "Built", "A"} <= {each.message for each in alerts}
        await me.bad("telegram/notify", 400, message="  ")
        await me.bad("whatsapp/notify", 400, message="To nobody")
        away = await me.bad("whatsapp/notify", 501, self=True, document_path="/a.pdf")
        assert away["code"] == "not_available"

    trading(house, story)


@pytest.mark.parametrize(
    "path", ["strategy/list", "strategy/close_leg", "telegram/config", "sip/backtest"]
)
def test_what_is_not_available_says_so_to_who_is_known(house: dict[str, str], path: str) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        said = await me.bad(path, 501, strategy_id=1)
        assert said["code"] == "not_available"
        assert path in said["message"]
        got = await me.client.get(f"/api/v1/{path}", params={"apikey": me.key})
        assert (got.status_code, got.json()["code"]) == (501, "not_available")
        stranger = Asking(me.client, "0" * 64)
        await stranger.bad(path, 403)

    trading(house, story)
