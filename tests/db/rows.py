"""Rows for a test to ask after: a store made from the code, and rows with good defaults."""

from __future__ import annotations

import itertools
from typing import Any

import sqlalchemy as sa

from tests.db.good_rows import schema_of

OPENING = 1_795_146_300_000_000  # 2026-11-20 09:15:00 in India
MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
RUPEE = 10_000

LEADER, FOLLOWER = 1, 2
OWN_TIME = {"created_at", "updated_at", "generated_at", "placed_at", "traded_at", "at"}


class Store:
    """A store with nothing in it but what a test puts there."""

    def __init__(self, connection: sa.Connection, name: str) -> None:
        schema = schema_of(name)
        self._connection, self._tables = connection, schema.metadata.tables
        self._ids = itertools.count(100)
        cursor = connection.connection.cursor()
        for statement in schema.statements(connection.dialect):
            cursor.execute(statement)

    def put(self, table: str, **values: Any) -> int:
        """Insert a row; its id and its times need not be said."""
        columns = self._tables[table].columns
        if "id" in columns:
            values.setdefault("id", next(self._ids))
        for column in columns:
            if column.name in OWN_TIME and not column.nullable:
                values.setdefault(column.name, OPENING)
        self._connection.execute(sa.insert(self._tables[table]).values(values))
        return values.get("id", 0)

    def change(self, table: str, where: dict[str, Any], **values: Any) -> None:
        """Update the rows that `where` picks."""
        update = sa.update(self._tables[table]).filter_by(**where)
        self._connection.execute(update.values(values))

    def take_away(self, table: str, **where: Any) -> None:
        """Delete the rows that `where` picks."""
        self._connection.execute(sa.delete(self._tables[table]).filter_by(**where))

    def ask(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Run a source's query, with its question marks, as it is."""
        named = query
        for place in range(len(values)):
            named = named.replace("?", f":v{place}", 1)
        found = self._connection.execute(
            sa.text(named), {f"v{place}": value for place, value in enumerate(values)}
        )
        return [dict(row) for row in found.mappings()]


def an_order(store: Store, account: int = LEADER, **said: Any) -> int:
    plain = {
        "exchange_segment": "NSE_EQ",
        "symbol": "SBIN",
        "side": "BUY",
        "product": "CNC",
        "order_type": "LIMIT",
        "quantity": 10,
        "price": 812_5000,
        "status": "OPEN",
    }
    return store.put("orders", account_id=account, **plain | said)


def a_trade(store: Store, account: int = LEADER, **said: Any) -> int:
    plain = {"symbol": "SBIN", "side": "BUY", "quantity": 10, "price": 800 * RUPEE}
    said = plain | said
    worth = said["quantity"] * said["price"]
    return store.put("trades", account_id=account, **{"trade_value": worth} | said)


def a_position(store: Store, account: int = LEADER, **said: Any) -> int:
    plain = {"exchange_segment": "NSE_EQ", "symbol": "SBIN", "product": "CNC", "net_qty": 10}
    return store.put("positions", account_id=account, **plain | said)


def an_api(store: Store, name: str, index: int, **token: Any) -> int:
    api = store.put("broker_apis", account_id=LEADER, api_name=name, api_index=index)
    store.put("broker_tokens", broker_api_id=api, access_token_enc=name.encode(), **token)
    return api
