"""How far from the market an order may go: the day's band, the price protection, a MARKET's end."""

from __future__ import annotations

from typing import Final, NamedTuple

from bahi.exchange.model.rules import WHOLE
from bahi.exchange.model.situation import Situation
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.money import SCALE, Price, down_to_tick, grouped, up_to_tick
from bahi.kernel.words import InstrumentType, Side

FUTURES: Final = {InstrumentType.FUTIDX: 200, InstrumentType.FUTSTK: 300}
"""How far a limit may be from the mean, in 1/100 percent."""
OPTIONS: Final = frozenset({InstrumentType.OPTIDX, InstrumentType.OPTSTK})
CHEAP: Final = Price(50 * SCALE)
CHEAP_ROOM: Final = Price(20 * SCALE)
OPTION_ROOM: Final = 4_000


class Range(NamedTuple):
    """From a price to a price."""

    low: Price
    high: Price

    @property
    def sentence(self) -> str:
        """What who asks for a limit outside it is told, in the words of exchanges."""
        low, high = grouped(self.low), grouped(self.high)
        return f"The price is out of the circuit limit: it is taken from {low} to {high} now."

    def holds(self, price: Price) -> bool:
        """Say whether a price lies within."""
        return self.low <= price <= self.high


def is_protected(it: Instrument) -> bool:
    """Say whether limits on an instrument are held to its mean price."""
    return it.kind in OPTIONS or it.kind in FUTURES


def execution_range(it: Situation) -> Range | None:
    """Return within what limits are taken; None: everywhere, or the mean is not known."""
    return None if it.reference is None else range_around(it.instrument, it.reference)


def range_around(it: Instrument, mean: Price) -> Range | None:
    """Return within what limits on the tick are taken around a mean price; None: everywhere."""
    kind = it.kind
    if kind in OPTIONS:
        room = mean * OPTION_ROOM // WHOLE if mean > CHEAP else int(CHEAP_ROOM)
    elif kind in FUTURES:
        room = mean * FUTURES[kind] // WHOLE
    else:
        return None
    tick, low, high = it.tick_size or Price(1), max(0, mean - room), mean + room
    return Range(up_to_tick(Price(low), tick), down_to_tick(Price(high), tick))


def is_beyond_band(it: Instrument, price: Price) -> bool:
    """Say whether a price lies outside the day's band."""
    lower, upper = it.lower_band, it.upper_band
    return (lower is not None and price < lower) or (upper is not None and price > upper)


def protected(side: Side, it: Situation) -> Price | None:
    """Return where a MARKET order stops: a share from the best price, on the tick.

    It goes neither past the day's band nor past the price protection. None: there is no fresh
    price to reckon from.
    """
    if it.quote is None:
        return None
    tick, share = it.instrument.tick_size or Price(1), it.rules.protection
    bounds = execution_range(it)
    if side is Side.BUY:
        best = it.quote.ask or it.quote.last
        upper = [best * (WHOLE + share) // WHOLE, it.instrument.upper_band]
        upper.append(None if bounds is None else bounds.high)
        return down_to_tick(Price(min(at for at in upper if at is not None)), tick)
    best = it.quote.bid or it.quote.last
    lower = [-(-best * (WHOLE - share) // WHOLE), it.instrument.lower_band]
    lower.append(None if bounds is None else bounds.low)
    return max(up_to_tick(Price(max(at for at in lower if at is not None)), tick), tick)
