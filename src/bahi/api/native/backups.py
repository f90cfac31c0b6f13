"""Backups: which there are, and one made by a worker."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import BaseModel, Field

from bahi.api.forms import (
    After,
    Form,
    IdempotencyKey,
    Limit,
    Page,
    cursor,
    place,
)
from bahi.api.native.jobs import JobShown
from bahi.api.routes import ForAdmins, Who
from bahi.bootstrap import House
from bahi.bootstrap.saving import ask_for_backup, list_backups
from bahi.db.upkeep.backup import Backup


class BackupShown(BaseModel):
    """A copy of one store, by the name of its file; `made` is by the clock of India."""

    name: str
    store: str
    kind: str
    made: str
    size: int

    @classmethod
    def of(cls, it: Backup) -> Self:
        """Show it."""
        size = it.file.stat().st_size if it.file.is_file() else 0
        return cls(name=it.file.name, store=it.store, kind=it.kind, made=it.stamp, size=size)


class NewBackup(Form):
    """What to save; without a store, all of them."""

    store: Annotated[str, Field(max_length=20, pattern=r"^[a-z]+$")] | None = None


def backup_routes(house: House) -> APIRouter:
    """Make the doors of backups."""
    router = APIRouter(prefix="/v1/backups", tags=["backups"], route_class=ForAdmins)

    @router.get("")
    async def backups(actor: Who, limit: Limit = 50, after: After = None) -> Page[BackupShown]:
        """List the backups, the newest first."""
        del actor
        ended = place(after)
        begun = 0 if ended is None else ended[0]
        every = await list_backups(house)
        rest = every[begun : begun + limit]
        more = begun + limit < len(every)
        return Page(
            items=[BackupShown.of(it) for it in rest],
            next=cursor(begun + limit) if more else None,
        )

    @router.post("", status_code=202)
    async def make_backup(
        actor: Who, wish: NewBackup | None = None, key: IdempotencyKey = None
    ) -> JobShown:
        """Have a worker save the stores while they are in use; `GET /v1/jobs/status/…` tells."""
        store = None if wish is None else wish.store
        return JobShown.model_validate(await ask_for_backup(house, actor, store, key))

    return router
