"""`bahi up`: the service, from the first line that it says to a clean end."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import shlex
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bahi.cli.terminal import settings
from bahi.config import Settings
from bahi.kernel.actor import the_house
from bahi.kernel.errors import Conflict, Misconfigured, NotFound

if TYPE_CHECKING:
    from fastapi import FastAPI

    from bahi.bootstrap import House
    from bahi.telemetry.service import Form, Logging

LAST_ANSWERS_WITHIN_S: Final = 3
QUEUE: Final = 2048
REQUESTS_AT_ONCE: Final = 3_000
"""More than there are connections: those whose clients have gone are seen through beside them."""
HEARTBEAT_S: Final = 20.0
"""How often a socket is asked whether anybody is there, and how long an answer may take."""
QUIET: Final = ("alembic", "uvicorn")


class PortTaken(Conflict):
    """Another program listens there."""

    code = "port_taken"


def up(
    *,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="The port; 0 takes a free one.")
    ] = None,
) -> None:
    """Start the service; Ctrl-C stops it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the service has its own
    wished = settings()
    wished = replace(
        wished,
        host=wished.host if host is None else host,
        port=wished.port if port is None else port,
    )
    chain = say_on_standard_error(wished.log_level, wished.log_form)
    try:
        with ExitStack() as bound:
            door = bound.enter_context(closing(bind(wished.host, wished.port)))
            wished = replace(wished, port=door.getsockname()[1])  # brokers send people back there
            doors = [door]
            if wished.feed_port:
                feed = bind(wished.host, wished.feed_port, "BAHI_FEED_PORT")
                doors.append(bound.enter_context(closing(feed)))
            serve(_built(wished), doors, wished, chain)
    except KeyboardInterrupt:
        sys.exit(0)


def _built(known: Settings) -> FastAPI:
    """Build the application, and have no search for rings walk what it is made of.

    It stays to the end: half a million objects, a quarter of the start, and later a tenth of a
    second in the middle of somebody's order.
    """
    gc.disable()
    try:
        app: FastAPI = import_module("bahi.asgi").app(known)  # above us: so by its name
        gc.collect()
        gc.freeze()
    finally:
        gc.enable()
    return app


def serve(app: FastAPI, doors: list[socket.socket], known: Settings, chain: Logging) -> None:
    """Answer at the doors until a signal comes; then finish what was begun, within the bound."""
    import uvicorn  # noqa: PLC0415 - only here

    from bahi.cli.crowd import Crowd, room_for_connections  # noqa: PLC0415 - of the doors
    from bahi.cli.knocking import FRAME_AT_MOST, doors_in  # noqa: PLC0415 - it is uvicorn's

    house: House = app.state.house
    crowd = Crowd(room_for_connections(), proxies=known.trusted_proxies)
    held, held_as_socket = doors_in(crowd)
    chain.keep_in(house.stores["logs"])

    class Service(uvicorn.Server):
        """A server that says when it listens, and for which a signal is no failure."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            """Open the door, and say so."""
            await super().startup(sockets)
            if self.started:
                for line in welcome(doors, known):
                    typer.echo(line)
                if link := await first_link(house):
                    typer.echo(link)

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            """Close the door; from then on the log goes to standard error alone."""
            chain.keep_in(None)
            app.state.is_open = False  # streams of events end by themselves
            await super().shutdown(sockets)

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Stop on a signal, without raising it again at the end."""
            with handling(self.handle_exit):
                yield

    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=held,
        limit_concurrency=REQUESTS_AT_ONCE,
        ws=held_as_socket,
        ws_max_size=FRAME_AT_MOST,
        ws_ping_interval=HEARTBEAT_S,
        ws_ping_timeout=HEARTBEAT_S,
        ws_per_message_deflate=False,  # prices are many and short: it would cost more than it saves
        lifespan="on",
        log_config=None,
        access_log=False,  # addresses may carry keys
        server_header=False,
        proxy_headers=False,  # an address is the peer's: whoever is asked may say anything
        backlog=QUEUE,
        timeout_graceful_shutdown=LAST_ANSWERS_WITHIN_S,
    )
    Service(config).run(sockets=doors)


@contextmanager
def handling(stop: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Call `stop` for a signal to end, from the running loop, so that it wakes at once."""
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop, each, None)
    yield


def bind(host: str, port: int, by: str = "--port") -> socket.socket:
    """Take the address, or say why not; who knocks from now on waits for the service."""
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address, family=family, backlog=QUEUE)
    except socket.gaierror:
        raise Misconfigured(f"{host!r} is no address of this machine; set BAHI_HOST.") from None
    except OSError as fault:
        if fault.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"Another program listens on port {port} of {host}; "
                f"stop it, or choose another port with {by}."
            ) from None
        why = os.strerror(fault.errno or 0)
        raise Misconfigured(f"Bahi cannot listen on port {port} of {host}: {why}.") from None


def say_on_standard_error(level: str, form: Form = "pretty") -> Logging:
    """Send the log to standard error; the libraries' chatter only where everything is wanted."""
    from bahi.telemetry.service import set_up_logging  # noqa: PLC0415 - `bahi --help` logs nothing

    return set_up_logging(level, form, quiet=() if level == "DEBUG" else QUIET)


async def first_link(house: House) -> str | None:
    """Make a new link to the admin's first password, as long as there is none."""
    from bahi.bootstrap.first_start import admin_of  # noqa: PLC0415 - `bahi --help` needs no house

    try:
        admin = await house.stores["main"].read(admin_of, fresh=True)
    except NotFound:
        return None
    if admin.has_password:
        return None
    token = await house.sign_in.make_link(the_house("first start"), admin.id)
    return f"First: choose the admin's password at {house.settings.address}/welcome/{token}"


def welcome(doors: list[socket.socket], known: Settings) -> Iterator[str]:
    """Say where it is, where the data lies and what to do next."""
    door, *feeds = map(_spoken, doors)
    yield f"Bahi is open at http://{door}"
    for feed in feeds:
        yield f"Prices and orders are told at ws://{door}/ws and at ws://{feed}"
    yield f"Its data lies in {known.home}"
    command = shlex.quote(sys.argv[0]) if sys.argv[0].endswith("bahi") else "bahi"
    yield f"Next: open that address in a browser, or ask `{command} --help`. Ctrl-C stops it."


def _spoken(door: socket.socket) -> str:
    """Return the address of a door as one clicks it."""
    host, port = door.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what to click
    return f"{f'[{host}]' if ':' in host else host}:{port}"
