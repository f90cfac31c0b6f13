"""What was made: by day, symbol, product or segment; and by lots, as it is taxed."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from bahi.api.forms import Amount, Day, PathId, Shown, number
from bahi.api.routes import Authenticated, Who
from bahi.bootstrap import House
from bahi.bootstrap.looking import look_at
from bahi.db.stores import Store
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid
from bahi.orders.service.looking import strategies_of
from bahi.portfolio.model.gains import Gain, Total, summed
from bahi.portfolio.model.lots import Term
from bahi.portfolio.service.reports import Period, closed_lots, gains, strategy_of, tax_of

PREFIX = "/v1/accounts/{account_id}/reports"
LONGEST: Final = timedelta(days=400)

First = Annotated[Day | None, Query(description="The first day; else the 1st of April.")]
Last = Annotated[Day | None, Query(description="The last day; else today.")]
Label = Literal["day", "symbol", "product", "segment", "strategy"]
By = Annotated[
    Label, Query(description="What the sums are of; what is owed beside trades is of no symbol.")
]

LABELS: Final[dict[str, Callable[[Gain], Hashable]]] = {
    "day": lambda it: it.day.isoformat(),
    "symbol": lambda it: None if it.key is None else it.key.symbol,
    "product": lambda it: None if it.key is None else str(it.key.product),
    "segment": lambda it: None if it.key is None else str(it.key.segment),
}


class TotalShown(Shown):
    """Sums of gains at average cost; `charges` are taken off in `net`."""

    gross: Amount
    charges: Amount
    net: Amount
    bought: Amount
    sold: Amount
    turnover: Amount
    net_cash: Amount
    trades: int


class LabelledTotal(TotalShown):
    """The sums of one day, symbol, product, segment or strategy; null: of none."""

    label: str | None


class GainsShown(BaseModel):
    """What a period made, by label and in all."""

    first: date
    last: date
    items: list[LabelledTotal]
    total: TotalShown


class MatchShown(BaseModel):
    """A part of a lot with what closed it."""

    symbol: str
    term: Term
    opened: date
    closed: date
    quantity: int
    bought: Amount
    sold: Amount
    gain: Amount


class Matches(BaseModel):
    """What was closed in a period, first in first out."""

    first: date
    last: date
    items: list[MatchShown]


class TaxedShown(Shown):
    """What was gained of one kind of income; turnover is the sum of gains and losses."""

    term: Term
    gain: Amount
    turnover: Amount
    bought: Amount
    sold: Amount


class TaxShown(BaseModel):
    """What a period made, by how it is taxed."""

    first: date
    last: date
    items: list[TaxedShown]


def report_routes(house: House) -> APIRouter:
    """Make the doors of reports."""
    router = APIRouter(prefix=PREFIX, tags=["reports"], route_class=Authenticated)
    archive = house.stores["archive"]

    @router.get("/gains")
    async def report_gains(
        actor: Who, account_id: PathId, first: First = None, last: Last = None, by: By = "day"
    ) -> GainsShown:
        """Say what a period gained at average cost, and what it was charged."""
        over = _period(house, first, last)
        account, store = await look_at(house, actor, number(account_id))
        found = await gains(store, account.id, over, archive=archive)
        sums = summed(found, LABELS.get(by) or await _strategies(found, store, archive))
        labels = sorted(sums, key=lambda label: (label is None, str(label)))
        whole = summed(found, lambda _: None).get(None, Total())
        return GainsShown(
            first=over.first,
            last=over.last,
            items=[LabelledTotal.model_validate(_labelled(it, sums[it])) for it in labels],
            total=TotalShown.model_validate(whole),
        )

    @router.get("/lots")
    async def report_lots(
        actor: Who, account_id: PathId, first: First = None, last: Last = None
    ) -> Matches:
        """Say what was closed in a period, lot by lot, with what it is taxed as."""
        over = _period(house, first, last)
        account, store = await look_at(house, actor, number(account_id))
        found = await closed_lots(store, account.id, over, archive=archive)
        return Matches(
            first=over.first,
            last=over.last,
            items=[
                MatchShown(
                    symbol=it.symbol,
                    term=it.match.term,
                    opened=it.match.opened,
                    closed=it.match.closed,
                    quantity=it.match.quantity,
                    bought=it.match.bought,
                    sold=it.match.sold,
                    gain=it.match.gain,
                )
                for it in found
            ],
        )

    @router.get("/tax")
    async def report_tax(
        actor: Who, account_id: PathId, first: First = None, last: Last = None
    ) -> TaxShown:
        """Say what a period gained by kind of income."""
        over = _period(house, first, last)
        account, store = await look_at(house, actor, number(account_id))
        found = await tax_of(store, {account.name: [account.id]}, over, archive=archive)
        sums = found[account.name]
        return TaxShown(
            first=over.first,
            last=over.last,
            items=[
                TaxedShown.model_validate({"term": term, **sums[term]._asdict()})
                for term in sorted(sums)
            ],
        )

    return router


async def _strategies(found: list[Gain], *stores: Store) -> Callable[[Gain], str | None]:
    ids = {it.order_id for it in found if it.order_id is not None}
    return strategy_of(await strategies_of(ids, *stores))


def _period(house: House, first: date | None, last: date | None) -> Period:
    """Return the days that are meant: the financial year so far, where nobody says."""
    last = last or exchange_day(house.clock())
    first = first or date(last.year if last.month >= 4 else last.year - 1, 4, 1)
    if first > last:
        raise Invalid(f"first: {first} comes after {last}; give the earlier day first.")
    if last - first > LONGEST:
        raise Invalid(f"first: a report is of {LONGEST.days} days at most; ask for parts.")
    return Period(first, last)


def _labelled(label: Hashable, total: Total) -> dict[str, Any]:
    names = TotalShown.model_fields
    return {"label": label, **{name: getattr(total, name) for name in names}}
