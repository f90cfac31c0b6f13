"""What is held for delivery: looked at, pledged, brought forward; and what companies did."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import BaseModel, Field

from bahi.api.forms import Amount, Day, Form, Id, PathId, Rupees, Text, When, Whole, number
from bahi.api.native.order_forms import (
    Symbol,
)
from bahi.api.routes import Authenticated, Who, joined
from bahi.bootstrap import House
from bahi.bootstrap.looking import change_at, look_at
from bahi.kernel.errors import Invalid
from bahi.kernel.money import SCALE, Money
from bahi.kernel.words import Product, Segment
from bahi.orders.model.wishes import MOST
from bahi.portfolio.model.adjustment import Action, Adjustment, Brought
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.recorded import Held
from bahi.portfolio.service.adjusting import Corporate, act
from bahi.portfolio.service.beginning import BroughtForward, bring_forward
from bahi.portfolio.service.holdings import pledge
from bahi.portfolio.service.looking import holdings_of

PREFIX = "/v1/accounts/{account_id}"
SHARE = Contract(is_option=False)
LARGEST_COST = 1_000_00_00_000 * SCALE
"""A thousand crore rupees."""
LARGEST_DIVIDEND = 10_000 * SCALE

Shares = Annotated[Whole, Field(ge=0, le=MOST)]
Ratio = Annotated[Whole, Field(ge=1, le=1_000_000)]


class MtfShown(BaseModel):
    """What is held beside it as MTF; of its cost `own` is the account's money."""

    total: int
    coming: int
    pledged: int
    average_price: Amount | None
    cost: Amount
    own: Amount


class HoldingShown(BaseModel):
    """What is held of one share; `coming` was bought and is not delivered yet."""

    segment: Segment
    symbol: str
    total: int
    delivered: int
    coming: int
    pledged: int
    average_price: Amount | None
    cost: Amount
    realized: Amount
    mtf: MtfShown | None

    @classmethod
    def of(cls, it: Held) -> Self:
        """Show it."""
        mtf = it.mtf
        return cls(
            segment=it.segment,
            symbol=it.symbol,
            total=it.total,
            delivered=it.delivered,
            coming=it.coming,
            pledged=it.pledged,
            average_price=it.average,
            cost=it.cost,
            realized=it.realized,
            mtf=None
            if not mtf.total
            else MtfShown(
                total=mtf.total,
                coming=mtf.coming,
                pledged=mtf.pledged,
                average_price=mtf.average,
                cost=mtf.cost,
                own=mtf.own,
            ),
        )


class Holdings(BaseModel):
    """Every share that an account holds, by symbol."""

    items: list[HoldingShown]


class Pledge(Form):
    """How much of an MTF holding is pledged, as a person did it at the broker."""

    segment: Segment
    symbol: Symbol
    quantity: Shares


class Lot(Form):
    """So many shares, bought on a day, at what they cost in all."""

    day: Day
    quantity: Annotated[Whole, Field(ge=1, le=MOST)]
    cost: Annotated[Rupees, Field(ge=0, le=LARGEST_COST)]


class BringForward(Form):
    """What was held before these books began, lot by lot."""

    segment: Segment
    symbol: Symbol
    lots: Annotated[list[Lot], Field(min_length=1, max_length=100)]
    reason: Annotated[Text, Field(min_length=1)]


class CorporateAction(Form):
    """What a company did: `new` for every `old` share, or so much per share."""

    segment: Segment
    symbol: Symbol
    product: Product = Product.CNC
    action: Action
    notice: Annotated[Text, Field(min_length=1, description="Its name: entered twice, done once.")]
    at: When
    new: Ratio = 1
    old: Ratio = 1
    per_share: Annotated[Rupees, Field(ge=0, le=LARGEST_DIVIDEND)] = 0


class AdjustmentShown(BaseModel):
    """What moved a position without a trade."""

    id: Id
    kind: str
    segment: Segment
    symbol: str
    product: Product
    quantity: int
    cost: Amount
    cash: Amount
    reason: str

    @classmethod
    def of(cls, it: Adjustment) -> Self:
        """Show it."""
        return cls(
            id=str(it.id),
            kind=it.kind,
            segment=it.key.segment,
            symbol=it.key.symbol,
            product=it.key.product,
            quantity=it.quantity,
            cost=it.value,
            cash=it.amount,
            reason=it.reason,
        )


class Adjustments(BaseModel):
    """What was adjusted; nothing where it was known already, or nothing is held."""

    items: list[AdjustmentShown]


def holding_routes(house: House) -> APIRouter:
    """Make the doors of holdings."""
    return joined(_looking(house), _entering(house))


def _looking(house: House) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["holdings"], route_class=Authenticated)

    @router.get("/holdings")
    async def holdings(actor: Who, account_id: PathId) -> Holdings:
        """List what is held for delivery."""
        account, store = await look_at(house, actor, number(account_id))
        found = await store.read(holdings_of, account.id, fresh=True)
        return Holdings(items=[HoldingShown.of(it) for it in found])

    return router


def _entering(house: House) -> APIRouter:
    router = APIRouter(prefix=PREFIX, tags=["holdings"], route_class=Authenticated)

    @router.put("/holdings/pledged")
    async def set_pledged(actor: Who, account_id: PathId, wish: Pledge) -> Holdings:
        """Say how much of an MTF holding is pledged; said again, nothing changes."""
        account, store = await change_at(house, actor, number(account_id))
        key = Key(wish.segment, wish.symbol, Product.MTF)
        which = (key, wish.quantity)
        await store.write(pledge, actor, account.id, which, house.clock(), account=account.id)
        found = await store.read(holdings_of, account.id, fresh=True)
        return Holdings(items=[HoldingShown.of(it) for it in found])

    @router.post("/holdings/brought-forward", status_code=201)
    async def enter_lots(actor: Who, account_id: PathId, wish: BringForward) -> AdjustmentShown:
        """Enter what was bought before these books began; no money of theirs moves.

        It has no name: entered twice, it is there twice.
        """
        account, store = await change_at(house, actor, number(account_id))
        listed = house.floor.market.instrument(wish.segment, wish.symbol)
        if listed is None:
            raise Invalid(f"symbol: {wish.symbol!r} is not listed on {wish.segment}.")
        brought = BroughtForward(
            account_id=account.id,
            key=Key(wish.segment, wish.symbol, Product.CNC),
            contract=SHARE,
            lots=tuple(Brought(it.day, it.quantity, Money(it.cost)) for it in wish.lots),
            reason=wish.reason,
            instrument_id=listed.id,
        )
        terms, now = house.floor.terms_of(account.id), house.clock()
        made = await store.write(bring_forward, actor, brought, terms, now, account=account.id)
        return AdjustmentShown.of(made)

    @router.post("/corporate-actions")
    async def enter_action(actor: Who, account_id: PathId, wish: CorporateAction) -> Adjustments:
        """Give effect to what a company did; the same notice again does nothing."""
        account, store = await change_at(house, actor, number(account_id))
        event = Corporate(
            account_id=account.id,
            key=Key(wish.segment, wish.symbol, wish.product),
            action=wish.action,
            notice=wish.notice,
            at=wish.at,
            new=wish.new,
            old=wish.old,
            per_share=Money(wish.per_share),
        )
        terms, now = house.floor.terms_of(account.id), house.clock()
        done = await store.write(act, actor, event, terms, now, account=account.id)
        return Adjustments(items=[AdjustmentShown.of(it) for it in done.made])

    return router
