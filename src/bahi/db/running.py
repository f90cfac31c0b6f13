"""Running one function of a transaction: watched, bounded, and never nested."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from typing import Final

from bahi.db.lanes import Unit
from bahi.db.tx import Tx

LONG_MS: Final = 20
WARN_AGAIN_S: Final = 60.0

log = logging.getLogger("bahi.db")
_here = threading.local()


def inside_a_transaction() -> bool:
    """Say whether this thread is running a function of a transaction just now."""
    return getattr(_here, "inside", False)


class Watch:
    """Runs functions for one store, and names those that hold its writer too long."""

    def __init__(self, store: str) -> None:
        self._store = store
        self._warned: dict[str, float] = {}

    def run(self, unit: Unit, tx: Tx) -> None:
        """Run the unit's function; its result, error and effects are then the unit's."""
        unit.result, unit.error = None, None
        started = time.perf_counter()
        _here.inside = True
        try:
            unit.result = unit.fn(tx, *unit.args)
        except StopIteration as error:  # a future cannot carry it
            unit.error = RuntimeError(f"{unit.name} raised StopIteration")
            unit.error.__cause__ = error
        except BaseException as error:  # noqa: BLE001 - the caller's failure, not this thread's
            unit.error = error
        finally:
            _here.inside = False
        failure = tx.end()
        if unit.error is None:
            unit.error = failure  # a failed statement dooms the unit, swallowed or not
        unit.effects = tx.effects if unit.error is None else []
        took_ms = (time.perf_counter() - started) * 1000
        if took_ms > LONG_MS:
            self._warn(unit.name, took_ms)

    def _warn(self, name: str, took_ms: float) -> None:
        now = time.monotonic()
        if now - self._warned.get(name, -WARN_AGAIN_S) >= WARN_AGAIN_S:
            self._warned[name] = now
            log.warning(
                "%s held the writer of %s for %.0f ms; over %d ms belongs in smaller chunks",
                name,
                self._store,
                took_ms,
                LONG_MS,
            )


def after_commit(units: Iterable[Unit]) -> None:
    """Do what was asked for after COMMIT; a failure there changes no outcome, so it is logged."""
    for unit in units:
        if unit.error is not None:
            continue
        for effect in unit.effects:
            try:
                effect()
            except Exception:
                log.exception("what %s left to do after its commit failed", unit.name)
