"""Delivery holdings as the book has them, and as brokers reported them."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    TRADING,
    AppendOnly,
    index,
    instant,
    json,
    key,
    money,
    percent,
    price,
    quantity,
    ref,
    text,
    unique,
    whole,
    word,
)
from bahi.db.views import seen, seen_as, select
from bahi.kernel.words import Segment

holdings = HOUSE.table(
    "holdings",
    "What each account holds for delivery now, kept by the book.",
    key(),
    ref("account_id", "books.account_id", "Whose.", on_delete="CASCADE"),
    ref("instrument_id", "instruments.id", "In what.", on_delete="SET NULL", null=True),
    word("exchange_segment", Segment, "Where it is listed."),
    text("security_id", "The broker's token for it.", null=True),
    text("symbol", "Our symbol for it."),
    text("isin", "Of the security.", null=True),
    quantity("total_qty", "Held in all."),
    quantity("dp_qty", "In the demat account.", default=0),
    quantity("t1_qty", "Bought and not yet delivered.", default=0),
    quantity("available_qty", "Free to sell.", null=True),
    quantity("collateral_qty", "Pledged for margin.", default=0),
    quantity("collateral_update_qty", "Being pledged or released.", default=0),
    price("average_price", "Average cost.", null=True),
    price("last_price", "When it was last valued.", null=True),
    money("invested_value", "Quantity times average cost.", null=True),
    money("current_value", "Quantity times last price.", null=True),
    money("realized_pnl", "Profit closed.", default=0),
    money("unrealized_pnl", "Profit still open when last valued.", default=0),
    money("pnl", "Both.", null=True),
    percent("pnl_pct", "Of the cost.", null=True),
    quantity("mtf_qty", "Held beside it as MTF, partly on the broker's money.", default=0),
    quantity("mtf_t1_qty", "Of that, bought and not yet delivered.", default=0),
    quantity("mtf_pledged_qty", "Of that, pledged to the broker.", default=0),
    price("mtf_average_price", "Average cost of that.", null=True),
    money("mtf_value", "What that cost in all.", default=0),
    money("mtf_own_value", "Of the cost, the account's own money, which is blocked.", default=0),
    json("raw", "What the broker told beside our columns.", null=True),
    instant("updated_at", "When anything here changed."),
    unique("account_id", "exchange_segment", "symbol"),
    index("account_id", "symbol"),
    index("security_id"),
    index("isin"),
    stores=TRADING,
)

holding_snapshots = HOUSE.table(
    "holding_snapshots",
    "Holdings as a broker reported them: all rows of one snapshot share its time.",
    key(),
    ref("account_id", "books.account_id", "Whose.", on_delete="CASCADE"),
    instant("snapshot_at", "When they were read."),
    whole("instrument_id", "In what.", null=True),
    word("exchange_segment", Segment, "Where it is listed."),
    text("security_id", "The broker's token for it.", null=True),
    text("symbol", "Our symbol for it.", null=True),
    text("isin", "Of the security.", null=True),
    quantity("total_qty", "Held in all."),
    quantity("dp_qty", "In the demat account.", null=True, default=0),
    quantity("t1_qty", "Bought and not yet delivered.", null=True, default=0),
    quantity("available_qty", "Free to sell.", null=True),
    quantity("collateral_qty", "Pledged for margin.", null=True, default=0),
    quantity("collateral_update_qty", "Being pledged or released.", null=True, default=0),
    price("average_price", "As told.", null=True),
    price("last_price", "As told.", null=True),
    money("invested_value", "As told.", null=True),
    money("current_value", "As told.", null=True),
    money("realized_pnl", "As told.", null=True, default=0),
    money("unrealized_pnl", "As told.", null=True, default=0),
    money("pnl", "As told.", null=True),
    percent("pnl_pct", "As told.", null=True),
    json("raw", "The row as the broker wrote it.", null=True),
    index(
        "account_id",
        "snapshot_at",
        "exchange_segment",
        "coalesce(symbol,'')",
        "coalesce(security_id,'')",
        unique=True,
    ),
    index("account_id", "symbol"),
    index("security_id"),
    index("isin"),
    stores=TRADING,
    append_only=AppendOnly(),
)

_NAMES = [column.name for column in holding_snapshots.columns]
_FUNDED = [column.name for column in holdings.columns if column.name.startswith("mtf_")]

HOUSE.view(
    "v_latest_holdings",
    "What each account holds now.",
    lambda sql: select(
        seen(sql, holdings, "h", *_NAMES[:2]),
        seen_as(sql, holdings.c.updated_at, "h", "snapshot_at"),
        seen(sql, holdings, "h", *_NAMES[3:], *_FUNDED),
        "b.copy_role AS account_type",
        rest="""FROM holdings h
JOIN books b ON b.account_id = h.account_id
WHERE h.total_qty <> 0 OR h.mtf_qty <> 0""",
    ),
    stores=TRADING,
)
