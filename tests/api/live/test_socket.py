"""The socket: who may talk, what they are told, and what becomes of those who misbehave."""

from __future__ import annotations

import asyncio
import json
import logging
import socket as network
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus

from bahi.api.live import bounds, line, socket
from bahi.api.live.events import Topic
from bahi.cli import knocking as knocking_bounds
from bahi.identity.service.keys import PURPOSE, revoke_key
from bahi.kernel.money import Price
from bahi.kernel.words import BrokerSlug, KeyScope
from bahi.orders.service.placing import place_order
from tests.api.live.lazy import lazily
from tests.api.live.sockets import SBIN, Client, knocking, known, listening
from tests.api.openalgo.asking import MARKET, asking
from tests.api.standing import Standing, as_actor, standing
from tests.orders.desks import OPEN, limit

NIFTY = {"symbol": "NIFTY", "exchange": "NSE_INDEX"}


async def key_of(it: Standing, name: str | None = None) -> str:
    """Return a key of the admin, or of a user of a name."""
    return await it.key(await it.admin() if name is None else await it.user(name))


def test_prices_are_told_in_each_of_the_three_modes(house: dict[str, str]) -> None:
    async def story(it: Standing, url: str) -> None:
        async with known(url, await key_of(it)) as me:
            for mode in (1, 2, 3):
                answer = await me.ask(action="subscribe", symbols=[SBIN], mode=mode, depth=5)
                assert (answer["type"], answer["status"]) == ("subscribe", "success")
                assert answer["subscriptions"] == [{**SBIN, "mode": mode, "status": "success"}]
            told: dict[int, dict[str, Any]] = {}
            while len(told) < 3:
                frame = await me.hear_of("market_data")
                assert (frame["symbol"], frame["exchange"]) == ("SBIN", "NSE")
                told[frame["mode"]] = frame["data"]
            assert set(told[1]) == {"ltp", "timestamp"}
            assert {"open", "high", "low", "close", "ltp", "volume", "change"} <= set(told[2])
            assert len(told[3]["depth"]["buy"]) == len(told[3]["depth"]["sell"]) == 5
            assert set(told[3]["depth"]["buy"][0]) == {"price", "quantity", "orders"}
            assert told[1]["timestamp"] > 1_700_000_000_000

    listening(house, story)


def test_what_is_followed_no_more_is_told_no_more(house: dict[str, str]) -> None:
    async def story(it: Standing, url: str) -> None:
        async with known(url, await key_of(it)) as me:
            await me.ask(action="subscribe", symbols=[SBIN, NIFTY], mode="quote")
            await me.ask(action="subscribe", symbol="TCS", exchange="NSE", mode=1)
            seen = set()
            while len(seen) < 3:
                seen.add((await me.hear_of("market_data"))["symbol"])
            answer = await me.ask(action="unsubscribe", symbols=[{**SBIN, "mode": 2}])
            assert answer["status"] == "success"
            answer = await me.ask(action="unsubscribe", symbols=[{**SBIN, "mode": 2}])
            assert (answer["status"], answer["message"]) == ("error", "It was not followed.")
            later = {(await me.hear_of("market_data"))["symbol"] for _ in range(4)}
            assert later == {"NIFTY", "TCS"}
            assert (await me.ask(action="unsubscribe_all"))["count"] == 2
            assert (await me.ask(action="get_broker_info"))["following"] == 0

    listening(house, story)


def test_of_several_instruments_each_has_its_own_answer(house: dict[str, str]) -> None:
    async def story(it: Standing, url: str) -> None:
        async with known(url, await key_of(it)) as me:
            named = [SBIN, {"symbol": "NOSUCH", "exchange": "NSE"}, {**NIFTY, "mode": 3}]
            answer = await me.ask(action="subscribe", symbols=named, mode=1)
            rows = answer["subscriptions"]
            assert answer["status"] == "partial"
            assert [row["status"] for row in rows] == ["success", "error", "error"]
            assert rows[1]["code"] == "not_found"
            assert "no order book" in rows[2]["message"]
            for wrong in ({"mode": 9}, {"mode": "all"}):
                answer = await me.ask(action="subscribe", symbols=[SBIN], **wrong)
                assert answer["message"].startswith("mode: ")
            assert (await me.ask(action="subscribe"))["message"].startswith("symbols: ")
            many = [SBIN] * 1_001
            assert (
                "1000 are the most" in (await me.ask(action="subscribe", symbols=many))["message"]
            )

    listening(house, story)


def test_orders_are_told_as_they_are_filled(house: dict[str, str]) -> None:
    async def story(it: Standing, url: str) -> None:
        me = await asking(it)
        async with known(url, me.key) as client:
            answer = await client.ask(action="subscribe_orders")
            assert (answer["type"], answer["status"]) == ("subscribe_orders", "success")
            placed = await me.good("placeorder", **MARKET)
            while (told := await client.hear_of("order_update"))["order_status"] != "complete":
                assert told["orderid"] == placed["orderid"]
            assert told["orderid"] == placed["orderid"]
            assert (told["mode"], told["broker"], told["symbol"]) == ("analyze", "paper", "SBIN")
            assert (told["filled_quantity"], told["pending_quantity"]) == (10, 0)
            assert told["average_price"] > 0
            assert told["user_id"] == (await it.admin()).username
            answer = await client.ask(action="unsubscribe_orders")
            assert answer["type"] == "unsubscribe_orders"
            await me.good("placeorder", **MARKET)
            answer = await client.ask(action="subscribe_orders")
            later = await me.good("placeorder", **MARKET)
            told = await client.hear_of("order_update")
            while told["order_status"] != "complete" or told["orderid"] != later["orderid"]:
                told = await client.hear_of("order_update")

    listening(house, story)


def test_nobody_is_told_of_another_users_orders(house: dict[str, str]) -> None:
    async def story(it: Standing, url: str) -> None:
        me = await asking(it)
        async with (
            known(url, me.key) as mine,
            known(url, await key_of(it, "another")) as other,
        ):
            await mine.ask(action="subscribe_orders")
            await other.ask(action="subscribe_orders")
            await me.good("placeorder", **MARKET)
            while (await mine.hear_of("order_update"))["order_status"] != "complete":
                pass
            await asyncio.sleep(0)
            await other.say(action="ping")
            assert (await other.hear())["type"] == "pong"

    listening(house, story)


def test_one_who_is_not_known_is_told_nothing(
    house: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "KNOWN_WITHIN_S", 0.5)

    async def story(it: Standing, url: str) -> None:
        async with knocking(url) as stranger:
            await stranger.say(action="subscribe", symbols=[SBIN], mode=1)
            answer = await stranger.hear()
            assert (answer["type"], answer["status"]) == ("error", "error")
            assert answer["code"] == "authentication_timeout"
            late = await stranger.hear()
            assert (late["type"], late["code"]) == ("auth", "authentication_timeout")
            end = await stranger.closed()
            assert end.rcvd is not None
            assert end.rcvd.code == socket.POLICY
        for key in ("f" * 64, "", "not a key"):
            async with knocking(url) as stranger:
                await stranger.say(action="authenticate", api_key=key)
                answer = await stranger.hear()
                assert (answer["type"], answer["status"]) == ("auth", "error")
                assert answer["code"] == "unauthenticated"
                assert (await stranger.closed()).rcvd is not None

    listening(house, story)


def test_guesses_at_keys_are_counted_as_at_every_door(house: dict[str, str]) -> None:
    async def story(it: Standing, url: str) -> None:
        key, codes = await key_of(it), []
        async with known(url, key):
            pass
        for guess in range(32):
            async with knocking(url) as stranger:
                await stranger.say(action="authenticate", api_key=f"{guess:064x}")
                codes.append((await stranger.hear())["code"])
        assert codes[:30] == ["unauthenticated"] * 30
        assert codes[30:] == ["too_soon"] * 2
        async with known(url, key) as me:  # whoever is known goes on
            assert (await me.ask(action="ping"))["type"] == "pong"

    listening(house, story)


def test_a_key_that_is_revoked_closes_its_sockets(
    house: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "RECHECK_S", 0.1)

    async def story(it: Standing, url: str) -> None:
        key = await key_of(it)
        admin = as_actor(await it.admin())
        holder = await it.house.keys.holder(key)
        assert it.house.vault.digest(key, PURPOSE)
        async with known(url, key) as me:
            await me.ask(action="subscribe", symbols=[SBIN], mode=1)
            await it.main.write(revoke_key, admin, holder.key_id, it.house.clock())
            told = await me.hear_of("auth")
            assert told["message"] == "This API key is good no more."
            end = await me.closed()
            assert end.rcvd is not None
            assert end.rcvd.code == socket.POLICY

    listening(house, story)


def test_the_rest_of_the_words_are_answered_and_strange_pages_turned_away(
    house: dict[str, str],
) -> None:
    async def story(it: Standing, url: str) -> None:
        async with known(url, await key_of(it)) as me:
            assert (await me.ask(action="ping"))["timestamp"] > 1_700_000_000_000
            assert (await me.ask(action="heartbeat"))["type"] == "pong"
            info = await me.ask(action="get_broker_info")
            assert (info["broker"], info["mode"]) == ("paper", "analyze")
            brokers = await me.ask(action="get_supported_brokers")
            assert brokers["count"] == len(brokers["brokers"])
            assert "paper" in brokers["brokers"]
            again = await me.ask(action="authenticate", api_key="f" * 64)
            assert (again["type"], again["code"]) == ("error", "conflict")
            unknown = await me.ask(action="dance")
            assert unknown["message"].startswith("action: 'dance' is not known")
        key = await it.key(await it.admin(), KeyScope.READ)
        own = url.removeprefix("ws://").removesuffix("/ws")
        async with known(url, key, origin=f"http://{own}") as me:  # to listen changes nothing
            assert (await me.ask(action="subscribe_orders"))["status"] == "success"
        with pytest.raises(InvalidStatus) as refusal:
            async with knocking(url, origin="https://evil.example"):
                pass
        assert refusal.value.response.status_code == 403

    listening(house, story)


def test_there_are_only_so_many_sockets(
    house: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "STRANGERS_OF_ADDRESS", 2)
    monkeypatch.setattr(bounds, "SOCKETS_OF_KEY", 1)
    monkeypatch.setattr(bounds, "FOLLOWED_BY_KEY", 2)

    async def story(it: Standing, url: str) -> None:
        key = await key_of(it)
        async with knocking(url) as first, knocking(url) as second, known(url, key):
            assert (await first.hear())["code"] == "authentication_timeout"  # others came
            await second.say(action="ping")
            assert (await second.hear())["type"] == "error"  # it still has time
        async with known(url, key) as me:
            async with knocking(url) as second:
                await second.say(action="authenticate", api_key=key)
                assert (await second.hear())["code"] == "too_much"
                await second.closed()
            named = [SBIN, NIFTY, {"symbol": "TCS", "exchange": "NSE"}]
            answer = await me.ask(action="subscribe", symbols=named, mode=1)
            assert [row["status"] for row in answer["subscriptions"]] == [
                "success", "success", "error",
            ]  # fmt: skip
        async with known(url, key) as me:  # what was counted left with its socket
            answer = await me.ask(action="subscribe", symbols=named[:2], mode=1)
            assert answer["status"] == "success"
            monkeypatch.setattr(bounds, "SOCKETS_AT_MOST", bounds.STRANGERS_AT_MOST)
            with pytest.raises(InvalidStatus) as refusal:
                async with knocking(url):
                    pass
            assert refusal.value.response.status_code == 503

    listening(house, story)


def test_one_who_sends_without_end_is_let_go(
    house: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "FRAMES_AT_ONCE", 20)

    async def story(it: Standing, url: str) -> None:
        async with known(url, await key_of(it)) as me:
            for _ in range(40):
                await me.say(action="ping")
            assert (await me.hear_of("error"))["code"] == "too_soon"
            end = await me.closed()
            assert end.rcvd is not None
            assert end.rcvd.code == socket.POLICY
        async with known(url, await key_of(it)) as me:
            await me.wire.send("x" * 70_000)
            end = await me.closed()
            assert end.rcvd is not None
            assert end.rcvd.code == 1009

    listening(house, story)


def test_one_who_reads_slowly_gets_the_newest_prices_and_is_told(
    house: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "HELD_UP_S", 0.01)

    async def story(it: Standing) -> None:
        board = it.house.quotes.board
        async with lazily(it.app) as lazy:
            await lazy.ask(action="authenticate", api_key=await key_of(it))
            await lazy.ask(action="subscribe", symbols=[SBIN], mode=1)
            await lazy.hear_of("market_data")
            (instrument_id,) = board.demand
            quote = board.latest(instrument_id)
            assert quote is not None
            lazy.reads.clear()
            for more in range(1, 51):
                later = quote.at + timedelta(seconds=more)
                board.publish(replace(quote, last=Price(quote.last + more * 500), at=later))
                await asyncio.sleep(0.001)
            lazy.reads.set()
            frames = [await lazy.hear()]
            while frames[-1]["type"] != "slow":
                frames.append(await lazy.hear())
            prices = [it["data"]["ltp"] for it in frames if it["type"] == "market_data"]
            assert frames[-1]["missed"] >= 40
            assert (quote.last + 50 * 500) / 10_000 in prices
            assert len(prices) < 10

    standing({**house, **OPEN}, story)


def test_one_who_does_not_read_at_all_is_let_go_and_leaves_nothing_behind(
    house: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "SLOW_WITHIN_S", 0.1)
    monkeypatch.setattr(line, "FAREWELL_WITHIN_S", 0.05)

    async def story(it: Standing) -> None:
        before = len(it.house.quotes.board.subscribers)
        async with lazily(it.app) as lazy:
            await lazy.ask(action="authenticate", api_key=await key_of(it))
            await lazy.ask(action="subscribe_orders")
            await lazy.ask(action="subscribe", symbols=[SBIN], mode=1)
            await lazy.hear_of("market_data")
            lazy.reads.clear()
            async with asyncio.timeout(20):
                await lazy.ended()
        assert len(it.house.quotes.board.subscribers) == before
        assert it.app.state.happenings.listeners == 0

    standing({**house, **OPEN}, story)


def test_where_no_price_will_ever_come_that_is_said(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        async with lazily(it.app) as me:
            await me.ask(action="authenticate", api_key=await key_of(it))
            answer = await me.ask(action="subscribe", symbols=[SBIN], mode=1)
            (row,) = answer["subscriptions"]
            assert (answer["status"], row["code"]) == ("error", "no_price")
            assert "BAHI_MARKET" in row["message"]
            assert "request_id" not in await me.tell(action="ping", request_id=10**30)

    standing({**house, "BAHI_MARKET": "off"}, story)


def test_a_key_hears_of_the_accounts_that_it_opens_and_of_no_other(
    house: dict[str, str],
) -> None:
    async def story(it: Standing, url: str) -> None:
        admin = await it.admin()
        me = await asking(it)
        second = await it.account(admin, BrokerSlug.PAPER, "a second one")
        desk = await it.house.desk(as_actor(admin), second.id)
        happenings = it.app.state.happenings
        async with (
            known(url, me.key) as client,
            happenings.listen(as_actor(admin), {Topic.ORDER}) as everything,
        ):
            await client.ask(action="subscribe_orders")
            order = await place_order(desk, limit(desk))
            while (await everything.next()).about.order.id != order.id:
                pass
            placed = await me.good("placeorder", **MARKET)
            told = await client.hear_of("order_update")
            assert told["orderid"] == placed["orderid"]

    listening(house, story)


def test_a_socket_lives_for_longer_than_a_request_may_take(
    house: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knocking_bounds, "WHOLE_WITHIN_S", 0.2)

    async def story(it: Standing, url: str) -> None:
        async with known(url, await key_of(it)) as me:
            await me.ask(action="subscribe", symbols=[SBIN], mode=1)
            for _ in range(3):  # one each second
                await me.hear_of("market_data")

    listening(house, story)


def test_no_log_shows_a_key_however_much_is_logged(
    house: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def story(it: Standing, url: str) -> str:
        key = await key_of(it)
        async with known(url, key) as me:
            await me.ask(action="ping")
        return key

    key = listening(house, story)
    shown = [it.getMessage() for it in caplog.records if it.name != "websockets.client"]
    assert shown
    assert not [it for it in shown if key in it]


def test_one_who_asks_without_reading_is_cut_off(
    house: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knocking_bounds, "UNREAD_AT_MOST", 50_000)

    async def story(it: Standing, url: str) -> None:
        host, port = url.removeprefix("ws://").removesuffix("/ws").split(":")
        async with known(url, await key_of(it)) as other:
            assert await asyncio.to_thread(_pinging, host, int(port)) < PINGS_AT_MOST
            assert (await other.ask(action="ping"))["type"] == "pong"

    listening(house, story)


PINGS_AT_MOST = 500_000


def _pinging(host: str, port: int) -> int:
    """Send pings and read nothing, until the other side hangs up; return how many went."""
    head = (
        f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    ping = bytes((0x89, 0x80 | 125, 0, 0, 0, 0)) + bytes(125)
    with network.socket() as wire:
        wire.setsockopt(network.SOL_SOCKET, network.SO_RCVBUF, 4_096)
        wire.settimeout(20)
        wire.connect((host, port))
        wire.sendall(head.encode())
        for sent in range(0, PINGS_AT_MOST, 100):
            try:
                wire.sendall(ping * 100)
            except OSError:
                return sent
    return PINGS_AT_MOST


FRAMES = st.one_of(
    st.text(max_size=200),
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
        ),
        max_leaves=10,
    ).map(json.dumps),
    st.fixed_dictionaries(
        {
            "action": st.sampled_from(
                ["subscribe", "unsubscribe", "unsubscribe_all", "subscribe_orders", "ping", "", 7]
            )
        },
        optional={
            "symbols": st.lists(
                st.dictionaries(
                    st.sampled_from(["symbol", "exchange", "mode"]),
                    st.sampled_from(["SBIN", "NSE", "NIFTY", "NSE_INDEX", 1, 2, 3, None, "\x00"]),
                )
                | st.none(),
                max_size=3,
            ),
            "symbol": st.text(max_size=10),
            "exchange": st.sampled_from(["NSE", "NFO", "MARS", ""]),
            "mode": st.integers() | st.text(max_size=5) | st.floats(),
            "request_id": st.integers() | st.text(max_size=10) | st.lists(st.none(), max_size=2),
        },
    ).map(json.dumps),
)


def test_whatever_is_sent_one_frame_says_what_was_wrong_and_the_talk_goes_on(
    house: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "FRAMES_AT_ONCE", 100_000)

    async def story(it: Standing, url: str) -> None:
        loop = asyncio.get_running_loop()
        async with known(url, await key_of(it)) as me:

            @settings(
                max_examples=60,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
            )
            @given(st.lists(FRAMES, max_size=5))
            def fuzzed(frames: list[str | bytes]) -> None:
                asyncio.run_coroutine_threadsafe(answered(me, frames), loop).result(20)

            await asyncio.to_thread(fuzzed)

    listening(house, story)


async def answered(me: Client, frames: list[str | bytes]) -> None:
    """Send frames, and see that each is answered once and none is no surprise to the house."""
    for frame in frames:
        await me.wire.send(frame)
    await me.say(action="ping", request_id="last")
    many = 0
    while True:
        said = await me.hear()
        if said["type"] in {"market_data", "order_update"}:
            continue
        if said.get("request_id") == "last" and said["type"] == "pong":
            break
        many += 1
        assert said.get("status") in {"success", "partial", "error"}
        assert "unexpected" not in said.get("message", "")
    assert many == len(frames)
