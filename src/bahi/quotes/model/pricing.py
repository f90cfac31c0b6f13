"""From what a name is worth to what an instrument costs: whole ticks, and the same for everybody.

Floats live here alone: they are reckoned with and then rounded to a tick, once. Every price here
only rises, or only falls, with what its name is worth; so a day's high and low carry over.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, exp, log, sqrt
from typing import Final, Protocol

from bahi.kernel.money import Price

RATE: Final = 0.065
"""What money costs in a year: the basis of futures, and the discount of options."""
YEAR: Final = 365.0
ROOT_TWO: Final = sqrt(2.0)
SMALLEST_LIFE: Final = 1 / (365 * 24 * 4)
SKEW: Final = -0.35
SMILE: Final = 1.6


class Pricing(Protocol):
    """Turns what a name is worth, in a block of the day, into an instrument's price."""

    @property
    def falls(self) -> bool:
        """Whether it falls when the name rises."""

    def price(self, worth: float, block: int) -> Price:
        """Return the price, on its tick and within its band."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The prices that an instrument can have."""

    tick: int
    lowest: int
    highest: int | None

    @classmethod
    def within(cls, tick: int, lower: int | None, upper: int | None) -> Grid:
        """Make the grid of a tick within a band; a band that holds no tick is as wide as one."""
        lowest = max(tick, -(-(lower or 0) // tick) * tick)
        highest = None if upper is None or upper <= 0 else upper // tick * tick
        return cls(tick, lowest, None if highest is None else max(lowest, highest))

    def nearest(self, price: float) -> Price:
        """Return the nearest price of the grid."""
        on = int(price / self.tick + 0.5) * self.tick
        if on <= self.lowest:
            return Price(self.lowest)
        return Price(on if self.highest is None or on <= self.highest else self.highest)


@dataclass(frozen=True, slots=True)
class Spot:
    """A share, an index, or a future: so many times what its name is worth."""

    grid: Grid
    factor: float = 1.0
    falls: bool = False

    def price(self, worth: float, block: int) -> Price:
        """Return the price; the hour does not matter."""
        del block
        return self.grid.nearest(worth * self.factor)


@dataclass(frozen=True, slots=True)
class Option:
    """A call or a put, by Black's formula on the future of its day of expiry.

    `lives` is the time to expiry in years, block by block of the day (see `block_of`); it is over
    when the name closes. The smile is drawn over the last close, so that it stands still while the
    day moves.
    """

    grid: Grid
    factor: float
    strike: float
    volatility: float
    lives: tuple[float, ...]
    is_call: bool

    @property
    def falls(self) -> bool:
        """A put falls when its underlying rises."""
        return not self.is_call

    def price(self, worth: float, block: int) -> Price:
        """Return the premium."""
        life = self.lives[block]
        return self.grid.nearest(
            black(worth * self.factor, self.strike, self.volatility, life, is_call=self.is_call)
        )


def black(forward: float, strike: float, volatility: float, life: float, *, is_call: bool) -> float:
    """Return what an option on a future is worth today; at its end, what lies within the strike."""
    if life <= 0:
        return max(0.0, forward - strike if is_call else strike - forward)
    spread = volatility * sqrt(life)
    d1 = log(forward / strike) / spread + spread / 2
    discount = exp(-RATE * life)
    if is_call:
        return discount * (forward * _below(d1) - strike * _below(d1 - spread))
    return discount * (strike * _below(spread - d1) - forward * _below(-d1))


def _below(x: float) -> float:
    return 0.5 * (1.0 + erf(x / ROOT_TWO))


def carry(days: int) -> float:
    """Return how far a future that has so many days to go stands above its underlying."""
    return exp(RATE * max(0, days) / YEAR)


def smile(at_the_money: float, forward: float, strike: float, life: float) -> float:
    """Return the volatility of a strike: more for what lies far out, and most far below."""
    far = log(strike / forward) / sqrt(max(life, 7 / YEAR))
    far = max(-1.5, min(1.5, far))
    return at_the_money * max(0.5, min(3.0, 1 + SKEW * far + SMILE * far * far))
