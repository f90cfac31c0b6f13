"""The page of an account in its trading store: what every writing function locks first."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    TRADING,
    day,
    flag,
    index,
    instant,
    json,
    money,
    ref,
    text,
    whole,
    word,
)
from bahi.kernel.words import AccountMode, CopyRole

books = HOUSE.table(
    "books",
    "One account in its trading store, made on first use. Whoever writes for the account locks "
    "this row first; rows of the account refer to it, and views read account_type from it.",
    ref("account_id", "accounts.id", "The account.", on_delete="CASCADE", primary=True),
    text("name", "What its user calls it."),
    whole("user_id", "Its user, who lives in main."),
    word("copy_role", CopyRole, "Which side of copying it is on, if any.", null=True),
    word("mode", AccountMode, "Do its orders reach a market? Fixed after the first order."),
    whole("version", "Grows by one with every write.", default=0),
    flag("killed_globally", "All trading is stopped; exits pass.", default=False),
    flag("killed_for_user", "Its user's trading is stopped; exits pass.", default=False),
    flag("killed_for_account", "This account's trading is stopped; exits pass.", default=False),
    json("killed_strategies", "Names of the strategies that are stopped on it.", null=True),
    text("kill_reason", "Why, as the newest of them says.", null=True),
    instant("killed_at", "Since when.", null=True),
    json(
        "rate_bucket", "Orders sent in each of the broker's windows, and their starts.", null=True
    ),
    json("limits", "What binds its orders, dated; the tightest counts.", null=True),
    day("trading_day", "The day that the counters below are of.", null=True),
    whole("orders_today", "Orders sent.", default=0),
    whole("trades_today", "Fills booked.", default=0),
    whole("open_orders", "Orders that may still fill.", default=0),
    money("realized_today", "Profit closed, before charges.", default=0),
    money("unrealized_mark", "Profit still open when it was last valued.", null=True),
    instant("marked_at", "When that was; too old is unknown.", null=True),
    instant(
        "loss_latched_at", "When the day's loss limit was seen broken; it stays so.", null=True
    ),
    instant("last_positions_at", "When the broker's positions were last read whole.", null=True),
    instant("last_holdings_at", "When the broker's holdings were last read whole.", null=True),
    instant("last_funds_at", "When the broker's funds were last read.", null=True),
    instant("created_at", "When the page was begun."),
    instant("updated_at", "When anything here changed."),
    index("user_id"),
    stores=TRADING,
)
