"""A worker process that works until it is killed, and says when it begins a job.

For each `go <node> <how>` (`forking.py`) a child works, which says `began` for each job. One that
is to `stall` stands still in the middle of its first job, having said so, until a signal comes.

What is done is written down in the store that the job lies in: a line in `proof_lines` when it is
begun and when it goes on, numbered within the job under the lease; and its effect in
`proof_effects`, which nothing keeps from being there twice but the fence.
"""

from __future__ import annotations

import os
import signal
import threading

import sqlalchemy as sa

from bahi.config import Settings
from bahi.db.opening import Database
from bahi.db.stores import Stores
from bahi.db.tx import Tx
from bahi.jobs.model import Job, Payload, Retry
from bahi.jobs.service import Bell, JobContext
from bahi.kernel.clock import SystemClock, unix_ms
from bahi.kernel.ids import IdMint
from bahi.worker.loop import Worker
from bahi.worker.shift import Pace
from tests.cli.processes import Environment
from tests.forking import Forking, fork_on_demand, say

STORES = ("main", "sandbox")
PACE = Pace(lease_s=2.0, beat_s=0.5)
MANY_TRIES = Retry(1000, (0.0,))

proof = sa.MetaData()
lines = sa.Table(
    "proof_lines",
    proof,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("fence", sa.Integer, nullable=False),
)
effects = sa.Table("proof_effects", proof, sa.Column("job_id", sa.Text, nullable=False))
keyed = sa.Table("proof_keyed", proof, sa.Column("job_id", sa.Text, primary_key=True))


def lay_tables(env: Environment) -> None:
    """Make the tables of the proof in both stores."""
    for name in STORES:
        place = Database(name, Settings.from_environment(env).urls[name])
        with place.opened() as core:
            for table in proof.sorted_tables:
                core.execute(sa.schema.CreateTable(table))


def stores_of(env: Environment, node: int) -> Stores:
    settings = Settings.from_environment(env)
    return Stores({name: settings.urls[name] for name in STORES}, IdMint(node, unix_ms).mint)


def write_line(tx: Tx, job: Job) -> None:
    """Write the job's next line; two at once would have the same number."""
    known = tx.row(sa.select(sa.func.count()).where(lines.c.job_id == job.job_id))
    tx.change(lines.insert().values(job_id=job.job_id, n=known[0] if known else 0, fence=job.fence))


def have_effect(tx: Tx, job: Job) -> Payload:
    """Do what must be done once, with nothing to keep it from happening twice."""
    tx.change(effects.insert().values(job_id=job.job_id))
    return {"fence": job.fence}


def have_keyed_effect(tx: Tx, job: Job) -> None:
    """Do what must be done once, under the job's own key."""
    if tx.row(sa.select(keyed.c.job_id).where(keyed.c.job_id == job.job_id)) is None:
        tx.change(keyed.insert().values(job_id=job.job_id))


async def fenced(context: JobContext) -> None:
    """Have an effect and end, in one transaction."""
    say(f"began {context.job.job_id}")
    await context.write(write_line, context.job)
    stall_once(context.job)
    await context.finish(have_effect, context.job)


async def by_key(context: JobContext) -> Payload:
    """Have an effect in one transaction, and end in the next."""
    say(f"began {context.job.job_id}")
    await context.write(write_line, context.job)
    stall_once(context.job)
    await context.write(write_line, context.job)
    await context.write(have_keyed_effect, context.job)
    return {"fence": context.job.fence}


def stall_once(job: Job) -> None:
    """Stand still, the lease running out meanwhile, if that is how this process is to be."""
    if STALLING.is_set():
        STALLING.clear()
        say(f"stalled {job.job_id}")
        os.kill(os.getpid(), signal.SIGSTOP)


STALLING = threading.Event()
HANDLERS = {"fenced": fenced, "by_key": by_key}


async def work(node: str, how: str) -> None:
    """Work for ever; one that stalls has one job in hand, so that it holds nobody's locks then."""
    at_once = 4
    if how == "stall":
        STALLING.set()
        at_once = 1
    env = dict(os.environ)
    stores = stores_of(env, int(node))
    home = Settings.from_environment(env).home
    bell = Bell(home, [Settings.from_environment(env).urls[name] for name in STORES])
    retries = dict.fromkeys(HANDLERS, MANY_TRIES)
    worker = Worker(
        stores,
        HANDLERS,
        SystemClock(),
        retries=retries,
        bell=bell,
        pace=PACE,
        poll_s=0.2,
        at_once=at_once,
    )
    await worker.run()


class Hand(Forking):
    """Such a process, from the test's side."""

    def __init__(self, env: Environment) -> None:
        super().__init__("tests.worker.hand", env)


if __name__ == "__main__":
    fork_on_demand(work)
