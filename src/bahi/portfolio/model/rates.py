"""Rates: what trading costs and blocks, each for those trades that its conditions fit, by day.

Rates are rows of data. Of those that fit, the one with a condition holds, and else the one that
says most about the trade; what a person entered goes before all that came with Bahi.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from bahi.kernel.errors import Invalid
from bahi.kernel.money import Money
from bahi.kernel.words import EQUITY, Product, Segment, Side

BILLION: Final = 1_000_000_000
"""Rates are whole billionths: 0.00297 % is 29,700."""


class Kind(StrEnum):
    """What kind of thing is traded, as far as rates tell them apart."""

    EQUITY = "EQUITY"
    FUTURE = "FUTURE"
    OPTION = "OPTION"


class Charge(StrEnum):
    """Which charge a rate is of; what begins with `margin` is blocked and not charged.

    MARGIN_TIMES: so many times the usual margin. MARGIN_MOST: and then no larger a share.
    """

    BROKERAGE = "brokerage"
    EXCHANGE = "exchange"
    CLEARING = "clearing"
    STT = "stt"
    STAMP_DUTY = "stamp_duty"
    TRANSACTION = "transaction"
    SEBI_FEE = "sebi_fee"
    IPFT = "ipft"
    GST = "gst"
    DP = "dp"
    SQUARE_OFF = "square_off"
    MARGIN = "margin"
    MARGIN_EXTRA = "margin_extra"
    MARGIN_TIMES = "margin_times"
    MARGIN_MOST = "margin_most"
    INTEREST = "interest"


class Basis(StrEnum):
    """What a rate is of, or what an amount is for."""

    TURNOVER = "turnover"
    PREMIUM = "premium"
    INTRINSIC = "intrinsic"
    FEES = "fees"
    IPFT = "ipft"
    ORDER = "order"
    LOT = "lot"
    ISIN_DAY = "isin_day"
    CONTRACT_NOTE = "contract_note"
    CONTRACT = "contract"
    MARGIN = "margin"
    FUNDED_DAY = "funded_day"


class Deal(NamedTuple):
    """A trade, or an order, as far as a rate asks."""

    day: date
    segment: Segment
    kind: Kind
    product: Product
    side: Side
    conditions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One rate of one charge, between two days; what is None fits everything."""

    charge: Charge
    basis: Basis
    plan: str | None = None
    segment: Segment | None = None
    kind: Kind | None = None
    product: Product | None = None
    side: Side | None = None
    condition: str | None = None
    rate: int | None = None
    amount: Money | None = None
    at_most: Money | None = None
    at_least: Money | None = None
    valid_from: date
    valid_until: date | None = None
    is_verified: bool = False
    source: str = ""
    release: int | None = None
    id: int = field(default=0, compare=False)

    @property
    def is_shipped(self) -> bool:
        """Whether it came with Bahi and is not a person's."""
        return self.release is not None

    @property
    def says(self) -> int:
        """How much it says about the trades that it is for."""
        asked = (self.plan, self.segment, self.kind, self.product, self.side)
        return sum(it is not None for it in asked)

    def fits(self, deal: Deal) -> bool:
        """Say whether a trade is one of those that it is for."""
        return (
            self.valid_from <= deal.day
            and (self.valid_until is None or deal.day <= self.valid_until)
            and self.segment in {None, deal.segment}
            and self.kind in {None, deal.kind}
            and self.product in {None, deal.product}
            and self.side in {None, deal.side}
            and (self.condition is None or self.condition in deal.conditions)
        )

    def of(self, basis: int) -> Money:
        """Return the charge on an amount (or on a number of pieces), to the ten-thousandth."""
        charge = nearest(basis * self.rate, BILLION) if self.rate is not None else 0
        charge += (self.amount or 0) * (1 if self.rate is not None else basis)
        if self.at_least is not None:
            charge = max(charge, self.at_least)
        if self.at_most is not None:
            charge = min(charge, self.at_most)
        return Money(charge)


def nearest(value: int, parts: int) -> int:
    """Return a part of a value to the nearest whole; from the middle, up."""
    return (2 * value + parts) // (2 * parts)


def kind_of(segment: Segment, *, is_option: bool) -> Kind:
    """Say what kind of thing is traded in a segment."""
    if is_option:
        return Kind.OPTION
    return Kind.EQUITY if segment in EQUITY else Kind.FUTURE


APART: Final = frozenset({Basis.INTRINSIC, Basis.IPFT})
"""Bases that a charge is taken of beside its usual one, and not instead of it."""

Chosen = dict[tuple[Charge, Basis | None], Rate]


class Rates:
    """All rates of one plan, read into memory; it never changes, and remembers what it found."""

    REMEMBERED: Final = 4_096

    def __init__(self, rates: Iterable[Rate], plan: str | None = None) -> None:
        self.plan = plan
        self._rates = tuple(it for it in rates if it.plan in {None, plan})
        self._found: dict[Deal, Chosen] = {}

    def __iter__(self) -> Iterator[Rate]:
        return iter(self._rates)

    def __bool__(self) -> bool:
        return bool(self._rates)

    def on(self, deal: Deal) -> Chosen:
        """Return the rates that hold for a trade: one for each charge."""
        known = self._found.get(deal)
        if known is None:
            if len(self._found) >= self.REMEMBERED:
                self._found.clear()
            known = self._found[deal] = self._chosen(deal)
        return known

    def find(self, deal: Deal, charge: Charge, apart: Basis | None = None) -> Rate | None:
        """Return the rate of a charge where there is one; some bases are charged apart."""
        return self.on(deal).get((charge, apart))

    def _chosen(self, deal: Deal) -> Chosen:
        fitting = sorted((it for it in self._rates if it.fits(deal)), key=_weight)
        return {(it.charge, it.basis if it.basis in APART else None): it for it in fitting}


def _weight(rate: Rate) -> tuple[bool, bool, int, date, int]:
    """Order rates so that the one that holds comes last: where nothing else tells, the dearest."""
    named = rate.condition is not None
    return (not rate.is_shipped, named, rate.says, rate.valid_from, rate.rate or rate.amount or 0)


class EveryPlan:
    """The rates of all plans, from which those of one are taken."""

    def __init__(self, rates: Iterable[Rate] = ()) -> None:
        self.rates = tuple(rates)
        self._plans: dict[str, Rates] = {}

    def of(self, plan: str) -> Rates:
        """Return the rates of a plan; one without any is refused, for it would cost nothing."""
        if plan not in self._plans:
            known = sorted({it.plan for it in self.rates if it.plan is not None})
            if plan not in known:
                raise Invalid(f"There are no rates of plan {plan!r}; there are {', '.join(known)}.")
            self._plans[plan] = Rates(self.rates, plan)
        return self._plans[plan]


NO_RATES: Final = Rates(())
