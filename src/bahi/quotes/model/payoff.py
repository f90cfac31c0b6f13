"""What a strategy of options, futures and shares makes when they end, whatever the price is then.

Between two strikes the profit is a straight line, so it is known by what it is at each of them and
by its slope beyond the last. An option is worth what it is in the money by; a future, or a share,
what it costs. All of it is whole ten-thousandths; break-evens are exact fractions of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

from bahi.kernel.errors import Invalid
from bahi.kernel.money import SCALE, Money, Price
from bahi.kernel.words import OptionType
from bahi.quotes.model.greeks import Model, Terms

LEGS_AT_MOST: Final = 50
BEYOND: Final = Fraction(1, 10)
"""How far the picture goes beyond the outermost strike, as a part of it, where nobody says."""
NONE_OF_IT: Final = Price(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """So many of one thing at a price: an option with its strike, or a future or share without.

    `quantity` is of units, not lots: negative is sold. `volatility` (0.15 is 15 % a year) is for
    who asks what it is worth before its end.
    """

    quantity: int
    price: Price
    right: OptionType | None = None
    strike: Price | None = None
    volatility: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no leg."""
        if not self.quantity:
            raise Invalid("quantity: a leg is of something; above zero is bought, below is sold.")
        if (self.right is None) is not (self.strike is None):
            raise Invalid("strike: an option has one, a future or a share has none.")
        if self.strike is not None and self.strike <= 0:
            raise Invalid("strike: it has to be above zero.")

    @property
    def slope(self) -> int:
        """What it makes of each rupee that the price is higher, where that is high enough."""
        return 0 if self.right is OptionType.PE else self.quantity

    def worth(self, price: Price) -> Money:
        """Return what it is worth at its end, when the underlying costs so much."""
        if self.strike is None:
            return Money(price * self.quantity)
        gone = price - self.strike if self.right is OptionType.CE else self.strike - price
        return Money(max(gone, 0) * self.quantity)

    def profit(self, price: Price) -> Money:
        """Return what it makes at its end, when the underlying costs so much."""
        return Money(self.worth(price) - self.price * self.quantity)


class Point(NamedTuple):
    """What is made at a price of the underlying."""

    price: Price
    profit: Money


class Payoff(NamedTuple):
    """What legs make at their end, together; a greatest of None has no bound.

    `points` are the kinks with both ends of the picture: between them it is straight. A break-even
    is a fraction of ten-thousandths; where nothing is made over a whole stretch, its ends are told.
    """

    points: tuple[Point, ...]
    break_evens: tuple[Fraction, ...]
    greatest_profit: Money | None
    greatest_loss: Money | None
    slope_beyond: int

    @property
    def is_unbounded(self) -> bool:
        """Whether profit, or loss, grows for as long as the price does."""
        return self.slope_beyond != 0


def profit_of(legs: Sequence[Leg], price: Price) -> Money:
    """Return what legs make at their end, when the underlying costs so much."""
    return Money(sum(it.profit(price) for it in legs))


def payoff_of(legs: Sequence[Leg], first: Price | None = None, last: Price | None = None) -> Payoff:
    """Return what legs make at their end, drawn from one price to another."""
    strikes = _strikes(_some(legs))
    low, high = _ends(legs, strikes, first, last)
    prices = sorted({low, high, *(it for it in strikes if low <= it <= high)})
    slope = sum(it.slope for it in legs)
    kinks = [NONE_OF_IT, *strikes]  # a price is never below zero
    at_kinks = [profit_of(legs, it) for it in kinks]
    return Payoff(
        points=tuple(Point(it, profit_of(legs, it)) for it in prices),
        break_evens=tuple(_break_evens(list(zip(kinks, at_kinks, strict=True)), slope)),
        greatest_profit=None if slope > 0 else max(at_kinks),
        greatest_loss=None if slope < 0 else min(at_kinks),
        slope_beyond=slope,
    )


def _some(legs: Sequence[Leg]) -> Sequence[Leg]:
    if not 1 <= len(legs) <= LEGS_AT_MOST:
        raise Invalid(f"legs: these are {len(legs)}; a payoff is of 1 to {LEGS_AT_MOST}.")
    return legs


def _strikes(legs: Sequence[Leg]) -> list[Price]:
    return sorted({it.strike for it in legs if it.strike is not None})


def _ends(
    legs: Sequence[Leg], strikes: Sequence[Price], first: Price | None, last: Price | None
) -> tuple[Price, Price]:
    """Return from where to where it is drawn: a tenth beyond what the legs are about."""
    about = strikes or [it.price for it in legs]
    low = max(0, int(min(about) * (1 - BEYOND))) if first is None else first
    high = int(max(about) * (1 + BEYOND)) + 1 if last is None else last
    if not 0 <= low < high:
        raise Invalid("first: a payoff is drawn from a price of 0 or more to a higher one.")
    return Price(low), Price(high)


def _break_evens(kinks: Sequence[tuple[Price, Money]], slope: int) -> Iterator[Fraction]:
    """Yield where nothing is made or lost, lowest first, each once."""
    for place, (price, profit) in enumerate(kinks):
        if profit == 0:
            yield Fraction(price)
        if place + 1 < len(kinks):
            further, then = kinks[place + 1]
            if profit * then < 0:
                yield price + Fraction(-profit * (further - price), then - profit)
        elif profit * slope < 0:
            yield price + Fraction(-profit, slope)


def before_its_end(
    legs: Sequence[Leg], prices: Sequence[Price], life: float, rate: float = 0.0
) -> list[Money | None]:
    """Return what legs make at prices of their underlying so many years before they end.

    By Black-76, each option at the volatility that it has; where one has none it is not known.
    """
    return [_before(_some(legs), it, life, rate) for it in prices]


def _before(legs: Sequence[Leg], price: Price, life: float, rate: float) -> Money | None:
    made = 0
    for it in legs:
        if it.strike is None or life <= 0 or price <= 0:
            made += it.profit(price)
        elif it.right is None or it.volatility is None:
            return None
        else:
            terms = Terms(
                model=Model.BLACK_76,
                right=it.right,
                underlying=price / SCALE,
                strike=it.strike / SCALE,
                life=life,
                rate=rate,
            )
            each = round(terms.price(it.volatility) * SCALE)
            made += (each - it.price) * it.quantity
    return Money(made)
