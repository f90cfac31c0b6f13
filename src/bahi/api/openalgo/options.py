"""Options: the chain, one by its offset from the money, and the future that a pair makes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from starlette.routing import Route

from bahi.api.openalgo.door import Ask, Name, asked, good
from bahi.api.openalgo.market_words import known, quoted
from bahi.api.openalgo.options_greeks import (
    Basis,
    Figures,
    basis_of,
    ends_at,
    figures_of,
    greek_routes,
)
from bahi.api.openalgo.options_meant import options_meant
from bahi.api.openalgo.underlying import expiry_of, option_of, underlying_of
from bahi.api.openalgo.words import rupees
from bahi.bootstrap import House
from bahi.instruments.model.chain import Rung
from bahi.instruments.model.instrument import Entry, Instrument, instrument_of
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Invalid
from bahi.kernel.money import SCALE, Price
from bahi.kernel.symbols import dated
from bahi.quotes.model.greeks import Unpriced
from bahi.quotes.model.quote import NoPrice, Quote

STRIKES_AT_MOST: Final = 100
"""On either side of the money."""


class ByOffset(Ask, kw_only=True):
    """A request for the option that lies so many strikes from the money."""

    underlying: Name
    exchange: Name
    offset: Name
    option_type: Name
    expiry_date: Name | None = None


class OfChain(Ask, kw_only=True):
    """A request for a chain; without a count, for as much of it as there may be."""

    underlying: Name
    exchange: Name
    expiry_date: Name | None = None
    strike_count: int | None = None
    with_greeks: bool = False
    interest_rate: float = 0.0


class OfPair(Ask, kw_only=True):
    """A request for a synthetic future."""

    underlying: Name
    exchange: Name
    expiry_date: Name | None = None


def option_routes(house: House) -> list[Route]:
    """Make the doors of options."""
    return [
        asked(house, "optionsymbol", ByOffset, option_symbol),
        asked(house, "optionchain", OfChain, option_chain),
        asked(house, "syntheticfuture", OfPair, synthetic_future),
        *greek_routes(house),
    ]


async def option_symbol(house: House, _actor: Actor, form: ByOffset) -> dict[str, Any]:
    """Tell which option lies so many strikes from the money."""
    under = await underlying_of(house, form.underlying, form.exchange)
    day = expiry_of(form.expiry_date)
    it = await option_of(house, under, day, form.offset, form.option_type)
    return good(
        symbol=it.symbol,
        exchange=it.exchange,
        lotsize=it.lot_size,
        tick_size=known(it.tick_size),
        freeze_qty=it.freeze_qty,
        underlying_ltp=rupees(under.last),
    )


async def option_chain(house: House, _actor: Actor, form: OfChain) -> dict[str, Any]:
    """Tell the calls and puts about the money, each with its price and its label."""
    around = STRIKES_AT_MOST if form.strike_count is None else form.strike_count
    if not 1 <= around <= STRIKES_AT_MOST:
        raise Invalid(f"strike_count: {around} cannot be; it is 1 to {STRIKES_AT_MOST}.")
    options = await options_meant(house, form.underlying, form.exchange, form.expiry_date)
    money = options.chain.at_the_money(options.expiry, options.price)
    rungs = options.chain.at(options.expiry, options.price, around)
    listed = [instrument_of(it) for rung in rungs for it in (rung.call, rung.put) if it is not None]
    quotes = await house.quotes.quotes(listed)
    now = house.clock()
    forward = _forward(rungs, money, quotes)
    any_of_it = listed[0]
    said = good(
        underlying=options.underlying.root,
        underlying_ltp=rupees(options.price),
        underlying_prev_close=known(options.quote.previous_close),
        expiry_date=dated(options.expiry),
        expiry_ts=int(ends_at(any_of_it, options.expiry).timestamp()),
        server_ts=int(now.timestamp()),
        atm_strike=rupees(money),
        quotes_included=True,
        greeks_included=form.with_greeks,
    )
    if not form.with_greeks:
        return said | {"chain": _rows(rungs, quotes, None, now)}
    basis = basis_of(forward, options.price, form.interest_rate)
    said |= {"forward_price": known(forward), "model": basis.model, "priced_on": basis.priced_on}
    return said | {"chain": await asyncio.to_thread(_rows, rungs, quotes, basis, now)}


async def synthetic_future(house: House, _actor: Actor, form: OfPair) -> dict[str, Any]:
    """Tell what a call bought and a put sold at the money make of a future's price."""
    options = await options_meant(house, form.underlying, form.exchange, form.expiry_date)
    money = options.chain.at_the_money(options.expiry, options.price)
    rungs = options.chain.at(options.expiry, options.price, 0)
    listed = [instrument_of(it) for rung in rungs for it in (rung.call, rung.put) if it is not None]
    forward = _forward(rungs, money, await house.quotes.quotes(listed))
    if forward is None:
        raise NoPrice(
            f"There is no price of both options at {rupees(money)} that end on "
            f"{dated(options.expiry)}, so they make no future."
        )
    return good(
        underlying=options.underlying.root,
        underlying_ltp=rupees(options.price),
        expiry=dated(options.expiry),
        atm_strike=rupees(money),
        synthetic_future_price=rupees(forward),
    )


def _forward(rungs: list[Rung], money: Price, quotes: Mapping[int, Quote]) -> Price | None:
    """Return the strike at the money plus its call less its put; None where one has no price."""
    for rung in rungs:
        if rung.strike == money and rung.call is not None and rung.put is not None:
            call, put = quotes.get(rung.call.id), quotes.get(rung.put.id)
            if call is not None and put is not None:
                made = rung.strike + call.last - put.last
                return Price(made) if made > 0 else None
    return None


def _rows(
    rungs: list[Rung], quotes: Mapping[int, Quote], basis: Basis | None, now: datetime
) -> list[dict[str, Any]]:
    return [
        {
            "strike": rupees(rung.strike),
            "ce": _leg(rung.call, rung.call_label, quotes, basis, now),
            "pe": _leg(rung.put, rung.put_label, quotes, basis, now),
        }
        for rung in rungs
    ]


def _leg(
    entry: Entry | None,
    label: str | None,
    quotes: Mapping[int, Quote],
    basis: Basis | None,
    now: datetime,
) -> dict[str, Any] | None:
    if entry is None:
        return None
    it = instrument_of(entry)
    quote = quotes.get(it.id)
    said: dict[str, Any] = {"symbol": it.symbol, "label": label}
    if quote is None:
        said |= dict.fromkeys(("ltp", "bid", "ask", "open", "high", "low", "prev_close"))
        said |= dict.fromkeys(("volume", "oi", "bid_qty", "ask_qty"))
    else:
        said |= quoted(quote)
        said["bid_qty"] = quote.bids[0].quantity if quote.bids else None
        said["ask_qty"] = quote.asks[0].quantity if quote.asks else None
    said |= {"lotsize": it.lot_size, "tick_size": known(it.tick_size)}
    return said if basis is None else said | _greeks(it, quote, basis, now)


def _greeks(it: Instrument, quote: Quote | None, basis: Basis, now: datetime) -> dict[str, Any]:
    """Return an option's greeks; where there are none, each is null, with the reason."""
    try:
        if quote is None:
            raise NoPrice(f"There is no price of {it.symbol}.")
        found: Figures = figures_of(it, quote.last / SCALE, basis, now)
    except (Unpriced, NoPrice, Invalid) as none:
        names = ("implied_volatility", "delta", "gamma", "theta", "vega")
        return {**dict.fromkeys(names), "no_greeks": str(none)}
    said = found.greeks
    del said["rho"]
    return {"implied_volatility": found.volatility, **said}
