"""A process that writes to the small house until it is killed, and says what was acknowledged.

For each `go <url> <writers> <name>` (`forking.py`) a child writes, which says `ack` for each
acknowledged unit. A unit is a pair of entries and their sum on a page, so half a unit can be seen.
"""

from __future__ import annotations

import asyncio
import os

from bahi.db.tx import Tx
from bahi.kernel.errors import InDoubt, NotCommitted
from tests.db.ledger import ADD_ENTRY, ADD_TO_BALANCE, enter, open_store
from tests.forking import Forking, fork_on_demand, say


def enter_pair(tx: Tx, note: str, book: int) -> None:
    """Write two entries that stand or fall together, the second without waiting."""
    enter(tx, f"{note}/debit", 3, book)
    credit = {"id": tx.new_id(), "book_id": book, "amount": 5, "note": f"{note}/credit"}
    tx.put(ADD_TO_BALANCE, {"book": book, "amount": 5})
    tx.put(ADD_ENTRY, credit)


def whole_units(notes: set[str]) -> set[str]:
    """Return the units in the notes; half of one is an error."""
    debits = {note.removesuffix("/debit") for note in notes if note.endswith("/debit")}
    credits_ = {note.removesuffix("/credit") for note in notes if note.endswith("/credit")}
    assert debits == credits_, "half a unit was committed"
    return debits


async def write_on(url: str, writers: str, name: str) -> None:
    """Write units for ever, each writer one after the other."""
    _, store = open_store(url, start=int.from_bytes(os.urandom(5)) << 20)

    async def one(writer: int) -> None:
        n = 0
        while True:
            n += 1
            note = f"{name}-{writer}-{n}"
            try:
                await store.write(enter_pair, note, 1 + writer % 4, account=writer)
            except (NotCommitted, InDoubt) as end:
                say(f"{end.code} {note}")
            else:
                say(f"ack {note}")

    await asyncio.gather(*(one(writer) for writer in range(int(writers))))


class Worker(Forking):
    """Such a process, from the test's side."""

    def __init__(self) -> None:
        super().__init__("tests.db.worker")


if __name__ == "__main__":
    fork_on_demand(write_on)
