"""How liquid a simulated instrument is, and the order book that comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import exp, log, sqrt
from typing import Final

from bahi.instruments.model.instrument import Instrument
from bahi.kernel.money import SCALE, Price
from bahi.kernel.ports import Level
from bahi.kernel.words import InstrumentType
from bahi.quotes.model.course import Name
from bahi.quotes.model.noise import drawn, signed
from bahi.quotes.model.pricing import YEAR, Grid
from bahi.quotes.model.quote import DEPTH

CHANCES: Final = 2 + 2 * 2 * DEPTH
"""Bytes of chance in one second's book."""
TURNOVER: Final = 20_000_000_000 * SCALE
"""What the most liquid share trades in a day."""
LOTS: Final = 400_000
"""What the most liquid contract trades in a day."""
TIGHT: Final = 0.0001
WIDE: Final = 0.06


@dataclass(frozen=True, slots=True)
class Liquidity:
    """How much of an instrument there is on a day; `share` goes from 0 (nothing) to 1."""

    share: float
    lot: int
    traded: int
    interest: tuple[int, int] | None

    @property
    def spread(self) -> float:
        """The usual distance of bid and ask, as a part of the price."""
        return float(TIGHT + WIDE * (1 - self.share) ** 4)


def liquidity_of(
    instrument: Instrument, name: Name, day: date, worth: float, yearly: float
) -> Liquidity:
    """Return how liquid an instrument is on a day that began with its name at a worth."""
    seed, key, reference = name.seed, name.key, name.reference
    named = 0.72 + 0.28 * drawn(1, seed, key, "liquidity")[0] / 255
    if instrument.kind in {InstrumentType.INDEX, InstrumentType.FUTIDX, InstrumentType.OPTIDX}:
        named = max(named, 0.9)
    if instrument.expiry is None:
        busy = 0.7 + 0.6 * drawn(1, seed, key, "busy", day)[0] / 255
        return Liquidity(named, 1, int(TURNOVER * named**4 * busy / worth), None)
    days = (instrument.expiry - day).days
    share = named * exp(-max(0, days) / 200)
    if instrument.strike:
        life = max(days, 2) / YEAR
        share *= exp(-0.18 * (log(instrument.strike / worth) / (yearly * sqrt(life))) ** 2)
    busy = 0.7 + 0.6 * drawn(1, seed, instrument.symbol, "busy", day)[0] / 255
    interest = tuple(_interest(instrument, seed, named, reference, days - step) for step in (-1, 0))
    traded = int(LOTS * share**2 * busy) + 1
    lot = instrument.lot_size
    return Liquidity(share, lot, traded * lot, (interest[0] * lot, interest[1] * lot))


def _interest(instrument: Instrument, seed: str, named: float, reference: float, days: int) -> int:
    """Return the contracts that are open at the end of the day so many days before the expiry."""
    near = log(instrument.strike / reference) / 0.12 if instrument.strike else 0.0
    grown = 0.25 + 0.75 * exp(-max(0, days) / 40)
    chance = 1 + 0.15 * signed(drawn(2, seed, instrument.symbol, "interest", days))
    return int(LOTS / 2 * named**2 * exp(-(near**2)) * grown * chance) + 1


def book(
    grid: Grid, last: Price, liquidity: Liquidity, chance: bytes
) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    """Return the bids and asks about a last price, which was one of the two."""
    tick = grid.tick
    apart = max(1, int(last * liquidity.spread / tick * (0.6 + chance[1] / 320) + 0.5))
    step = max(1, apart // 2) * tick
    if chance[0] & 1:
        bid, ask = int(last), last + apart * tick
    else:
        bid, ask = last - apart * tick, int(last)
    size = 1 + int(600 * liquidity.share**3) if liquidity.lot > 1 else _shares(last, liquidity)
    lots = (size * liquidity.lot, liquidity.lot)
    bids = _side(grid, bid, -step, lots, chance[2 : 2 + 2 * DEPTH])
    asks = _side(grid, ask, step, lots, chance[2 + 2 * DEPTH :])
    return bids, asks


def _shares(last: Price, liquidity: Liquidity) -> int:
    """Return how many shares wait at a price: about as many as a large order asks for."""
    return 1 + int(2_000_000 * SCALE * liquidity.share**3 / last)


def _side(
    grid: Grid, price: int, step: int, lots: tuple[int, int], chance: bytes
) -> tuple[Level, ...]:
    size, lot = lots
    found = []
    for at in range(DEPTH):
        if price < grid.lowest or (grid.highest is not None and price > grid.highest):
            break
        waits = max(lot, size * (40 + chance[2 * at] + 40 * at) // 200 // lot * lot)
        orders = 1 + chance[2 * at + 1] % max(1, min(40, waits // lot))
        found.append(Level(Price(price), waits, orders))
        price += step
    return tuple(found)
