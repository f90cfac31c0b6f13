"""What the house says and does, written down: its log, its calls, and the numbers of both.

Nothing here waits, and nothing here fails its caller: where the database cannot keep up a row is
dropped and counted, and once there is room again the log says how many were lost.
"""

from __future__ import annotations

import inspect
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final, Literal, TextIO

import prometheus_client as prometheus
import structlog
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.clock import to_micros
from bahi.kernel.errors import Forbidden, Invalid
from bahi.kernel.ports import Call
from bahi.kernel.words import LogLevel
from bahi.telemetry import repository
from bahi.telemetry.model import (
    CallEntry,
    LogEntry,
    call_by_a_program,
    call_to_a_broker,
    entry_of,
    json_line,
    pretty_lines,
)

Form = Literal["pretty", "json"]

PAGE_AT_MOST: Final = 500
ROWS_AT_ONCE: Final = 500
TELL_AGAIN_S: Final = 60.0
NAMES_AT_MOST: Final = 500
THE_REST: Final = "(others)"
SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ERRORS: Final = (LogLevel.ERROR, LogLevel.CRITICAL)

log = logging.getLogger("bahi.telemetry")


def about(**known: Any) -> AbstractContextManager[None]:
    """Have everything that is logged in here say what it is about: request_id, account_id."""
    return structlog.contextvars.bound_contextvars(**known)


# The log


class Logging(logging.Handler):
    """The one chain of every log record: context, redaction, the console, the logs store.

    What the logs store itself has to say goes to the console alone: a row about a row that could
    not be written would never end.
    """

    def __init__(self, form: Form, stream: TextIO | None = None) -> None:
        super().__init__()
        self._write = json_line if form == "json" else pretty_lines
        self._stream = stream
        self._store: Store | None = None
        self._losses = Losses("log records")
        self._here = threading.local()
        self.failed = 0

    def keep_in(self, store: Store | None) -> None:
        """Write records to the logs store from now on; None: no longer."""
        self._store = store

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record down; a failure is counted, and nobody else's."""
        if getattr(self._here, "inside", False):
            return
        self._here.inside = True
        try:
            entry = entry_of(record, structlog.contextvars.get_contextvars())
            self._say(entry)
            if self._store is not None and not _from_its_writer(record):
                self._keep(self._store, entry)
        except Exception:  # noqa: BLE001 - the log must not end what it only watches
            self.failed += 1
        finally:
            self._here.inside = False

    def _say(self, entry: LogEntry) -> None:
        stream = self._stream or sys.stderr
        stream.write(self._write(entry) + "\n")
        stream.flush()

    def _keep(self, store: Store, entry: LogEntry) -> None:
        if not store.offer(repository.add_log, entry):
            return
        if lost := self._losses.to_tell(store, entry.at):
            said = LogEntry(
                at=entry.at, level=LogLevel.WARNING, logger="bahi.telemetry", message=lost
            )
            self._say(said)
            store.offer(repository.add_log, said)


class Losses:
    """Knows how many rows a store dropped that nobody was told of."""

    def __init__(self, of_what: str) -> None:
        self._of_what = of_what
        self._told = 0
        self._told_at: datetime | None = None

    def to_tell(self, store: Store, now: datetime) -> str | None:
        """Return the sentence about what was lost since the last one, at most once a minute."""
        lost = store.dropped - self._told
        if lost <= 0:
            return None
        if self._told_at is not None and (now - self._told_at).total_seconds() < TELL_AGAIN_S:
            return None
        self._told, self._told_at = store.dropped, now
        return f"{lost} {self._of_what} were lost: the {store.name} store could not keep up."


def _from_its_writer(record: logging.LogRecord) -> bool:
    return (record.threadName or "").startswith("write-logs")


def set_up_logging(
    level: str,
    form: Form = "pretty",
    store: Store | None = None,
    *,
    stream: TextIO | None = None,
    quiet: Iterable[str] = (),
) -> Logging:
    """Send everything that is logged through one chain; a second call replaces the first.

    The store may come later (`keep_in`): the log begins before there is a house.
    """
    root = logging.getLogger()
    for other in [it for it in root.handlers if isinstance(it, Logging)]:
        root.removeHandler(other)
    chain = Logging(form, stream)
    chain.keep_in(store)
    root.addHandler(chain)
    root.setLevel(level)
    for name in quiet:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[_to_logging],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=_standard_logger,  # structlog's own changes the class of all loggers
        cache_logger_on_first_use=False,
    )
    return chain


def end_logging(chain: Logging) -> None:
    """Take the chain away again."""
    logging.getLogger().removeHandler(chain)
    structlog.reset_defaults()


def _to_logging(
    _logger: Any, _method: str, event: structlog.typing.EventDict
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Hand a structlog event to the standard library, from where it goes the common way."""
    kept = {name: event.pop(name) for name in ("exc_info", "stack_info") if name in event}
    args = event.pop("positional_args", ())
    said = event.pop("event", "")
    more = {f"{name}_" if name in _TAKEN else name: value for name, value in event.items()}
    return (said, *args), {**kept, "extra": more, "stacklevel": _frames_of_structlog()}


def _standard_logger(*args: Any) -> logging.Logger:
    return logging.getLogger(*args[:1] or ("bahi",))


def _frames_of_structlog() -> int:
    """Count what stands between the logger and who called it, which the record should name."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals["__name__"] == __name__:
        frame = frame.f_back
    many = 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith("structlog"):
        frame, many = frame.f_back, many + 1
    return many


_TAKEN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


# Numbers


class Numbers:
    """What this process counted since it started, for /metrics; a registry of its own."""

    def __init__(self, stores: Iterable[Store] = ()) -> None:
        self._registry = prometheus.CollectorRegistry()
        self._calls = prometheus.Counter(
            "bahi_broker_calls",
            "Calls to brokers.",
            ("broker", "operation", "outcome"),
            registry=self._registry,
        )
        self._call_s = prometheus.Histogram(
            "bahi_broker_call_seconds",
            "How long calls to brokers took.",
            ("broker", "operation"),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._requests = prometheus.Counter(
            "bahi_requests", "Requests to our doors.", ("route", "status"), registry=self._registry
        )
        self._request_s = prometheus.Histogram(
            "bahi_request_seconds",
            "How long our answers took.",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._registry.register(_Dropped(tuple(stores)))
        self._known: set[tuple[str, ...]] = set()

    def count_call(self, call: CallEntry) -> None:
        """Count a call to a broker."""
        broker, operation = self._bounded(call.broker or "", call.operation)
        outcome = "ok" if call.success else str(call.status_code or "no_answer")
        self._calls.labels(broker, operation, outcome).inc()
        self._call_s.labels(broker, operation).observe(call.duration_us / 1e6)

    def count_request(self, route: str, status: int, took_s: float) -> None:
        """Count a request; `route` is the template of its path, never the path itself."""
        (route,) = self._bounded(route)
        self._requests.labels(route, str(status)).inc()
        self._request_s.labels(route).observe(took_s)

    def text(self) -> tuple[bytes, str]:
        """Return what Prometheus reads, and its content type."""
        return prometheus.generate_latest(self._registry), prometheus.CONTENT_TYPE_LATEST

    def _bounded(self, *names: str) -> tuple[str, ...]:
        """Keep a stranger from making us remember without end."""
        if names not in self._known:
            if len(self._known) >= NAMES_AT_MOST:
                return (THE_REST,) * len(names)
            self._known.add(names)
        return names


class _Dropped(Collector):
    """Reads from the stores themselves how many rows were dropped."""

    def __init__(self, stores: tuple[Store, ...]) -> None:
        self._stores = stores

    def collect(self) -> Iterator[CounterMetricFamily]:
        rows = CounterMetricFamily("bahi_dropped", "Rows that were dropped.", labels=("store",))
        for store in self._stores:
            rows.add_metric((store.name,), store.dropped)
        yield rows


# Calls


class CallRecorder:
    """Writes down every call to a broker and every request to us (kernel.ports.Recorder)."""

    def __init__(self, store: Store, numbers: Numbers | None = None) -> None:
        self._store, self._numbers = store, numbers or Numbers((store,))
        self._losses = Losses("calls")

    def record(self, call: Call) -> None:
        """Keep a call to a broker, without waiting and without ever failing the caller."""
        try:
            entry = call_to_a_broker(call, structlog.contextvars.get_contextvars())
            self._numbers.count_call(entry)
            self._keep(entry)
        except Exception:
            log.exception("a call to %s could not be written down", call.broker)

    def record_request(
        self,
        operation: str,
        *,
        started_at: datetime,
        took_us: int,
        status: int,
        user_id: int | None = None,
        request_id: str | None = None,
        account_id: int | None = None,
        request: Mapping[str, Any] | None = None,
        response: Any = None,
        failure: str = "",
    ) -> None:
        """Keep a request to one of our doors; `operation` is its method and route."""
        try:
            entry = call_by_a_program(
                operation,
                started_at=started_at,
                took_us=took_us,
                status=status,
                user_id=user_id,
                request_id=request_id,
                account_id=account_id,
                request=request,
                response=response,
                failure=failure,
            )
            self._numbers.count_request(operation, status, took_us / 1e6)
            self._keep(entry)
        except Exception:
            log.exception("a request could not be written down")

    def _keep(self, entry: CallEntry) -> None:
        if self._store.offer(repository.add_call, entry) and (
            lost := self._losses.to_tell(self._store, entry.started_at)
        ):
            log.warning("%s", lost)


# Looking, and forgetting


async def recent_calls(
    store: Store,
    actor: Actor,
    *,
    limit: int = 50,
    before: int | None = None,
    module: str | None = None,
    operation: str | None = None,
    broker: str | None = None,
    account_id: int | None = None,
) -> list[CallEntry]:
    """Return the newest calls, from the latency store."""
    _only_admins_look(actor, limit)
    names = {"module": module, "operation": operation, "broker": broker, "account_id": account_id}
    return await store.read(repository.calls, limit, before, names, fresh=True)


async def recent_errors(
    store: Store,
    actor: Actor,
    *,
    limit: int = 50,
    before: int | None = None,
    error_type: str | None = None,
    account_id: int | None = None,
    levels: tuple[LogLevel, ...] = ERRORS,
) -> list[LogEntry]:
    """Return the newest errors (or other levels), from the logs store."""
    _only_admins_look(actor, limit)
    names = {"error_type": error_type, "account_id": account_id}
    return await store.read(repository.logs, limit, before, names, levels, fresh=True)


def _only_admins_look(actor: Actor, limit: int) -> None:
    if not actor.is_admin:
        raise Forbidden("Only an admin may read what the house wrote down of itself.")
    if not 1 <= limit <= PAGE_AT_MOST:
        raise Invalid(f"limit: {limit} is not 1 to {PAGE_AT_MOST}.")


async def forget_calls_before(store: Store, before: datetime, *, dry_run: bool = False) -> int:
    """Forget the calls from before an instant, some at a time; return how many."""
    if dry_run:
        return await store.read(repository.count_calls_before, to_micros(before), fresh=True)
    return await _forget(store, repository.forget_calls, before)


async def forget_logs_before(store: Store, before: datetime, *, dry_run: bool = False) -> int:
    """Forget the log records from before an instant, some at a time; return how many."""
    if dry_run:
        return await store.read(repository.count_logs_before, to_micros(before), fresh=True)
    return await _forget(store, repository.forget_logs, before)


async def _forget(store: Store, some: Callable[[Tx, int, int], int], before: datetime) -> int:
    gone = 0
    while went := await store.write(some, to_micros(before), ROWS_AT_ONCE):
        gone += went
    return gone


erase_account: Final = repository.erase_account
"""Remove some calls and records of an account."""
erase_user: Final = repository.erase_user
"""Remove some calls of a user."""
