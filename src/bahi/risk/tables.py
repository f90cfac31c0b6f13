"""Kill switches and limits, and the record of who ran into them."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    MAIN,
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
    percent,
    ref,
    text,
    whole,
    word,
)
from bahi.risk.model.eligibility import ListName

SCOPES = ("GLOBAL", "USER", "ACCOUNT", "STRATEGY")

traders_control = HOUSE.table(
    "traders_control",
    "Kill switches and limits: over all, a user, an account or a strategy.",
    key(),
    word("scope", SCOPES, "Whom it binds.", default="ACCOUNT"),
    ref("account_id", "books.account_id", "The account.", on_delete="CASCADE", null=True),
    whole("user_id", "The user, who lives in main.", null=True),
    text("strategy", "The strategy, by name.", null=True),
    word(
        "control_type",
        ("KILL_SWITCH", "RISK_LIMIT", "POSITION_LIMIT"),
        "A switch, or which kind of limit.",
    ),
    word("kill_switch_status", ("ACTIVE", "INACTIVE"), "ACTIVE stops entries.", null=True),
    money("daily_loss_limit", "The most that may be lost in a day.", null=True),
    money("position_size_limit", "The most that one position may be worth.", null=True),
    money("order_value_limit", "The most that one order may be worth.", null=True),
    whole("orders_per_day_limit", "The most orders in a day.", null=True),
    whole("open_orders_limit", "The most orders that may wait at once.", null=True),
    percent("price_band_limit", "The furthest an order may be from the last price.", null=True),
    json("allowed", "Symbols, segments, products and hours that may be traded.", null=True),
    flag("is_active", "In force, as far as its time has come.", default=True),
    instant("effective_at", "From when: loosening waits for the next day.", null=True),
    instant("created_at", "When it was set."),
    instant("updated_at", "When anything here changed."),
    instant("activated_at", "When a switch was engaged.", null=True),
    instant("deactivated_at", "When it was released.", null=True),
    text("activated_by", "Who engaged it.", null=True),
    text("reason", "Why.", null=True),
    check(
        "scope_names_whom",
        "(scope <> 'ACCOUNT' OR account_id IS NOT NULL)"
        " AND (scope <> 'USER' OR user_id IS NOT NULL)"
        " AND (scope <> 'STRATEGY' OR strategy IS NOT NULL)",
    ),
    index("account_id", "is_active"),
    index("control_type", "is_active"),
    stores=TRADING,
)

risk_violations = HOUSE.table(
    "risk_violations",
    "A limit run into and what was done. These rows outlive everything, so no key binds them.",
    key(),
    whole("account_id", "On which account."),
    word("scope", SCOPES, "Whose limit it was.", default="ACCOUNT"),
    text("strategy", "Of which strategy.", null=True),
    word(
        "violation_type",
        (
            "DAILY_LOSS",
            "POSITION_SIZE",
            "ORDER_VALUE",
            "KILL_SWITCH",
            "ORDERS_PER_DAY",
            "OPEN_ORDERS",
            "ORDER_RATE",
            "PRICE_BAND",
            "NOT_ALLOWED",
            "TRADING_HOURS",
            "ELIGIBILITY",
            "MARGIN",
            "STALE_PRICE",
        ),
        "Which limit.",
    ),
    whole("limit_value", "The limit, in its unit: 1/10000 rupee or percent, or a count."),
    whole("actual_value", "What it would have been, in the same unit."),
    whole("order_id", "The order that was judged.", null=True),
    text("security_id", "The broker's token of its instrument.", null=True),
    word("action_taken", ("ORDER_REJECTED", "KILL_SWITCH_ACTIVATED"), "What was done.", null=True),
    text("message", "What the trader was told to do about it.", null=True),
    json("evidence", "Prices that the verdict used, with their times and sources.", null=True),
    instant("violated_at", "When."),
    index("account_id", "violated_at"),
    index("violation_type"),
    stores=TRADING,
    append_only=AppendOnly(),
)

eligibility_lists = HOUSE.table(
    "eligibility_lists",
    "Bans and surveillance, as they were published: the newest that has begun holds.",
    key(),
    word("name", ListName, "Which list."),
    day("since", "From which day on it holds."),
    text("source", "Who published it."),
    json("symbols", "Who is on it."),
    text("loaded_by", "Who entered it."),
    instant("loaded_at", "When."),
    index("name", "since"),
    stores=MAIN,
    append_only=AppendOnly(),
)
