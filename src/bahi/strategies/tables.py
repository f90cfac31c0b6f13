"""Strategies, the accounts they run on, and how well their models did."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    MAIN,
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
from bahi.kernel.words import DeploymentStatus

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
