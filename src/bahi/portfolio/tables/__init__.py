"""The books: their page per account, trades, what is held, money, and what checks them."""

from bahi.portfolio.tables.book import books
from bahi.portfolio.tables.charges import charge_rates
from bahi.portfolio.tables.converting import position_conversions
from bahi.portfolio.tables.curve import equity_points
from bahi.portfolio.tables.holding import holding_snapshots, holdings
from bahi.portfolio.tables.money import (
    fund_snapshots,
    funds,
    ledger_entries,
    margin_blocks,
    margin_requirements,
)
from bahi.portfolio.tables.position import position_adjustments, position_snapshots, positions
from bahi.portfolio.tables.settling import (
    edis_transactions,
    reconciliation_breaks,
    settlement_prices,
)
from bahi.portfolio.tables.trade import trades

__all__ = [
    "books",
    "charge_rates",
    "edis_transactions",
    "equity_points",
    "fund_snapshots",
    "funds",
    "holding_snapshots",
    "holdings",
    "ledger_entries",
    "margin_blocks",
    "margin_requirements",
    "position_adjustments",
    "position_conversions",
    "position_snapshots",
    "positions",
    "reconciliation_breaks",
    "settlement_prices",
    "trades",
]
