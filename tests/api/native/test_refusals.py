"""What cannot be meant is refused by name, in words that say what would be right."""

from __future__ import annotations

from typing import Any, Final

import httpx

from tests.api.native.desk import Trader, trading

ARABIC: Final = "\u0661\u0660\u0660\u0660"
FULL_WIDTH: Final = "\uff33\uff22\uff29\uff2e"

MONEY: Final[tuple[Any, ...]] = (
    "1e3", ARABIC, "NaN", "Infinity", 1e22, 10**30, " 1000 ", "+1000", "1_000", "0x10", "", [],
    True, 1000.00001,
)  # fmt: skip
PIECES: Final[tuple[Any, ...]] = (
    True, False, 0, -10, 10.5, 10**30, ARABIC, "1e2", "", None, [10],
)  # fmt: skip
INSTANTS: Final[tuple[Any, ...]] = (
    "2099-11-20T10:00:00",
    "2099-11-20",
    "2099-11-20T10:00:00+99:00",
    "99999-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "1234567890",
    4_091_234_567,
    1.5,
    "soon",
    "",
    True,
)
DAYS: Final = (
    {"last": "0001-01-01"},
    {"first": "9999-12-01", "last": "9999-12-31"},
    {"first": "2026-13-01"},
    {"first": "2026-11-20T10:00:00Z"},
    {"first": "2026-11-20", "last": "2026-11-19"},
)


def refused(answer: httpx.Response, field: str) -> str:
    """Return the sentence of a refusal that names a field."""
    assert answer.status_code == 400, answer.text
    said: str = answer.json()["message"]
    assert field in said.partition(" ")[0], said
    assert "Value error" not in said
    return said


def test_amounts_numbers_and_instants_that_are_none_place_nothing(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        body = await it.order()

        async def wrong(field: str, value: Any) -> str:
            asked = {**body, field: value}
            return refused(await it.client.post(it.at("/orders"), json=asked), field)

        for value in MONEY:
            await wrong("price", value)
        for value in PIECES:
            await wrong("quantity", value)
        for value in INSTANTS:
            assert "with its zone" in await wrong("send_at", value), value
        for symbol in (FULL_WIDTH, "sbin", " SBIN ", "\U0001f642"):
            asked = await it.client.post(it.at("/orders"), json={**body, "symbol": symbol})
            assert asked.status_code == 404
        assert (await it.get(it.at("/orders")))["items"] == []

    trading(house, story)


def test_days_beyond_what_is_kept_are_refused_by_every_report(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        for report in ("gains", "lots", "tax"):
            for days in DAYS:
                answer = await it.client.get(it.at(f"/reports/{report}"), params=days)
                refused(answer, "first" if "first" in days else "last")
        for days in ({"first": "9999-12-01", "last": "9999-12-31"},):
            asked = {"segment": "NSE_EQ", **days}
            refused(await it.client.get("/v1/calendar/days", params=asked), "first")

    trading(house, story)


def test_a_plus_in_an_address_is_told_how_it_is_written(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        plain = it.at("/orders?since=2026-01-01T00:00:00+05:30")
        assert "%2B" in refused(await it.client.get(plain), "since")
        assert (await it.client.get(plain.replace("+", "%2B"))).status_code == 200

    trading(house, story)
