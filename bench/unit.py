"""The unit of work that is measured: an order, its event, its audit row, its position.

The same four statements, into the real tables with all their indexes and triggers, are run by
Bahi, by raw sqlite3 and by pgbench.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

import bahi.migrations
from bahi.db.migrate import Migrator
from bahi.db.opening import Database, transaction
from bahi.db.schema import HOUSE
from bahi.db.statement import Statement
from bahi.db.tx import Tx

ACCOUNTS: Final = 16
NOW: Final = time.time_ns() // 1000

tables = HOUSE.metadata.tables
orders, events = tables["orders"], tables["order_events"]
audit, positions, books = tables["audit_trail"], tables["positions"], tables["books"]

ORDER: Final[Mapping[str, Any]] = {
    "exchange_segment": "NSE_FNO",
    "symbol": "NIFTY28NOV2626000CE",
    "side": "BUY",
    "product": "INTRADAY",
    "order_type": "LIMIT",
    "validity": "DAY",
    "quantity": 65,
    "price": 1_234_500,
    "status": "TRANSIT",
    "actor": "bench",
    "intent_at": NOW,
    "placed_at": NOW,
    "updated_at": NOW,
}
EVENT: Final[Mapping[str, Any]] = {
    "event_type": "TRANSIT",
    "source": "SYSTEM",
    "data": '{"status": "TRANSIT", "quantity": 65}',
    "event_at": NOW,
    "recorded_at": NOW,
    "sequence": 1,
}
AUDIT: Final[Mapping[str, Any]] = {
    "actor": "bench",
    "entity_type": "order",
    "entity_id": "1",
    "action": "order.place",
    "at": NOW,
}
POSITION: Final[Mapping[str, Any]] = {
    "exchange_segment": "NSE_FNO",
    "symbol": "NIFTY28NOV2626000CE",
    "product": "INTRADAY",
    "net_qty": 65,
    "buy_qty": 65,
    "sell_qty": 0,
    "updated_at": NOW,
}


def _insert(table: sa.Table, *names: str) -> sa.Insert:
    return sa.insert(table).values({name: sa.bindparam(name) for name in names})


def _upsert(insert: Callable[..., Any]) -> Any:
    row = insert(positions).values({n: sa.bindparam(n) for n in ("id", "account_id", *POSITION)})
    return row.on_conflict_do_update(
        index_elements=["account_id", "exchange_segment", "symbol", "product"],
        set_={
            "net_qty": positions.c.net_qty + row.excluded.net_qty,
            "buy_qty": positions.c.buy_qty + row.excluded.buy_qty,
            "updated_at": row.excluded.updated_at,
        },
    )


def clauses(dialect: str) -> list[Any]:
    """Return the four statements for a dialect, in their order."""
    insert = sqlite_insert if dialect == "sqlite" else postgres_insert
    return [
        _insert(orders, "id", "account_id", "client_order_id", *ORDER),
        _insert(events, "id", "order_id", *EVENT),
        _insert(audit, "id", *AUDIT),
        _upsert(insert),
    ]


HOT: Final = {name: [Statement(c) for c in clauses(name)] for name in ("sqlite", "postgresql")}


def parameters(mint: Callable[[], int], account: int) -> list[dict[str, Any]]:
    """Return the parameters of the four statements for one more unit."""
    order = mint()
    return [
        {**ORDER, "id": order, "account_id": account, "client_order_id": str(order)},
        {**EVENT, "id": mint(), "order_id": order},
        {**AUDIT, "id": mint()},
        {**POSITION, "id": mint(), "account_id": account},
    ]


def write_unit(tx: Tx, account: int) -> None:
    """Write one unit through Bahi."""
    for statement, values in zip(HOT[tx.dialect.name], parameters(tx.new_id, account), strict=True):
        tx.change(statement, values)


def lay_out(url: str) -> None:
    """Make the main store at a URL, with the books of the accounts that trade."""
    database = Database("main", url)
    Migrator(database, bahi.migrations.history("main")).upgrade()
    stamps = {"created_at": NOW, "updated_at": NOW}
    user = {"id": 1, "username": "bench", **stamps}
    named = [{"user_id": 1, "name": f"account {n}", **stamps} for n in range(ACCOUNTS)]
    with database.opened() as core, transaction(core):
        core.execute(sa.insert(tables["users"]), [user])
        core.execute(
            sa.insert(tables["accounts"]),
            [{"id": n, "broker": "kite", **row} for n, row in enumerate(named)],
        )
        core.execute(
            sa.insert(books),
            [{"account_id": n, "mode": "live", **row} for n, row in enumerate(named)],
        )


def counting() -> Callable[[], int]:
    """Mint ids by counting: what an id costs is not what is measured."""
    counter, lock = itertools.count(1), threading.Lock()

    def mint() -> int:
        with lock:
            return next(counter)

    return mint
