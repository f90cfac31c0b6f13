"""Option chains: the strikes of an underlying about a price."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel

from bahi.api.forms import Amount, Day, Id, Rupees
from bahi.api.native.instruments import OfSegment, Root
from bahi.api.routes import Kept, Who
from bahi.bootstrap import House
from bahi.instruments.model.instrument import Entry
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.money import Price
from bahi.kernel.words import Segment

Ends = Annotated[Day | None, Query(description="Which expiry; else the nearest to come.")]
About = Annotated[
    Rupees | None, Query(description="The price to lay it out about; else the underlying's.")
]
Around = Annotated[int, Query(ge=0, le=100, description="Strikes on either side.")]

_SPOTS: Final = {
    Segment.NSE_FNO: (Segment.NSE_INDEX, Segment.NSE_EQ),
    Segment.BSE_FNO: (Segment.BSE_INDEX, Segment.BSE_EQ),
    Segment.MCX_COMM: (Segment.MCX_INDEX,),
}
"""Where what contracts are on is listed itself."""


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
        if expiry is None:
            today = exchange_day(house.clock())
            to_come = [day for day in found.expiries if day >= today]
            if not to_come:
                raise NotFound(f"No option of {root.strip().upper()} ends from today on.")
            expiry = to_come[0]
        about = Price(price) if price is not None else await _price_of(house, root, segment)
        rungs = found.at(expiry, about, around)
        labels = [it.strike for it in rungs if "ATM" in {it.call_label, it.put_label}]
        return ChainShown(
            root=root.strip().upper(),
            segment=segment,
            expiry=expiry,
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


async def _price_of(house: House, root: str, segment: Segment) -> Price:
    """Return what an underlying costs: as an index, as a share, or where its options are."""
    catalogue = await house.instruments.catalogue()
    word = root.strip().upper()
    places = (segment, *_SPOTS.get(segment, ()))
    spots = [it for place in places if (it := catalogue.find(word, place)) is not None]
    if not spots:
        raise Invalid(f"price: what {word} costs is not known here; name a price.")
    return (await house.quotes.quote(spots[0])).last


def _side(entry: Entry | None, label: str | None) -> OptionShown | None:
    if entry is None:
        return None
    return OptionShown(id=str(entry.id), symbol=entry.symbol, label=label)
