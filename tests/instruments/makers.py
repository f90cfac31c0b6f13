"""Listings that a broker's file may hold, loads of them, and what is in force afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.instruments.model.loads import Load, Wanted
from bahi.instruments.service.loading import load_master
from bahi.kernel.actor import the_house
from bahi.kernel.clock import Clock, StoppedClock
from bahi.kernel.listings import Line, Listing
from bahi.kernel.money import Price
from bahi.kernel.words import BrokerSlug, InstrumentType, OptionType, Segment

DAY = date(2036, 11, 24)
EXPIRY = date(2036, 12, 30)
MORNING = datetime(2036, 11, 24, 3, 0, tzinfo=UTC)
TABLES = ("instrument_terms", "broker_listings", "instrument_masters", "master_loads")


def share(symbol: str = "RELIANCE", token: str = "2885", **more: Any) -> Listing:
    """Make a share of NSE."""
    said = {"isin": f"INE{token:0>9}", "series": "EQ", "lot_size": 1, "tick_size": Price(1_000)}
    return Listing(
        line=more.pop("line", 2),
        segment=more.pop("segment", Segment.NSE_EQ),
        symbol=symbol,
        broker_symbol=more.pop("broker_symbol", symbol),
        security_id=more.pop("security_id", f"id-{token}"),
        instrument_type=more.pop("instrument_type", InstrumentType.EQUITY),
        exchange_token=token,
        **(said | more),
    )


def option(strike: int = 179, token: str = "40179", root: str = "ITC", **more: Any) -> Listing:
    """Make a call on a share of NSE."""
    expiry = more.pop("expiry", EXPIRY)
    symbol = f"{root}{expiry:%d%b%y}{strike}CE".upper()
    return Listing(
        line=more.pop("line", 2),
        segment=Segment.NSE_FNO,
        symbol=symbol,
        broker_symbol=more.pop("broker_symbol", symbol),
        security_id=f"id-{token}",
        instrument_type=InstrumentType.OPTSTK,
        root=root,
        exchange_token=token,
        expiry=expiry,
        strike=Price(strike * 10_000),
        option_type=OptionType.CE,
        **({"lot_size": 1_600, "tick_size": Price(500)} | more),
    )


def numbered(lines: Iterable[Line]) -> list[Line]:
    """Give each its line in a file."""
    return [it._replace(line=n) for n, it in enumerate(lines, start=2)]


async def pieces(lines: Sequence[Line], size: int = 1_000) -> AsyncIterator[Sequence[Line]]:
    """Hand lines out as a file's reader does."""
    for begin in range(0, len(lines), size):
        yield lines[begin : begin + size]


async def load(
    store: Store,
    lines: Iterable[Line],
    broker: BrokerSlug = BrokerSlug.UPSTOX,
    *,
    day: date = DAY,
    clock: Clock | None = None,
    size: int = 1_000,
    **vouched: Any,
) -> Load:
    """Load a file that holds these lines."""
    wanted = Wanted(broker=broker, source="a test", day=day, **vouched)
    clock = clock or StoppedClock(MORNING)
    file = pieces(numbered(lines), size)
    return await load_master(store, the_house("test"), wanted, file, clock, at_once=size)


def rows_of(tx: Tx, text: str) -> list[tuple[Any, ...]]:
    """Run a SELECT."""
    return [tuple(row) for row in tx.rows(sa.text(text))]


async def asked(store: Store, text: str) -> list[tuple[Any, ...]]:
    """Return what a SELECT finds now."""
    return await store.read(rows_of, text, fresh=True)


async def only(store: Store, text: str) -> Any:
    """Return the one value that a SELECT finds now."""
    ((value,),) = await asked(store, text)
    return value


async def instruments(store: Store) -> dict[str, tuple[Any, ...]]:
    """Return what is active: by symbol, the id, strike, token and lot."""
    found = await asked(
        store,
        "SELECT symbol, id, strike, exchange_token, lot_size FROM instruments WHERE is_active = 1",
    )
    return {symbol: tuple(rest) for symbol, *rest in found}


async def everything(store: Store) -> list[list[tuple[Any, ...]]]:
    """Return all that a refused load must leave as it was; loads are remembered, though."""
    columns = "id, symbol, lot_size, tick_size, strike, is_active, named_by, isin, updated_at"
    return [
        await asked(store, f"SELECT {columns} FROM instruments ORDER BY id"),
        await asked(store, "SELECT * FROM broker_listings ORDER BY load_id, instrument_id"),
        await asked(store, "SELECT * FROM instrument_masters ORDER BY broker, exchange_segment"),
        await asked(store, "SELECT * FROM instrument_terms ORDER BY id"),
    ]


def empty(tx: Tx) -> None:
    """Begin anew."""
    for table in (*TABLES[:-1], "instruments", TABLES[-1]):
        tx.change(sa.text(f"DELETE FROM {table}"))
