"""The only SQL of connections to brokers and of what they push at us."""

from __future__ import annotations

from bahi.db.leaving import remove_some
from bahi.db.tx import Tx
from bahi.streams.tables import inbound_messages, postback_configs, websocket_connections


def erase_account(tx: Tx, store: str, account_id: int, most: int) -> dict[str, int]:
    """Remove some of what came for an account, and its connections; a failover only forgets it."""
    leaving = tuple(
        (table, table.c.account_id == account_id)
        for table in (inbound_messages, websocket_connections, postback_configs)
    )
    return remove_some(tx, store, leaving, most, f"erase account {account_id}")
