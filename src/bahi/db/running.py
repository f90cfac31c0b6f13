"""Running one function of a transaction: watched, bounded, and never nested."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Iterable
from types import CoroutineType, GeneratorType
from typing import Any, Final

from bahi.db.lanes import Unit
from bahi.db.tx import Tx

LONG_MS: Final = 20
WARN_AGAIN_S: Final = 60.0
NAMES_AT_MOST: Final = 500
THE_REST: Final = "(others)"

NOT_RUN: Final = (CoroutineType, GeneratorType)

Spent = list[int]
"""Of one function: how often it ran, all the microseconds it took, and the most at once."""

log = logging.getLogger("bahi.db")
_here = threading.local()
_watches: weakref.WeakSet[Watch] = weakref.WeakSet()
_opening = threading.Lock()


def inside_a_transaction() -> bool:
    """Say whether this thread is running a function of a transaction just now."""
    return getattr(_here, "inside", False)


def finished(result: Any, name: str) -> Any:
    """Return a function's result; one that is still to be run was no plain function."""
    if isinstance(result, NOT_RUN):
        result.close()
        raise TypeError(f"{name} is a coroutine or a generator; a store runs plain functions.")
    return result


def carried(error: Exception, name: str) -> Exception:
    """Return an exception that a future can carry: it cannot carry StopIteration."""
    return (
        RuntimeError(f"{name} raised StopIteration") if isinstance(error, StopIteration) else error
    )


class Watch:
    """Runs functions for one store, and names those that hold its writer too long."""

    def __init__(self, store: str) -> None:
        self.store = store
        self.spent: dict[str, Spent] = {}
        self._warned: dict[str, float] = {}
        with _opening:
            _watches.add(self)

    def run(self, unit: Unit, tx: Tx) -> None:
        """Run the unit's function; its result, error and effects are then the unit's."""
        unit.result, unit.error = None, None
        started = time.perf_counter()
        _here.inside = True
        try:
            unit.result = finished(unit.fn(tx, *unit.args), unit.name)
        except Exception as error:  # noqa: BLE001 - the caller's failure, not this thread's
            unit.error = carried(error, unit.name)
        except BaseException as error:  # noqa: BLE001 - SystemExit would end the caller's loop
            unit.error = RuntimeError(f"{unit.name} raised {type(error).__name__}")
        finally:
            _here.inside = False
        failure = tx.end()
        if unit.error is None:
            unit.error = failure  # a failed statement dooms the unit, swallowed or not
        unit.effects = tx.effects if unit.error is None else []
        took = time.perf_counter() - started
        self._note(unit.name, int(took * 1_000_000))
        if took * 1000 > LONG_MS:
            self._warn(unit.name, took * 1000)

    def _note(self, name: str, took_us: int) -> None:
        spent = self.spent.get(name)
        if spent is None:
            name = name if len(self.spent) < NAMES_AT_MOST else THE_REST
            spent = self.spent.setdefault(name, [0, 0, 0])
        spent[0] += 1
        spent[1] += took_us
        spent[2] = max(spent[2], took_us)

    def _warn(self, name: str, took_ms: float) -> None:
        now = time.monotonic()
        if name not in self.spent:
            name = THE_REST
        if now - self._warned.get(name, -WARN_AGAIN_S) >= WARN_AGAIN_S:
            self._warned[name] = now
            log.warning(
                "%s held the writer of %s for %.0f ms; over %d ms belongs in smaller chunks",
                name,
                self.store,
                took_ms,
                LONG_MS,
            )


def everything_spent() -> dict[str, dict[str, Spent]]:
    """Add up, by store and function, what this process's units have taken so far.

    The write threads count on meanwhile: a unit in passing may be in one number and not the next.
    """
    with _opening:
        watches = list(_watches)
    stores: dict[str, dict[str, Spent]] = {}
    for watch in watches:
        functions = stores.setdefault(watch.store.partition("-")[0], {})  # `main-3` is main's
        for name, (count, total_us, worst_us) in list(watch.spent.items()):
            so_far = functions.setdefault(name, [0, 0, 0])
            so_far[0] += count
            so_far[1] += total_us
            so_far[2] = max(so_far[2], worst_us)
    return stores


def after_commit(units: Iterable[Unit]) -> None:
    """Do what was asked for after COMMIT; a failure there changes no outcome, so it is logged."""
    for unit in units:
        if unit.error is not None:
            continue
        for effect in unit.effects:
            try:
                effect()
            except BaseException:
                log.exception("what %s left to do after its commit failed", unit.name)
