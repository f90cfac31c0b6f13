"""The small master that comes with Bahi: well-known names, with contracts dated from today on.

It is what tests and a newcomer's paper exchange trade, and it bears the symbols of the real ones,
so that an account goes on when a broker's master is loaded. Facts are as of August 2026; prices are
only where the simulated market begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date, timedelta
from itertools import count
from typing import Final, NamedTuple

from bahi.kernel import symbols
from bahi.kernel.errors import BahiError
from bahi.kernel.listings import Listing
from bahi.kernel.money import SCALE, Price
from bahi.kernel.words import InstrumentType, OptionType, Segment

_SHARES: Final = """
RELIANCE|Reliance Industries|INE002A01018|2885|500|20000|1310
TCS|Tata Consultancy Services|INE467B01029|11536|225|9000|2260
HDFCBANK|HDFC Bank|INE040A01034|1333|650|32500|780
ICICIBANK|ICICI Bank|INE090A01021|4963|700|21000|1430
INFY|Infosys|INE009A01021|1594|400|20000|1115
SBIN|State Bank of India|INE062A01020|3045|750|22500|1050
BHARTIARTL|Bharti Airtel|INE397D01024|10604|475|14250|1940
ITC|ITC|INE154A01025|1660|1725|86250|285
LT|Larsen & Toubro|INE018A01030|11483|175|7000|4000
HINDUNILVR|Hindustan Unilever|INE030A01027|1394|300|12000|2140
KOTAKBANK|Kotak Mahindra Bank|INE237A01036|1922|2000|60000|390
AXISBANK|Axis Bank|INE238A01034|5900|625|18750|1300
BAJFINANCE|Bajaj Finance|INE296A01032|317|750|22500|1080
BAJAJFINSV|Bajaj Finserv|INE918I01026|16675|300|12000|1980
BAJAJ-AUTO|Bajaj Auto|INE917I01010|16669|75|2250|10900
MARUTI|Maruti Suzuki India|INE585B01010|10999|50|2000|14000
M&M|Mahindra & Mahindra|INE101A01026|2031|200|8000|3250
TMPV|Tata Motors Passenger Vehicles|INE155A01022|3456|1600|64000|340
EICHERMOT|Eicher Motors|INE066A01021|910|100|3000|7700
HEROMOTOCO|Hero MotoCorp|INE158A01026|1348|150|4500|5400
TATASTEEL|Tata Steel|INE081A01020|3499|2750|137500|187
JSWSTEEL|JSW Steel|INE019A01038|11723|675|20250|1280
HINDALCO|Hindalco Industries|INE038A01020|1363|700|28000|980
VEDL|Vedanta|INE205A01025|3063|1150|57500|280
TATAPOWER|Tata Power|INE245A01021|3426|1450|58000|385
NTPC|NTPC|INE733E01010|11630|1500|75000|350
POWERGRID|Power Grid Corporation|INE752E01010|14977|1900|76000|277
ONGC|Oil and Natural Gas Corporation|INE213A01029|2475|2250|90000|245
COALINDIA|Coal India|INE522F01014|20374|1350|54000|425
GAIL|GAIL India|INE129A01019|4717|3550|142000|175
BPCL|Bharat Petroleum|INE029A01011|526|1975|79000|315
IOC|Indian Oil Corporation|INE242A01010|1624|4875|195000|142
SUNPHARMA|Sun Pharmaceutical|INE044A01036|3351|350|14000|1940
CIPLA|Cipla|INE059A01026|694|425|17000|1440
DRREDDY|Dr. Reddy's Laboratories|INE089A01031|881|625|18750|1220
APOLLOHOSP|Apollo Hospitals|INE437A01024|157|125|2500|8800
MAXHEALTH|Max Healthcare|INE027H01010|22377|525|21000|1080
HCLTECH|HCL Technologies|INE860A01027|7229|400|20000|1230
WIPRO|Wipro|INE075A01022|3787|3000|120000|182
TECHM|Tech Mahindra|INE669C01036|13538|600|18000|1480
TATAELXSI|Tata Elxsi|INE670A01012|3411|125|6250|3650
ULTRACEMCO|UltraTech Cement|INE481G01011|11532|50|2000|11760
GRASIM|Grasim Industries|INE047A01021|1232|250|7500|3280
ASIANPAINT|Asian Paints|INE021A01026|236|250|10000|2740
PIDILITIND|Pidilite Industries|INE318A01026|2664|500|15000|1640
TITAN|Titan Company|INE280A01028|3506|175|5250|4800
TRENT|Trent|INE849A01020|1964|225|9000|3050
DMART|Avenue Supermarts|INE192R01011|19913|150|6000|4050
NESTLEIND|Nestle India|INE239A01024|17963|500|15000|1470
TATACONSUM|Tata Consumer Products|INE192A01025|3432|550|22000|1090
GODREJCP|Godrej Consumer Products|INE102D01028|10099|500|20000|1010
ADANIENT|Adani Enterprises|INE423A01024|25|309|9270|3050
ADANIPORTS|Adani Ports|INE742F01042|15083|475|14250|1780
BEL|Bharat Electronics|INE263A01024|383|1425|57000|405
HAL|Hindustan Aeronautics|INE066F01020|2303|150|6000|4700
DLF|DLF|INE271C01023|14732|950|38000|660
INDIGO|InterGlobe Aviation|INE646L01027|11195|150|4500|5200
ETERNAL|Eternal|INE758T01015|5097|2425|72750|295
JIOFIN|Jio Financial Services|INE758E01017|18143|2350|94000|255
SHRIRAMFIN|Shriram Finance|INE721A01047|4306|825|24750|1060
SBILIFE|SBI Life Insurance|INE123W01016|21808|375|15000|1860
HDFCLIFE|HDFC Life Insurance|INE795G01014|467|1100|44000|555
INDUSINDBK|IndusInd Bank|INE095A01012|5258|700|21000|1010
BANKBARODA|Bank of Baroda|INE028A01039|4668|2925|87750|248
PNB|Punjab National Bank|INE160A01022|10666|8000|240000|112
YESBANK|Yes Bank|INE528G01035|11915|31100|933000|24
IDEA|Vodafone Idea|INE669E01016|14366|71475|1429500|14
IRFC|Indian Railway Finance|INE053F01010|2029|5425|271250|90
NIFTYBEES|Nippon India ETF Nifty 50|INF204KB14I2|10576|||270
BANKBEES|Nippon India ETF Nifty Bank|INF204KB15I9|11439|||575
GOLDBEES|Nippon India ETF Gold|INF204KB17I5|14428|||125
"""
"""Symbol, name, ISIN, NSE's token, lot and freeze quantity of its contracts, price."""

_FUTURES_OF: Final = ("RELIANCE", "HDFCBANK", "ICICIBANK", "INFY", "TCS", "SBIN", "TATASTEEL")


class _Index(NamedTuple):
    symbol: str
    name: str
    segment: Segment
    price: int


class _Derived(NamedTuple):
    """What is traded on an index: its lot, freeze quantity, tick of the future, step of strikes."""

    root: str
    segment: Segment
    lot: int
    freeze: int
    tick: Price
    step: int
    strikes: int  # on either side
    weeks: int


class _Goods(NamedTuple):
    """A future on goods or money; its price is in rupees of its quotation."""

    root: str
    name: str
    segment: Segment
    kind: InstrumentType
    lot: int
    tick: Price
    price: Price


_INDICES: Final = (
    _Index("NIFTY", "Nifty 50", Segment.NSE_INDEX, 24_100),
    _Index("BANKNIFTY", "Nifty Bank", Segment.NSE_INDEX, 56_300),
    _Index("FINNIFTY", "Nifty Financial Services", Segment.NSE_INDEX, 26_050),
    _Index("MIDCPNIFTY", "Nifty Midcap Select", Segment.NSE_INDEX, 14_350),
    _Index("NIFTYNXT50", "Nifty Next 50", Segment.NSE_INDEX, 71_600),
    _Index("INDIAVIX", "India VIX", Segment.NSE_INDEX, 13),
    _Index("SENSEX", "BSE Sensex", Segment.BSE_INDEX, 77_000),
    _Index("BANKEX", "BSE Bankex", Segment.BSE_INDEX, 63_400),
)
_DERIVED: Final = (
    _Derived("NIFTY", Segment.NSE_FNO, 65, 1_800, Price(1_000), 50, 20, 2),
    _Derived("BANKNIFTY", Segment.NSE_FNO, 30, 600, Price(2_000), 100, 15, 0),
    _Derived("FINNIFTY", Segment.NSE_FNO, 60, 1_800, Price(1_000), 50, 10, 0),
    _Derived("SENSEX", Segment.BSE_FNO, 20, 500, Price(500), 100, 15, 1),
)
_GOODS: Final = (
    _Goods("CRUDEOIL", "Crude oil", Segment.MCX_COMM, InstrumentType.FUTCOM, 100, Price(10_000),
           Price(7_900_0000)),
    _Goods("NATURALGAS", "Natural gas", Segment.MCX_COMM, InstrumentType.FUTCOM, 1_250,
           Price(1_000), Price(290_0000)),
    _Goods("GOLDM", "Gold mini", Segment.MCX_COMM, InstrumentType.FUTCOM, 10, Price(10_000),
           Price(149_000_0000)),
    _Goods("USDINR", "US dollar in rupees", Segment.NSE_CURRENCY, InstrumentType.FUTCUR, 1_000,
           Price(25), Price(93_8750)),
)  # fmt: skip
_GOODS_END: Final = {"CRUDEOIL": 19, "NATURALGAS": 26, "GOLDM": 5}  # about, day of the month
_GOODS_ENDS: Final = {
    root: {date.fromisoformat(day) for day in days.split()}
    for root, days in {
        "CRUDEOIL": "2026-08-19 2026-09-21 2026-10-19 2026-11-19 2026-12-18 2027-01-19",
        "NATURALGAS": "2026-08-26 2026-09-25 2026-10-27 2026-11-24 2026-12-28 2027-01-25",
        "GOLDM": "2026-09-04 2026-10-05 2026-11-05 2026-12-04 2027-01-05 2027-02-05",
    }.items()
}
"""As MCX lists them; each exchange moves these by its own reasons, so no rule yields them all."""
_MONTHS: Final = 2  # of every future
_FUND_TICK: Final = Price(100)
_OPTION_TICK: Final = Price(500)
_TUESDAY, _THURSDAY, _FRIDAY = 1, 3, 4

Shift = Callable[[Segment, date], date]
"""Moves an expiry that would fall on a holiday; the calendar knows."""


def shipped(
    day: date, shift: Shift | None = None, levels: Mapping[str, Price] | None = None
) -> Iterator[Listing]:
    """Yield the small master as it is on a day; its chains stand around `levels`, where given."""
    around = _at_home if levels is None else levels.__getitem__
    dates = _Dates(day, shift)
    numbers = count(1)
    for line in (*_cash(), *_index_contracts(dates, around), *_others(dates)):
        yield line._replace(line=next(numbers), broker_symbol=line.symbol, security_id=_id_of(line))


def reference_prices() -> dict[str, Price]:
    """Return where the simulated market begins, by the symbol of a share, an index or a root."""
    return dict(_PRICES)


def tick_of_share(price: Price) -> Price:
    """Return the tick of a share at NSE, by its price at the end of the month before."""
    return next(tick for below, tick in _TICKS if price < below)


_TICKS: Final = (
    (Price(250_0000), Price(100)),
    (Price(1_001_0000), Price(500)),
    (Price(5_001_0000), Price(1_000)),
    (Price(10_001_0000), Price(5_000)),
    (Price(20_001_0000), Price(10_000)),
    (Price(2**62), Price(50_000)),
)


def _rows() -> Iterator[list[str]]:
    return (line.split("|") for line in _SHARES.split("\n") if line)


_PRICES: Final[Mapping[str, Price]] = (
    {row[0]: Price(int(row[6]) * SCALE) for row in _rows()}
    | {it.symbol: Price(it.price * SCALE) for it in _INDICES}
    | {it.root: it.price for it in _GOODS}
)


def _at_home(symbol: str) -> Price:
    return _PRICES[symbol]


def _id_of(listing: Listing) -> str:
    return f"{listing.segment}|{listing.symbol}"


def _line(segment: Segment, symbol: str, kind: InstrumentType) -> Listing:
    return Listing(0, segment, symbol, symbol, "", kind)


def _cash() -> Iterator[Listing]:
    for symbol, name, isin, token, lot, _freeze, _price in _rows():
        yield _line(Segment.NSE_EQ, symbol, InstrumentType.EQUITY)._replace(
            name=name,
            isin=isin,
            exchange_token=token,
            trading_symbol=symbol,
            series="EQ",
            lot_size=1,
            tick_size=tick_of_share(_PRICES[symbol]) if lot else _FUND_TICK,
            cas_eligible=bool(lot),
        )
    for it in _INDICES:
        yield _line(it.segment, it.symbol, InstrumentType.INDEX)._replace(
            name=it.name, trading_symbol=it.symbol
        )


class _Dates:
    """The expiries that are listed on a day."""

    def __init__(self, day: date, shift: Shift | None) -> None:
        self._day, self._shift = day, shift

    def monthly(self, segment: Segment) -> list[date]:
        """Return the next months' ends: the last Tuesday at NSE, the last Thursday at BSE."""
        weekday = _weekday(segment)
        return self._next(segment, lambda first: _last(first, weekday), _MONTHS)

    def of_goods(self, it: _Goods) -> list[date]:
        """Return the next months' ends of goods or money."""
        about, listed = _GOODS_END.get(it.root), _GOODS_ENDS.get(it.root, set())

        def end(first: date) -> date:
            known = [day for day in listed if (day.year, day.month) == (first.year, first.month)]
            if known or about is None:
                return known[0] if known else _last_but_two(first)
            return first.replace(day=about)

        return self._next(it.segment, end, _MONTHS)

    def weekly(self, segment: Segment, weeks: int) -> list[date]:
        """Return the ends of the next weeks."""
        ahead = (_weekday(segment) - self._day.weekday()) % 7
        nominal = (self._day + timedelta(days=ahead + 7 * week) for week in count())
        found: list[date] = []
        while len(found) < weeks:
            if (moved := self._moved(segment, next(nominal))) >= self._day:
                found.append(moved)
        return found

    def _next(self, segment: Segment, end_of: Callable[[date], date], many: int) -> list[date]:
        found: list[date] = []
        first = self._day.replace(day=1)
        while len(found) < many:
            if (moved := self._moved(segment, end_of(first))) >= self._day:
                found.append(moved)
            first = _next_month(first)
        return found

    def _moved(self, segment: Segment, nominal: date) -> date:
        if self._shift is not None:
            with suppress(BahiError):  # a year whose holidays nobody has entered yet
                return self._shift(segment, nominal)
        return nominal - timedelta(days=max(0, nominal.weekday() - _FRIDAY))


def _weekday(segment: Segment) -> int:
    return _THURSDAY if segment is Segment.BSE_FNO else _TUESDAY


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _last(first: date, weekday: int) -> date:
    """Return the last such weekday of the month."""
    end = _next_month(first) - timedelta(days=1)
    return end - timedelta(days=(end.weekday() - weekday) % 7)


def _last_but_two(first: date) -> date:
    """Return two working days before the last of the month, as currency contracts end."""
    end = _next_month(first) - timedelta(days=1)
    left = 2
    while left or end.weekday() > _FRIDAY:
        left -= end.weekday() <= _FRIDAY
        end -= timedelta(days=1)
    return end


def _index_contracts(dates: _Dates, around: Callable[[str], Price]) -> Iterator[Listing]:
    for it in _DERIVED:
        months = dates.monthly(it.segment)
        for expiry in months:
            yield _contract(it, InstrumentType.FUTIDX, expiry)._replace(tick_size=it.tick)
        middle = round(around(it.root) / SCALE / it.step) * it.step
        strikes = range(middle - it.strikes * it.step, middle + it.strikes * it.step + 1, it.step)
        for expiry in sorted({*dates.weekly(it.segment, it.weeks), months[0]}):
            for strike in strikes:
                yield from _pair(it, expiry, Price(strike * SCALE))


def _contract(it: _Derived, kind: InstrumentType, expiry: date) -> Listing:
    return _line(it.segment, symbols.future(it.root, expiry), kind)._replace(
        root=it.root, name=it.root, expiry=expiry, lot_size=it.lot, freeze_qty=it.freeze
    )


def _pair(it: _Derived, expiry: date, strike: Price) -> Iterator[Listing]:
    for right in OptionType:
        yield _contract(it, InstrumentType.OPTIDX, expiry)._replace(
            symbol=symbols.option(it.root, expiry, strike, right),
            strike=strike,
            option_type=right,
            tick_size=_OPTION_TICK,
        )


def _others(dates: _Dates) -> Iterator[Listing]:
    for symbol, name, _isin, _token, lot, freeze, _price in _rows():
        if symbol in _FUTURES_OF:
            for expiry in dates.monthly(Segment.NSE_FNO):
                future = symbols.future(symbol, expiry)
                yield _line(Segment.NSE_FNO, future, InstrumentType.FUTSTK)._replace(
                    root=symbol,
                    name=name,
                    expiry=expiry,
                    lot_size=int(lot),
                    freeze_qty=int(freeze),
                    tick_size=tick_of_share(_PRICES[symbol]),
                )
    for it in _GOODS:
        for expiry in dates.of_goods(it):
            yield _line(it.segment, symbols.future(it.root, expiry), it.kind)._replace(
                root=it.root, name=it.name, expiry=expiry, lot_size=it.lot, tick_size=it.tick
            )
