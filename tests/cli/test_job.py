"""`bahi job` and `bahi worker`: what is to be done, seen and steered from the terminal."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bahi.db.tx import Tx
from bahi.jobs import service
from bahi.jobs.model import Job, Retry, Schedule, Terms
from tests.cli.processes import PATIENCE_S, Environment, bahi, eventually, refusal
from tests.databases import KINDS, MakeDatabase
from tests.furnished import Furnished
from tests.jobs.places import MORNING, Place, tell

SWEEP = Schedule(name="sweep", title="Sweep the floor", job_type="sweep", cron="0 9 * * mon-fri")
TERMS = Terms("w", 3600, {"sweep": Retry(1)})


@pytest.fixture(params=KINDS)
def env(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    furnished: Furnished,
    make_database: MakeDatabase,
) -> Environment:
    return furnished.copy(request.param, tmp_path / "data", make_database)


def answer(*words: str, env: Environment) -> Any:
    """Run a command that answers a program."""
    ended = bahi("job", *words, "--json", env=env)
    assert ended.returncode == 0, ended
    return json.loads(ended.stdout)


def ask(tx: Tx, n: int) -> Job:
    return service.enqueue(tx, "test", "sweep", {"n": n}, MORNING)


def plant(env: Environment) -> dict[str, str]:
    """Leave a job of each status; return their names."""

    async def story(place: Place) -> dict[str, str]:
        jobs = [await place.main.write(ask, n) for n in range(3)]
        jobs.append(await place.sandbox.write(ask, 3))
        failed, done, runs = await place.main.write(service.claim, TERMS, MORNING, 3)
        await place.main.write(service.fail, failed, "no luck", MORNING, Retry(1))
        await place.main.write(service.complete, done, {"swept": 5}, MORNING)
        named = {"failed": failed, "completed": done, "running": runs, "pending": jobs[-1]}
        return {status: job.job_id for status, job in named.items()}

    return tell(env, story)  # type: ignore[no-any-return]


def test_jobs_are_listed_shown_tried_again_and_cleaned_up(env: Environment) -> None:
    named = plant(env)
    assert {it["status"]: it["job_id"] for it in answer("list", env=env)} == named
    first = answer("list", "--limit", "3", env=env)
    last = answer("list", "--before", first[-1]["job_id"], env=env)
    assert {it["job_id"] for it in first + last} == set(named.values())
    assert len(last) == 1
    assert "no job" in refusal("job", "list", "--before", "nothing", env=env)
    (running,) = answer("running", env=env)
    assert (running["job_id"], running["worker"]) == (named["running"], "w")
    (failed,) = answer("list", "--status", "failed", env=env)
    assert failed["error"] == "no luck"
    assert answer("show", named["completed"], env=env)["result"] == {"swept": 5}
    assert "no luck" in bahi("job", "list", env=env).stdout

    assert answer("retry", named["failed"], env=env)["status"] == "pending"
    assert "only a failed one" in refusal("job", "retry", named["failed"], env=env)
    assert "no job" in refusal("job", "show", "nothing", env=env)
    assert "running" in refusal("job", "list", "--status", "lazy", env=env)

    cleaned = answer("cleanup", "--dry-run", "--days", "0", env=env)
    assert cleaned == {"removed": 0, "found": 1, "dry_run": True}
    assert answer("cleanup", "--days", "0", env=env)["removed"] == 1
    assert {it["status"] for it in answer("list", env=env)} == {"pending", "running"}


def test_the_schedule_is_listed_paused_resumed_moved_and_run(env: Environment) -> None:
    async def declare(place: Place) -> None:
        await place.main.write(service.sync_schedules, [SWEEP], MORNING)

    tell(env, declare)
    (entry,) = answer("schedule", "list", env=env)
    assert (entry["name"], entry["next"]) == ("sweep", "2026-11-20 09:00:00")
    (paused,) = answer("schedule", "pause", "sweep", env=env)
    assert not paused["active"]
    assert answer("schedule", "next", env=env) == []
    (resumed,) = answer("schedule", "resume", "sweep", env=env)
    assert resumed["active"]
    (moved,) = answer("schedule", "change", "sweep", "15 10 * * mon", env=env)
    assert moved["next"].endswith("10:15:00")
    assert len(answer("schedule", "next", "--limit", "5", env=env)) == 5
    assert "minute, hour" in refusal("job", "schedule", "change", "sweep", "soon", env=env)
    assert "schedule list" in refusal("job", "schedule", "run", "nothing", env=env)
    asked = answer("schedule", "run", "sweep", env=env)
    assert (asked["job_type"], asked["created_by"]) == ("sweep", "schedule:sweep")
    assert answer("schedule", "history", env=env) == []


def test_a_worker_of_its_own_works_until_it_is_stopped(env: Environment) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bahi", "worker"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert "Ctrl-C" in process.stdout.readline()
        pipes = Path(env["BAHI_HOME"]) / "wake"
        eventually(lambda: len(list(pipes.glob("*.pipe"))), 1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert list(pipes.glob("*.pipe")) == []
