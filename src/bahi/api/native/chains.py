"""Option chains: the strikes of an underlying about a price."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from bahi.api.forms import Amount, Day, Id, Rupees
from bahi.api.native.instruments import OfSegment, Root
from bahi.api.routes import Kept, Who
from bahi.bootstrap import House
from bahi.bootstrap.chains import next_expiry, rungs_about, underlying_at
from bahi.instruments.model.instrument import Entry
from bahi.kernel.money import Price
from bahi.kernel.words import Segment

Ends = Annotated[Day | None, Query(description="Which expiry; else the nearest to come.")]
About = Annotated[
    Rupees | None, Query(description="The price to lay it out about; else the underlying's.")
]
Around = Annotated[int, Query(ge=0, le=100, description="Strikes on either side.")]


class OptionShown(BaseModel):
    """One side of a strike, and how it lies to the money."""

    id: Id
    symbol: str
    label: str | None


class RungShown(BaseModel):
    """A strike with its call and its put."""

    strike: Amount
    call: OptionShown | None
    put: OptionShown | None


class ChainShown(BaseModel):
    """The options of an underlying about a price, lowest strike first."""

    root: str
    segment: Segment
    expiry: date
    price: Amount
    at_the_money: Amount | None
    items: list[RungShown]


def chain_routes(house: House) -> APIRouter:
    """Make the door of option chains, which are laid out about a price."""
    router = APIRouter(prefix="/v1/instruments", tags=["instruments"], route_class=Kept)

    @router.get("/chain")
    async def chain(
        *,
        actor: Who,
        root: Root,
        segment: OfSegment,
        expiry: Ends = None,
        price: About = None,
        around: Around = 10,
    ) -> ChainShown:
        """Lay out the options of an underlying about a price."""
        del actor
        catalogue = await house.instruments.catalogue()
        found = catalogue.chain(root, segment)
        day = expiry or next_expiry(found, root, house.clock())
        given = None if price is None else Price(price)
        about = given or (await underlying_at(house, root, segment)).last
        rungs = rungs_about(found, day, about, around)
        labels = [it.strike for it in rungs if "ATM" in {it.call_label, it.put_label}]
        return ChainShown(
            root=root.strip().upper(),
            segment=segment,
            expiry=day,
            price=about,
            at_the_money=labels[0] if labels else None,
            items=[
                RungShown(
                    strike=it.strike,
                    call=_side(it.call, it.call_label),
                    put=_side(it.put, it.put_label),
                )
                for it in rungs
            ],
        )

    return router


def _side(entry: Entry | None, label: str | None) -> OptionShown | None:
    if entry is None:
        return None
    return OptionShown(id=str(entry.id), symbol=entry.symbol, label=label)
