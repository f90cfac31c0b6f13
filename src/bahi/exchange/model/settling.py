"""What a contract is worth when it expires."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, NamedTuple

from bahi.kernel.money import Price
from bahi.kernel.symbols import Contract
from bahi.kernel.words import OptionType, Segment

SPOTS: Final = {
    Segment.NSE_FNO: (Segment.NSE_INDEX, Segment.NSE_EQ),
    Segment.BSE_FNO: (Segment.BSE_INDEX, Segment.BSE_EQ),
}
"""Where the underlying of a contract is looked for."""


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


def worth(contract: Contract, close: Price) -> Price:
    """Return what each unit of a contract is worth at its underlying's official close."""
    strike = contract.strike
    if strike is None or contract.right is None:
        return close
    inside = close - strike if contract.right is OptionType.CE else strike - close
    return Price(max(0, inside))
