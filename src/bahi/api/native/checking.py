"""An account against its broker: read now, what differs, and what a person says of that."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from bahi.api.forms import After, Form, Id, Limit, Page, PathId, Shown, number, part_of
from bahi.api.native.orders import Why
from bahi.api.routes import Authenticated, Who
from bahi.bootstrap import House
from bahi.bootstrap.looking import change_at, look_at
from bahi.bootstrap.reconciling import How, reconcile_one
from bahi.db.tx import Tx
from bahi.portfolio.model.reconciling import Policy, Subject
from bahi.portfolio.service.reconciling import open_breaks, settle_break

PREFIX = "/v1/accounts/{account_id}"


class Reconcile(Form):
    """What is done about what differs; `dry_run` says what would be, and does nothing."""

    policy: Policy = Policy.REPORT
    dry_run: Annotated[bool, Field(description="Only look.")] = False


class Reconciled(BaseModel):
    """What came of it: what differs, in sentences, and what could not be read."""

    account_id: Id
    breaks: list[str]
    settled: int
    adopted: int
    unread: list[str]


class BreakShown(Shown):
    """A difference between our books and the broker's that is not settled."""

    id: Id
    subject: Subject
    key: str
    classification: str
    explanation: str


def checking_routes(house: House) -> APIRouter:
    """Make the doors of reconciling."""
    router = APIRouter(prefix=PREFIX, tags=["reconciling"], route_class=Authenticated)

    @router.post("/reconcile")
    async def reconcile(
        actor: Who, account_id: PathId, wish: Reconcile | None = None
    ) -> Reconciled:
        """Read the broker's books now and compare; where they differ, twice."""
        wish = wish or Reconcile()
        account, _ = await change_at(house, actor, number(account_id))
        how = How(policy=wish.policy, dry_run=wish.dry_run)
        found = await reconcile_one(house, actor, account.id, how)
        return Reconciled(
            account_id=str(found.account_id),
            breaks=list(found.breaks),
            settled=found.settled,
            adopted=found.adopted,
            unread=list(found.unread),
        )

    @router.get("/breaks")
    async def breaks(
        actor: Who, account_id: PathId, limit: Limit = 50, after: After = None
    ) -> Page[BreakShown]:
        """List what differs and is not settled, the oldest first."""
        account, store = await look_at(house, actor, number(account_id))
        found = await store.read(open_breaks, account.id, fresh=True)
        return part_of(found, BreakShown, limit, after)

    @router.post("/breaks/{break_id}/settle", status_code=204)
    async def settle(actor: Who, account_id: PathId, break_id: PathId, why: Why) -> None:
        """Settle one by a person's word; what still differs is found again."""
        account, store = await change_at(house, actor, number(account_id))

        def write(tx: Tx) -> None:
            settle_break(tx, actor, number(break_id), why.reason, now, of=account.id)

        now = house.clock()
        await store.write(write, account=account.id)

    return router
