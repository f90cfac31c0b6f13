"""Money: what an account has free, what is blocked and why, and its statement."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    TRADING,
    AppendOnly,
    check,
    day,
    flag,
    index,
    instant,
    json,
    key,
    money,
    price,
    quantity,
    ref,
    text,
    whole,
    word,
)
from bahi.db.views import seen, seen_as, select
from bahi.kernel.words import Product, Segment
from bahi.portfolio.model.money import Entry

funds = HOUSE.table(
    "funds",
    "What each account has to trade with now, kept by the book.",
    ref("account_id", "books.account_id", "Whose.", on_delete="CASCADE", primary=True),
    money("cash", "The sum of its ledger.", default=0),
    money("available_balance", "Free for new orders."),
    money("sod_limit", "Free when the day began.", null=True),
    money("collateral", "Given by pledged holdings.", null=True),
    money("margin_used", "The sum of its margin blocks.", null=True),
    money("margin_available", "Free for margin.", null=True),
    money("withdrawable_balance", "May leave the account.", null=True),
    money("blocked_margin", "Kept back by the broker.", null=True),
    json("raw", "What the broker told beside our columns.", null=True),
    instant("updated_at", "When anything here changed."),
    stores=TRADING,
)

fund_snapshots = HOUSE.table(
    "fund_snapshots",
    "Funds as a broker reported them.",
    ref("account_id", "books.account_id", "Whose.", on_delete="CASCADE", primary=True),
    key("snapshot_at", "When they were read: microseconds since 1970, UTC."),
    money("available_balance", "Free for new orders."),
    money("sod_limit", "Free when the day began.", null=True),
    money("collateral", "Given by pledged holdings.", null=True),
    money("margin_used", "As told.", null=True),
    money("margin_available", "As told.", null=True),
    money("withdrawable_balance", "May leave the account.", null=True),
    money("blocked_margin", "Kept back by the broker.", null=True),
    json("raw", "The reply as the broker wrote it.", null=True),
    stores=TRADING,
    append_only=AppendOnly(),
)

margin_blocks = HOUSE.table(
    "margin_blocks",
    "Margin blocked (positive) and released (negative) for an order or a position. Used margin is "
    "their sum; what is closed sums to nothing.",
    key(),
    ref("account_id", "books.account_id", "Whose.", on_delete="CASCADE"),
    whole("order_id", "The order that it is blocked for, else a position.", null=True),
    word("exchange_segment", Segment, "Where its instrument is listed."),
    text("symbol", "Our symbol for it."),
    word("product", Product, "Held how long, on whose money."),
    money("amount", "Blocked; negative is released."),
    flag("is_approximate", "By our rule, not by the broker's own calculator.", default=True),
    text("reason", "The rule, or what happened."),
    instant("recorded_at", "When we wrote it down."),
    index("account_id", "order_id"),
    index("account_id", "exchange_segment", "symbol", "product"),
    stores=TRADING,
    append_only=AppendOnly(),
)

margin_requirements = HOUSE.table(
    "margin_requirements",
    "Margin as it was worked out for an order, wished or placed.",
    key(),
    ref("account_id", "books.account_id", "Whose.", on_delete="CASCADE"),
    ref("order_id", "orders.id", "For which order.", on_delete="SET NULL", null=True),
    text("security_id", "The broker's token of the instrument."),
    word("exchange_segment", Segment, "Where it is listed."),
    quantity("quantity", "For how many."),
    price("price", "At which price.", null=True),
    word("product", Product, "Held how long, on whose money."),
    money("total_margin", "In all."),
    money("span_margin", "For the worst of the exchange's scenarios.", null=True),
    money("exposure_margin", "On top of it.", null=True),
    money("var_margin", "Value at risk, on equity.", null=True),
    instant("calculated_at", "When."),
    index("account_id", "calculated_at"),
    index("order_id"),
    stores=TRADING,
)

ledger_entries = HOUSE.table(
    "ledger_entries",
    "The account's statement, line by line. A paper account's cash is the sum of it.",
    key(),
    ref("account_id", "books.account_id", "Whose.", on_delete="CASCADE"),
    day("entry_date", "Of the line."),
    text("particulars", "What for.", null=True),
    text("voucher_no", "The broker's number for it.", null=True),
    text("voucher_date", "The broker's date for it, as written.", null=True),
    money("debit", "Taken.", default=0),
    money("credit", "Given.", default=0),
    money("balance", "After the line.", null=True),
    instant("created_at", "When we wrote it down."),
    word("kind", Entry, "What kind of line it is.", null=True),
    check("debit_and_credit", "debit >= 0 AND credit >= 0"),
    index("account_id", "entry_date"),
    index("entry_date"),
    index("account_id", "voucher_no", where="voucher_no IS NOT NULL"),
    stores=TRADING,
    append_only=AppendOnly(),
)

_FIGURES = [column.name for column in fund_snapshots.columns][2:]

HOUSE.view(
    "v_latest_funds",
    "What each account has to trade with now.",
    lambda sql: select(
        "f.account_id",
        seen_as(sql, funds.c.updated_at, "f", "snapshot_at"),
        seen(sql, funds, "f", *_FIGURES),
        "b.copy_role AS account_type",
        rest="FROM funds f\nJOIN books b ON b.account_id = f.account_id",
    ),
    stores=TRADING,
)
