"""Instruments, market days, prices and backups through our own API; tags of what stays."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from bahi.kernel.clock import exchange_day
from tests.api.native.desk import Trader, trading


def test_instruments_are_found_by_text_name_and_id(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        found = (await it.get("/v1/instruments", q="state bank", limit=5))["items"]
        assert "SBIN" in {one["symbol"] for one in found}
        named = await it.get("/v1/instruments/NSE:SBIN")
        assert (named["segment"], named["lot_size"]) == ("NSE_EQ", 1)
        assert await it.get(f"/v1/instruments/{named['id']}") == named
        unknown = await it.client.get("/v1/instruments/NSE:NOBODY")
        assert unknown.status_code == 404
        nowhere = await it.client.get("/v1/instruments/XYZ:SBIN")
        assert nowhere.status_code == 404
        today = exchange_day(it.it.house.clock()).isoformat()
        terms = await it.get(f"/v1/instruments/{named['id']}/terms", day=today)
        assert terms["tick_size"] == named["tick_size"]

    trading(house, story)


def test_a_chain_is_laid_out_about_the_price(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        ends = (
            await it.get("/v1/instruments/expiries", root="NIFTY", segment="NSE_FNO", options=True)
        )["items"]
        assert ends == sorted(ends)
        chain = await it.get(
            "/v1/instruments/chain", root="NIFTY", segment="NSE_INDEX", around=2, expiry=ends[-1]
        )
        assert chain["expiry"] == ends[-1]
        strikes = [Decimal(rung["strike"]) for rung in chain["items"]]
        assert strikes == sorted(strikes)
        assert len(strikes) <= 5
        none = await it.client.get(
            "/v1/instruments/chain", params={"root": "NOBODY", "segment": "NSE_FNO"}
        )
        assert none.status_code == 404

    trading(house, story)


def test_market_days_say_what_is_known(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        at = "2026-01-26T11:00:00+05:30"
        state = await it.get("/v1/calendar/state", segment="NSE_EQ", at=at)
        assert state["is_open"] is False
        assert state["at"] == at
        year = {"first": "2026-01-23", "last": "2026-01-27"}
        days = (await it.get("/v1/calendar/days", segment="NSE_EQ", **year))["items"]
        assert [day["is_trading_day"] for day in days] == [True, False, False, False, True]
        holidays = await it.get("/v1/calendar/holidays", year=2026, segment="NSE_EQ")
        assert "2026-01-26" in {day["day"] for day in holidays["items"]}
        assert holidays["known"] == ["NSE_EQ"]
        long = {"segment": "NSE_EQ", "first": "2020-01-01", "last": "2026-01-01"}
        assert (await it.client.get("/v1/calendar/days", params=long)).status_code == 400

    trading(house, story)


def test_prices_name_their_source_and_what_is_missing(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        found = await it.get("/v1/quotes", symbols="NSE:SBIN, NSE:NOBODY ,NSE_INDEX:NIFTY")
        assert [one["symbol"] for one in found["items"]] == ["SBIN", "NIFTY"]
        assert found["missing"] == ["NSE:NOBODY"]
        assert {one["source"] for one in found["items"]} == {"simulated"}
        depth = await it.get("/v1/quotes/depth", symbol="NSE:SBIN")
        assert Decimal(depth["bids"][0]["price"]) < Decimal(depth["asks"][0]["price"])
        index = await it.client.get("/v1/quotes/depth", params={"symbol": "NSE_INDEX:NIFTY"})
        assert (index.status_code, index.json()["code"]) == (404, "no_price")
        asked: dict[str, Any] = {"symbol": "NSE:SBIN", "interval": "5m"}
        first, last = "2026-11-20T09:15:00+05:30", "2026-11-20T10:15:00+05:30"
        candles = await it.get("/v1/quotes/candles", **asked, first=first, last=last)
        assert all(Decimal(one["low"]) <= Decimal(one["high"]) for one in candles["items"])
        long = await it.client.get(
            "/v1/quotes/candles",
            params={**asked, "interval": "1m", "first": "2020-01-01T00:00:00Z"},
        )
        assert long.status_code == 400

    trading(house, story)


def test_what_stays_is_answered_once(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        await it.it.house.instruments.catalogue()
        for path in (
            "/v1/instruments/NSE:SBIN",
            "/v1/instruments?q=sbin",
            "/v1/calendar/holidays?year=2026",
            "/v1/accounts",
            it.at(),
            "/v1/config/all",
            "/v1/risk/limits",
        ):
            first = await it.client.get(path)
            tag = first.headers["etag"]
            again = await it.client.get(path, headers={"If-None-Match": f'W/"x", {tag}'})
            assert (again.status_code, again.content) == (304, b""), path
            assert again.headers["etag"] == tag
            other = await it.client.get(path, headers={"If-None-Match": '"other"'})
            assert other.status_code == 200
        before = (await it.client.get(it.at())).headers["etag"]
        await it.client.patch(it.at(), json={"name": "Renamed"})
        changed = await it.client.get(it.at(), headers={"If-None-Match": before})
        assert (changed.status_code, changed.json()["name"]) == (200, "Renamed")
        stranger = await it.it.client()
        tagged = await stranger.get("/v1/accounts", headers={"If-None-Match": before})
        assert tagged.status_code == 401

    trading(house, story)


def test_a_published_price_is_entered_once(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        boss = await it.it.admin_client()
        wish = {"segment": "NSE_CURRENCY", "name": "USDINR", "day": "2026-11-20",
                "price": "88.7425", "source": "FBIL"}  # fmt: skip
        entered = await boss.post("/v1/official-prices", json=wish)
        assert (entered.status_code, entered.json()["price"]) == (201, "88.7425")
        assert (await boss.post("/v1/official-prices", json=wish)).status_code == 201
        other = await boss.post("/v1/official-prices", json={**wish, "price": "88.75"})
        assert other.status_code == 409
        assert (await it.client.post("/v1/official-prices", json=wish)).status_code == 403

    trading(house, story)


def test_a_backup_is_a_job_and_then_a_file(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        boss = await it.it.admin_client()
        named = {"Idempotency-Key": "tonight"}
        asked = await boss.post("/v1/backups", json={"store": "telegram"}, headers=named)
        assert asked.status_code == 202, asked.text
        twice = await boss.post("/v1/backups", json={"store": "telegram"}, headers=named)
        assert twice.json()["job_id"] == asked.json()["job_id"]
        shown = await boss.get(f"/v1/jobs/status/{asked.json()['job_id']}")
        assert shown.json()["status"] == "pending"
        assert (await boss.get("/v1/backups")).json()["items"] == []

        told: list[tuple[int, str]] = []

        async def progress(percent: int, message: str) -> None:
            told.append((percent, message))

        context = SimpleNamespace(payload={"store": "telegram"}, progress=progress)
        done = await it.it.house.handlers["backup"](context)  # type: ignore[arg-type] # all it reads
        (saved,) = (await boss.get("/v1/backups")).json()["items"]
        assert done == {"saved": {"telegram": saved["name"]}}
        assert saved["size"] > 0
        assert told == [(0, "telegram, 1 of 1 stores")]
        nowhere = await boss.post("/v1/backups", json={"store": "attic"})
        assert nowhere.status_code == 404
        assert (await it.client.post("/v1/backups")).status_code == 403

    trading(house, story)
