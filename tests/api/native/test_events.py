"""Events pushed over real HTTP: told once, resumed, ended with the key, let go when too slow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import pytest

from bahi.api.native.events import STREAMS_AT_MOST, EventStream
from bahi.db.tx import Tx
from bahi.identity.service.keys import revoke_key
from bahi.jobs.model import DEFAULT_RETRY, Terms
from bahi.jobs.service import enqueue
from bahi.jobs.service.lease import claim, complete
from bahi.kernel.words import BrokerSlug, KeyScope
from tests.api.serving import Server
from tests.api.standing import Standing, as_actor
from tests.orders.desks import OPEN

WITHIN_S = 20.0


class Told(NamedTuple):
    """An event as it came."""

    id: str
    name: str
    data: dict[str, Any]


class Desk(NamedTuple):
    """A served house, with a key and a paper account of one user, and a stranger's key."""

    server: Server
    key: str
    account_id: str
    other: str

    def client(self, key: str | None = None) -> httpx.Client:
        headers = {"X-API-Key": key or self.key}
        return httpx.Client(base_url=self.server.url, headers=headers, timeout=WITHIN_S)

    def place(self, name: str) -> str:
        body = {
            "segment": "NSE_EQ",
            "symbol": "SBIN",
            "side": "BUY",
            "quantity": 1,
            "product": "INTRADAY",
            "order_type": "MARKET",
            "client_order_id": name,
        }
        with self.client() as client:
            placed = client.post(f"/v1/accounts/{self.account_id}/orders", json=body)
            assert placed.status_code == 201, placed.text
            identity: str = placed.json()["id"]
            return identity

    @contextmanager
    def listen(self, key: str | None = None, **more: Any) -> Iterator[Iterator[Told]]:
        """Listen to events, from when the stream says that it has begun."""
        with self.client(key) as client, client.stream("GET", "/v1/events", **more) as stream:
            assert stream.status_code == 200, stream.read()
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert stream.headers["cache-control"] == "no-store"
            assert stream.headers["x-content-type-options"] == "nosniff"
            assert "x-request-id" in stream.headers
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            yield events_in(lines)


def events_in(lines: Iterator[str]) -> Iterator[Told]:
    said: dict[str, str] = {}
    for line in lines:
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            said[name] = value
        elif not line and "event" in said:
            yield Told(said.get("id", ""), said["event"], json.loads(said["data"]))
            said = {}


def until(events: Iterator[Told], is_it: Callable[[Told], bool]) -> list[Told]:
    """Return what was told up to what is looked for; the stream's own time-out bounds it."""
    found = []
    for event in events:
        found.append(event)
        if is_it(event):
            return found
    raise AssertionError(f"the stream ended with {found}")


def is_done(order_id: str) -> Callable[[Told], bool]:
    return lambda it: (
        it.name == "orders"
        and it.data["about"]["order_id"] == order_id
        and it.data["what"] == "EXECUTED"
    )


@pytest.fixture
def desk(home: dict[str, str]) -> Iterator[Desk]:
    async def furnished(it: Standing) -> tuple[str, str, str]:
        asha, ravi = await it.user("asha"), await it.user("ravi")
        account = await it.account(asha, BrokerSlug.PAPER, "Asha's paper")
        return await it.key(asha), str(account.id), await it.key(ravi)

    with Server({**home, **OPEN}) as server:
        yield Desk(server, *server.do(furnished))


def listeners(it: Server) -> int:
    async def count(standing: Standing) -> int:
        found: int = standing.app.state.happenings.listeners
        return found

    return it.do(count)


def test_what_happens_is_told_to_its_owner_and_to_nobody_else(desk: Desk) -> None:
    with desk.listen() as own, desk.listen(desk.other) as others:
        first = desk.place("first")
        told = until(own, is_done(first))
        assert told[0].data["what"] == "PLACED"
        assert [it.id for it in told] == sorted({it.id for it in told}, key=int)
        last = told[-1].data
        assert last["account_id"] == desk.account_id
        assert last["at"].endswith("+05:30")
        assert last["about"]["client_order_id"] == "first"
        if not (moved := [it for it in told if it.name == "positions"]):
            moved = until(own, lambda it: it.name == "positions")[-1:]
        assert moved[0].data["about"]["net"] == 1

        async def buy(it: Standing) -> str:
            ravi = await it.user("ravi")
            account = await it.account(ravi, BrokerSlug.PAPER, "Ravi's paper")
            opened = await it.key(ravi)
            return f"{account.id} {opened}"

        account_id, key = desk.server.do(buy).split()
        with desk.listen(key) as theirs:
            second = desk._replace(key=key, account_id=account_id).place("second")
            told = until(theirs, is_done(second))
            assert {it.data["account_id"] for it in told} == {account_id}
        del others  # whose key was issued before that account was: it opens none of the two


def test_a_stream_goes_on_behind_the_last_event_that_was_heard(desk: Desk) -> None:
    with desk.listen() as own:
        heard = until(own, is_done(desk.place("one")))
    missed = [desk.place(name) for name in ("two", "three")]
    with desk.listen(headers={"Last-Event-ID": heard[-1].id}) as own:
        again = until(own, is_done(missed[-1]))
    known = {it.id for it in heard}
    assert not [it for it in again if it.id in known]
    executed = [
        it.data["about"]["order_id"]
        for it in again
        if it.name == "orders" and it.data["what"] == "EXECUTED"
    ]
    assert executed == missed


def test_who_cannot_send_a_header_says_in_the_address_where_to_go_on(desk: Desk) -> None:
    with desk.listen() as own:
        heard = until(own, is_done(desk.place("one")))
    place = heard[-1].id
    first, second = desk.place("two"), desk.place("three")
    with desk.listen(params={"since": place}) as own:
        again = until(own, is_done(second))
    assert {it.data["about"]["order_id"] for it in again[1:]} == {first, second}
    assert [it.id for it in again if int(it.id) <= int(place)] == [place]  # and nothing before
    with desk.listen(params={"since": place}, headers={"Last-Event-ID": again[-1].id}) as own:
        told = until(own, is_done(desk.place("four")))  # a browser that was cut off sends both
    assert not {it.id for it in told} & {it.id for it in again}
    with desk.client() as client:
        assert client.get("/v1/events", params={"since": "x"}).status_code == 400


def test_a_stream_goes_on_where_the_service_was_started_anew(home: dict[str, str]) -> None:
    async def furnished(it: Standing) -> tuple[str, str, str]:
        asha = await it.user("asha")
        account = await it.account(asha, BrokerSlug.PAPER, "Asha's paper")
        return await it.key(asha), str(account.id), ""

    with Server({**home, **OPEN}) as server:
        before = Desk(server, *server.do(furnished))
        with before.listen() as own:
            heard = until(own, is_done(before.place("one")))
        missed = before.place("two")
    with Server({**home, **OPEN}) as server:
        after = before._replace(server=server)
        with after.listen(headers={"Last-Event-ID": heard[-1].id}) as own:
            again = until(own, is_done(missed))
            again += until(own, is_done(after.place("three")))
    ids = [it.id for it in again]
    assert len(ids) == len(set(ids))
    assert not set(ids) & {it.id for it in heard}


def test_who_asked_for_a_job_is_told_of_its_end(desk: Desk) -> None:
    async def end(it: Standing) -> str:
        user = await it.user("asha")

        def write(tx: Tx) -> str:
            now = it.house.clock()
            enqueue(tx, user.username, "a trial", {}, now, user_id=user.id)
            (taken,) = claim(tx, Terms("a worker", 60, {"a trial": DEFAULT_RETRY}), now)
            return complete(tx, taken, None, now).job_id

        return await it.main.write(write)  # type: ignore[no-any-return] # main is Any

    with desk.listen(params={"topics": "jobs"}) as events:
        job_id = desk.server.do(end)
        told = next(events)
    assert (told.name, told.data["what"]) == ("jobs", "job.end")
    assert told.data["about"]["entity_id"] == job_id
    assert told.data["about"]["new"] == {"type": "a trial", "status": "completed"}


def test_only_the_topics_that_were_asked_for_are_told(desk: Desk) -> None:
    with desk.listen(params={"topics": "positions,jobs"}) as own:
        order = desk.place("one")
        told = until(own, lambda it: it.name == "positions")
        assert {it.name for it in told} == {"positions"}
        assert told[-1].data["about"]["order_id"] == order
    with desk.client() as client:
        wrong = client.get("/v1/events", params={"topics": "gossip"})
        assert wrong.status_code == 400
        assert "orders, positions" in wrong.json()["message"]
        assert client.get("/v1/events", headers={"Last-Event-ID": "x"}).status_code == 400


def test_a_stream_ends_when_its_key_does_and_leaves_nothing_behind(desk: Desk) -> None:
    async def second(it: Standing) -> str:
        return await it.key(await it.user("asha"), KeyScope.READ)

    key = desk.server.do(second)
    with desk.listen(key) as own:
        assert listeners(desk.server) == 1

        async def revoke(it: Standing) -> None:
            asha = await it.user("asha")
            holder = await it.house.keys.holder(key)

            def write(tx: Any) -> None:
                revoke_key(tx, as_actor(asha), holder.key_id, it.house.clock())

            await it.main.write(write)

        desk.server.do(revoke)
        end = until(own, lambda it: it.name == "end")[-1]
        assert end.data == {"reason": "revoked"}
        assert next(own, None) is None
    assert listeners(desk.server) == 0


def test_one_key_has_so_many_streams_and_no_more(desk: Desk) -> None:
    with desk.client() as client:
        streams = [
            client.send(client.build_request("GET", "/v1/events"), stream=True)
            for _ in range(STREAMS_AT_MOST)
        ]
        lines = [stream.iter_lines() for stream in streams]  # dropping one would close its stream
        assert {next(it) for it in lines} == {"retry: 2000"}
        refused = client.get("/v1/events")
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "5"
        with desk.listen(desk.other):
            pass
        for stream in streams:
            stream.close()


def test_streams_end_when_the_house_closes(home: dict[str, str]) -> None:
    async def furnished(it: Standing) -> str:
        return await it.key(await it.user("asha"))

    with Server({**home, **OPEN}) as server:
        it = Desk(server, server.do(furnished), "", "")
        with it.listen() as own:
            server.stop()
            assert [event.data for event in own] == [{"reason": "closing"}]


def test_who_takes_nothing_is_let_go() -> None:
    ended = []

    async def pieces() -> AsyncGenerator[str, None]:
        try:
            while True:
                yield "event: x\n\n"
        finally:
            ended.append(True)

    async def story() -> None:
        stream = EventStream(pieces())
        stream.slow_s = 0.01

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                await asyncio.Event().wait()

        await stream.stream_response(send)

    asyncio.run(story())
    assert ended == [True]
