"""Two masters of one broker that differ in much: what is in force is the one or the other."""

from __future__ import annotations

from typing import Any

from bahi.db.tx import Tx
from bahi.kernel.listings import Listing
from tests.instruments.makers import option, rows_of, share

PIECE = 120
SHARES = [share(f"S{n}", str(n)) for n in range(1, 151)]
OLD: list[Listing] = [*SHARES, *(option(n, str(1_000 + n)) for n in range(1, 451))]
NEW: list[Listing] = [
    *SHARES,
    *(option(n, str(1_000 + n), lot_size=1_700) for n in range(100, 451)),
    *(option(1_000 + n, str(5_000 + n)) for n in range(100)),
]

World = tuple[frozenset[tuple[Any, ...]], frozenset[str]]


def in_force(tx: Tx) -> World:
    """Return what is listed, with its lot, and what is active, in one look."""
    listed = rows_of(
        tx,
        "SELECT i.symbol, i.lot_size, b.security_id FROM broker_symbols b"
        " JOIN instruments i ON i.id = b.instrument_id",
    )
    active = rows_of(tx, "SELECT symbol FROM instruments WHERE is_active = 1")
    return frozenset(listed), frozenset(symbol for (symbol,) in active)


def world_of(file: list[Listing]) -> World:
    """Return what is in force when a file is, and nothing else."""
    listed = frozenset((it.symbol, it.lot_size, it.security_id) for it in file)
    return listed, frozenset(it.symbol for it in file)
