"""Leave to deliver from a demat account (eDIS): asked for, given, refused."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import BaseModel, Field

from bahi.api.forms import (
    After,
    Form,
    Id,
    Instant,
    Limit,
    Page,
    PathId,
    Text,
    When,
    Whole,
    number,
    place,
)
from bahi.api.forms import cursor as written
from bahi.api.native.orders import Why
from bahi.api.routes import PRIVATE, Authenticated, Who
from bahi.bootstrap import House
from bahi.bootstrap.looking import change_at, look_at
from bahi.db.tx import Tx
from bahi.orders.model.wishes import MOST
from bahi.portfolio.model.edis import Asking, Leave, Request
from bahi.portfolio.service import edis

PREFIX = "/v1/accounts/{account_id}/edis"

Isin = Annotated[str, Field(pattern=r"^[A-Z]{2}[A-Z0-9]{10}$", examples=["INE062A01020"])]


class NewRequest(Form):
    """So many of one security, or (`is_bulk`) all that is held; the TPIN is sealed, then erased."""

    isin: Isin
    quantity: Annotated[Whole, Field(ge=1, le=MOST)]
    exchange: Annotated[str, Field(pattern=r"^(NSE|BSE)$")] = "NSE"
    is_bulk: bool = False
    tpin: Text = Field("", max_length=20, repr=False)


class Given(Form):
    """Until when leave was given; else until the end of the exchange's day."""

    until: When | None = None


class RequestShown(BaseModel):
    """A request as it stands; its TPIN is never shown."""

    id: Id
    account_id: Id
    isin: str
    quantity: int
    is_bulk: bool
    status: Leave
    expires_at: Instant | None
    request_id: str | None
    error_message: str | None

    @classmethod
    def of(cls, it: Request) -> Self:
        """Show it."""
        return cls(
            id=str(it.id),
            account_id=str(it.account_id),
            isin=it.isin,
            quantity=it.quantity,
            is_bulk=it.is_bulk,
            status=it.status,
            expires_at=it.expires_at,
            request_id=it.request_id,
            error_message=it.error_message,
        )


def leave_routes(house: House) -> APIRouter:
    """Make the doors of eDIS."""
    router = APIRouter(prefix=PREFIX, tags=["holdings"], route_class=Authenticated)

    @router.get("")
    async def requests(
        actor: Who, account_id: PathId, limit: Limit = 50, after: After = None
    ) -> Page[RequestShown]:
        """List requests, the newest first."""
        ended = place(after)
        account, store = await look_at(house, actor, number(account_id))
        before = None if ended is None else ended[0]
        rows = await store.read(edis.requests_of, account.id, before, limit + 1, fresh=True)
        return Page(
            items=[RequestShown.of(it) for it in rows[:limit]],
            next=written(rows[limit - 1].id) if len(rows) > limit else None,
        )

    @router.post("", status_code=201, dependencies=[PRIVATE])
    async def ask(actor: Who, account_id: PathId, wish: NewRequest) -> RequestShown:
        """Ask for leave. It has no name of its own: asked twice, there are two."""
        account, store = await change_at(house, actor, number(account_id))
        asked = Asking(
            account_id=account.id,
            isin=wish.isin,
            quantity=wish.quantity,
            exchange=wish.exchange,
            segment=f"{wish.exchange}_EQ",
            is_bulk=wish.is_bulk,
            tpin=wish.tpin,
        )
        now = house.clock()
        made = await store.write(edis.ask, actor, house.vault, asked, now, account=account.id)
        return RequestShown.of(made)

    @router.post("/{request_id}/authorize")
    async def authorize(
        actor: Who, account_id: PathId, request_id: PathId, given: Given | None = None
    ) -> RequestShown:
        """Say that leave was given."""
        account, store = await change_at(house, actor, number(account_id))
        until = None if given is None else given.until

        def write(tx: Tx) -> Request:
            known = edis.request_of(tx, account.id, number(request_id))
            return edis.authorize(tx, actor, known.id, now, until)

        now = house.clock()
        return RequestShown.of(await store.write(write, account=account.id))

    @router.post("/{request_id}/reject")
    async def reject(actor: Who, account_id: PathId, request_id: PathId, why: Why) -> RequestShown:
        """Say that leave was refused, and why."""
        account, store = await change_at(house, actor, number(account_id))

        def write(tx: Tx) -> Request:
            known = edis.request_of(tx, account.id, number(request_id))
            return edis.reject(tx, actor, known.id, why.reason, now)

        now = house.clock()
        return RequestShown.of(await store.write(write, account=account.id))

    return router
