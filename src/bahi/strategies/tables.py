"""Strategies, where their alerts come in, the accounts they run on, how well models did."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    MAIN,
    day,
    digest,
    flag,
    index,
    instant,
    json,
    key,
    money,
    percent,
    ref,
    sealed,
    text,
    unique,
    whole,
    word,
)
from bahi.kernel.words import DeploymentStatus
from bahi.strategies.model.webhooks import AlertSource, AlertStatus

strategies = HOUSE.table(
    "strategies",
    "What decides to trade.",
    key(),
    ref("user_id", "users.id", "Whose; empty: everybody's.", on_delete="CASCADE", null=True),
    text("name", "What its user calls it; orders carry it."),
    text("description", "In words.", null=True),
    text("style", "momentum, mean_reversion, arbitrage, ...", null=True),
    word("source", ("webhook", "python", "chartink"), "Where its signals come from.", null=True),
    json("config", "Its own settings, without secrets.", null=True),
    flag("is_active", "May it run? The writer must say."),
    instant("created_at", "When it was entered."),
    instant("updated_at", "When anything here changed."),
    index("user_id", "name"),
    stores=MAIN,
)

strategy_deployments = HOUSE.table(
    "strategy_deployments",
    "A strategy running on an account.",
    key(),
    ref("strategy_id", "strategies.id", "Which strategy.", on_delete="CASCADE"),
    ref("account_id", "accounts.id", "On which account.", on_delete="CASCADE"),
    money("capital_allocated", "What it may use.", null=True),
    whole("max_positions", "How many positions it may have at once.", null=True, default=5),
    word("status", DeploymentStatus, "Does it run?", default=DeploymentStatus.INACTIVE),
    instant("started_at", "Since when.", null=True),
    instant("stopped_at", "Until when.", null=True),
    money("total_pnl", "What it made.", null=True, default=0),
    index("strategy_id"),
    index("account_id"),
    index("status"),
    stores=MAIN,
)

ml_validation_runs = HOUSE.table(
    "ml_validation_runs",
    "How a model did on days it had not seen.",
    key(),
    text("validation_id", "Its name, as the caller gave it.", unique=True),
    text("model_type", "Which model.", null=True),
    text("signal_type", "Which of its signals.", null=True),
    day("date_range_start", "The first day.", null=True),
    day("date_range_end", "The last day.", null=True),
    text("status", "How far it is."),
    instant("created_at", "When it was asked for."),
    instant("started_at", "When it began.", null=True),
    instant("completed_at", "When it ended.", null=True),
    percent("accuracy", "Right among all.", null=True),
    percent("precision_score", "Right among those it called.", null=True),
    percent("recall_score", "Called among those that were.", null=True),
    percent("f1_score", "The harmonic mean of the two.", null=True),
    json("output", "All it said.", null=True),
    text("error_message", "Why it failed.", null=True),
    text("created_by", "Who asked.", null=True),
    stores=MAIN,
)

webhooks = HOUSE.table(
    "webhooks",
    "Addresses at which alerts of TradingView, Chartink and others become orders.",
    key(),
    ref("user_id", "users.id", "Whose.", on_delete="CASCADE"),
    ref(
        "account_id", "accounts.id", "On which account its orders are placed.", on_delete="CASCADE"
    ),
    text("name", "What its owner calls it; its orders carry it as their strategy."),
    word("source", AlertSource, "Who posts there, and so what its alerts look like."),
    digest("path_hash", "Keyed digest of the secret part of the address.", unique=True),
    sealed("signing_enc", "What its alerts are signed with; empty: they are not.", null=True),
    json("template", "The words of its orders, with placeholders for words of the alert."),
    json("addresses", "From where it may be posted to; empty: from anywhere.", null=True),
    text("opens_at", "India's time of day from which alerts are taken.", null=True),
    text("closes_at", "Until just before which they are.", null=True),
    whole("repeats_within_s", "The same alert again within so many seconds is one.", default=60),
    flag("is_active", "Is it listened to?", default=True),
    instant("created_at", "When it was entered."),
    instant("updated_at", "When anything here changed."),
    instant("last_alert_at", "When an alert was last taken.", null=True),
    index("user_id"),
    index("account_id"),
    stores=MAIN,
)

webhook_alerts = HOUSE.table(
    "webhook_alerts",
    "Every alert that was taken, written before its orders are placed.",
    key(),
    ref("webhook_id", "webhooks.id", "Where it came.", on_delete="CASCADE"),
    text("said_key", "What the alert calls itself, or a digest of all that it says."),
    json("payload", "What it said, without secrets.", null=True),
    text("ip_address", "From where it came.", null=True),
    word("status", AlertStatus, "What became of it.", default=AlertStatus.TAKEN),
    json("outcome", "Its orders: of each the id, or why there is none.", null=True),
    text("error_message", "Why it was refused as a whole.", null=True),
    instant("received_at", "When it came."),
    instant("done_at", "When its orders were answered.", null=True),
    unique("webhook_id", "said_key"),
    index("webhook_id", "received_at"),
    stores=MAIN,
)
