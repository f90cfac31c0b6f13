"""Holdings: what is held for delivery, what comes, and what it is worth by now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.kernel.money import Money, times
from bahi.portfolio.model.recorded import Held
from bahi.portfolio.service.looking import holdings_of
from bahi.quotes.model.quote import Quote
from bahi.web.frame import Frame
from bahi.web.pulse import Cell
from bahi.web.room import Room
from bahi.web.seat import Seat
from bahi.web.sheets import csv_of
from bahi.web.written import exactly, money, mood, price, signed

HERE: Final = "/holdings"
COLUMNS: Final = (
    "held.segment", "held.symbol", "held.total", "held.delivered", "held.coming", "held.pledged",
    "held.average", "held.cost", "value",
)  # fmt: skip


class Share(NamedTuple):
    """A holding with its newest price; value None: there is no price."""

    held: Held
    quote: Quote | None
    value: Money | None

    @property
    def gain(self) -> Money | None:
        """What it is worth beyond its cost, where that is known."""
        return None if self.value is None else Money(self.value - self.held.cost)


def holding_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page of holdings."""
    pages = Holdings(house, frame)
    pages.router.get(HERE)(pages.every)
    pages.router.get(f"{HERE}.csv")(pages.as_csv)
    pages.router.get(f"{HERE}/figures")(pages.tick)
    return pages.router


class Holdings(Room):
    """What is held for delivery."""

    async def every(self, request: Request) -> Response:
        """List holdings by symbol."""
        seat = await self.sit(request)
        found = await self._found(seat)
        figures = f"{HERE}/figures"
        return await self.show(
            request, seat, "holdings/page.html", here=HERE, figures=figures, found=found,
            whole=summed(found),
        )  # fmt: skip

    async def as_csv(self, request: Request) -> Response:
        """Hand them out as a file."""
        seat = await self.sit(request)
        return csv_of("holdings", COLUMNS, await self._found(seat))

    async def tick(self, request: Request) -> Response:
        """Say what they are worth by now."""
        seat = await self.sit(request)
        return await self.figures(request, seat, _cells(await self._found(seat)))

    async def _found(self, seat: Seat) -> list[Share]:
        kept = await self.books(seat)
        held = await kept.store.read(holdings_of, kept.account.id, fresh=True)
        await self.house.floor.renew()
        return [self._share(it) for it in sorted(held, key=lambda it: it.symbol)]

    def _share(self, it: Held) -> Share:
        market = self.house.floor.market
        listed = market.instrument(it.segment, it.symbol)
        quote = None if listed is None else market.quote(listed)
        value = None if quote is None else times(quote.last, it.total)
        return Share(it, quote, value)


class Whole(NamedTuple):
    """All holdings together; None: not known, because one of them is not."""

    cost: Money
    value: Money | None
    gain: Money | None


def summed(found: Sequence[Share]) -> Whole:
    """Add holdings up."""
    cost = Money(sum(it.held.cost for it in found))
    values = [it.value for it in found if it.value is not None]
    if len(values) < len(found):
        return Whole(cost, None, None)
    value = Money(sum(values))
    return Whole(cost, value, Money(value - cost))


def _cells(found: Sequence[Share]) -> Mapping[str, Cell]:
    cells: dict[str, Cell] = {}
    for it in found:
        name = f"{it.held.segment}-{it.held.symbol}"
        quote = it.quote
        why = f"There is no price of {it.held.symbol}."
        said = why if quote is None else f"{quote.source}, {exactly(quote.at)}"
        cells[f"last-{name}"] = (price(None if quote is None else quote.last), "", said)
        cells[f"value-{name}"] = (money(it.value), "", said)
        cells[f"gain-{name}"] = (signed(it.gain), mood(it.gain), said)
    whole = summed(found)
    why = "One of the shares has no price." if whole.value is None else ""
    cells["value"] = (money(whole.value), "", why)
    cells["gain"] = (signed(whole.gain), mood(whole.gain), why)
    return cells
