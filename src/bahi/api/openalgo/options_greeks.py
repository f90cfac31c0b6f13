"""Greeks of one option, or of several, with the model that they come from.

As OpenAlgo does, they are Black-76's, with the price of a future or the forward that is handed in,
else with the spot price in the forward's place (`priced_on` says which). Who would rather have
Black-Scholes on the spot price says `"model": "black-scholes"`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

import msgspec
from starlette.routing import Route

from bahi.api.openalgo.door import Ask, Name, asked, good
from bahi.api.openalgo.market_words import instrument_meant
from bahi.api.openalgo.words import SAID_AT_MOST, meant, rupees
from bahi.bootstrap import House
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.actor import Actor
from bahi.kernel.clock import IST, in_utc
from bahi.kernel.errors import BahiError, Invalid, NotFound, TooMuch
from bahi.kernel.money import SCALE, Price
from bahi.kernel.symbols import MONTHS
from bahi.kernel.words import Segment
from bahi.quotes.model.greeks import DAYS, Model, Terms, greeks_of, implied_volatility

AT_ONCE: Final = 50
SECONDS: Final = 86_400.0
MODELS: Final = {
    "BLACK76": Model.BLACK_76,
    "BLACK-76": Model.BLACK_76,
    "BLACK-SCHOLES": Model.BLACK_SCHOLES,
}
ENDS: Final = {
    Segment.NSE_FNO: time(15, 30),
    Segment.BSE_FNO: time(15, 30),
    Segment.NSE_CURRENCY: time(12, 30),
    Segment.BSE_CURRENCY: time(12, 30),
    Segment.MCX_COMM: time(23, 30),
}
"""When a contract ends on its last day, unless it is said otherwise."""
SPOT: Final = "spot"
FUTURE: Final = "future"
FORWARD: Final = "forward"


class OfOption(Ask, kw_only=True):
    """A request for one option's greeks; `interest_rate` in percent a year."""

    symbol: Name
    exchange: Name
    interest_rate: float = 0.0
    forward_price: float | None = None
    underlying_symbol: Name | None = None
    underlying_exchange: Name | None = None
    expiry_time: Name | None = None
    model: Name = "black76"


class Leg(msgspec.Struct, kw_only=True):
    """One option of several."""

    symbol: Name
    exchange: Name
    underlying_symbol: Name | None = None
    underlying_exchange: Name | None = None
    forward_price: float | None = None


class OfSeveral(Ask, kw_only=True):
    """A request for the greeks of several options."""

    symbols: list[Leg]
    interest_rate: float = 0.0
    expiry_time: Name | None = None
    model: Name = "black76"


@dataclass(frozen=True, slots=True)
class Basis:
    """What options are priced on."""

    model: Model
    underlying: float
    priced_on: str
    rate: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What an option's price says."""

    volatility: float
    greeks: dict[str, float]
    days: float


def greek_routes(house: House) -> list[Route]:
    """Make the doors of greeks."""
    return [
        asked(house, "optiongreeks", OfOption, option_greeks),
        asked(house, "multioptiongreeks", OfSeveral, several_greeks),
    ]


async def option_greeks(house: House, _actor: Actor, form: OfOption) -> dict[str, Any]:
    """Tell an option's implied volatility and greeks."""
    return good(**await _told(house, form))


async def several_greeks(house: House, _actor: Actor, form: OfSeveral) -> dict[str, Any]:
    """Tell the greeks of several options; of one that has none, why."""
    if len(form.symbols) > AT_ONCE:
        raise TooMuch(f"symbols: these are {len(form.symbols)}; {AT_ONCE} at a time are the most.")
    rows: list[dict[str, Any]] = []
    for it in form.symbols:
        one = OfOption(
            symbol=it.symbol,
            exchange=it.exchange,
            interest_rate=form.interest_rate,
            forward_price=it.forward_price,
            underlying_symbol=it.underlying_symbol,
            underlying_exchange=it.underlying_exchange,
            expiry_time=form.expiry_time,
            model=form.model,
        )
        try:
            rows.append(good(**await _told(house, one)))
        except BahiError as why:
            said = {"symbol": it.symbol[:SAID_AT_MOST], "exchange": it.exchange[:SAID_AT_MOST]}
            rows.append({"status": "error", **said, "message": str(why), "code": why.code})
    success = sum(row["status"] == "success" for row in rows)
    summary = {"total": len(rows), "success": success, "failed": len(rows) - success}
    return good(data=rows, summary=summary)


async def _told(house: House, form: OfOption) -> dict[str, Any]:
    option = await instrument_meant(house, form.symbol, form.exchange)
    if option.option_type is None or option.strike is None or option.expiry is None:
        raise Invalid(f"symbol: {option.symbol} is no option, so it has no greeks.")
    underlying, basis = await _basis(house, option, form)
    quote = await house.quotes.quote(option)
    ends = None if form.expiry_time is None else _time_of(form.expiry_time)
    found = figures_of(option, quote.last / SCALE, basis, house.clock(), ends)
    day = option.expiry
    return {
        "symbol": option.symbol,
        "exchange": option.exchange,
        "underlying": underlying,
        "strike": rupees(option.strike),
        "option_type": str(option.option_type),
        "expiry_date": f"{day.day:02d}-{MONTHS[day.month - 1].title()}-{day.year}",
        "days_to_expiry": found.days,
        "spot_price": round(basis.underlying, 4),
        "option_price": rupees(quote.last),
        "interest_rate": form.interest_rate,
        "implied_volatility": found.volatility,
        "greeks": found.greeks,
        "model": basis.model,
        "priced_on": basis.priced_on,
    }


async def _basis(house: House, option: Instrument, form: OfOption) -> tuple[str, Basis]:
    model, rate = meant(MODELS, form.model, "model"), form.interest_rate / 100
    if form.forward_price is not None:
        if model is Model.BLACK_SCHOLES:
            raise Invalid("model: Black-Scholes takes a spot price; leave forward_price out.")
        return option.root, Basis(model, form.forward_price, FORWARD, rate)
    under = await _underlying(house, option, form)
    worth = await house.quotes.quote(under)
    is_future = under.expiry is not None
    if is_future and model is Model.BLACK_SCHOLES:
        raise Invalid(
            f"model: {under.symbol} is a future; Black-76 is the model for options on it."
        )
    basis = Basis(model, worth.last / SCALE, FUTURE if is_future else SPOT, rate)
    return under.symbol, basis


async def _underlying(house: House, option: Instrument, form: OfOption) -> Instrument:
    """Return what an option is priced on: what is named, else its spot, else its next future."""
    if form.underlying_symbol:
        exchange = form.underlying_exchange or option.exchange
        return await instrument_meant(house, form.underlying_symbol, exchange)
    catalogue = await house.instruments.catalogue()
    spot = catalogue.underlying_of(option)
    if spot is not None:
        return spot
    futures = [
        it
        for it in catalogue.contracts(option.root, option.segment)
        if it.strike is None and option.expiry and (it.expiry or "") >= option.expiry.isoformat()
    ]
    near = min(futures, key=lambda it: it.expiry or "", default=None)
    found = None if near is None else catalogue.by_id(near.id)
    if found is None:
        raise NotFound(
            f"underlying_symbol: {option.root} has no price of its own here; name a future of it, "
            "or hand in forward_price."
        )
    return found


def basis_of(forward: Price | None, spot: Price, interest_rate: float) -> Basis:
    """Return what a chain is priced on: the future that its options make, else the spot price."""
    priced_on = SPOT if forward is None else FORWARD
    return Basis(Model.BLACK_76, (forward or spot) / SCALE, priced_on, interest_rate / 100)


def ends_at(option: Instrument, expiry: date, ends: time | None = None) -> datetime:
    """Return when an option ends."""
    at = ends or ENDS.get(option.segment, time(15, 30))
    return in_utc(datetime.combine(expiry, at, IST))


def figures_of(
    option: Instrument, price: float, basis: Basis, now: datetime, ends: time | None = None
) -> Figures:
    """Return what an option's price says at an instant."""
    assert option.option_type is not None  # noqa: S101 - whoever calls has looked
    assert option.strike is not None  # noqa: S101 - likewise
    assert option.expiry is not None  # noqa: S101 - likewise
    days = (ends_at(option, option.expiry, ends) - now).total_seconds() / SECONDS
    terms = Terms(
        model=basis.model,
        right=option.option_type,
        underlying=basis.underlying,
        strike=option.strike / SCALE,
        life=days / DAYS,
        rate=basis.rate,
    )
    volatility = implied_volatility(terms, price)
    found = greeks_of(terms, volatility)
    return Figures(
        volatility=round(volatility * 100, 2),
        greeks={
            "delta": round(found.delta, 4),
            "gamma": round(found.gamma, 6),
            "theta": round(found.theta, 4),
            "vega": round(found.vega, 4),
            "rho": round(found.rho, 6),
        },
        days=round(days, 4),
    )


def _time_of(said: str) -> time:
    try:
        return time.fromisoformat(said.strip())
    except ValueError:
        raise Invalid(f"expiry_time: {said[:SAID_AT_MOST]!r} is none; write it as 17:00.") from None
