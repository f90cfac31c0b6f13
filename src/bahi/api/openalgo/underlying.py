"""What options are on, as OpenAlgo's clients name it: its price, and the option by its offset."""

from __future__ import annotations

import re
from datetime import date
from typing import Final, NamedTuple

from bahi.api.openalgo.words import right_of, segment_of
from bahi.bootstrap import House
from bahi.instruments.model.catalogue import Catalogue
from bahi.instruments.model.instrument import Instrument, instrument_of
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.money import Price
from bahi.kernel.symbols import MONTHS, parse
from bahi.kernel.words import EQUITY, INDEX, Segment

_DAY: Final = re.compile(rf"(\d\d)({'|'.join(MONTHS)})(\d\d)", re.ASCII)


class Underlying(NamedTuple):
    """What is underlying, where its price comes from, and which expiry its name said."""

    root: str
    segment: Segment
    priced_by: Instrument
    last: Price
    expiry: date | None


def expiry_of(said: str | None, field: str = "expiry_date") -> date | None:
    """Return the day that 28OCT25 (or 28-OCT-25) means."""
    if said is None or not said.strip():
        return None
    found = _DAY.fullmatch(said.strip().upper().replace("-", ""))
    if found is not None:
        try:
            return date(2000 + int(found[3]), MONTHS.index(found[2]) + 1, int(found[1]))
        except ValueError:
            pass  # there is no 31FEB25
    raise Invalid(f"{field}: {said[:24]!r} is no day of expiry; write it as 28OCT25.")


async def underlying_of(house: House, name: str, exchange: str) -> Underlying:
    """Return what is meant by an underlying, with its price as it is now.

    `NIFTY` on NSE_INDEX is priced by the index, on NFO by the same where it is listed; goods and
    money by their nearest future; a future by itself.
    """
    segment, word = segment_of(exchange), name.strip().upper()
    catalogue = await house.instruments.catalogue()
    named = parse(word) if segment not in (*INDEX, *EQUITY) else None
    root = word if named is None else named.root
    priced_by = _priced_by(catalogue, word, segment, exchange_day(house.clock()))
    quote = await house.quotes.quote(priced_by)
    return Underlying(root, segment, priced_by, quote.last, None if named is None else named.expiry)


async def option_of(
    house: House, it: Underlying, expiry: date | None, offset: str, option_type: str
) -> Instrument:
    """Return the option so many strikes from the money; without an expiry, that of its future."""
    day = expiry or it.expiry
    if day is None:
        raise Invalid("expiry_date: say which, as 28OCT25; only a future says it by its name.")
    catalogue = await house.instruments.catalogue()
    chain = catalogue.chain(it.root, it.segment)
    return instrument_of(chain.by_offset(day, it.last, offset, right_of(option_type)))


def _priced_by(catalogue: Catalogue, word: str, segment: Segment, today: date) -> Instrument:
    if (listed := catalogue.find(word, segment)) is not None:
        return listed
    if segment in (*INDEX, *EQUITY):
        return catalogue.get(word, segment)  # which says what may be meant
    contracts = catalogue.contracts(word, segment)
    if (on := catalogue.underlying_of(instrument_of(contracts[0]))) is not None:
        return on
    futures = [
        it for it in contracts if not it.option_type and it.expiry and it.expiry >= f"{today}"
    ]
    if not futures:
        raise NotFound(f"underlying: nothing tells the price of {word}; no future of it is listed.")
    return instrument_of(min(futures, key=lambda it: it.expiry or ""))
