"""Who ran into limits, and what may not be traded freely."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from bahi.api.forms import After, Day, Form, Id, Instant, Limit, Page, Text, cursor, number, place
from bahi.api.routes import Authenticated, ForAdmins, Kept, Who, joined
from bahi.bootstrap import House
from bahi.bootstrap.looking import look_at
from bahi.db.tx import Tx
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid
from bahi.risk.model.eligibility import DatedList, ListName
from bahi.risk.model.violation import Violation
from bahi.risk.service import violations_of
from bahi.risk.service.eligibility import enter_list, lists_on, load_list

OfAccount = Annotated[Id, Query(description="Whose.")]
OnDay = Annotated[Day | None, Query(description="On which day; else today.")]


class ViolationShown(BaseModel):
    """A limit that was run into; `limit` and `actual` are in its unit: rupees, percent, a count."""

    id: Id
    account_id: Id
    strategy: str | None
    type: str
    limit: str
    actual: str
    order_id: Id | None
    message: str | None
    at: Instant

    @classmethod
    def of(cls, it: Violation) -> ViolationShown:
        """Show it."""
        return cls(
            id=str(it.id),
            account_id=str(it.account_id),
            strategy=it.strategy,
            type=it.kind,
            limit=it.limit_text,
            actual=it.actual_text,
            order_id=None if it.order_id is None else str(it.order_id),
            message=it.message,
            at=it.at,
        )


class ListShown(BaseModel):
    """A list of what may not be traded freely."""

    name: ListName
    since: date
    source: str
    symbols: list[str]
    loaded_at: Instant | None

    @classmethod
    def of(cls, it: DatedList) -> ListShown:
        """Show it."""
        return cls(
            name=it.name,
            since=it.since,
            source=it.source,
            symbols=sorted(it.symbols),
            loaded_at=it.loaded_at,
        )


class Lists(BaseModel):
    """The lists that hold on a day."""

    day: date
    items: list[ListShown]


class NewList(Form):
    """A list that holds from a day on: its symbols, or the exchange's file as text."""

    name: ListName
    since: Day
    source: Annotated[Text, Field(min_length=1)]
    symbols: Annotated[list[Text], Field(max_length=10_000)] | None = None
    csv: Annotated[str, Field(max_length=60_000)] | None = None


def list_routes(house: House) -> APIRouter:
    """Make the doors of violations and of lists."""
    return joined(_kept(house), _violations(house), _lists(house))


def _kept(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/risk", tags=["risk"], route_class=Kept)

    @router.get("/lists")
    async def lists(actor: Who, day: OnDay = None) -> Lists:
        """List what may not be traded freely on a day."""
        del actor
        day = day or exchange_day(house.clock())
        found: Mapping[ListName, DatedList] = await house.stores["main"].read(
            lists_on, day, fresh=True
        )
        return Lists(day=day, items=[ListShown.of(found[name]) for name in sorted(found)])

    return router


def _violations(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/risk", tags=["risk"], route_class=Authenticated)

    @router.get("/violations")
    async def list_violations(
        actor: Who, account_id: OfAccount, limit: Limit = 50, after: After = None
    ) -> Page[ViolationShown]:
        """List the limits that an account ran into, the newest first."""
        ended = place(after)
        account, store = await look_at(house, actor, number(account_id))
        before = None if ended is None else ended[0]
        rows = await store.read(violations_of, account.id, before, limit + 1, fresh=True)
        return Page(
            items=[ViolationShown.of(it) for it in rows[:limit]],
            next=cursor(rows[limit - 1].id) if len(rows) > limit else None,
        )

    return router


def _lists(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/risk", tags=["risk"], route_class=ForAdmins)

    @router.post("/lists", status_code=201)
    async def load(actor: Who, wish: NewList) -> ListShown:
        """Enter a list; it has no name of its own: of two of a day the later one holds."""
        if (wish.symbols is None) == (wish.csv is None):
            raise Invalid("symbols: give these, or the exchange's file as `csv`; one of both.")
        wanted = DatedList(
            name=wish.name,
            since=wish.since,
            source=wish.source,
            symbols=frozenset(wish.symbols or ()),
        )

        def write(tx: Tx) -> DatedList:
            if wish.csv is None:
                return enter_list(tx, actor, wanted, now)
            return load_list(tx, actor, wanted, wish.csv, now)

        now = house.clock()
        return ListShown.of(await house.stores["main"].write(write))

    return router
