"""A broker in a process of its own, with its own journal: `python -m tests.orders.broker_server`.

It is asked by pickled words over a loopback socket, says its port on its first line, and writes
every call and every fill into its journal before it answers.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import random
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from bahi.kernel.clock import SystemClock
from bahi.kernel.errors import BahiError, NotSent, Silent
from bahi.kernel.ports import Change, Ticket, Update
from tests.orders.brokers import MemoryBroker, Placed

LENGTH = struct.Struct("!I")


class ServedBroker(MemoryBroker):
    """Fills what it likes, when it likes, and writes it down; it may take its time to answer."""

    def __init__(self, journal: Path, takes_s: float) -> None:
        super().__init__(SystemClock())
        self._takes_s = takes_s
        self._dice = random.Random(5)
        self._journal = journal.open("a", encoding="ascii")

    async def place(self, ticket: Ticket) -> Update:
        self._note(call=ticket.tag)
        await super().place(ticket)
        placed = next(reversed(self.orders.values()))
        if share := self._dice.choice((0, 1, 2)):
            self.fill(placed, max(1, ticket.quantity * share // 2))
        self._fill_another()
        await asyncio.sleep(self._takes_s)
        return self._said(placed)

    def fill(self, order: Placed, quantity: int) -> None:
        self._note(tag=order.ticket.tag, filled=quantity)
        super().fill(order, quantity)

    async def since(self, known: int) -> list[Update]:
        """Say what is new since so many words."""
        self._fill_another()
        return self.news[known : known + 50]

    def _fill_another(self) -> None:
        if self.working and self._dice.random() < 0.5:
            self.fill(self._dice.choice(self.working), 1)

    def _note(self, **what: Any) -> None:
        self._journal.write(json.dumps(what) + "\n")
        self._journal.flush()


async def serve(journal: Path, takes_s: float) -> None:
    broker = ServedBroker(journal, takes_s)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
            what, args = pickle.loads(await reader.readexactly(length))
            try:
                said = await getattr(broker, what)(*args)
            except BahiError as fault:
                said = fault
            word = pickle.dumps(said)
            writer.write(LENGTH.pack(len(word)) + word)
            await writer.drain()
        except (OSError, EOFError):  # who asked has died
            return
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class SocketBroker:
    """An account at it, from the house's side; `at` is told of each step on the way."""

    def __init__(self, port: int, at: Callable[[str], None] = lambda _: None) -> None:
        self._port, self._at = port, at

    async def place(self, ticket: Ticket) -> Update:
        return await self._asked("place", ticket)

    async def modify(self, change: Change) -> Update:
        return await self._asked("modify", change)

    async def cancel(self, broker_order_id: str) -> Update:
        return await self._asked("cancel", broker_order_id)

    async def order_book(self) -> tuple[Update, ...]:
        return await self._asked("order_book")

    async def since(self, known: int) -> list[Update]:
        return await self._asked("since", known)

    async def _asked(self, what: str, *args: Any) -> Any:
        if what == "place":
            self._at("before it was sent")
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            raise NotSent from None
        try:
            word = pickle.dumps((what, args))
            writer.write(LENGTH.pack(len(word)) + word)
            await writer.drain()
            if what == "place":
                self._at("sent, not answered")
            (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
            said = pickle.loads(await reader.readexactly(length))
        except (OSError, EOFError):
            raise Silent from None
        finally:
            writer.close()
        if isinstance(said, BahiError):
            raise said
        if what == "place":
            self._at("answered, not written")
        return said


class Server:
    """Such a process, from the test's side."""

    def __init__(self, journal: Path, *, takes_s: float = 0) -> None:
        self.journal, self._takes_s = journal, takes_s

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", __name__, str(self.journal), str(self._takes_s)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def lines(self) -> list[dict[str, Any]]:
        """Return the journal as it is written."""
        return [json.loads(it) for it in self.journal.read_text("ascii").splitlines()]


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), float(sys.argv[2])))
