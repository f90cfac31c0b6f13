"""Alerts: what somebody must look at, and that somebody has."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from bahi.api.forms import After, Id, Instant, Limit, Page, PathId, Shown, cursor, number, place
from bahi.api.routes import Authenticated, Who
from bahi.bootstrap import House
from bahi.bootstrap.alerts import alerts_of, take_on
from bahi.notify.model import Severity

OnlyOpen = Annotated[bool | None, Query(alias="open", description="Open ones, or closed ones.")]


class AlertShown(Shown):
    """An alert as it stands."""

    id: Id
    severity: Severity
    source: str
    message: str
    details: Any
    account_id: Id | None
    topic: str | None
    times: int
    raised_at: Instant
    last_raised_at: Instant | None
    acknowledged_at: Instant | None
    acknowledged_by: str | None


def alert_routes(house: House) -> APIRouter:
    """Make the doors of alerts."""
    router = APIRouter(prefix="/v1/alerts", tags=["alerts"], route_class=Authenticated)

    @router.get("")
    async def alerts(
        actor: Who, limit: Limit = 50, after: After = None, only_open: OnlyOpen = None
    ) -> Page[AlertShown]:
        """List alerts, open ones first, each kind newest first."""
        ended = place(after, parts=2)
        after_it = None if ended is None else (bool(ended[0]), ended[1])
        found = await alerts_of(house, actor, limit=limit + 1, after=after_it, only_open=only_open)
        rows = [it.alert for it in found]
        last = rows[limit - 1] if len(rows) > limit else None
        return Page(
            items=[AlertShown.model_validate(row) for row in rows[:limit]],
            next=None if last is None else cursor(int(last.is_open), last.id),
        )

    @router.post("/{alert_id}/acknowledge")
    async def acknowledge_alert(actor: Who, alert_id: PathId) -> AlertShown:
        """Take an alert on."""
        taken = await take_on(house, actor, number(alert_id))
        return AlertShown.model_validate(taken.alert)

    return router
