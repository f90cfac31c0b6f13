"""What limits and switches look like to programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Annotated, Self

from pydantic import BaseModel, Field

from bahi.api.forms import Amount, Form, Id, Instant, Rupees, Text, Whole, number
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Invalid
from bahi.kernel.money import Money
from bahi.kernel.words import Product, Segment
from bahi.risk.model.control import Held, Scope, Switch, Whom
from bahi.risk.model.limits import Limits
from bahi.risk.model.rate import Window

Count = Annotated[Whole, Field(ge=0, le=1_000_000)]
Hour = Annotated[time, Field(examples=["09:15"])]


class WhomAsked(Form):
    """Everybody, a user's accounts, an account, or a strategy; a user is oneself by default."""

    scope: Scope
    user_id: Id | None = None
    account_id: Id | None = None
    strategy: Annotated[Text, Field(min_length=1, max_length=100)] | None = None

    def whom(self, actor: Actor) -> Whom:
        """Return who is meant; what the scope does not ask for is refused, never left aside."""
        user_id = None if self.user_id is None else number(self.user_id)
        own = self.scope is Scope.USER or (self.scope is Scope.STRATEGY and not actor.is_admin)
        takes = {
            Scope.GLOBAL: set[str](),
            Scope.USER: {"user_id"},
            Scope.ACCOUNT: {"account_id"},
            Scope.STRATEGY: {"strategy", "user_id"},
        }[self.scope]
        for name in ("user_id", "account_id", "strategy"):
            if getattr(self, name) is not None and name not in takes:
                raise Invalid(f"{name}: the scope {self.scope} has none; leave it out.")
        return Whom(
            scope=self.scope,
            user_id=actor.user_id if user_id is None and own else user_id,
            account_id=None if self.account_id is None else number(self.account_id),
            strategy=self.strategy,
        )


class WhomShown(BaseModel):
    """Whom something binds."""

    scope: Scope
    user_id: Id | None
    account_id: Id | None
    strategy: str | None

    @classmethod
    def of(cls, it: Whom) -> Self:
        """Show it."""
        return cls(
            scope=it.scope,
            user_id=None if it.user_id is None else str(it.user_id),
            account_id=None if it.account_id is None else str(it.account_id),
            strategy=it.strategy,
        )


class RateShown(BaseModel):
    """So many orders in so many seconds."""

    orders: Annotated[Whole, Field(ge=1, le=1_000_000)]
    seconds: Annotated[Whole, Field(ge=1, le=86_400)]


class HoursShown(BaseModel):
    """From an hour to just before another, in India."""

    begins: Hour
    ends: Hour


class LimitsAsked(Form):
    """What somebody is to be held to; what is left out is no limit, an empty list allows all."""

    daily_loss: Rupees | None = None
    position_value: Rupees | None = None
    order_value: Rupees | None = None
    orders_a_day: Count | None = None
    open_orders: Count | None = None
    price_band_percent: Rupees | None = None
    symbols: list[Text] = Field([], max_length=500)
    segments: list[Segment] = Field([], max_length=20)
    products: list[Product] = Field([], max_length=20)
    hours: HoursShown | None = None
    rates: list[RateShown] = Field([], max_length=10)

    def limits(self) -> Limits:
        """Return them as they are kept."""
        hours = self.hours
        if hours is not None and (hours.begins.tzinfo or hours.ends.tzinfo):
            raise Invalid("hours: they are the exchange's; write them without a zone: 09:15.")
        return Limits(
            daily_loss=_money(self.daily_loss),
            position_value=_money(self.position_value),
            order_value=_money(self.order_value),
            orders_a_day=self.orders_a_day,
            open_orders=self.open_orders,
            price_band=self.price_band_percent,
            symbols=frozenset(self.symbols),
            segments=frozenset(self.segments),
            products=frozenset(self.products),
            hours=None if hours is None else (hours.begins, hours.ends),
            rates=tuple(Window(it.orders, it.seconds) for it in self.rates),
        )


class LimitsShown(BaseModel):
    """What somebody is held to; null is no limit, `(none)` in a list allows nothing."""

    daily_loss: Amount | None
    position_value: Amount | None
    order_value: Amount | None
    orders_a_day: int | None
    open_orders: int | None
    price_band_percent: Amount | None
    symbols: list[str]
    segments: list[str]
    products: list[str]
    hours: HoursShown | None
    rates: list[RateShown]

    @classmethod
    def of(cls, it: Limits) -> Self:
        """Show them."""
        hours = it.hours
        return cls(
            daily_loss=it.daily_loss,
            position_value=it.position_value,
            order_value=it.order_value,
            orders_a_day=it.orders_a_day,
            open_orders=it.open_orders,
            price_band_percent=it.price_band,
            symbols=sorted(it.symbols),
            segments=sorted(it.segments),
            products=sorted(it.products),
            hours=None if hours is None else HoursShown(begins=hours[0], ends=hours[1]),
            rates=[RateShown(orders=each.orders, seconds=each.seconds) for each in it.rates],
        )


class SwitchShown(BaseModel):
    """A kill switch that is engaged."""

    id: Id
    whom: WhomShown
    reason: str
    by: str
    since: Instant

    @classmethod
    def of(cls, it: Switch) -> Self:
        """Show it."""
        whom = WhomShown.of(it.whom)
        return cls(id=str(it.id), whom=whom, reason=it.reason, by=it.by, since=it.since)


class HeldShown(BaseModel):
    """Limits that bind somebody from an instant on."""

    whom: WhomShown
    limits: LimitsShown
    since: Instant
    by: str
    reason: str | None

    @classmethod
    def of(cls, it: Held) -> Self:
        """Show them."""
        return cls(
            whom=WhomShown.of(it.whom),
            limits=LimitsShown.of(it.limits),
            since=it.since,
            by=it.by,
            reason=it.reason,
        )


class HeldOf(BaseModel):
    """The limits of one: those that bind now, those to come; `version` is for `If-Match`."""

    whom: WhomShown
    version: str
    items: list[HeldShown]

    @classmethod
    def of(cls, whom: Whom, many: Sequence[Held]) -> Self:
        """Show them once, as every store has the same."""
        once = {(it.since, it.limits): it for it in many}
        ordered = sorted(once.values(), key=lambda it: it.since)
        return cls(
            whom=WhomShown.of(whom),
            version=version_of(many),
            items=[HeldShown.of(it) for it in ordered],
        )


def version_of(many: Sequence[Held]) -> str:
    """Name the rows that limits are kept in."""
    return "-".join(str(it) for it in sorted(each.id for each in many)) or "0"


def seen_in(version: str | None) -> frozenset[int] | None:
    """Return the rows that a version names."""
    if version is None:
        return None
    return frozenset(int(it) for it in version.strip('"').split("-"))


def _money(said: int | None) -> Money | None:
    return None if said is None else Money(said)
