"""What an option's price says: its implied volatility, and how it moves with everything else.

Black-76 takes a forward or a future, Black-Scholes a price on the spot market; the formulas are the
library's. What is left to us is the search for the volatility, and to say no where there is none:
a price that no volatility makes is a stale one or a wrong one, and no figure of it means anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import exp, isfinite
from typing import Final, Protocol

from blackscholes import (  # type: ignore[import-untyped] # it tells no types
    Black76Call,
    Black76Put,
    BlackScholesCall,
    BlackScholesPut,
)

from bahi.kernel.errors import Invalid
from bahi.kernel.words import OptionType

DAYS: Final = 365.0
LOWEST: Final = 1e-4
HIGHEST: Final = 64.0
"""Volatility is looked for between these: 0.01 % and 6,400 % a year."""
STEPS: Final = 100
CLOSE: Final = 1e-12
"""The search ends where the bracket is this narrow, as a part of its upper end."""
MONEY_AT_MOST: Final = 1e12
LONGEST: Final = 100.0
STEEPEST: Final = 1.0
"""Interest is below 100 % a year, either way."""


class Model(StrEnum):
    """Which formula."""

    BLACK_76 = "black76"
    BLACK_SCHOLES = "black-scholes"


class Unpriced(Invalid):
    """No volatility makes this price."""

    code = "no_implied_volatility"


class _Formula(Protocol):
    """What is asked of the library's options."""

    def price(self) -> float: ...
    def delta(self) -> float: ...
    def gamma(self) -> float: ...
    def theta(self) -> float: ...
    def vega(self) -> float: ...
    def rho(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """One option: `underlying` is the forward in Black-76, the spot price in Black-Scholes.

    `life` is what is left of it, in years of 365 days; `rate` is the interest of a year, 0.065.
    """

    model: Model
    right: OptionType
    underlying: float
    strike: float
    life: float
    rate: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no formula takes."""
        for name, value in (("underlying", self.underlying), ("strike", self.strike)):
            if not 0 < value <= MONEY_AT_MOST:
                raise Invalid(f"{name}: {value} cannot be; it has to be above zero.")
        if not isfinite(self.rate) or abs(self.rate) >= STEEPEST:
            raise Invalid(f"interest_rate: {self.rate:.2%} cannot be; it is below 100 % a year.")
        if not self.life <= LONGEST:
            raise Invalid(f"expiry: no option lives for {self.life:.0f} years.")
        if self.life <= 0:
            raise Unpriced("This option has expired: there is no volatility of it any more.")

    @property
    def is_call(self) -> bool:
        """Whether it is a right to buy."""
        return self.right is OptionType.CE

    @property
    def bounds(self) -> tuple[float, float]:
        """Between which prices nobody can make money of it without a risk."""
        discount = exp(-self.rate * self.life)
        held = self.underlying * (discount if self.model is Model.BLACK_76 else 1.0)
        paid = self.strike * discount
        if self.is_call:
            return max(0.0, held - paid), held
        return max(0.0, paid - held), paid

    def at(self, volatility: float) -> _Formula:
        """Return it as the library knows it, at a volatility."""
        given = {"K": self.strike, "T": self.life, "r": self.rate, "sigma": volatility}
        option: _Formula
        if self.model is Model.BLACK_76:
            kind = Black76Call if self.is_call else Black76Put
            option = kind(F=self.underlying, **given)
        else:
            of_spot = BlackScholesCall if self.is_call else BlackScholesPut
            option = of_spot(S=self.underlying, **given)
        return option

    def price(self, volatility: float) -> float:
        """Return what it is worth at a volatility."""
        return self.at(volatility).price()


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeks:
    """How an option's price moves, in the units that traders use.

    By one rupee of the underlying (`delta`, and `gamma` of that), by a day (`theta`), by one
    percent of volatility (`vega`), by one percent of interest (`rho`).
    """

    delta: float
    gamma: float
    theta: float
    vega: float
    rho: float


def implied_volatility(terms: Terms, price: float) -> float:
    """Return the volatility that makes a price: 0.15 is 15 % a year."""
    lowest, highest = terms.bounds
    if not lowest < price < highest:
        raise Unpriced(_beyond(price, lowest, highest))
    low, high = LOWEST, 1.0
    if terms.price(low) >= price:
        raise Unpriced(_beyond(price, lowest, highest))
    while terms.price(high) < price:
        if high >= HIGHEST:
            raise Unpriced(_beyond(price, lowest, highest))
        low, high = high, high * 2
    for _ in range(STEPS):
        middle = (low + high) / 2
        if terms.price(middle) < price:
            low = middle
        else:
            high = middle
        if high - low <= CLOSE * high:
            break
    return (low + high) / 2


def greeks_of(terms: Terms, volatility: float) -> Greeks:
    """Return how an option moves at a volatility."""
    option = terms.at(volatility)
    return Greeks(
        delta=option.delta(),
        gamma=option.gamma(),
        theta=option.theta() / DAYS,
        vega=option.vega() / 100,
        rho=option.rho() / 100,
    )


def _beyond(price: float, lowest: float, highest: float) -> str:
    if price <= lowest:
        return (
            f"A price of {price:.4g} is no more than the {lowest:.6g} that this option is worth at "
            "once, so no volatility makes it; its last trade is probably old."
        )
    return (
        f"A price of {price:.4g} is more than any volatility makes: this option is always worth "
        f"less than {highest:.6g}."
    )
