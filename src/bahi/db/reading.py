"""One read under way: over when its time is, and given up when nobody waits for it any more.

The time counts from the call, waiting included. Whoever asked is answered by then, whatever the
function does; the thread that reads for somebody who is gone is free at the next statement.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from bahi.db.running import finished
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError, TooMuch, Unavailable

READ_WITHIN_S: Final = 30.0
CANCEL_AGAIN_AFTER_S: Final = (0.01, 0.05, 0.2, 1.0)


class Reading:
    """One read, from its call to its end: when it is over, and how it is made to stop."""

    def __init__(self) -> None:
        self._within_s = READ_WITHIN_S
        self._until = time.monotonic() + self._within_s
        self._stopped: BahiError | None = None
        self._interrupt: Callable[[], object] | None = None
        self._turn = threading.Lock()
        self._left = threading.Event()

    @property
    def left_s(self) -> float:
        """How much of its time is left."""
        return max(0.0, self._until - time.monotonic())

    def is_over(self) -> bool:
        """Say whether nobody waits for it any more."""
        return self._stopped is not None or self.left_s == 0

    def ended(self) -> BahiError:
        """Return why it is over."""
        return self._stopped or TooMuch(
            f"The question took longer than {self._within_s:g} s; ask for less at a time."
        )

    def give_up(self, reason: BahiError | None = None) -> None:
        """Have it over now: no further statement begins."""
        self._stopped = self._stopped or reason or self.ended()

    def stop(self, until: float = math.inf) -> None:
        """End the statement that runs; once is not enough, since it may be about to begin."""
        for pause_s in CANCEL_AGAIN_AFTER_S:
            with self._turn:
                if self._interrupt is None:
                    return
                self._interrupt()
            if self._left.wait(min(pause_s, max(0.0, until - time.monotonic()))):
                return

    @contextmanager
    def interrupted_by(self, interrupt: Callable[[], object]) -> Iterator[None]:
        """Say how a statement of this read is ended, for as long as the connection is ours."""
        with self._turn:
            self._interrupt = interrupt
        try:
            yield
        finally:
            with self._turn:
                self._interrupt = None
            self._left.set()

    def answer(self, fn: Callable[..., Any], args: tuple[Any, ...], tx: Tx) -> Any:
        """Run the function; what it raises is its caller's, and never ends the caller's loop."""
        name = getattr(fn, "__qualname__", type(fn).__name__)
        try:
            result = finished(fn(tx, *args), name)
        except BaseException as error:
            if isinstance(error, Exception) and not isinstance(error, StopIteration):
                raise
            raise RuntimeError(f"{name} raised {type(error).__name__}") from error
        finally:
            failure = tx.end()
        if failure is not None:
            raise failure
        return result


class Threads:
    """The threads that read for one file or URL, each read within its time."""

    def __init__(self, size: int, name: str) -> None:
        self._pool = concurrent.futures.ThreadPoolExecutor(size, name)
        self._under_way: dict[concurrent.futures.Future[Any], Reading] = {}
        self._admission = threading.Lock()
        self.closed = False

    async def run(self, read: Callable[[Reading], Any]) -> Any:
        """Read in a thread; the answer, or the end of the time, comes whatever the thread does."""
        reading = Reading()
        answer = asyncio.wrap_future(self._begin(read, reading))
        try:
            await asyncio.wait({answer}, timeout=reading.left_s)
            if answer.done() and not answer.cancelled():
                return answer.result()
            raise reading.ended()
        finally:
            if answer.cancel():
                reading.give_up()
                asyncio.get_running_loop().run_in_executor(None, reading.stop)

    def _begin(
        self, read: Callable[[Reading], Any], reading: Reading
    ) -> concurrent.futures.Future[Any]:
        with self._admission:
            if self.closed:
                raise shutting_down()
            begun = self._pool.submit(_in_time, read, reading)
            self._under_way[begun] = reading
        begun.add_done_callback(self._under_way.pop)
        return begun

    def close(self, within_s: float) -> None:
        """Admit nothing more, and give up what waits and what runs, within the bound."""
        until = time.monotonic() + within_s
        with self._admission:
            self.closed = True
        for reading in [*self._under_way.values()]:
            reading.give_up(shutting_down())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for begun, reading in [*self._under_way.items()]:
            if not begun.done() and time.monotonic() < until:
                reading.stop(until)
        concurrent.futures.wait([*self._under_way], max(0.0, until - time.monotonic()))


def _in_time(read: Callable[[Reading], Any], reading: Reading) -> Any:
    try:
        if not reading.is_over():
            return read(reading)
    except BahiError:
        if not reading.is_over():
            raise
    raise reading.ended()


def shutting_down() -> Unavailable:
    """Say that no read begins any more."""
    return Unavailable("Bahi is shutting down.")
