"""The one chain of every log record: context, redaction, the console, the logs store."""

from __future__ import annotations

import inspect
import logging
import sys
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final, Literal, TextIO

import structlog

from bahi.db.stores import Store
from bahi.kernel.words import LogLevel
from bahi.telemetry import repository
from bahi.telemetry.model import LogEntry, entry_of, json_line, pretty_lines

Form = Literal["pretty", "json"]

TELL_AGAIN_S: Final = 60.0


def about(**known: Any) -> AbstractContextManager[None]:
    """Have everything that is logged in here say what it is about: request_id, account_id."""
    return structlog.contextvars.bound_contextvars(**known)


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
