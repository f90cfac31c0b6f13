"""`/healthz`: does every store answer, and at which version."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Response
from pydantic import BaseModel

from bahi.db.stores import Store, Stores
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError, Unavailable

ANSWER_WITHIN_S: Final = 3.0

log = logging.getLogger("bahi.api")


class StoreHealth(BaseModel):
    """How one store is."""

    kind: str
    answers: bool
    version: int | None = None
    code: str | None = None


class HouseHealth(BaseModel):
    """How the house is."""

    status: Literal["healthy", "unhealthy"]
    version: str
    stores: dict[str, StoreHealth]


def health_routes(stores: Stores, version: str) -> APIRouter:
    """Make the door at which monitors ask."""
    router = APIRouter()

    @router.get("/healthz", responses={503: {"model": HouseHealth}})
    async def healthz(response: Response) -> HouseHealth:
        """Ask every store; 503 when one does not answer."""
        found = dict(zip(names, await asyncio.gather(*map(_health_of, stores)), strict=True))
        well = all(store.answers for store in found.values())
        response.status_code = 200 if well else 503
        response.headers["Cache-Control"] = "no-store"
        return HouseHealth(status="healthy" if well else "unhealthy", version=version, stores=found)

    names = [store.name for store in stores]
    return router


async def _health_of(store: Store) -> StoreHealth:
    try:
        version = await asyncio.wait_for(_version_of(store), ANSWER_WITHIN_S)
    except TimeoutError:
        return _unwell(store, Unavailable(f"No answer within {ANSWER_WITHIN_S:.0f} s."))
    except BahiError as failure:
        return _unwell(store, failure)
    return StoreHealth(kind=store.kind, answers=True, version=version)


async def _version_of(store: Store) -> int:
    return await store.read(_newest_step, fresh=True)


def _newest_step(tx: Tx) -> int:
    row = tx.row(sa.text("SELECT max(version) FROM schema_migrations"))
    return (row and row[0]) or 0


def _unwell(store: Store, failure: BahiError) -> StoreHealth:
    """Log the sentence, which may name our servers; strangers get the code."""
    log.warning("the %s store does not answer: %s", store.name, failure)
    return StoreHealth(kind=store.kind, answers=False, code=failure.code)
