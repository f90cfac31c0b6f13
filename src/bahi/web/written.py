"""How figures stand on pages: as an Indian reads them, with a sign where it matters, or unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from bahi.instruments.model.instrument import EXCHANGE_OF
from bahi.kernel.clock import IST, in_utc, ist_text
from bahi.kernel.money import grouped, grouped_count, to_paise
from bahi.kernel.names import shown
from bahi.kernel.symbols import spaced
from bahi.kernel.words import Segment

UNKNOWN: Final = "—"
MINUS: Final = "\u2212"  # as wide as a plus
FINE: Final = frozenset({Segment.NSE_CURRENCY, Segment.BSE_CURRENCY})
"""Where a price moves by less than a paisa."""


def money(amount: int | None) -> str:
    """Write an amount: `1,00,00,000.00`; what is not known is never nothing."""
    return UNKNOWN if amount is None else grouped(to_paise(amount)).replace("-", MINUS)


def price(amount: int | None) -> str:
    """Write a price with all its decimals: `2,950.50`, `0.0025`."""
    return UNKNOWN if amount is None else grouped(amount).replace("-", MINUS)


def average(amount: int | None, segment: Segment) -> str:
    """Write an average price: to the paisa, or as finely as a currency moves."""
    return price(amount) if segment in FINE else money(amount)


def signed(amount: int | None) -> str:
    """Write an amount that is a gain or a loss: `+12,480.50`, `0.00`, a loss with a minus."""
    written = money(amount)
    return f"+{written}" if amount is not None and to_paise(amount) > 0 else written


def whole(number: int | None) -> str:
    """Write a count: `1,00,000`."""
    return UNKNOWN if number is None else grouped_count(number).replace("-", MINUS)


def signed_whole(number: int | None) -> str:
    """Write a quantity that is held or owed: `+1,755`."""
    return f"+{whole(number)}" if number is not None and number > 0 else whole(number)


def mood(amount: int | None) -> str:
    """Say whether an amount is a gain or a loss, as the stylesheet names them."""
    if amount is None or to_paise(amount) == 0:
        return ""
    return "gain" if amount > 0 else "loss"


def percent(share: float | None, places: int = 1) -> str:
    """Write a share of one: `12.5 %`."""
    return UNKNOWN if share is None else f"{share * 100:.{places}f} %".replace("-", MINUS)


def took(microseconds: int | None) -> str:
    """Write how long something took, in the unit that a person would say: `840 µs`, `12.4 ms`."""
    if microseconds is None:
        return UNKNOWN
    if microseconds < 1_000:
        return f"{microseconds} µs"
    if microseconds < 1_000_000:
        return f"{microseconds / 1_000:.3g} ms"
    return lasted(timedelta(microseconds=microseconds))


def lasted(span: timedelta | None) -> str:
    """Write a length of time: `0.3 s`, `4 min 10 s`, `3 h 05 min`, `2 days`."""
    if span is None:
        return UNKNOWN
    seconds = span.total_seconds()
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    hours, left = divmod(minutes, 60)
    if hours == 0:
        return f"{minutes} min {rest:02} s"
    return f"{hours} h {left:02} min" if hours < 48 else f"{hours // 24} days"


def countdown(span: timedelta) -> str:
    """Write what is left: `04:12:09`."""
    hours, rest = divmod(max(0, int(span.total_seconds())), 3_600)
    return f"{hours:02}:{rest // 60:02}:{rest % 60:02}"


def when(instant: datetime | None) -> str:
    """Write an instant of the exchange's clock with its date: `22 Nov 09:15:03`."""
    return UNKNOWN if instant is None else _local(instant).strftime("%d %b %H:%M:%S")


def exactly(instant: datetime | None) -> str:
    """Write an instant in full, for who points at it: `2026-11-22 09:15:03.123456 IST`."""
    if instant is None:
        return "not known"
    return f"{ist_text(instant)}.{_local(instant):%f} IST"


def machine(instant: datetime) -> str:
    """Write an instant as the attribute `datetime` wants it."""
    return _local(instant).isoformat()


def day(of: date | None) -> str:
    """Write a day: `22 Nov 2026`."""
    return UNKNOWN if of is None else of.strftime("%d %b %Y")


def word(said: object) -> str:
    """Write a word of the tables as a person says it: `STOP_LOSS_MARKET` is `stop loss market`."""
    return UNKNOWN if said is None else str(said).replace("_", " ").lower()


def exchange(segment: Segment) -> str:
    """Write a segment as traders call it: `NSE`, `NFO`; an index is of its exchange."""
    name = EXCHANGE_OF[segment]
    return name.replace("_INDEX", " index")


def below(said: str) -> str:
    """Write the numbers below nothing in a sentence of ours with their true sign."""
    return _BELOW_NOTHING.sub(MINUS, said)


def capital(words: str) -> str:
    """Begin words with a capital letter: they stand as a line of their own."""
    return words[:1].upper() + words[1:]


_BELOW_NOTHING: Final = re.compile(r"(?<![\w-])-(?=[0-9])")


FILTERS: Final[Mapping[str, Any]] = {
    it.__name__: it
    for it in (
        money, price, average, signed, whole, signed_whole, mood, percent, took, lasted, countdown,
        when, exactly, machine, day, word, shown, spaced, exchange, below, capital,
    )
}  # fmt: skip


def _local(instant: datetime) -> datetime:
    return in_utc(instant).astimezone(IST)
