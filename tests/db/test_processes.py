"""Several processes on one SQLite file."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import ExitStack

import pytest

from tests.db.ledger import create
from tests.db.test_kill import look
from tests.db.worker import Worker, whole_units

ENOUGH = 12_000


@pytest.mark.torture
def test_four_processes_share_one_file_fairly_and_nobody_sees_a_lock(sqlite_url: str) -> None:
    create(sqlite_url)
    told: dict[str, list[tuple[str, str]]] = {name: [] for name in "abcd"}
    spoken = {name: threading.Event() for name in told}
    before: dict[str, int] = {}
    enough = threading.Event()

    def listen(name: str, worker: Worker) -> None:
        for line in worker.lines():  # without a pause: what waits in a pipe would count as later
            told[name].append(line)
            spoken[name].set()
            if before and sum(map(len, told.values())) >= sum(before.values()) + ENOUGH:
                enough.set()

    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker()) for name in told}
        for name, worker in workers.items():
            worker.go(sqlite_url, 8, name)
        ears = [threading.Thread(target=listen, args=pair) for pair in workers.items()]
        for ear in ears:
            ear.start()
        assert all(each.wait(120) for each in spoken.values())
        before.update({name: len(lines) for name, lines in told.items()})
        assert enough.wait(120)
        shares = {name: len(lines) - before[name] for name, lines in told.items()}
        for worker in workers.values():
            worker.kill()
        for ear in ears:
            ear.join()
    words = Counter(word for lines in told.values() for word, _ in lines)
    assert set(words) == {"ack"}, words
    assert max(shares.values()) <= 2 * min(shares.values()), shares
    found, (said, summed) = look(sqlite_url)
    assert {note for lines in told.values() for _, note in lines} <= whole_units(found)
    assert said == summed
