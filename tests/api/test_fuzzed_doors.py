"""Whatever is posted at OpenAlgo's doors and at webhooks: one form of answer, and never a 500."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bahi.api.openalgo.door import Door
from bahi.kernel.words import BrokerSlug
from bahi.streams import service as streams
from tests.api.hooks.test_alerts import hooked
from tests.api.openalgo.asking import trading
from tests.api.standing import Standing, as_actor

HUGE: Final = 10**400
ODD: Final = (
    None, True, -1, 0, 1.5, HUGE, -HUGE, 2**63, 2**53 + 1, 1e308, "", " ", "\x00", "\u202e",
    "\ud800", "\U0001d7d9\U0001d7da", "\u0967\u0966", "1e3", "NaN", "Infinity", "-0", "0x10",
    "1_000", "1,000", "9" * 500, [], {}, [[]], {"a": {}}, [None], "SBIN", "NSE", "BUY", "MIS",
    "LIMIT", "../x", "' OR 1=1 --", float("nan"), float("inf"),
)  # fmt: skip
EXPECTED: Final = frozenset({501, 503, 504})
"""What is no fault of ours: not available, too busy, not known yet."""
NAMES: Final = (
    "symbol", "exchange", "action", "quantity", "product", "pricetype", "price", "trigger_price",
    "disclosed_quantity", "position_size", "strategy", "orderid", "account", "client_order_id",
    "orders", "legs", "splitsize", "mode", "symbols", "interval", "start_date", "end_date",
    "expiry_date", "offset", "underlying", "option_type", "strike", "query", "year", "date",
    "trigger_type", "positions", "message", "instrumenttype", "strike_count", "interest_rate",
    "alert_id", "stocks", "trigger_prices", "ticker", "side", "order_id", "status", "checksum",
)  # fmt: skip
VALUES: Final = st.sampled_from(ODD) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=6,
)
OBJECTS: Final = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)
ORDER: Final = {
    "symbol": "SBIN", "exchange": "NSE", "action": "BUY", "quantity": 1, "product": "MIS",
    "pricetype": "MARKET", "ticker": "SBIN", "side": "buy", "orderid": "1",
}  # fmt: skip
NEARLY: Final = OBJECTS.map(lambda odd: {**ORDER, **odd})
"""An order that is right but for some of its words."""
BODIES: Final = (
    st.binary(max_size=60)
    | (NEARLY | OBJECTS).map(json.dumps).map(str.encode)
    | VALUES.map(json.dumps).map(str.encode)
    | st.tuples(NEARLY, st.sampled_from(NAMES)).map(
        lambda it: json.dumps(it[0])[:-1].encode() + f', "{it[1]}": 1, "{it[1]}": "2"}}'.encode()
    )
)
"""Bytes, JSON of every kind, words said twice."""


def fuzzing(
    ask: Callable[[bytes], Awaitable[object]], loop: asyncio.AbstractEventLoop, examples: int
) -> Callable[[], None]:
    """Return what asks with many bodies, from a thread beside the loop of the house."""

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), database=None)
    @given(BODIES)
    def fuzzed(body: bytes) -> None:
        asyncio.run_coroutine_threadsafe(_ask(body), loop).result(30)

    async def _ask(body: bytes) -> None:
        await ask(body)

    return fuzzed


def assert_told(answer: httpx.Response, *about: object) -> None:
    """See that an answer is one of those there are, in their form."""
    assert answer.status_code < 500 or answer.status_code in EXPECTED, (about, answer.text)
    assert answer.headers["content-type"].startswith("application/json"), (about, answer.text)
    said = answer.json()
    assert said["status"] in {"success", "error"}, (about, said)
    if said["status"] == "error" and "results" not in said:
        assert {"status", "message", "code"} <= set(said), (about, said)
        assert len(said["message"]) < 1_000


@pytest.mark.parametrize("signing", [None, "a-secret-to-sign-with"])
def test_whatever_is_posted_at_a_webhook_is_answered(
    home: dict[str, str], signing: str | None
) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 100_000)
        template = {"symbol": "{{ticker}}", "exchange": "NSE", "quantity": "{{a.b}}"}
        paths = [
            (await hooked(it, template, signing=signing))[0],
            (await hooked(it, {}, signing=signing))[0],
            await inlet(it),
        ]
        unlimited(it)
        client = await it.client()

        async def ask(body: bytes) -> None:
            for path in paths:
                for kind in ("application/json", "application/x-www-form-urlencoded"):
                    answer = await client.post(path, content=body, headers={"content-type": kind})
                    assert_told(answer, path[:20], body)
                    assert path.rpartition("/")[2] not in answer.text

        examples = 40 if signing is None else 10
        await asyncio.to_thread(fuzzing(ask, asyncio.get_running_loop(), examples))

    trading(home, story)


async def inlet(it: Standing) -> str:
    """Enter an address for what a broker posts; return its path."""
    user, path = await it.admin(), streams.new_path()
    account = await it.account(user, BrokerSlug.DHAN, "Posting")
    digest = it.house.vault.digest(path, streams.PATH_PURPOSE)
    what = (digest, "https://bahi.test/hooks", ())
    await it.main.write(streams.add_inlet, as_actor(user), account.id, what, it.house.clock())
    return f"/hooks/postbacks/{path}"


def unlimited(it: Standing) -> None:
    """Have webhooks take as many alerts as come."""
    for route in it.app.router.routes:
        inbox = getattr(getattr(route, "endpoint", None), "__self__", None)
        if hasattr(inbox, "_limits"):
            inbox._limits.count = lambda *_: _Free()


class _Free:
    """A share that is never used up."""

    asked, limit = 0, 1


def test_whatever_is_asked_at_openalgos_doors_is_answered(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "key_requests_per_minute", 100_000)
        key = await it.key(await it.admin())
        client = await it.client(key)
        doors = [each for each in it.app.router.routes if isinstance(each, Door)]
        slow = {"/api/v1/analyzer/toggle"}  # it waits until every process knows
        posted = [it.path for it in doors if it.methods == {"POST"} and it.path not in slow]
        asked = [re.sub(r"[{}]", "", it.path) for it in doors if it.methods != {"POST"}]

        async def ask(body: bytes) -> None:
            for path in posted:
                assert_told(await client.post(path, content=body), path, body)
            for path in asked:
                answer = await client.get(path, params=_query(body))
                about = (path, answer.text)
                assert answer.status_code < 500 or answer.status_code in EXPECTED, about

        await asyncio.to_thread(fuzzing(ask, asyncio.get_running_loop(), 12))

    trading(home, story)


def _query(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {"apikey": body.decode("latin-1")}
    if not isinstance(found, dict):
        return {"symbol": str(found)[:200].encode("utf-8", "replace").decode()}
    return {
        name: str(value)[:200].encode("utf-8", "replace").decode() for name, value in found.items()
    }


def test_methods_and_paths_of_every_kind_are_refused_in_the_one_form(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 100_000)
        client = await it.client(await it.key(await it.admin()))
        paths = (
            "/api/v1/placeorder", "//api/v1/placeorder", "/api/v1/placeorder/", "/api//v1/funds",
            "/api/v1/%2e%2e/funds", "/api/v1/funds%00", "/api/v1/funds%2f", "/API/V1/FUNDS",
            "/hooks/alerts/", "/hooks/alerts/%2e%2e", "/hooks/alerts/a%2fb", "/hooks/alerts/%00",
            "/hooks/alerts/" + "a" * 5_000, "/hooks/alerts/" + "0" * 64, "/ws", "/ws/..",
            "/%ff%fe", "/v1/accounts/%00", "/v1/orders/99999999999999999999999", "/v1//orders",
        )  # fmt: skip
        for path in paths:
            for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW"):
                answer = await client.request(method, path)
                about = (method, path[:40], answer.status_code)
                assert 400 <= answer.status_code < 500, about
                if method != "HEAD":
                    assert answer.json()["status"] == "error", about

    trading(house, story)
