"""docs/QUICK_REFERENCE.md: the SQL and the commands of a day, each of them run by a test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple


class Query(NamedTuple):
    """A question that somebody asks every day."""

    asks: str
    store: str
    text: str


QUERIES: Final = (
    Query(
        "Which tokens are in use, in the order of their applications?",
        "main",
        "SELECT api_name, user_id, validity_at FROM upstox_tokens\n"
        "WHERE is_active = 1 ORDER BY api_index;",
    ),
    Query(
        "Is there a token run to be resumed?",
        "main",
        "SELECT * FROM token_execution_state\n"
        "WHERE status IN ('COOLDOWN', 'RUNNING', 'RESUMING')\n"
        "ORDER BY updated_at DESC LIMIT 1;",
    ),
    Query(
        "What of the leader's orders still works?",
        "main",
        "SELECT * FROM v_active_orders WHERE account_type = 'leader';",
    ),
    Query(
        "Which orders has nobody heard of yet?",
        "main",
        "SELECT id, account_id, symbol, side, quantity, placed_at FROM orders\n"
        "WHERE status = 'UNKNOWN' ORDER BY id;",
    ),
    Query(
        "What happened to one order, step by step?",
        "main",
        "SELECT sequence, event_type, source, data FROM order_events\n"
        "WHERE order_id = 1 ORDER BY sequence;",
    ),
    Query(
        "How many orders of each account ended how?",
        "main",
        "SELECT b.name, o.status, count(*) AS orders FROM orders o\n"
        "JOIN books b ON b.account_id = o.account_id\n"
        "GROUP BY b.name, o.status ORDER BY b.name, o.status;",
    ),
    Query(
        "What is open, and what is it worth?",
        "main",
        "SELECT account_id, symbol, product, net_qty, average_price, total_pnl\n"
        "FROM v_latest_positions WHERE position_type = 'NET';",
    ),
    Query(
        "How many positions has each account, and what do they make? (1/10000 rupee)",
        "main",
        "SELECT b.name, count(p.id) AS positions, sum(p.total_pnl) AS pnl FROM books b\n"
        "LEFT JOIN positions p ON p.account_id = b.account_id AND p.net_qty <> 0\n"
        "GROUP BY b.name ORDER BY b.name;",
    ),
    Query(
        "What has each account to trade with?",
        "main",
        "SELECT account_id, available_balance, margin_used FROM v_latest_funds;",
    ),
    Query("What traded last?", "main", "SELECT * FROM v_recent_trades;"),
    Query(
        "Which limits were broken most recently?",
        "main",
        "SELECT violation_type, limit_value, actual_value, action_taken, violated_at\n"
        "FROM risk_violations ORDER BY violated_at DESC LIMIT 50;",
    ),
    Query(
        "Which connections are up, and how long has each been silent?",
        "main",
        "SELECT * FROM v_active_websocket_connections;",
    ),
    Query(
        "Who did what lately?",
        "main",
        "SELECT actor, action, entity_type, entity_id, at FROM audit_trail\n"
        "ORDER BY at DESC LIMIT 50;",
    ),
    Query(
        "Which work failed?",
        "main",
        "SELECT job_type, message, error_details, updated_at FROM jobs\n"
        "WHERE status = 'failed' ORDER BY updated_at DESC LIMIT 50;",
    ),
    Query(
        "How long do calls to each broker take? (microseconds)",
        "latency",
        "SELECT broker, operation, count(*) AS calls, max(duration_us) AS worst FROM api_calls\n"
        "GROUP BY broker, operation ORDER BY worst DESC;",
    ),
    Query("What went wrong in the last day?", "logs", "SELECT * FROM v_recent_errors;"),
    Query(
        "Which steps has this store taken?",
        "main",
        "SELECT version, name, applied_at FROM schema_migrations ORDER BY version;",
    ),
)

OPENING: Final = """# Quick reference

*Written from the code by `make docs`; tests hold it to be current and run every query on both
databases.*

## Opening a store

SQLite: `sqlite3 -readonly ~/.bahi/main.sqlite`. PostgreSQL: `psql "$DATABASE_URL"`, then
`SET search_path = main;` (each store is a schema). Reading is always safe. Change nothing by hand:
Bahi's own commands keep the audit trail, and append-only tables refuse you anyway.

Tables hold integers (money in 1/10000 rupee, instants in microseconds UTC); views show rupees as
exact text and times in IST. Every table and view: [SCHEMA.md](SCHEMA.md).
"""


def quick_reference(commands: Iterable[tuple[str, str]]) -> str:
    """Write the page; `commands` are the terminal's, each with what it does."""
    return "\n".join(_lines(commands)).rstrip() + "\n"


def _lines(commands: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield OPENING
    yield "## Commands\n"
    yield "| command | what it does |\n|---|---|"
    for name, does in commands:
        yield f"| `{name}` | {does} |"
    yield "\n## Questions\n"
    for query in QUERIES:
        where = "" if query.store == "main" else f" *({query.store} store)*"
        yield f"{query.asks}{where}\n\n```sql\n{query.text}\n```\n"
