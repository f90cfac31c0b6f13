"""A few instruments, what they are worth, and the market that trades them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import parse_ist
from bahi.kernel.money import Price, parse_price
from bahi.kernel.words import InstrumentType, OptionType, Segment
from bahi.quotes.model.hours import CalendarSessions, Sessions
from bahi.quotes.model.simulated import SimulatedMarket
from tests.calendars.known import DAYS

EXPIRY = date(2026, 12, 1)


def an_instrument(id_: int, symbol: str, **facts: Any) -> Instrument:
    given: dict[str, Any] = {
        "id": id_,
        "segment": Segment.NSE_EQ,
        "symbol": symbol,
        "root": symbol,
        "trading_symbol": symbol,
        "name": symbol.title(),
        "kind": InstrumentType.EQUITY,
        "isin": "",
        "expiry": None,
        "strike": None,
        "option_type": None,
        "lot_size": 1,
        "tick_size": Price(500),
        "freeze_qty": None,
        "lower_band": None,
        "upper_band": None,
        "cas_eligible": False,
        "series": "EQ",
        "exchange_token": str(id_),
    }
    return Instrument(**(given | facts))


NIFTY = an_instrument(
    1, "NIFTY", segment=Segment.NSE_INDEX, kind=InstrumentType.INDEX, tick_size=None
)
RELIANCE = an_instrument(2, "RELIANCE")
SBIN = an_instrument(3, "SBIN")
AUCTIONED = an_instrument(4, "HDFCBANK", cas_eligible=True)
FUTURE = an_instrument(
    5,
    "NIFTY01DEC26FUT",
    root="NIFTY",
    segment=Segment.NSE_FNO,
    kind=InstrumentType.FUTIDX,
    expiry=EXPIRY,
    lot_size=75,
)
USDINR = an_instrument(
    6,
    "USDINR26NOV26FUT",
    root="USDINR",
    segment=Segment.NSE_CURRENCY,
    kind=InstrumentType.FUTCUR,
    expiry=date(2026, 11, 26),
    lot_size=1000,
    tick_size=Price(25),
)
CRUDE = an_instrument(
    7,
    "CRUDEOIL18DEC26FUT",
    root="CRUDEOIL",
    segment=Segment.MCX_COMM,
    kind=InstrumentType.FUTCOM,
    expiry=date(2026, 12, 18),
    lot_size=100,
    tick_size=Price(10_000),
)
OTHER_SBIN = replace(SBIN, id=8, segment=Segment.BSE_EQ)


def an_option(
    strike: int, right: OptionType, id_: int = 100, expiry: date = EXPIRY, **facts: Any
) -> Instrument:
    return an_instrument(
        id_,
        f"NIFTY{expiry:%d%b%y}{strike}{right}".upper(),
        root="NIFTY",
        segment=Segment.NSE_FNO,
        kind=InstrumentType.OPTIDX,
        strike=parse_price(strike),
        option_type=right,
        expiry=expiry,
        lot_size=75,
        **facts,
    )


CALL = an_option(26_000, OptionType.CE, 101)
PUT = an_option(26_000, OptionType.PE, 102)
FAR_CALL = an_option(28_000, OptionType.CE, 103)
EVERYTHING = (
    NIFTY, RELIANCE, SBIN, AUCTIONED, FUTURE, USDINR, CRUDE, OTHER_SBIN, CALL, PUT, FAR_CALL,
)  # fmt: skip

WORTH = {
    "NIFTY": "26000",
    "RELIANCE": "1450",
    "SBIN": "970",
    "HDFCBANK": "990",
    "USDINR": "88.5",
    "CRUDEOIL": "5400",
}


def references(instrument: Instrument) -> Price | None:
    worth = WORTH.get(instrument.root or instrument.symbol)
    return None if worth is None else parse_price(worth)


def a_market(seed: int = 7, sessions: Sessions | None = None, **more: Any) -> SimulatedMarket:
    return SimulatedMarket(seed, references, sessions or CalendarSessions(DAYS), **more)


def at(text: str) -> datetime:
    """Read `2026-11-20 11:30:15`, the exchange's time."""
    return parse_ist(text)
