"""What is written down of a log record and of a call: bounded, and without secrets."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bahi.kernel.clock import ist_text
from bahi.kernel.ports import Call
from bahi.kernel.redaction import redact, redact_text
from bahi.kernel.spread import Spread
from bahi.kernel.words import CopyRole, LogLevel

FRAMES_AT_MOST: Final = 40
TRACE_AT_MOST: Final = 16_000
NAME_AT_MOST: Final = 200
SENTENCE_AT_MOST: Final = 1_000
DOES_NOT_FIT: Final = "(what was to be filled in does not fit)"
SILENT_STATUS: Final = 400

_USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LEVELS: Final = (
    (logging.CRITICAL, LogLevel.CRITICAL),
    (logging.ERROR, LogLevel.ERROR),
    (logging.WARNING, LogLevel.WARNING),
    (logging.INFO, LogLevel.INFO),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One log record as it may be read; `id` is there once it is stored."""

    at: datetime
    level: LogLevel
    logger: str
    message: str
    error_type: str | None = None
    error_code: str | None = None
    module: str | None = None
    function: str | None = None
    line_number: int | None = None
    stack_trace: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    account_id: int | None = None
    copy_role: CopyRole | None = None
    order_ref: str | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEntry:
    """A call to a broker, or by a program to us (then `broker` is None and `module` is api)."""

    module: str
    operation: str
    started_at: datetime
    ended_at: datetime
    duration_us: int
    success: bool
    status_code: int | None = None
    broker: str | None = None
    account_id: int | None = None
    copy_role: CopyRole | None = None
    order_ref: str | None = None
    user_id: int | None = None
    request_id: str | None = None
    request: Any = None
    response: Any = None
    error_message: str | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSpread:
    """How long the calls of one operation took, and how many of them failed."""

    broker: str | None
    operation: str
    failed: int
    spread: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWanted:
    """Which log records; what is empty says nothing."""

    levels: Collection[LogLevel] = ()
    word: str | None = None
    request_id: str | None = None
    error_type: str | None = None
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class LogPage:
    """Log records, the newest first, and below which id to go on; None: there are no more.

    A page may hold few, or none, and still go on: so many records were looked through for it.
    """

    entries: tuple[LogEntry, ...]
    next: int | None


def call_to_a_broker(call: Call, context: Mapping[str, Any]) -> CallEntry:
    """Return what is kept of a call; whoever recorded it may have left a secret in it."""
    return CallEntry(
        module="brokers",
        broker=_named(call.broker),
        operation=_named(call.operation) or "",
        started_at=call.started_at,
        ended_at=call.started_at + timedelta(microseconds=max(0, call.took_us)),
        duration_us=max(0, call.took_us),
        status_code=call.http_status,
        success=not call.failure and (call.http_status or 0) < SILENT_STATUS,
        account_id=call.account_id,
        order_ref=_named(call.order_ref) or None,
        request_id=_text(context.get("request_id")),
        request=redact({"method": call.method, "path": call.path, "body": call.request}),
        response=redact(call.response),
        error_message=redact_text(call.failure)[:SENTENCE_AT_MOST] or None,
    )


def call_by_a_program(
    operation: str,
    *,
    started_at: datetime,
    took_us: int,
    status: int,
    user_id: int | None,
    request_id: str | None,
    account_id: int | None = None,
    request: Any = None,
    response: Any = None,
    failure: str = "",
) -> CallEntry:
    """Return what is kept of a request to one of our doors."""
    return CallEntry(
        module="api",
        operation=_named(operation) or "",
        started_at=started_at,
        ended_at=started_at + timedelta(microseconds=max(0, took_us)),
        duration_us=max(0, took_us),
        status_code=status,
        success=status < SILENT_STATUS,
        account_id=account_id,
        user_id=user_id,
        request_id=request_id,
        request=redact(request),
        response=redact(response),
        error_message=redact_text(failure)[:SENTENCE_AT_MOST] or None,
    )


def entry_of(record: logging.LogRecord, context: Mapping[str, Any]) -> LogEntry:
    """Return what is kept of a log record: its words, its error, and what else was known."""
    known = {**context, **{k: v for k, v in vars(record).items() if k not in _USUAL}}
    error = record.exc_info[1] if record.exc_info else None
    account = known.get("account_id")
    role = str(known.get("copy_role", ""))
    return LogEntry(
        at=datetime.fromtimestamp(record.created, UTC),
        level=next((word for number, word in _LEVELS if record.levelno >= number), LogLevel.DEBUG),
        logger=_named(record.name) or "",
        message=_message(record),
        error_type=type(error).__name__ if error else None,
        error_code=_text(getattr(error, "code", None)) if error else None,
        module=_named(record.module),
        function=_named(record.funcName),
        line_number=record.lineno,
        stack_trace=_stack_trace(error) if error else _given_stack(record),
        context=redact(known),
        account_id=account if type(account) is int else None,
        copy_role=CopyRole(role) if role in set(CopyRole) else None,
        order_ref=_text(known.get("order_ref")),
    )


def json_line(entry: LogEntry) -> str:
    """Write an entry as one line for a program."""
    said = {
        "at": entry.at.isoformat(),
        "level": entry.level,
        "logger": entry.logger,
        "message": entry.message,
        "error_type": entry.error_type,
        "error_code": entry.error_code,
        "where": f"{entry.module}.{entry.function}:{entry.line_number}",
        "context": dict(entry.context) or None,
        "stack_trace": entry.stack_trace,
    }
    return json.dumps({k: v for k, v in said.items() if v is not None}, ensure_ascii=False)


def pretty_lines(entry: LogEntry) -> str:
    """Write an entry for a person; nobody's words can look like a line of their own."""
    message = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in entry.message
    )
    known = "".join(f" {name}={_shown(value)}" for name, value in entry.context.items())
    line = f"{ist_text(entry.at)} {entry.level} {entry.logger}: {message}{known}"
    return line if entry.stack_trace is None else f"{line}\n{entry.stack_trace.rstrip()}"


def _shown(value: Any) -> str:
    return json.dumps(value) if not isinstance(value, str) or not value.isalnum() else value


def _message(record: logging.LogRecord) -> str:
    """Fill in the arguments, each without its secrets, and look at the whole again."""
    if not record.args:
        return redact_text(str(record.msg))
    try:
        if isinstance(record.args, Mapping):
            return redact_text(str(record.msg) % redact(record.args))
        return redact_text(str(record.msg) % tuple(_argument(it) for it in record.args))
    except Exception:  # noqa: BLE001 - a record that cannot be written must not end its caller
        return redact_text(f"{record.msg} {DOES_NOT_FIT}")


def _argument(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value  # a format may ask for %d
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return redact(value)
    return redact_text(str(value))


def _stack_trace(error: BaseException) -> str:
    told = traceback.TracebackException.from_exception(error, limit=-FRAMES_AT_MOST)
    lines = "".join(told.format()).splitlines()
    trace = "\n".join(redact_text(line) for line in lines)
    if len(trace) <= TRACE_AT_MOST:
        return trace
    half = TRACE_AT_MOST // 2
    return f"{trace[:half]}\n[cut]\n{trace[-half:]}"


def _given_stack(record: logging.LogRecord) -> str | None:
    if not record.stack_info:
        return None
    return "\n".join(redact_text(line) for line in record.stack_info.splitlines())[-TRACE_AT_MOST:]


def _named(text: str | None) -> str | None:
    return None if text is None else redact_text(text)[:NAME_AT_MOST]


def _text(value: Any) -> str | None:
    return None if value is None else _named(str(value))
