"""Option chains as they trade: what they are on and its price, each strike's prices and greeks.

Greeks are Black-76's, with the future that the call and the put at the money make as the forward,
else with the spot price in its place (`priced_on` says which).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from bahi.bootstrap.rooms import Rooms
from bahi.instruments.model.catalogue import Catalogue
from bahi.instruments.model.chain import Chain, Rung, has_money, nearest
from bahi.instruments.model.instrument import Entry, Instrument, instrument_of
from bahi.kernel.clock import IST, exchange_day, in_utc
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.money import SCALE, Price
from bahi.kernel.symbols import parse
from bahi.kernel.words import EQUITY, INDEX, Segment
from bahi.quotes.model.greeks import (
    DAYS,
    Greeks,
    Model,
    Terms,
    Unpriced,
    greeks_of,
    implied_volatility,
)
from bahi.quotes.model.quote import NoPrice, Quote

AROUND_AT_MOST: Final = 100
"""On either side of the money."""
SECONDS: Final = 86_400.0
LAST: Final = time(15, 30)
ENDS: Final = {
    Segment.NSE_FNO: LAST,
    Segment.BSE_FNO: LAST,
    Segment.NSE_CURRENCY: time(12, 30),
    Segment.BSE_CURRENCY: time(12, 30),
    Segment.MCX_COMM: time(23, 30),
}
"""When a contract ends on its last day, unless it is said otherwise."""
SPOT: Final = "spot"
FUTURE: Final = "future"
FORWARD: Final = "forward"


class Underlying(NamedTuple):
    """What is underlying, where its price comes from, and which expiry its name said."""

    root: str
    segment: Segment
    priced_by: Instrument
    quote: Quote
    expiry: date | None

    @property
    def last(self) -> Price:
        """What it was traded at last."""
        return self.quote.last


async def underlying_at(house: Rooms, name: str, segment: Segment) -> Underlying:
    """Return what is meant by an underlying, with its price as it is now.

    `NIFTY` on NSE_INDEX is priced by the index, on NFO by the same where it is listed; goods and
    money by their nearest future; a future by itself.
    """
    word = name.strip().upper()
    catalogue = await house.instruments.catalogue()
    named = parse(word) if segment not in (*INDEX, *EQUITY) else None
    root = word if named is None else named.root
    priced_by = _priced_by(catalogue, word, segment, exchange_day(house.clock()))
    quote = await house.quotes.quote(priced_by)
    return Underlying(root, segment, priced_by, quote, None if named is None else named.expiry)


def _priced_by(catalogue: Catalogue, word: str, segment: Segment, today: date) -> Instrument:
    if (listed := catalogue.find(word, segment)) is not None:
        return listed
    if segment in (*INDEX, *EQUITY):
        return catalogue.get(word, segment)  # which says what may be meant
    contracts = catalogue.contracts(word, segment)
    if (on := catalogue.underlying_of(instrument_of(contracts[0]))) is not None:
        return on
    if (future := next_future(contracts, today)) is None:
        raise NotFound(f"underlying: nothing tells the price of {word}; no future of it is listed.")
    return instrument_of(future)


def next_future(contracts: Sequence[Entry], day: date) -> Entry | None:
    """Return the future that ends next, from a day on; None: there is none."""
    futures = [it for it in contracts if it.strike is None and (it.expiry or "") >= f"{day}"]
    return min(futures, key=lambda it: it.expiry or "", default=None)


@dataclass(frozen=True, slots=True)
class Basis:
    """What options are priced on."""

    model: Model
    underlying: float
    priced_on: str
    rate: float


class Figures(NamedTuple):
    """What an option's price says; the volatility is of a year, 0.15 for 15 %."""

    volatility: float
    greeks: Greeks
    days: float


class OptionSeen(NamedTuple):
    """One side of a strike; what is not known is None, and `why` says why there are no greeks."""

    instrument: Instrument
    label: str | None
    quote: Quote | None
    figures: Figures | None
    why: str

    def age(self, now: datetime) -> timedelta | None:
        """Return how old its price is; None: there is none."""
        return None if self.quote is None else self.quote.age(now)


class RungSeen(NamedTuple):
    """A strike with its call and its put."""

    strike: Price
    call: OptionSeen | None
    put: OptionSeen | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSeen:
    """The options of an underlying that end on one day, about its price, the lowest strike first.

    `forward` is the future that the pair at the money makes; None: one of the two has no price.
    """

    underlying: Underlying
    expiry: date
    expiries: list[date]
    ends_at: datetime
    at: datetime
    at_the_money: Price | None
    forward: Price | None
    basis: Basis
    rungs: list[RungSeen]


async def chain_of(
    house: Rooms,
    root: str,
    segment: Segment,
    expiry: date | None = None,
    *,
    around: int = 10,
    rate: float = 0.0,
) -> ChainSeen:
    """Return the options of an underlying about its price, with prices and greeks.

    Without an expiry it is the next to end; `rate` is the interest of a year, 0.065.
    """
    on, now = await underlying_at(house, root, segment), house.clock()
    chain = (await house.instruments.catalogue()).chain(on.root, segment)
    day = expiry or on.expiry or next_expiry(chain, on.root, now)
    rungs = rungs_about(chain, day, on.last, around)
    quotes = await house.quotes.quotes(options_in(rungs))
    money = _money(rungs, on.last)
    forward = None if money is None else forward_of(rungs, money, quotes)
    basis = basis_of(forward, on.last, rate)
    seen = await asyncio.to_thread(_seen, rungs, quotes, basis, now)
    return ChainSeen(
        underlying=on,
        expiry=day,
        expiries=chain.expiries,
        ends_at=ends_at(options_in(rungs)[0].segment, day),
        at=now,
        at_the_money=money,
        forward=forward,
        basis=basis,
        rungs=seen,
    )


def next_expiry(chain: Chain, root: str, now: datetime) -> date:
    """Return when the options that end next do so: those of today, until they have."""
    segment = chain.segment
    for day in chain.expiries:
        if ends_at(segment, day) > now:
            return day
    raise NotFound(f"No option of {root.strip().upper()} ends from today on.")


def rungs_about(chain: Chain, expiry: date, price: Price, around: int) -> list[Rung]:
    """Return the strikes about a price, so many on either side."""
    if not 0 <= around <= AROUND_AT_MOST:
        raise Invalid(f"around: {around} cannot be; it is 0 to {AROUND_AT_MOST}.")
    return chain.at(expiry, price, around)


def options_in(rungs: Sequence[Rung]) -> list[Instrument]:
    """Return the calls and puts of some strikes."""
    return [instrument_of(it) for rung in rungs for it in (rung.call, rung.put) if it is not None]


def forward_of(rungs: Sequence[Rung], money: Price, quotes: Mapping[int, Quote]) -> Price | None:
    """Return the strike at the money plus its call less its put; None where one has no price."""
    for rung in rungs:
        if rung.strike == money and rung.call is not None and rung.put is not None:
            call, put = quotes.get(rung.call.id), quotes.get(rung.put.id)
            if call is not None and put is not None:
                made = rung.strike + call.last - put.last
                return Price(made) if made > 0 else None
    return None


def _money(rungs: Sequence[Rung], price: Price) -> Price | None:
    strikes = [it.strike for it in rungs]
    if len(strikes) > 1 and not has_money(strikes, price):
        return None
    return strikes[nearest(strikes, price)] if strikes else None


def basis_of(forward: Price | None, spot: Price, rate: float) -> Basis:
    """Return what a chain is priced on: the future that its options make, else the spot price."""
    priced_on = SPOT if forward is None else FORWARD
    return Basis(Model.BLACK_76, (forward or spot) / SCALE, priced_on, rate)


def ends_at(segment: Segment, expiry: date, ends: time | None = None) -> datetime:
    """Return when contracts of a segment end on their last day."""
    return in_utc(datetime.combine(expiry, ends or ENDS.get(segment, LAST), IST))


def figures_of(
    option: Instrument, price: Price, basis: Basis, now: datetime, ends: time | None = None
) -> Figures:
    """Return what an option's price says at an instant."""
    if option.option_type is None or option.strike is None or option.expiry is None:
        raise Invalid(f"symbol: {option.symbol} is no option, so it has no greeks.")
    days = (ends_at(option.segment, option.expiry, ends) - now).total_seconds() / SECONDS
    terms = Terms(
        model=basis.model,
        right=option.option_type,
        underlying=basis.underlying,
        strike=option.strike / SCALE,
        life=days / DAYS,
        rate=basis.rate,
    )
    volatility = implied_volatility(terms, price / SCALE)
    return Figures(volatility, greeks_of(terms, volatility), days)


def option_seen(
    option: Instrument, label: str | None, quote: Quote | None, basis: Basis, now: datetime
) -> OptionSeen:
    """Return an option with its price and its greeks; where there are none, with the reason."""
    if quote is None:
        return OptionSeen(option, label, None, None, f"There is no price of {option.symbol}.")
    try:
        return OptionSeen(option, label, quote, figures_of(option, quote.last, basis, now), "")
    except (Unpriced, NoPrice, Invalid) as none:
        return OptionSeen(option, label, quote, None, str(none))


def _seen(
    rungs: Sequence[Rung], quotes: Mapping[int, Quote], basis: Basis, now: datetime
) -> list[RungSeen]:
    def side(entry: Entry | None, label: str | None) -> OptionSeen | None:
        if entry is None:
            return None
        return option_seen(instrument_of(entry), label, quotes.get(entry.id), basis, now)

    return [
        RungSeen(it.strike, side(it.call, it.call_label), side(it.put, it.put_label))
        for it in rungs
    ]
