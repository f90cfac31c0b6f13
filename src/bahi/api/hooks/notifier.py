"""What brokers post by themselves: Upstox's notifier, at an address that only Upstox was told."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Depends, Path, Request
from pydantic import BaseModel, JsonValue

from bahi.api.errors import problem_answers
from bahi.api.native.runs import have_worker_go_on
from bahi.api.routes import PRIVATE, Posted
from bahi.bootstrap import House
from bahi.kernel.actor import the_house
from bahi.kernel.errors import BahiError
from bahi.kernel.ports import LoginFailed
from bahi.tokens.model import ENDED

ANSWER_WITHIN_S: Final = 2.0
AT_ONCE: Final = 20

log = logging.getLogger("bahi.api")

Secret = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
Told = Annotated[dict[str, JsonValue], Body()]


class Taken(BaseModel):
    """That what was posted was taken, or is still looked at."""

    status: Literal["success", "accepted"]


def hook_routes(house: House) -> APIRouter:
    """Make the doors at which brokers post."""
    router = APIRouter(prefix="/auth/notify", tags=["hooks"], route_class=Posted)
    looking: set[asyncio.Task[Any]] = set()

    async def take(secret: str, told: Told) -> None:
        answered = await house.handing.notified(secret, told)
        if answered.run is not None and answered.run.status not in ENDED:
            await have_worker_go_on(house, the_house("notifier"), answered.run)

    @router.post(
        "/upstox/{secret}",
        dependencies=[PRIVATE, Depends(_counted)],
        responses=problem_answers(400, 404, 409, 413, 422, 429, 502, 503, 504),
    )
    async def upstox_notifies(secret: Secret, told: Told) -> Taken:
        """Take a token that Upstox posts; whether it is good is asked of Upstox itself."""
        if len(looking) >= AT_ONCE:
            return Taken(status="accepted")  # a stranger's flood: Upstox posts again by itself
        task = asyncio.create_task(take(secret, told), name="notifier")
        looking.add(task)
        task.add_done_callback(looking.discard)
        task.add_done_callback(_told_late)
        await asyncio.wait((task,), timeout=ANSWER_WITHIN_S)
        if not task.done():
            return Taken(status="accepted")
        task.result()
        return Taken(status="success")

    return router


async def _counted(request: Request) -> None:
    await request.state.caller.stranger()


def _told_late(task: asyncio.Task[Any]) -> None:
    """Say in the log what nobody waits for any more."""
    fault = None if task.cancelled() else task.exception()
    if isinstance(fault, LoginFailed):
        log.warning("what came to the notifier was no good: %s", fault)
    elif fault is not None and not isinstance(fault, BahiError):
        log.error("the notifier failed", exc_info=fault)
