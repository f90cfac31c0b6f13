"""A morning killed at any step goes on where it was: no token is lost, none is made twice."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bahi.bootstrap import House
from bahi.config import Settings
from bahi.db.stores import Store
from bahi.kernel.clock import StoppedClock, from_micros, to_micros
from bahi.kernel.ports import LoginFailed
from bahi.kernel.words import TokenMode, TokenRunStatus, TokenState
from bahi.tokens.model import BETWEEN_LOGINS, COOLDOWN
from bahi.tokens.repository import runs as run_rows
from bahi.tokens.service.status import status_of
from tests.brokers.simulators import Behaviour
from tests.cli.processes import environment
from tests.databases import KINDS, Database, Databases, Kind, MakeDatabase
from tests.furnished import Furnished
from tests.living import MORNING
from tests.tokens.mornings import WHO, a_house, a_person, furnished, settings, upstox

AFTER_A_CALL = ("record_success", "record_failure", "hand_over", "write")
"""Writes that follow a call to the broker: there a kill before the write is a state of its own."""
EVERY = 5
"""CI dies at each fifth step, and on the other database at others; torture at every one."""
STEPS_AT_MOST = 200


class FileClock(StoppedClock):
    """A clock whose hands survive the process."""

    def __init__(self, file: Path) -> None:
        self._file = file
        super().__init__(from_micros(int(file.read_text())) if file.exists() else MORNING)

    def advance(self, by: timedelta) -> datetime:
        now = super().advance(by)
        self._file.write_text(str(to_micros(now)))
        return now


class Killer:
    """Kills its own process at the n-th step of what it watches."""

    def __init__(self, at: int) -> None:
        self._at, self._seen = at, 0

    def step(self) -> None:
        self._seen += 1
        if self._seen == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, store: Store) -> None:
        real: Callable[..., Any] = store.write

        async def write(fn: Any, *args: Any, **more: Any) -> Any:
            if fn.__name__ in AFTER_A_CALL:
                self.step()
            done = await real(fn, *args, **more)
            self.step()
            return done

        store.write = write  # type: ignore[method-assign]


async def morning(known: Settings, clock: StoppedClock, at: int) -> None:
    """Begin the morning's run, or go on with it."""
    house = a_house(known, clock)
    Killer(at).watch(house.stores["main"])
    account = await account_of(house)
    run = await house.runs.newest_run(WHO, account)
    if run is None:
        run = await house.runs.begin(WHO, account, TokenMode.ALL)
    elif run.status is not TokenRunStatus.COMPLETED:  # killed after the last write there was
        run = await house.runs.resume(WHO, account)
    person = a_person(house)

    async def log_in(handed: Any) -> None:
        with suppress(LoginFailed):
            await person(handed)

    ended = await house.runs.drive(run.execution_id, ask=log_in)
    assert ended.status is TokenRunStatus.COMPLETED, ended
    await house.close()


async def account_of(house: House) -> int:
    (found,) = await status_of(house.login_desk, WHO, check=False)
    return found.account.id


def in_a_process(work: Callable[[], None]) -> int:
    """Do it in a process of its own, forked before any thread; return how it ended."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - a fork's child ends here, whatever happened
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


@pytest.mark.torture
@pytest.mark.parametrize("kind", KINDS)
def test_a_morning_killed_at_any_step_goes_on(
    kind: Kind,
    rounds: Callable[[int], int],
    evening: Evening,
    make_database: MakeDatabase,
    tmp_path: Path,
) -> None:
    stride = EVERY if rounds(1) == 1 else 1
    at, killed = 1 + KINDS.index(kind), -signal.SIGKILL
    while killed == -signal.SIGKILL:
        assert at < STEPS_AT_MOST
        folder = tmp_path / str(at)
        folder.mkdir()
        killed = _one_morning(evening.copy(kind, folder, make_database), folder, at)
        at += stride
    assert killed == 0
    assert at > 30  # there were so many steps, and each was a place to die at


def _one_morning(environ: dict[str, str], folder: Path, at: int) -> int:
    """Live a morning with a throttle in it, killed at a step, then resumed; check what came."""
    clock = folder / "clock"
    with upstox() as broker:
        known = settings(environ, broker.url)
        broker.behave(Behaviour.THROTTLE, times=1, path="authorization/token")
        ending = in_a_process(lambda: asyncio.run(morning(known, FileClock(clock), at)))
        if ending == -signal.SIGKILL:
            again = in_a_process(lambda: asyncio.run(morning(known, FileClock(clock), 0)))
            assert again == 0, f"killed at step {at}, it did not go on"
        asyncio.run(_check(known, FileClock(clock), broker.logins))
    return ending


async def _check(known: Settings, clock: StoppedClock, logins: list[str]) -> None:
    house = a_house(known, clock)
    try:
        (found,) = await status_of(house.login_desk, WHO)
        assert [it.state for it in found.tokens] == [TokenState.VALID] * 6
        assert found.run is not None
        attempts = await house.stores["main"].read(
            run_rows.attempts_of, found.run.execution_id, fresh=True
        )
    finally:
        await house.close()
    made = [it for it in attempts if it.outcome == "MADE"]
    assert len(made) == 6
    assert len({it.broker_api_id for it in made}) == 6
    assert len(logins) <= 7  # a token that was never stored may be asked for once more
    turns = sorted((it.started_at, it.ended_at or it.started_at) for it in made)
    for (_, ended), (begun, _) in itertools.pairwise(turns):
        assert begun - ended >= BETWEEN_LOGINS
    for throttled in (it for it in attempts if it.outcome == "THROTTLED"):
        assert throttled.ended_at is not None
        later = [it.started_at for it in attempts if it.id > throttled.id]
        assert min(later) >= throttled.ended_at + COOLDOWN


class Evening:
    """The house as it was the evening before: an account with six applications, copied at will."""

    def __init__(self, furnished: Furnished, databases: Databases, folder: Path) -> None:
        self._furnished, self._databases, self._folder = furnished, databases, folder
        self._kept: dict[Kind, Database | None] = {}

    def copy(self, kind: Kind, folder: Path, make: MakeDatabase) -> dict[str, str]:
        """Return the environment of a house of its own."""
        if kind not in self._kept:
            self._kept[kind] = self._enter(kind)
        original = self._kept[kind]
        shutil.copytree(self._folder / kind, folder / "home")
        return environment(folder / "home", original and make(kind, template=original))

    def _enter(self, kind: Kind) -> Database | None:
        kept: list[Database] = []

        def make(kind: Kind, template: Database | None = None) -> Database:
            kept.append(self._databases.make(kind, self._folder, template=template))
            return kept[-1]

        environ = self._furnished.copy(kind, self._folder / kind, make)

        async def enter() -> None:
            house = a_house(settings(environ, "http://127.0.0.1:9"), StoppedClock(MORNING))
            await furnished(house)
            await house.close()

        assert in_a_process(lambda: asyncio.run(enter())) == 0
        return kept[0] if kept else None

    def remove(self) -> None:
        """Drop what was kept."""
        for database in self._kept.values():
            if database is not None:
                self._databases.drop(database)


@pytest.fixture(scope="module")
def evening(
    furnished: Furnished, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Evening]:
    """Hand out copies of the house of the evening before."""
    kept = Evening(furnished, databases, tmp_path_factory.mktemp("evening"))
    yield kept
    kept.remove()
