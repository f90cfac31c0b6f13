"""The trail (source 002): who did what; an admin sees all of it, others what they did."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from bahi.api.forms import After, Id, Instant, Limit, Page, PathId, Shown, number, page_of, place
from bahi.api.routes import Authenticated, Who
from bahi.audit.service import recent
from bahi.bootstrap import House
from bahi.kernel.actor import Actor

Kind = Annotated[str, Path(max_length=60, pattern=r"^[a-z_]+$")]
EntityId = Annotated[str, Path(max_length=150, pattern=r"^[A-Za-z0-9_.:@-]+$")]
Store = Annotated[
    str, Query(pattern="^(main|sandbox)$", description="Whose trail: of live or of paper.")
]


class EntryShown(Shown):
    """One line of the trail."""

    id: Id
    user_id: Id | None
    actor: str | None
    entity_type: str
    entity_id: str | None
    action: str
    old_value: Any
    new_value: Any
    details: str | None
    ip_address: str | None
    user_agent: str | None
    request_id: str | None
    at: Instant


def audit_routes(house: House, prefix: str = "/audit") -> APIRouter:
    """Make the doors of the trail: where source 002 has them, or beside our own."""
    router = APIRouter(prefix=prefix, tags=["audit"], route_class=Authenticated)

    async def page(
        actor: Actor, limit: int, after: str | None, store: str, **which: Any
    ) -> Page[EntryShown]:
        ended = place(after)
        before = ended[0] if ended else None
        rows = await recent(house.stores[store], actor, limit=limit + 1, before=before, **which)
        return page_of(rows, EntryShown, limit, lambda row: row.id)

    @router.get("/recent")
    async def recent_entries(
        actor: Who, limit: Limit = 50, after: After = None, store: Store = "main"
    ) -> Page[EntryShown]:
        """List what was done lately, the newest first."""
        return await page(actor, limit, after, store)

    @router.get("/entity/{entity_type}/{entity_id}")
    async def entries_of_entity(
        *,
        actor: Who,
        entity_type: Kind,
        entity_id: EntityId,
        limit: Limit = 50,
        after: After = None,
        store: Store = "main",
    ) -> Page[EntryShown]:
        """List what was done to one thing, the newest first."""
        which = {"entity_type": entity_type, "entity_id": entity_id}
        return await page(actor, limit, after, store, **which)

    @router.get("/user/{user_id}")
    async def entries_of_user(
        actor: Who, user_id: PathId, limit: Limit = 50, after: After = None, store: Store = "main"
    ) -> Page[EntryShown]:
        """List what one user did, the newest first."""
        return await page(actor, limit, after, store, user_id=number(user_id))

    return router
