"""Which options a caller means: their underlying with its price, and the day on which they end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bahi.api.openalgo.underlying import expiry_of, underlying_of
from bahi.bootstrap import House
from bahi.bootstrap.chains import Underlying
from bahi.instruments.model.chain import Chain
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.money import Price
from bahi.kernel.symbols import dated


@dataclass(frozen=True, slots=True)
class Options:
    """The options of an underlying that end on one day, and what it is worth now."""

    underlying: Underlying
    chain: Chain
    expiry: date

    @property
    def price(self) -> Price:
        """What the underlying was traded at last."""
        return self.underlying.last


async def options_meant(
    house: House, underlying: str, exchange: str, expiry_date: str | None
) -> Options:
    """Return the options of an underlying: NIFTY at NSE_INDEX, RELIANCE at NSE, or a future.

    A future says the day of expiry by itself; where a day is named beside it, that one counts.
    """
    day = expiry_of(expiry_date)
    it = await underlying_of(house, underlying, exchange)
    chain = (await house.instruments.catalogue()).chain(it.root, it.segment)
    today, expiry = exchange_day(house.clock()), day or it.expiry
    if expiry is None:
        near = ", ".join(dated(day) for day in chain.expiries if day >= today)[:40]
        raise Invalid(f"expiry_date: it is missing; the options next to end do so on {near}.")
    if expiry < today:
        raise NotFound(f"The options of {it.root} that ended on {dated(expiry)} are gone.")
    return Options(it, chain, expiry)
