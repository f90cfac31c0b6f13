"""What is told of a token run while it goes: which of how many, and what is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from bahi.cli.terminal import say
from bahi.kernel.clock import Clock
from bahi.kernel.words import TokenRunStatus

if TYPE_CHECKING:
    from bahi.tokens.model import Run

Status = TokenRunStatus


class Board:
    """One line that lives, at a terminal; elsewhere a line for each change. On standard error."""

    def __init__(self, clock: Clock) -> None:
        from rich.console import Console  # noqa: PLC0415 - for who looks at a run

        self._clock = clock
        console = Console(stderr=True, markup=False, highlight=False, emoji=False)
        self._line = console.status("") if console.is_terminal else None
        self._told: tuple[object, ...] = ()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Show the line while something is watched."""
        if self._line is None:
            yield
            return
        with self._line:
            yield

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Take the line away while a person reads and types."""
        if self._line is not None:
            self._line.stop()
        yield
        if self._line is not None:
            self._line.start()

    def tell(self, account: str, run: Run) -> None:
        """Tell how far a run is: each second where the line lives, else where it changed."""
        from rich.text import Text  # noqa: PLC0415

        line = f"{account}: {in_words(run, self._clock())}"
        now = (run.execution_id, run.status, run.next_api)
        if self._line is not None:
            self._line.update(Text(line))
        elif now != self._told:
            say(line)
        self._told = now

    def say(self, line: str) -> None:
        """Say something that stays."""
        with self.set_aside():
            say(line)


def in_words(run: Run, now: datetime) -> str:
    """Write how far a run is: `3 of 6, WEBSOCKET2: cooldown, 10 min 05 s left`."""
    from bahi.tokens.model import countdown  # noqa: PLC0415

    many = len(run.apis)
    if run.status is Status.COMPLETED:
        return f"all {many} made" if many else "nothing to make: every token is good"
    place = run.apis.index(run.next_api) + 1 if run.next_api in run.apis else many
    here = f"{place} of {many}, {run.next_api}"
    left = "" if run.due_at is None else countdown(run.due_at - now)
    return {
        Status.COOLDOWN: f"{here}: the broker slows this person down; cooldown, {left} left",
        Status.WAITING: f"{here}: a person has to log in, {left} left",
        Status.INCOMPLETE: f"ended without all of its {many}; {run.next_api} is missing",
        Status.STOPPED: f"stopped at {here}",
    }.get(run.status, f"{here}: {'next in ' + left if left else 'logging in'}")
