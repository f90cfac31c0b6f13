"""What options are on, as OpenAlgo's clients name it, and the option by its offset."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from bahi.api.openalgo.words import right_of, segment_of
from bahi.bootstrap import House
from bahi.bootstrap.chains import Underlying, underlying_at
from bahi.instruments.model.instrument import Instrument, instrument_of
from bahi.kernel.errors import Invalid
from bahi.kernel.symbols import MONTHS

_DAY: Final = re.compile(rf"(\d\d)({'|'.join(MONTHS)})(\d\d)", re.ASCII)


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
    """Return what is meant by an underlying, with its price as it is now."""
    return await underlying_at(house, name, segment_of(exchange))


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
