"""What a contract is worth when it expires."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple

from bahi.kernel.money import Price
from bahi.kernel.symbols import Contract
from bahi.kernel.words import OptionType, Segment
from bahi.quotes.model.quote import SIMULATED

SPOTS: Final = {
    Segment.NSE_FNO: (Segment.NSE_INDEX, Segment.NSE_EQ),
    Segment.BSE_FNO: (Segment.BSE_INDEX, Segment.BSE_EQ),
}
"""Where the underlying of a contract is looked for."""


class By(StrEnum):
    """At which price contracts of a kind are settled when they end."""

    CLOSE = "official close"
    REFERENCE = "reference rate"
    DUE = "due date rate"
    FUTURE = "settlement price"


class Manner(NamedTuple):
    """How contracts of a segment end, from a day on, and who says so."""

    segment: Segment
    is_option: bool
    by: By
    since: date
    source: str

    @property
    def becomes_a_future(self) -> bool:
        """Whether what is in the money becomes a position in the future that it is on."""
        return self.by is By.FUTURE


_CURRENCY: Final = "the exchanges' contract specifications: RBI's (FBIL's) reference rate, in cash"
_GOODS: Final = "MCX's contract specifications: the due date rate, from the spot market"
_DEVOLVES: Final = "MCX's contract specifications: options on goods devolve into their futures"
_SHARES: Final = "the exchanges' rules since October 2019: the close, shares are delivered"
_SINCE: Final = date(2019, 10, 1)
MANNERS: Final = (
    *(
        Manner(segment, is_option, By.CLOSE, _SINCE, _SHARES)
        for segment in (Segment.NSE_FNO, Segment.BSE_FNO)
        for is_option in (False, True)
    ),
    *(
        Manner(segment, is_option, By.REFERENCE, _SINCE, _CURRENCY)
        for segment in (Segment.NSE_CURRENCY, Segment.BSE_CURRENCY)
        for is_option in (False, True)
    ),
    Manner(Segment.MCX_COMM, is_option=False, by=By.DUE, since=_SINCE, source=_GOODS),
    Manner(Segment.MCX_COMM, is_option=True, by=By.FUTURE, since=_SINCE, source=_DEVOLVES),
)
"""The newest that holds on a day counts; what nobody wrote down is settled by nothing."""


def manner_of(segment: Segment, day: date, *, is_option: bool) -> Manner | None:
    """Return how contracts of a segment end that end on a day; None: nobody knows."""
    fitting = [
        it
        for it in MANNERS
        if (it.segment, it.is_option) == (segment, is_option) and it.since <= day
    ]
    return max(fitting, key=lambda it: it.since, default=None)


class Settlement(NamedTuple):
    """What an expired contract was settled at."""

    segment: Segment
    symbol: str
    expires_on: date
    price: Price
    underlying_price: Price
    underlying: str
    source: str
    published_at: datetime

    @property
    def is_official(self) -> bool:
        """Whether it is what an exchange would settle at; a contract's own last price is not.

        Where the market is made up there is nothing else.
        """
        return self.underlying != self.symbol or self.source == SIMULATED


def worth(contract: Contract, close: Price) -> Price:
    """Return what each unit of a contract is worth at its underlying's official close."""
    strike = contract.strike
    if strike is None or contract.right is None:
        return close
    inside = close - strike if contract.right is OptionType.CE else strike - close
    return Price(max(0, inside))
