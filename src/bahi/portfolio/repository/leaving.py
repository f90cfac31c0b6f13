"""How an account's books leave for good."""

from __future__ import annotations

from typing import Final

from bahi.db.leaving import remove_some
from bahi.db.tx import Tx
from bahi.portfolio.tables import (
    books,
    edis_transactions,
    equity_points,
    fund_snapshots,
    funds,
    holding_snapshots,
    holdings,
    ledger_entries,
    margin_blocks,
    margin_requirements,
    position_adjustments,
    position_conversions,
    position_snapshots,
    positions,
    reconciliation_breaks,
    trades,
)

OF_AN_ACCOUNT: Final = (
    trades,
    position_adjustments,
    position_conversions,
    position_snapshots,
    positions,
    holding_snapshots,
    holdings,
    margin_blocks,
    margin_requirements,
    ledger_entries,
    fund_snapshots,
    funds,
    edis_transactions,
    reconciliation_breaks,
    equity_points,
    books,
)
"""The books row last: all the others refer to it."""


def erase_account(tx: Tx, store: str, account_id: int, most: int) -> dict[str, int]:
    """Remove some of an account's books, facts too."""
    leaving = tuple((table, table.c.account_id == account_id) for table in OF_AN_ACCOUNT)
    return remove_some(tx, store, leaving, most, f"erase account {account_id}")
