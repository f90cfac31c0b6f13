"""The service with a second port for sockets, where clients of OpenAlgo look for them."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.api.standing import Standing, standing
from tests.cli.processes import Service, refusal
from tests.orders.desks import OPEN
from tests.ports import LOOPBACK, release_port, reserve_port

AGAIN_LATER = 1012
"""The service ends, or starts again."""


async def a_key(it: Standing) -> str:
    """Issue a key."""
    return await it.key(await it.admin())


@pytest.fixture
def port() -> Iterator[int]:
    """Reserve a port for sockets."""
    port = reserve_port()
    yield port
    release_port(port)


def ask(wire: ClientConnection, **said: Any) -> dict[str, Any]:
    """Send a frame, and return the next one."""
    wire.send(json.dumps(said))
    answer: dict[str, Any] = json.loads(wire.recv())
    return answer


def test_sockets_are_at_the_path_and_at_a_port_of_their_own_until_a_stop(
    house: dict[str, str], port: int
) -> None:
    key = standing(house, a_key)
    with Service({**house, **OPEN, "BAHI_FEED_PORT": str(port)}) as service:
        path = f"{service.url.replace('http', 'ws')}/ws"
        own = f"ws://{LOOPBACK}:{port}"
        assert service.said[1] == f"Prices and orders are told at {path} and at {own}"
        with (
            connect(path, compression=None, proxy=None) as one,
            connect(own, compression=None, proxy=None) as other,
        ):
            for wire in (one, other):
                answer = ask(wire, action="authenticate", api_key=key)
                assert (answer["type"], answer["status"]) == ("auth", "success")
                assert ask(wire, action="subscribe_orders")["status"] == "success"
            code, errors = service.stop()
            for wire in (one, other):
                with pytest.raises(ConnectionClosed) as goodbye:
                    wire.recv()
                assert goodbye.value.rcvd is not None
                assert goodbye.value.rcvd.code == AGAIN_LATER
    assert (code, "Traceback" in errors) == (0, False), errors


def test_a_port_for_sockets_that_is_taken_is_named(house: dict[str, str]) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal("up", "--port", "0", env={**house, "BAHI_FEED_PORT": str(port)})
    assert f"port {port}" in said
    assert "BAHI_FEED_PORT" in said
