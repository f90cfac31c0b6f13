"""Greeks of one option, or of several, with the model that they come from.

As OpenAlgo does, they are Black-76's, with the price of a future or the forward that is handed in,
else with the spot price in the forward's place (`priced_on` says which). Who would rather have
Black-Scholes on the spot price says `"model": "black-scholes"`.
"""

from __future__ import annotations

from datetime import time
from typing import Any, Final

import msgspec
from starlette.routing import Route

from bahi.api.openalgo.door import Ask, Name, asked, good
from bahi.api.openalgo.market_words import instrument_meant
from bahi.api.openalgo.words import SAID_AT_MOST, meant, rupees
from bahi.bootstrap import House
from bahi.bootstrap.chains import FORWARD, FUTURE, SPOT, Basis, figures_of, next_future
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.actor import Actor
from bahi.kernel.errors import BahiError, Invalid, NotFound, TooMuch
from bahi.kernel.money import SCALE
from bahi.kernel.symbols import MONTHS
from bahi.quotes.model.greeks import Greeks, Model

AT_ONCE: Final = 50
MODELS: Final = {
    "BLACK76": Model.BLACK_76,
    "BLACK-76": Model.BLACK_76,
    "BLACK-SCHOLES": Model.BLACK_SCHOLES,
}


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
    found = figures_of(option, quote.last, basis, house.clock(), ends)
    day = option.expiry
    return {
        "symbol": option.symbol,
        "exchange": option.exchange,
        "underlying": underlying,
        "strike": rupees(option.strike),
        "option_type": str(option.option_type),
        "expiry_date": f"{day.day:02d}-{MONTHS[day.month - 1].title()}-{day.year}",
        "days_to_expiry": round(found.days, 4),
        "spot_price": round(basis.underlying, 4),
        "option_price": rupees(quote.last),
        "interest_rate": form.interest_rate,
        "implied_volatility": percent(found.volatility),
        "greeks": rounded(found.greeks),
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
    contracts = catalogue.contracts(option.root, option.segment)
    near = None if option.expiry is None else next_future(contracts, option.expiry)
    found = None if near is None else catalogue.by_id(near.id)
    if found is None:
        raise NotFound(
            f"underlying_symbol: {option.root} has no price of its own here; name a future of it, "
            "or hand in forward_price."
        )
    return found


def rounded(found: Greeks) -> dict[str, float]:
    """Write greeks as OpenAlgo does."""
    return {
        "delta": round(found.delta, 4),
        "gamma": round(found.gamma, 6),
        "theta": round(found.theta, 4),
        "vega": round(found.vega, 4),
        "rho": round(found.rho, 6),
    }


def percent(volatility: float) -> float:
    """Write a volatility as OpenAlgo does."""
    return round(volatility * 100, 2)


def _time_of(said: str) -> time:
    try:
        return time.fromisoformat(said.strip())
    except ValueError:
        raise Invalid(f"expiry_time: {said[:SAID_AT_MOST]!r} is none; write it as 17:00.") from None
