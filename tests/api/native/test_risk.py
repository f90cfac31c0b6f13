"""Limits and switches through our own API."""

from __future__ import annotations

from typing import Any

from tests.api.native.desk import Trader, trading


def of_account(it: Trader) -> dict[str, Any]:
    return {"scope": "ACCOUNT", "account_id": it.account_id}


def test_limits_are_shown_changed_and_kept_from_who_saw_others(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        await it.get(it.at("/funds"))
        (known,) = (await it.get("/v1/risk/limits"))["items"]
        assert known["whom"] == {**of_account(it), "user_id": None, "strategy": None}
        seen = {"If-Match": f'"{known["version"]}"'}
        wish = {"whom": of_account(it), "limits": {"order_value": "5000.00"}}
        held = await it.client.put("/v1/risk/limits", json=wish, headers=seen)
        assert held.status_code == 200, held.text
        assert held.json()["held"]["items"][-1]["limits"]["order_value"] == "5000.00"
        late = await it.client.put("/v1/risk/limits", json=wish, headers=seen)
        assert (late.status_code, late.json()["code"]) == (412, "outdated")
        refused = await it.place(quantity=100)
        assert (refused["status"], refused["error_code"]) == ("REJECTED", "ORDER_VALUE")
        ran_into = await it.get("/v1/risk/violations", account_id=it.account_id)
        (violation,) = ran_into["items"]
        assert (violation["type"], violation["limit"]) == ("ORDER_VALUE", "5000.00")
        assert violation["order_id"] == refused["id"]
        everybody = {"whom": {"scope": "GLOBAL"}, "limits": {}}
        answer = await it.client.put("/v1/risk/limits", json=everybody)
        assert answer.status_code == 403
        for wrong in (
            {"scope": "GLOBAL", "account_id": it.account_id},
            {"scope": "ACCOUNT"},
            {"scope": "STRATEGY"},
        ):
            body = {"whom": wrong, "limits": {}}
            assert (await it.client.put("/v1/risk/limits", json=body)).status_code == 400, wrong

    trading(home, story)


def test_a_switch_stops_entries_lets_exits_pass_and_is_released(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        await it.place(quantity=10)
        working = await it.place(price=await it.away("BUY"))
        wish = {"whom": {"scope": "USER"}, "reason": "lunch", "cancel": True}
        killed = await it.post("/v1/risk/kill", wish)
        assert killed["accounts"] == 1
        (stopped,) = killed["stopped"]
        assert [one["order_id"] for one in stopped["cancelled"]] == [working["id"]]
        (switch,) = (await it.get("/v1/risk/switches"))["items"]
        assert (switch["reason"], switch["by"]) == ("lunch", "asha")
        assert (await it.get(it.at("/funds")))["stops"]["for_user"]
        refused = await it.place()
        assert (refused["status"], refused["error_code"]) == ("REJECTED", "KILL_SWITCH")
        leaving = await it.place("SELL", quantity=10)
        assert leaving["is_exit"]
        assert leaving["status"] == "EXECUTED"
        wish = {"whom": {"scope": "USER"}, "reason": "back"}
        released = await it.post("/v1/risk/resume", wish)
        assert released["released"] >= 1
        assert (await it.client.post("/v1/risk/resume", json=wish)).status_code == 409
        assert (await it.get("/v1/risk/switches"))["items"] == []

    trading(home, story)


def test_everything_is_stopped_and_got_out_of_in_one_wish(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        await it.get(it.at("/funds"))
        wish = {"whom": of_account(it), "reason": "panic", "flat": True}
        killed = await it.post("/v1/risk/kill", wish)
        assert [one["account_id"] for one in killed["stopped"]] == [it.account_id]
        other = await it.it.client(await it.it.key(await it.it.user("ravi")))
        assert (await other.get("/v1/risk/switches")).json()["items"] == []
        assert (await other.get("/v1/risk/limits")).json()["items"] == []
        theirs = await other.post("/v1/risk/kill", json={**wish, "flat": False})
        assert theirs.status_code == 404
        released = {"whom": {"scope": "USER", "user_id": str((await it.it.user("asha")).id)},
                    "reason": "not mine"}  # fmt: skip
        assert (await other.post("/v1/risk/resume", json=released)).status_code == 403

    trading(home, story)


def test_lists_of_what_is_banned_are_loaded_by_admins(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        boss = await it.it.admin_client()
        day = "2026-11-20"
        wish = {"name": "ASM", "since": day, "source": "NSE", "csv": "SYMBOL\nSBIN\nIDEA\n"}
        loaded = await boss.post("/v1/risk/lists", json=wish)
        assert loaded.status_code == 201, loaded.text
        assert loaded.json()["symbols"] == ["IDEA", "SBIN"]
        shown = await it.get("/v1/risk/lists", day=day)
        assert [one["name"] for one in shown["items"]] == ["ASM"]
        assert (await it.client.post("/v1/risk/lists", json=wish)).status_code == 403
        both = await boss.post("/v1/risk/lists", json={**wish, "symbols": ["SBIN"]})
        assert both.status_code == 400

    trading(home, story)
