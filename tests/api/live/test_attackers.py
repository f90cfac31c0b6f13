"""Sockets in the hands of those who mean no good: they cost little, and leave nothing behind."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from bahi.accounts.service.accounts import update_account
from bahi.api.live import bounds, socket
from bahi.cli.knocking import PIECES_AT_MOST
from bahi.identity.service.users import update_user
from bahi.kernel.words import BrokerSlug, KeyScope
from tests.api.live.sockets import SBIN, Client, knocking, known, listening
from tests.api.live.test_socket import FRAMES, key_of
from tests.api.openalgo.asking import MARKET, asking
from tests.api.standing import Standing, as_actor

VISITS: Final = 1_000
AT_ONCE: Final = 8


def names_of_tasks() -> Counter[str]:
    """Count the tasks of this loop by what they run."""
    coroutines = (it.get_coro() for it in asyncio.all_tasks())
    return Counter(getattr(it, "__qualname__", "") for it in coroutines)


def test_a_thousand_visits_leave_no_task_no_listener_and_no_seat_taken(
    house: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "STRANGERS_OF_ADDRESS", 1_000)

    async def story(it: Standing, url: str) -> None:
        await it.set("api", "rate_limit_per_minute", 100_000)
        key = await key_of(it)
        room = room_of(it)

        async def visit(n: int) -> None:
            async with knocking(url) as me:
                if n % 4 == 1:
                    await me.wire.send(b"\x00" * 100)
                if n % 4 == 2:
                    await me.say(action="authenticate", api_key=secrets.token_hex(32))
                    await me.closed()
                if n % 4 == 3:
                    await me.say(action="authenticate", api_key=key)
                    assert (await me.hear())["status"] == "success"
                    await me.say(action="subscribe", symbols=[SBIN], mode=1)
                    await me.say(action="subscribe_orders")
                if n % 3 == 0:
                    me.wire.transport.abort()

        async def several(first: int) -> None:
            for n in range(first, VISITS, AT_ONCE):
                await visit(n)

        await visit(3)
        before = await at_rest(room)
        await asyncio.gather(*(several(n) for n in range(AT_ONCE)))
        after = await at_rest(room)
        assert after - before == Counter()
        assert room.happenings.listeners == 0
        assert len(room.sockets._followed) == 0

    listening(house, story)


def room_of(it: Standing) -> Any:
    """Return what all sockets of a house share."""
    routes = it.app.router.routes
    return next(r.endpoint.__self__._room for r in routes if getattr(r, "path", "") == "/ws")


async def at_rest(room: Any) -> Counter[str]:
    """Wait until nobody is there; return the tasks that are left, but for what comes and goes."""
    async with asyncio.timeout(20):
        while room.sockets.open or room.happenings.listeners or _visits():  # noqa: ASYNC110 - a count
            await asyncio.sleep(0.01)
    return names_of_tasks()


def _visits() -> int:
    return sum(many for name, many in names_of_tasks().items() if "run_asgi" in name)


@pytest.mark.parametrize("piece", [b"", b" "])
def test_a_frame_in_pieces_without_end_is_cut_off(house: dict[str, str], piece: bytes) -> None:
    async def story(it: Standing, url: str) -> None:
        async with known(url, await key_of(it)) as me, known(url, await key_of(it)) as other:
            pieces = [Frame(Opcode.TEXT, b"{", fin=False)]
            pieces += [Frame(Opcode.CONT, piece, fin=False)] * (2 * PIECES_AT_MOST)
            written = b"".join(it.serialize(mask=True) for it in pieces)
            me.wire.transport.write(written)
            with pytest.raises(ConnectionClosed):
                await me.hear()
            assert (await other.ask(action="ping"))["type"] == "pong"

    listening(house, story)


def test_a_frame_in_some_pieces_is_read(house: dict[str, str]) -> None:
    async def story(it: Standing, url: str) -> None:
        async with known(url, await key_of(it)) as me:
            text = json.dumps({"action": "ping"})
            await me.wire.send(text[n : n + 1] for n in range(len(text)))
            assert (await me.hear())["type"] == "pong"

    listening(house, story)


def test_whatever_a_stranger_sends_is_refused_and_tells_nothing(
    house: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "FRAMES_AT_ONCE", 100_000)

    async def story(it: Standing, url: str) -> None:
        loop = asyncio.get_running_loop()
        async with knocking(url) as me:

            @settings(max_examples=60, suppress_health_check=list(HealthCheck), database=None)
            @given(FRAMES)
            def fuzzed(frame: str | bytes) -> None:
                asyncio.run_coroutine_threadsafe(refused(me, frame), loop).result(20)

            await asyncio.to_thread(fuzzed)

    monkeypatch.setattr(socket, "KNOWN_WITHIN_S", 100.0)
    listening(house, story)


async def refused(me: Client, frame: str | bytes) -> None:
    """Send a frame, and see that it is refused by one frame."""
    await me.wire.send(frame)
    said = await me.hear()
    assert said["status"] == "error", said
    assert said["code"] in {"authentication_timeout", "invalid"}, said


@pytest.mark.parametrize("who", ["owner", "viewer"])
def test_a_user_who_is_switched_off_is_let_go_in_the_middle_of_a_talk(
    house: dict[str, str], monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setattr(socket, "RECHECK_S", 0.1)

    async def story(it: Standing, url: str) -> None:
        asha = await it.user("asha")
        scope = KeyScope.TRADE if who == "owner" else KeyScope.READ
        key = await it.key(asha, scope)
        admin, now = as_actor(await it.admin()), it.house.clock()
        async with known(url, key) as me:
            await me.ask(action="subscribe", symbols=[SBIN], mode=1)
            await it.main.write(partial(update_user, is_active=False), admin, asha.id, now)
            await me.hear_of("auth")
            end = await me.closed()
            assert end.rcvd is not None
            assert end.rcvd.code == socket.POLICY
        async with knocking(url) as me:
            await me.say(action="authenticate", api_key=key)
            assert (await me.hear())["status"] == "error"

    listening(house, story)


def test_an_account_that_is_switched_off_takes_no_order_while_its_socket_stays(
    house: dict[str, str],
) -> None:
    async def story(it: Standing, url: str) -> None:
        asha = await it.user("asha")
        account = await it.account(asha, BrokerSlug.PAPER, "Hers")
        hers = await asking(it, name="asha")
        await hers.good("placeorder", **MARKET)
        async with known(url, hers.key) as me:
            await me.ask(action="subscribe_orders")
            await it.main.write(
                update_account, as_actor(asha), account.id, {"is_active": False}, it.house.clock()
            )
            await it.house.revisions.look()
            answer = await hers.raw("placeorder", **MARKET)
            assert answer.status_code in {403, 404, 409, 422}, answer.text
            assert (await me.ask(action="ping"))["type"] == "pong"

    listening(house, story)
