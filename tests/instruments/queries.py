"""What people type, and what they mean: on the master of 2026-08-17, and on a small made-up one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

from bahi.instruments.model.instrument import Entry
from bahi.kernel import symbols
from bahi.kernel.listings import Listing
from bahi.kernel.money import Price, parse_price
from bahi.kernel.words import InstrumentType, OptionType, Segment

TODAY: Final = date(2026, 8, 17)
FIRST: Final = 5  # the right answer is among so many


class Query(NamedTuple):
    """A text, and the instrument that is meant by it."""

    text: str
    symbol: str
    exchange: str


QUERIES: Final = tuple(
    Query(*it)
    for it in (
        # by symbol, whole and begun
        ("RELIANCE", "RELIANCE", "NSE"),
        ("reliance", "RELIANCE", "NSE"),
        ("relianc", "RELIANCE", "NSE"),
        ("relia", "RELIANCE", "NSE"),
        ("tcs", "TCS", "NSE"),
        ("infy", "INFY", "NSE"),
        ("hdfcb", "HDFCBANK", "NSE"),
        ("nifty", "NIFTY", "NSE_INDEX"),
        ("sensex", "SENSEX", "BSE_INDEX"),
        ("banknifty", "BANKNIFTY", "NSE_INDEX"),
        ("india vix", "INDIAVIX", "NSE_INDEX"),
        ("vix", "INDIAVIX", "NSE_INDEX"),
        ("NIFTY25AUG26FUT", "NIFTY25AUG26FUT", "NFO"),
        ("nifty25aug2624000ce", "NIFTY25AUG2624000CE", "NFO"),
        ("bse", "BSE", "NSE"),
        # by name
        ("rel ind", "RELIANCE", "NSE"),
        ("reliance industries", "RELIANCE", "NSE"),
        ("hdfc bank", "HDFCBANK", "NSE"),
        ("state bank of india", "SBIN", "NSE"),
        ("sbi", "SBIN", "NSE"),
        ("infosys", "INFY", "NSE"),
        ("maruti suzuki", "MARUTI", "NSE"),
        ("larsen", "LT", "NSE"),
        ("m&m", "M&M", "NSE"),
        ("m and m", "M&M", "NSE"),
        ("mahindra & mahindra", "M&M", "NSE"),
        ("bajaj auto", "BAJAJ-AUTO", "NSE"),
        ("bajajauto", "BAJAJ-AUTO", "NSE"),
        ("bajaj-auto", "BAJAJ-AUTO", "NSE"),
        ("l&t", "LT", "NSE"),
        ("nifty 50", "NIFTY", "NSE_INDEX"),
        ("nifty50", "NIFTY", "NSE_INDEX"),
        ("bank nifty", "BANKNIFTY", "NSE_INDEX"),
        ("nifty bank", "BANKNIFTY", "NSE_INDEX"),
        ("nifty next 50", "NIFTYNXT50", "NSE_INDEX"),
        # narrowed by an exchange
        ("tcs bse", "TCS", "BSE"),
        ("bse reliance", "RELIANCE", "BSE"),
        ("reliance eq", "RELIANCE", "NSE"),
        ("reliance nfo", "RELIANCE25AUG26FUT", "NFO"),
        ("usdinr cds", "USDINR27AUG26FUT", "CDS"),
        # futures
        ("reliance fut", "RELIANCE25AUG26FUT", "NFO"),
        ("nifty fut", "NIFTY25AUG26FUT", "NFO"),
        ("nifty sep fut", "NIFTY29SEP26FUT", "NFO"),
        ("banknifty 27 oct fut", "BANKNIFTY27OCT26FUT", "NFO"),
        ("nifty september futures", "NIFTY29SEP26FUT", "NFO"),
        ("rel ind fut", "RELIANCE25AUG26FUT", "NFO"),
        ("hdfc bank oct fut", "HDFCBANK27OCT26FUT", "NFO"),
        ("crude oil fut", "CRUDEOIL19AUG26FUT", "MCX"),
        ("gold mini", "GOLDM04SEP26FUT", "MCX"),
        ("natural gas fut", "NATURALGAS26AUG26FUT", "MCX"),
        ("usd inr dec future", "USDINR29DEC26FUT", "CDS"),
        ("m&m fut", "M&M25AUG26FUT", "NFO"),
        ("silver mini fut", "SILVERM31AUG26FUT", "MCX"),
        ("NIFTY26AUGFUT", "NIFTY25AUG26FUT", "NFO"),
        ("NIFTY-Sep2026-FUT", "NIFTY29SEP26FUT", "NFO"),
        # options
        ("nifty 26000 dec ce", "NIFTY29DEC2626000CE", "NFO"),
        ("nifty dec 26000 call", "NIFTY29DEC2626000CE", "NFO"),
        ("NIFTY 26,000 CE DEC 2026", "NIFTY29DEC2626000CE", "NFO"),
        ("nifty 29 dec 26000 ce", "NIFTY29DEC2626000CE", "NFO"),
        ("26000ce nifty dec", "NIFTY29DEC2626000CE", "NFO"),
        ("nifty 26000ce", "NIFTY18AUG2626000CE", "NFO"),
        ("nifty26000ce", "NIFTY18AUG2626000CE", "NFO"),
        ("26000ce", "NIFTY18AUG2626000CE", "NFO"),
        ("NIFTY26DEC26000CE", "NIFTY29DEC2626000CE", "NFO"),
        ("NIFTY2690126000CE", "NIFTY01SEP2626000CE", "NFO"),
        ("NIFTY 26000 CE 29 DEC 26", "NIFTY29DEC2626000CE", "NFO"),
        ("nifty weekly 25000 put", "NIFTY18AUG2625000PE", "NFO"),
        ("nifty next week 25000 pe", "NIFTY25AUG2625000PE", "NFO"),
        ("nifty monthly 25000 pe", "NIFTY25AUG2625000PE", "NFO"),
        ("infy 1300 pe", "INFY25AUG261300PE", "NFO"),
        ("reliance 1400 call", "RELIANCE25AUG261400CE", "NFO"),
        ("sensex 85000 call", "SENSEX24SEP2685000CE", "BFO"),
        ("bank nifty 57000 ce", "BANKNIFTY25AUG2657000CE", "NFO"),
        ("usdinr 97.5 pe", "USDINR21AUG2697.5PE", "CDS"),
        ("usdinr 97.50 strike put", "USDINR21AUG2697.5PE", "CDS"),
        ("nifty 50 26000 ce", "NIFTY18AUG2626000CE", "NFO"),
        # numbers of exchanges and of securities
        ("INE002A01018", "RELIANCE", "NSE"),
        ("500325", "RELIANCE", "BSE"),
        ("2885", "RELIANCE", "NSE"),
        # pieces
        ("eliance", "RELIANCE", "NSE"),
        ("ajaj-aut", "BAJAJ-AUTO", "NSE"),
        ("knifty25aug26f", "BANKNIFTY25AUG26FUT", "NFO"),
        # misspelt
        ("reliance industires", "RELIANCE", "NSE"),
        ("relaince", "RELIANCE", "NSE"),
        ("infosis", "INFY", "NSE"),
        ("hdfc bnak", "HDFCBANK", "NSE"),
        ("banknifti", "BANKNIFTY", "NSE_INDEX"),
        ("bnaknifty 57000 ce", "BANKNIFTY25AUG2657000CE", "NFO"),
        ("relianse fut", "RELIANCE25AUG26FUT", "NFO"),
        ("marutti", "MARUTI", "NSE"),
        ("tata moters", "TMCV", "NSE"),
        ("crudoil fut", "CRUDEOIL19AUG26FUT", "MCX"),
        ("sensx", "SENSEX", "BSE_INDEX"),
        # nicknames, and symbols that were given up
        ("zomato", "ETERNAL", "NSE"),
        ("zomat", "ETERNAL", "NSE"),
        ("zomato fut", "ETERNAL25AUG26FUT", "NFO"),
        ("tatamotors", "TMPV", "NSE"),
        ("tatamotors", "TMCV", "NSE"),
        ("TATAMOT", "TMPV", "NSE"),
        ("tatamotors fut", "TMPV25AUG26FUT", "NFO"),
        ("ltim", "LTM", "NSE"),
        ("bnf fut", "BANKNIFTY25AUG26FUT", "NFO"),
        ("bnf", "BANKNIFTY", "NSE_INDEX"),
        ("bn 57000 ce", "BANKNIFTY25AUG2657000CE", "NFO"),
        ("bn 57k ce", "BANKNIFTY25AUG2657000CE", "NFO"),
        # thousands, and both legs
        ("nifty 25k ce", "NIFTY18AUG2625000CE", "NFO"),
        ("nifty 25kce", "NIFTY18AUG2625000CE", "NFO"),
        ("nifty25kpe", "NIFTY18AUG2625000PE", "NFO"),
        ("nifty 24.5k put", "NIFTY18AUG2624500PE", "NFO"),
        ("nifty 25000 straddle", "NIFTY18AUG2625000CE", "NFO"),
        ("nifty 25000 straddle", "NIFTY18AUG2625000PE", "NFO"),
        ("bnf 57k straddle", "BANKNIFTY25AUG2657000PE", "NFO"),
        # as terminals write them
        ("NSE:NIFTY50-INDEX", "NIFTY", "NSE_INDEX"),
        ("NSE:NIFTYBANK-INDEX", "BANKNIFTY", "NSE_INDEX"),
        ("BSE:SENSEX-INDEX", "SENSEX", "BSE_INDEX"),
        ("NSE:RELIANCE-EQ", "RELIANCE", "NSE"),
        ("BSE:RELIANCE", "RELIANCE", "BSE"),
        ("RELIANCE-EQ", "RELIANCE", "NSE"),
        ("NSE:BAJAJ-AUTO-EQ", "BAJAJ-AUTO", "NSE"),
        ("nse:relia", "RELIANCE", "NSE"),
        ("NFO:NIFTY25AUG26FUT", "NIFTY25AUG26FUT", "NFO"),
        ("NSE:NIFTY26AUG25000CE", "NIFTY25AUG2625000CE", "NFO"),
        ("MCX:CRUDEOIL26AUGFUT", "CRUDEOIL19AUG26FUT", "MCX"),
    )
)
"""In the first five on the real master."""


def entries_of(listings: Iterable[Listing]) -> Iterator[Entry]:
    """Write listings as the rows that a master keeps of them."""
    for number, it in enumerate(listings, 1):
        yield Entry(
            number,
            it.segment.value,
            it.symbol,
            it.root or None,
            it.trading_symbol or None,
            it.name or None,
            it.instrument_type.value,
            it.isin or None,
            it.expiry.isoformat() if it.expiry else None,
            it.strike,
            it.option_type.value if it.option_type else None,
            it.lot_size,
            it.tick_size,
            it.freeze_qty,
            it.lower_band,
            it.upper_band,
            None if it.cas_eligible is None else int(it.cas_eligible),
            it.series or None,
            it.exchange_token or None,
        )


SMALL_QUERIES: Final = tuple(
    Query(*it)
    for it in (
        ("nifty", "NIFTY", "NSE_INDEX"),
        ("Nifty 50", "NIFTY", "NSE_INDEX"),
        ("nifty50 fut", "NIFTY25AUG26FUT", "NFO"),
        ("bank nifty", "BANKNIFTY", "NSE_INDEX"),
        ("rel ind", "RELIANCE", "NSE"),
        ("relaince", "RELIANCE", "NSE"),
        ("reliance industires", "RELIANCE", "NSE"),
        ("reliance bse", "RELIANCE", "BSE"),
        ("m&m", "M&M", "NSE"),
        ("m and m", "M&M", "NSE"),
        ("bajajauto", "BAJAJ-AUTO", "NSE"),
        ("bajaj auto", "BAJAJ-AUTO", "NSE"),
        ("nifty 26000 dec ce", "NIFTY29DEC2626000CE", "NFO"),
        ("nifty 29 dec 26000 call", "NIFTY29DEC2626000CE", "NFO"),
        ("nifty 29dec26 26000 call", "NIFTY29DEC2626000CE", "NFO"),
        ("nifty 26000 ce 2026-12-29", "NIFTY29DEC2626000CE", "NFO"),
        ("nifty 26k", "NIFTY18AUG2626000CE", "NFO"),
        ("nf 26k straddle", "NIFTY18AUG2626000PE", "NFO"),
        ("NSE:NIFTY50-INDEX", "NIFTY", "NSE_INDEX"),
        ("BSE:RELIANCE-EQ", "RELIANCE", "BSE"),
        ("RELIANCE-EQ", "RELIANCE", "NSE"),
        ("26000ce", "NIFTY18AUG2626000CE", "NFO"),
        ("NIFTY26DEC26000CE", "NIFTY29DEC2626000CE", "NFO"),
        ("NIFTY2681826000CE", "NIFTY18AUG2626000CE", "NFO"),
        ("nifty next week 26000 ce", "NIFTY25AUG2626000CE", "NFO"),
        ("nifty next month fut", "NIFTY29SEP26FUT", "NFO"),
        ("nifty monthly 26000 ce", "NIFTY25AUG2626000CE", "NFO"),
        ("nifty sep fut", "NIFTY29SEP26FUT", "NFO"),
        ("dec fut", "NIFTY29DEC26FUT", "NFO"),
        ("usd inr fut", "USDINR27AUG26FUT", "CDS"),
        ("usdinr 97.25 put", "USDINR27AUG2697.25PE", "CDS"),
        ("crude oil fut", "CRUDEOIL19AUG26FUT", "MCX"),
        ("gold mini", "GOLDM04SEP26FUT", "MCX"),
        ("gldm fut", "GOLDM04SEP26FUT", "MCX"),
        ("INE002A01018", "RELIANCE", "NSE"),
        ("500325", "RELIANCE", "BSE"),
        ("iance", "RELIANCE", "NSE"),
    )
)
"""In the first five on the small master."""


def small_master() -> list[Entry]:
    """Make up a master that needs no file."""
    rows = [*_securities(), *_indices(), *_contracts()]
    return [row._replace(id=number) for number, row in enumerate(rows, 1)]


def _securities() -> Iterator[Entry]:
    for segment, symbol, name, isin, series, token in (
        ("NSE_EQ", "RELIANCE", "RELIANCE INDUSTRIES LTD", "INE002A01018", "EQ", "2885"),
        ("NSE_EQ", "RELIANCE-T0", "RELIANCE INDUSTRIES LTD", "INE002A01018", "T0", "2886"),
        ("BSE_EQ", "RELIANCE", "RELIANCE INDUSTRIES LTD", "INE002A01018", "A", "500325"),
        ("NSE_EQ", "RELIABLE-SM", "RELIABLE DATA SERVICES LTD", "INE375Y01018", "SM", "7"),
        ("NSE_EQ", "M&M", "MAHINDRA & MAHINDRA LTD", "INE101A01026", "EQ", "2031"),
        ("NSE_EQ", "BAJAJ-AUTO", "BAJAJ AUTO LIMITED", "INE917I01010", "EQ", "16669"),
        ("NSE_EQ", "HDFCBANK", "HDFC BANK LTD", "INE040A01034", "EQ", "1333"),
        ("NSE_EQ", "INFY", "INFOSYS LIMITED", "INE009A01021", "EQ", "1594"),
        ("NSE_EQ", "BSE", "BSE LIMITED", "INE118H01025", "EQ", "19585"),
    ):
        yield _entry(segment, symbol, "EQUITY", name=name, isin=isin, series=series, token=token)


def _indices() -> Iterator[Entry]:
    for segment, symbol, name in (
        ("NSE_INDEX", "NIFTY", "Nifty 50"),
        ("NSE_INDEX", "BANKNIFTY", "Nifty Bank"),
        ("NSE_INDEX", "NIFTYNXT50", "Nifty Next 50"),
        ("BSE_INDEX", "SENSEX", "SENSEX"),
    ):
        yield _entry(segment, symbol, "INDEX", name=name)


def _contracts() -> Iterator[Entry]:
    for segment, root, days, strikes in (
        ("NSE_FNO", "NIFTY", ("2026-08-18",), (25900, 26000)),
        ("NSE_FNO", "NIFTY", ("2026-08-25", "2026-09-29"), (25850, 25900, 25950, 26000)),
        ("NSE_FNO", "NIFTY", ("2026-12-29",), (26000, 27000)),
        ("NSE_FNO", "RELIANCE", ("2026-08-25", "2026-09-29"), (1400, 1420)),
        ("NSE_FNO", "M&M", ("2026-08-25",), (30, 3000)),
        ("NSE_CURRENCY", "USDINR", ("2026-08-27",), (97.25, 97.5)),
        ("BSE_CURRENCY", "USDINR", ("2026-08-27",), (97.25, 97.5)),
        ("MCX_COMM", "CRUDEOIL", ("2026-08-19", "2026-09-21"), (6000,)),
        ("MCX_COMM", "GOLDM", ("2026-09-04",), ()),
    ):
        for day in days:
            if day != "2026-08-18":  # a week of an index has no future
                yield _contract(segment, root, day)
            for strike in strikes:
                yield _contract(segment, root, day, parse_price(strike), OptionType.CE)
                yield _contract(segment, root, day, parse_price(strike), OptionType.PE)


def _contract(
    segment: str, root: str, day: str, strike: Price | None = None, right: OptionType | None = None
) -> Entry:
    expiry = date.fromisoformat(day)
    symbol = symbols.contract(root, expiry, strike, right)
    kind = InstrumentType.FUTIDX if strike is None else InstrumentType.OPTIDX
    entry = _entry(segment, symbol, kind.value, name=root)
    return entry._replace(root=root, expiry=day, strike=strike, option_type=right)


def _entry(
    segment: str,
    symbol: str,
    kind: str,
    *,
    name: str,
    isin: str | None = None,
    series: str | None = None,
    token: str | None = None,
) -> Entry:
    terms = (None, None, None, 1, 500, None, None, None, None)
    written = symbol if series is None else symbol.removesuffix(f"-{series}")
    head = (0, Segment(segment).value, symbol, None, written, name, kind, isin)
    return Entry(*head, *terms, series, token)
