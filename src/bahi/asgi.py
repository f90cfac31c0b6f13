"""The application on a House of its own: `uvicorn bahi.asgi:app --factory`, or `bahi up`."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from bahi.api.app import make_app
from bahi.bootstrap import House, build
from bahi.config import Settings
from bahi.web.doors import SESSION_COOKIE, pages_of
from bahi.worker.loop import worker_of

log = logging.getLogger("bahi")


def app(settings: Settings | None = None) -> FastAPI:
    """Build the one House that serves this data folder, and put its doors on."""
    settings = settings or Settings.from_environment(os.environ)
    return doors_of(build(settings, serving=True))


def doors_of(house: House) -> FastAPI:
    """Put programs' doors and people's on a house, with its worker beside them."""
    pages = pages_of(house)
    whole = make_app(house, pages=pages.router, session_cookie=SESSION_COOKIE, beside=worker_beside)
    whole.state.failure_page = pages.failure
    return whole


@asynccontextmanager
async def worker_beside(house: House) -> AsyncIterator[None]:
    """Have the house's work done in this process, where that is wished."""
    if house.settings.worker != "inside":
        yield
        return
    worker = worker_of(house)
    working = asyncio.create_task(worker.run(), name="worker")
    working.add_done_callback(_ended)
    try:
        yield
    finally:
        worker.stop()
        await asyncio.wait((working,))


def _ended(working: asyncio.Task[None]) -> None:
    if not working.cancelled() and (fault := working.exception()):
        log.critical("the worker ended: no jobs are done until a new start", exc_info=fault)
