"""The only SQL of calls and of the house's own log."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any, Final

import sqlalchemy as sa

from bahi.db import spreading, types
from bahi.db.leaving import remove_some
from bahi.db.permits import permitted
from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.spread import Bucket, spread_of
from bahi.kernel.words import CopyRole, LogLevel
from bahi.telemetry.model import CallEntry, CallSpread, LogEntry, LogPage, LogWanted
from bahi.telemetry.tables import api_calls, app_log

_ADD_CALL: Final = Statement(api_calls.insert())
_ADD_LOG: Final = Statement(app_log.insert())
_DOCUMENTS: Final = ("request", "response", "context")
LOOKED_THROUGH: Final = 20_000
"""How many log records are looked through at most for one page."""
BUCKETS_AT_MOST: Final = 20_000


def add_call(tx: Tx, call: CallEntry) -> None:
    """Write down a call."""
    tx.change(
        _ADD_CALL,
        {
            "id": tx.new_id(),
            "account_id": call.account_id,
            "copy_role": call.copy_role,
            "broker": call.broker,
            "module": call.module,
            "operation": call.operation,
            "order_ref": call.order_ref,
            "request": _document(call.request),
            "response": _document(call.response),
            "status_code": call.status_code,
            "success": int(call.success),
            "error_message": call.error_message,
            "started_at": to_micros(call.started_at),
            "ended_at": to_micros(call.ended_at),
            "duration_us": call.duration_us,
            "user_id": call.user_id,
            "request_id": call.request_id,
        },
    )


def add_log(tx: Tx, entry: LogEntry) -> None:
    """Write down a log record."""
    tx.change(
        _ADD_LOG,
        {
            "id": tx.new_id(),
            "at": to_micros(entry.at),
            "level": str(entry.level),
            "logger": entry.logger,
            "error_type": entry.error_type,
            "error_code": entry.error_code,
            "message": entry.message,
            "module": entry.module,
            "function": entry.function,
            "line_number": entry.line_number,
            "stack_trace": entry.stack_trace,
            "context": _document(entry.context or None),
            "account_id": entry.account_id,
            "copy_role": entry.copy_role,
            "order_ref": entry.order_ref,
        },
    )


def calls(tx: Tx, limit: int, before: int | None, wanted: dict[str, Any]) -> list[CallEntry]:
    """Return the newest calls that fit, below an id."""
    return [_call(row) for row in _newest(tx, api_calls, limit, before, wanted)]


def logs(
    tx: Tx, limit: int, before: int | None, wanted: dict[str, Any], levels: tuple[str, ...]
) -> list[LogEntry]:
    """Return the newest log records of these levels that fit, below an id."""
    at_levels = app_log.c.level.in_(levels)
    return [_log(row) for row in _newest(tx, app_log, limit, before, wanted, at_levels)]


def log_page(tx: Tx, wanted: LogWanted, limit: int, before: int | None) -> LogPage:
    """Return the newest log records that fit, below an id, of so many that are looked through."""
    newest = sa.select(app_log.c.id)
    if before is not None:
        newest = newest.where(app_log.c.id < before)
    some = newest.order_by(app_log.c.id.desc()).limit(LOOKED_THROUGH).subquery()
    lowest = sa.select(sa.func.min(some.c.id)).scalar_subquery()
    edge = tx.row(sa.select(lowest, sa.exists().where(app_log.c.id < lowest)))
    if edge is None or edge[0] is None:
        return LogPage((), None)
    least, is_more = int(edge[0]), bool(edge[1])
    rules = (app_log.c.id >= least, *_that_fit(tx, wanted))
    names = {"error_type": wanted.error_type, "account_id": wanted.account_id}
    rows = _newest(tx, app_log, limit + 1, before, names, *rules)
    found = tuple(_log(row) for row in rows[:limit])
    if len(rows) > limit:
        return LogPage(found, found[-1].id)
    return LogPage(found, least if is_more else None)


def _that_fit(tx: Tx, wanted: LogWanted) -> list[sa.ColumnElement[bool]]:
    rules: list[sa.ColumnElement[bool]] = []
    if wanted.levels:
        rules.append(app_log.c.level.in_([str(it) for it in wanted.levels]))
    if wanted.word:
        message = sa.func.lower(sa.func.coalesce(app_log.c.message, ""))
        rules.append(message.contains(wanted.word.lower(), autoescape=True))
    if wanted.request_id is not None:
        named = "$.request_id" if tx.dialect.name == "sqlite" else "request_id"
        taken = (
            sa.func.json_extract if tx.dialect.name == "sqlite" else sa.func.jsonb_extract_path_text
        )
        rules.append(taken(app_log.c.context, named) == wanted.request_id)
    return rules


def call_spreads(tx: Tx, within: tuple[int, int], wanted: dict[str, Any]) -> list[CallSpread]:
    """Return how long calls that began in a while took, by broker and operation."""
    it = api_calls.c
    failed = sa.func.sum(sa.case((it.success == 0, 1), else_=0))
    clause = (
        sa.select(it.broker, it.operation, failed, *spreading.measured(it.duration_us))
        .where(it.started_at >= within[0], it.started_at < within[1], it.duration_us.is_not(None))
        .group_by(it.broker, it.operation, sa.text("bucket"))
        .limit(BUCKETS_AT_MOST)
    )
    for name, value in wanted.items():
        if value is not None:
            clause = clause.where(it[name] == value)
    buckets: dict[tuple[str, str], list[Bucket]] = defaultdict(list)
    failures: dict[tuple[str, str], int] = defaultdict(int)
    for broker, operation, bad, *measured in tx.rows(clause):
        of = (broker or "", operation or "")
        buckets[of].append(spreading.bucket_of(measured))
        failures[of] += int(bad)
    return [
        CallSpread(
            broker=of[0] or None, operation=of[1], failed=failures[of], spread=spread_of(several)
        )
        for of, several in sorted(buckets.items())
    ]


def count_calls_before(tx: Tx, before: int) -> int:
    """Count the calls from before an instant."""
    return _count(tx, api_calls, api_calls.c.started_at, before)


def count_logs_before(tx: Tx, before: int) -> int:
    """Count the log records from before an instant."""
    return _count(tx, app_log, app_log.c.at, before)


def forget_calls(tx: Tx, before: int, at_most: int) -> int:
    """Forget some calls from before an instant; return how many there were."""
    return _forget(tx, api_calls, api_calls.c.started_at, before, at_most)


def forget_logs(tx: Tx, before: int, at_most: int) -> int:
    """Forget some log records from before an instant; return how many there were."""
    return _forget(tx, app_log, app_log.c.at, before, at_most)


def _newest(
    tx: Tx,
    table: sa.Table,
    limit: int,
    before: int | None,
    wanted: dict[str, Any],
    *rules: sa.ColumnElement[bool],
) -> list[Row]:
    columns = [sa.cast(c, types.Text()) if c.name in _DOCUMENTS else c for c in table.columns]
    clause = sa.select(*columns).where(*rules).order_by(table.c.id.desc()).limit(limit)
    for name, value in wanted.items():
        if value is not None:
            clause = clause.where(table.c[name] == value)
    if before is not None:
        clause = clause.where(table.c.id < before)
    return tx.rows(clause)


def _count(tx: Tx, table: sa.Table, at: sa.Column[int], before: int) -> int:
    row = tx.row(sa.select(sa.func.count()).select_from(table).where(at < before))
    return int(row[0]) if row else 0


def _forget(tx: Tx, table: sa.Table, at: sa.Column[int], before: int, at_most: int) -> int:
    old = sa.select(table.c.id).where(at < before).order_by(table.c.id).limit(at_most)
    with permitted(tx, f"retention of {table.name}"):
        return tx.change(table.delete().where(table.c.id.in_(old)))


def _document(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _call(row: Row) -> CallEntry:
    it = dict(zip(api_calls.columns.keys(), row, strict=True))
    for name in ("request", "response"):
        it[name] = None if it[name] is None else json.loads(it[name])
    for name in ("started_at", "ended_at"):
        it[name] = from_micros(it[name])
    it["success"] = bool(it["success"])
    it["copy_role"] = it["copy_role"] and CopyRole(it["copy_role"])
    return CallEntry(**it)


def _log(row: Row) -> LogEntry:
    it = dict(zip(app_log.columns.keys(), row, strict=True))
    it["at"], it["level"] = from_micros(it["at"]), LogLevel(it["level"])
    it["context"] = {} if it["context"] is None else json.loads(it["context"])
    it["copy_role"] = it["copy_role"] and CopyRole(it["copy_role"])
    return LogEntry(**it)


def erase_account(tx: Tx, store: str, account_id: int, most: int) -> dict[str, int]:
    """Remove some calls and log records of an account."""
    leaving = tuple((table, table.c.account_id == account_id) for table in (api_calls, app_log))
    return remove_some(tx, store, leaving, most, f"erase account {account_id}")


def erase_user(tx: Tx, store: str, user_id: int, most: int) -> dict[str, int]:
    """Remove some calls of a user."""
    leaving = ((api_calls, api_calls.c.user_id == user_id),)
    return remove_some(tx, store, leaving, most, f"erase user {user_id}")
