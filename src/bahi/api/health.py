"""How the house is, for those who watch it: `/healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Final, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel

from bahi.api.callers import KEY_HEADER
from bahi.api.errors import problem_answers
from bahi.api.forms import After, Instant, Limit, Page, Shown, page_of, place
from bahi.api.routes import ForAdmins, Who
from bahi.bootstrap import House
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.health.model import Looked, Report
from bahi.health.service import history, look_around
from bahi.kernel.errors import BahiError, Forbidden, Unavailable
from bahi.kernel.words import Health

ANSWER_WITHIN_S: Final = 3.0

log = logging.getLogger("bahi.api")


class StoreHealth(BaseModel):
    """How one store is."""

    kind: str
    answers: bool
    version: int | None = None
    code: str | None = None


class HouseHealth(BaseModel):
    """How the house is; of its parts strangers learn the name and one word."""

    status: Health
    version: str
    stores: dict[str, StoreHealth]
    checks: dict[str, Health]


class Readiness(BaseModel):
    """Whether the house takes what is asked."""

    status: Literal["ready", "not ready"]


def health_routes(house: House, version: str) -> APIRouter:
    """Make the doors at which monitors ask."""
    router = APIRouter(tags=["health"])
    rounds = Rounds(house)

    @router.get("/healthz", responses={503: {"model": HouseHealth}})
    async def healthz(response: Response) -> HouseHealth:
        """Ask every part of the house how it is; 503 when it is unhealthy."""
        report, stores = await rounds.look()
        response.status_code = 503 if report.status is Health.UNHEALTHY else 200
        checks = {part.component: part.status for part in report.parts}
        return HouseHealth(status=report.status, version=version, stores=stores, checks=checks)

    @router.get("/readyz", responses={503: {"model": Readiness}})
    async def readyz(request: Request, response: Response) -> Readiness:
        """Say whether requests may be sent here: the day has begun, and vital stores answer."""
        app: FastAPI = request.app
        report, _ = await rounds.look()
        lost = [part for part in report.parts if part.vital and part.status is Health.UNHEALTHY]
        ready = bool(app.state.is_open) and not any(map(_is_store, lost))
        response.status_code = 200 if ready else 503
        return Readiness(status="ready" if ready else "not ready")

    @router.get(
        "/metrics",
        response_class=Response,
        responses={
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
            **problem_answers(401, 403, 429, 503),
        },
        dependencies=[Depends(_near_or_admin)],
    )
    async def metrics() -> Response:
        """Say what was counted since the start, as Prometheus reads it."""
        text, kind = house.numbers.text()
        return Response(text, headers={"Content-Type": kind})

    router.include_router(_history_routes(house))
    return router


def _is_store(part: Looked) -> bool:
    return part.component.startswith("store ")


async def _near_or_admin(request: Request) -> None:
    """Let in who asks from this machine, or has the key of an admin."""
    caller = request.state.caller
    if caller.is_near and KEY_HEADER not in request.headers:
        return
    if not (await caller.actor()).is_admin:
        raise Forbidden("Only an admin may do this.")


Component = Annotated[str | None, Query(max_length=100, pattern=r"^[A-Za-z0-9 _-]+$")]


class LookShown(Shown):
    """How a part of the house was."""

    component: str
    status: Health
    checked_at: Instant
    response_time_ms: int | None
    error_count: int
    details: str | None


def _history_routes(house: House) -> APIRouter:
    router = APIRouter(route_class=ForAdmins)

    @router.get("/v1/health/history")
    async def health_history(
        actor: Who, limit: Limit = 50, after: After = None, component: Component = None
    ) -> Page[LookShown]:
        """List how the parts of the house were, the newest look first."""
        ended = place(after)
        rows = await history(
            house.stores["main"],
            actor,
            limit=limit + 1,
            before=ended[0] if ended else None,
            component=component,
        )
        return page_of(rows, LookShown, limit, lambda row: row.id)

    return router


class Rounds:
    """Goes round the house; of many who ask at once, all get the answer of one round."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._going: asyncio.Task[tuple[Report, dict[str, StoreHealth]]] | None = None

    async def look(self) -> tuple[Report, dict[str, StoreHealth]]:
        """Ask every check and every store."""
        if self._going is None:
            self._going = asyncio.create_task(self._round(), name="health")
            self._going.add_done_callback(self._over)
        return await asyncio.shield(self._going)

    def _over(self, _: object) -> None:
        self._going = None

    async def _round(self) -> tuple[Report, dict[str, StoreHealth]]:
        stores = list(self._house.stores)
        report, found = await asyncio.gather(
            look_around(self._house.checks), asyncio.gather(*map(_health_of, stores))
        )
        return report, dict(zip((it.name for it in stores), found, strict=True))


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
