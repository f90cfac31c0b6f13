"""Prices that are published and not traded, which contracts are settled at: entered by a person."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from bahi.api.forms import Amount, Day, Form, Rupees, Text
from bahi.api.native.order_forms import (
    Symbol,
)
from bahi.api.routes import ForAdmins, Who
from bahi.bootstrap import House
from bahi.kernel.money import Price
from bahi.kernel.words import Segment
from bahi.orders.model.wishes import MOST
from bahi.portfolio.model.official import Official
from bahi.portfolio.service.official import enter_official


class NewPrice(Form):
    """What was published for a day: of a root (USDINR), or of a future that options are on."""

    segment: Segment
    name: Symbol
    day: Day
    price: Annotated[Rupees, Field(gt=0, le=MOST * 100)]
    source: Annotated[Text, Field(min_length=1)]


class PriceShown(BaseModel):
    """A published price."""

    segment: Segment
    name: str
    day: date
    price: Amount
    source: str


def official_routes(house: House) -> APIRouter:
    """Make the door of published prices."""
    router = APIRouter(prefix="/v1/official-prices", tags=["quotes"], route_class=ForAdmins)

    @router.post("", status_code=201)
    async def enter(actor: Who, wish: NewPrice) -> PriceShown:
        """Enter a published price; the same again does nothing, another one is refused."""
        entered = Official(wish.segment, wish.name, wish.day, Price(wish.price), wish.source)
        await house.stores["main"].write(enter_official, actor, entered, house.clock())
        return PriceShown(
            segment=wish.segment,
            name=wish.name,
            day=wish.day,
            price=wish.price,
            source=wish.source,
        )

    return router
