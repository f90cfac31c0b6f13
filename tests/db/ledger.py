"""A small house for proofs about the database layer: books with balances, and entries in them.

The rule that every proof comes back to: a book's balance is the sum of its entries.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bahi.db.opening import Database, lay, transaction
from bahi.db.schema import MAIN, AppendOnly, Schema, index, key, ref, text, whole
from bahi.db.statement import Statement
from bahi.db.stores import Store, Stores
from bahi.db.tables import plumbing
from bahi.db.tx import Tx

SCHEMA = Schema()
plumbing(SCHEMA)

books = SCHEMA.table(
    "books",
    "A page of the ledger.",
    key(),
    whole("balance", "The sum of its entries.", default=0),
    stores=MAIN,
)
entries = SCHEMA.table(
    "entries",
    "What was written on a page.",
    key(),
    ref("book_id", "books.id", "The page.", on_delete="RESTRICT"),
    whole("amount", "What it adds."),
    text("note", "Who wrote it; twice the same is refused.", unique=True),
    index("book_id"),
    append_only=AppendOnly(),
    stores=MAIN,
)
promises = SCHEMA.table(
    "promises",
    "Rows whose key is only looked at when the transaction commits.",
    key(),
    sa.Column(
        "entry_id",
        sa.BigInteger().with_variant(sa.INTEGER(), "sqlite"),
        sa.ForeignKey("entries.id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
    stores=MAIN,
)

ADD_ENTRY = Statement(entries.insert())
ADD_TO_BALANCE = Statement(
    books.update()
    .where(books.c.id == sa.bindparam("book"))
    .values(balance=books.c.balance + sa.bindparam("amount"))
)
MAKE_PROMISE = Statement(promises.insert())


def create(url: str, *, pages: int = 4) -> None:
    """Create the house at a URL, with empty pages 1 to `pages`."""
    database = Database("main", url, SCHEMA)
    with database.opened() as core, transaction(core):
        lay(core, database.schema.statements(core.dialect))
        core.execute(books.insert(), [{"id": n, "balance": 0} for n in range(1, pages + 1)])


def open_store(url: str, *, start: int = 1, **options: Any) -> tuple[Stores, Store]:
    """Open the house for writing and reading; ids count up from `start`."""
    counter, lock = itertools.count(start), threading.Lock()

    def mint() -> int:
        with lock:
            return next(counter)

    stores = Stores({"main": url}, mint, **options)
    return stores, stores["main"]


def enter(tx: Tx, note: str, amount: int = 1, book: int = 1) -> int:
    """Write an entry on a page and add it to the balance."""
    entry = tx.new_id()
    tx.change(ADD_TO_BALANCE, {"book": book, "amount": amount})
    tx.change(ADD_ENTRY, {"id": entry, "book_id": book, "amount": amount, "note": note})
    return entry


def notes(tx: Tx) -> set[str]:
    """Return the notes of all entries."""
    return {row[0] for row in tx.rows(sa.select(entries.c.note))}


def balances(tx: Tx) -> tuple[list[int], list[int]]:
    """Return each page's balance, and beside it the sum of its entries."""
    said = tx.rows(sa.select(books.c.balance).order_by(books.c.id))
    found = tx.rows(
        sa.select(sa.func.coalesce(sa.func.sum(entries.c.amount), 0))
        .select_from(books.outerjoin(entries))
        .group_by(books.c.id)
        .order_by(books.c.id)
    )
    return [row[0] for row in said], [int(row[0]) for row in found]


class Gate:
    """Holds a writer inside a unit until the test lets it go."""

    def __init__(self) -> None:
        self.reached, self._go = threading.Event(), threading.Event()

    def hold(self, tx: Tx, then: Callable[..., Any] | None = None, *args: Any) -> Any:
        """Stand in the writer; then run a function, if one was given."""
        self.reached.set()
        assert self._go.wait(30)
        return then(tx, *args) if then else None

    def open(self) -> None:
        """Let it go."""
        self._go.set()


def path_of(url: str) -> Path:
    """Return the file of a SQLite URL."""
    return Path(url.removeprefix("sqlite:///"))


DIALECTS = {"sqlite": sqlite, "postgresql": postgresql}
