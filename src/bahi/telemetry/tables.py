"""Calls to brokers with their times, and the house's own log.

Both stores know no accounts, so each row carries the account's copy_role as it was then.
"""

from __future__ import annotations

from bahi.db.dialects import Words
from bahi.db.schema import (
    HOUSE,
    AppendOnly,
    flag,
    index,
    instant,
    json,
    key,
    text,
    whole,
    word,
)
from bahi.db.views import seen, seen_as, select
from bahi.kernel.words import CopyRole, LogLevel

LATENCY = frozenset({"latency"})
LOGS = frozenset({"logs"})

api_calls = HOUSE.table(
    "api_calls",
    "A call to a broker, or by a program to us: what, how long, how it ended; no secrets.",
    key(),
    whole("account_id", "For which account.", null=True),
    word("copy_role", CopyRole, "That account's role in copying.", null=True),
    text("broker", "To whom.", null=True),
    text("module", "By which part of the house.", null=True),
    text("operation", "What for: place_order, modify_order, cancel_order, ...", null=True),
    text("order_ref", "For which order.", null=True),
    json("request", "What was sent.", null=True),
    json("response", "What was answered.", null=True),
    whole("status_code", "The HTTP status.", null=True),
    flag("success", "Did it work?", null=True),
    text("error_message", "Why not.", null=True),
    instant("started_at", "When it left.", null=True),
    instant("ended_at", "When it was answered.", null=True),
    whole("duration_us", "How long it took, in microseconds.", null=True),
    whole("user_id", "For which user.", null=True),
    text("request_id", "The request it came by, as its answer names it.", null=True),
    index("operation", "started_at"),
    index("account_id", "started_at"),
    index("module", "started_at"),
    index("order_ref"),
    stores=LATENCY | {"archive"},
    append_only=AppendOnly(),
)

app_log = HOUSE.table(
    "app_log",
    "Log records and errors. Secrets are gone before they are written.",
    key(),
    instant("at", "When."),
    word("level", LogLevel, "How loud.", default=LogLevel.ERROR),
    text("logger", "By which logger.", null=True),
    text("error_type", "An error's class.", null=True),
    text("error_code", "An error's code.", null=True),
    text("message", "The words.", null=True),
    text("module", "In which module.", null=True),
    text("function", "In which function.", null=True),
    whole("line_number", "On which line.", null=True),
    text("stack_trace", "How it came there.", null=True),
    json("context", "What else was known.", null=True),
    whole("account_id", "For which account.", null=True),
    word("copy_role", CopyRole, "That account's role in copying.", null=True),
    text("order_ref", "For which order.", null=True),
    index("error_type", "at"),
    index("level", "at"),
    index("account_id", "at"),
    stores=LOGS,
    append_only=AppendOnly(),
)

HOUSE.view(
    "audit_log",
    "Calls to brokers, times in seconds since 1970 (UTC) as the second of the sources keeps them.",
    lambda _: select(
        "c.id",
        "c.operation AS action",
        "c.copy_role AS account_type",
        "c.module",
        "c.request AS request_data",
        "c.response AS response_data",
        "c.status_code",
        "c.error_message",
        "c.duration_us / 1000 AS duration_ms",
        "c.started_at / 1000000 AS ts",
        rest="FROM api_calls c",
    ),
    stores=LATENCY,
)

HOUSE.view(
    "latency_metrics",
    "How long calls to brokers took, in milliseconds.",
    lambda sql: select(
        "c.id",
        "c.order_ref AS order_id",
        "c.broker",
        "c.operation",
        seen_as(sql, api_calls.c.started_at, "c", "start_time"),
        seen_as(sql, api_calls.c.ended_at, "c", "end_time"),
        "round(c.duration_us / 1000.0, 3) AS latency_ms",
        "c.success",
        "c.error_message",
        rest="FROM api_calls c",
    ),
    stores=LATENCY,
)

HOUSE.view(
    "error_log",
    "Log records that are errors of a known class.",
    lambda sql: select(
        seen(sql, app_log, "l"), rest="FROM app_log l WHERE l.error_type IS NOT NULL"
    ),
    stores=LOGS,
)


def _recent_errors(sql: Words) -> str:
    return select(
        "l.error_type",
        "l.level AS severity",
        "count(*) AS error_count",
        f"{sql.ist('max(l.at)')} AS last_occurred",
        f"{sql.joined('l.copy_role', ',', distinct=True)} AS affected_accounts",
        rest=f"""FROM app_log l
WHERE l.error_type IS NOT NULL AND l.at > ({sql.seconds_now()} - 86400) * 1000000
GROUP BY l.error_type, l.level""",
    )


HOUSE.view(
    "v_recent_errors",
    "Errors of the last 24 hours by class and level, and whom they touched.",
    _recent_errors,
    stores=LOGS,
)
