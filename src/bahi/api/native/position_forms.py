"""What positions look like to programs, and what is asked of them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, Field

from bahi.api.forms import Amount, Form, Id, Instant, Whole
from bahi.api.native.order_forms import Name, Symbol
from bahi.api.native.order_shown import Fault, OrderShown
from bahi.kernel.words import Product, Segment
from bahi.orders.model.wishes import MOST
from bahi.orders.service.flattening import Flattened
from bahi.portfolio.model.position import Key, Position, average
from bahi.portfolio.model.worth import Worth


class PositionNamed(Form):
    """Which position."""

    segment: Segment
    symbol: Symbol
    product: Product

    @property
    def key(self) -> Key:
        """Return it as the books name it."""
        return Key(self.segment, self.symbol, self.product)


class Close(PositionNamed):
    """A position to close at the market."""

    client_order_id: Name | None = None


class Flatten(Form):
    """What to get out of: one position, or without one all of them."""

    position: PositionNamed | None = None


class Convert(PositionNamed):
    """So much of a position, to be held as another product."""

    to: Product
    quantity: Annotated[Whole, Field(ge=1, le=MOST)]


class Converted(BaseModel):
    """What was converted."""

    id: Id
    segment: Segment
    symbol: str
    product: Product
    to: Product
    moves: int
    stage: str


class DayShown(BaseModel):
    """What a position did on its newest day."""

    day: date | None
    overnight: int
    buy_quantity: int
    buy_value: Amount
    sell_quantity: int
    sell_value: Amount
    realized: Amount


class PositionShown(BaseModel):
    """A position as it is booked."""

    segment: Segment
    symbol: str
    product: Product
    net: int
    average_price: Amount | None
    buy_quantity: int
    buy_average: Amount | None
    sell_quantity: int
    sell_average: Amount | None
    realized: Amount
    margin: Amount
    today: DayShown

    @classmethod
    def of(cls, it: Position) -> Self:
        """Show it."""
        return cls(
            segment=it.key.segment,
            symbol=it.key.symbol,
            product=it.key.product,
            net=it.net,
            average_price=it.average,
            buy_quantity=it.buy_quantity,
            buy_average=average(it.buy_value, it.buy_quantity),
            sell_quantity=it.sell_quantity,
            sell_average=average(it.sell_value, it.sell_quantity),
            realized=it.realized,
            margin=it.margin,
            today=DayShown(
                day=it.day,
                overnight=it.overnight,
                buy_quantity=it.day_buy_quantity,
                buy_value=it.day_buy_value,
                sell_quantity=it.day_sell_quantity,
                sell_value=it.day_sell_value,
                realized=it.day_realized,
            ),
        )


class ValuedPosition(PositionShown):
    """A position with what it is worth; null is not known, and `why` says why."""

    last_price: Amount | None = None
    last_at: Instant | None = None
    source: str | None = None
    value: Amount | None = None
    unrealized: Amount | None = None
    why: str = ""

    @classmethod
    def valued(cls, it: Worth) -> Self:
        """Show it by its newest price."""
        shown = cls.of(it.position)
        mark = it.mark
        return shown.model_copy(
            update={
                "last_price": None if mark is None else mark.price,
                "last_at": None if mark is None else mark.at,
                "source": None if mark is None else mark.source,
                "value": it.value,
                "unrealized": it.unrealized,
                "why": it.why,
            }
        )


class Positions(BaseModel):
    """Every position of an account, by symbol."""

    items: list[ValuedPosition]


class ClosedShown(BaseModel):
    """What became of one position that was to be closed."""

    segment: Segment
    symbol: str
    product: Product
    orders: list[OrderShown]
    fault: Fault | None


class ClosedPositions(BaseModel):
    """What became of each."""

    items: list[ClosedShown]


class FlattenedShown(BaseModel):
    """What is left of a position, and what the last try of getting out of it met."""

    segment: Segment
    symbol: str
    product: Product
    left: int
    fault: str | None

    @classmethod
    def of(cls, it: Flattened) -> Self:
        """Show it."""
        segment, symbol, product = it.key
        return cls(segment=segment, symbol=symbol, product=product, left=it.left, fault=it.fault)


class FlattenedPositions(BaseModel):
    """What is left of each."""

    items: list[FlattenedShown]
