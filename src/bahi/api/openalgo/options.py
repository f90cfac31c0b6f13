"""Options: the chain, one by its offset from the money, and the future that a pair makes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.routing import Route

from bahi.api.openalgo.door import Ask, Name, asked, good
from bahi.api.openalgo.market_words import known, quoted
from bahi.api.openalgo.options_greeks import greek_routes, percent, rounded
from bahi.api.openalgo.options_meant import options_meant
from bahi.api.openalgo.underlying import expiry_of, option_of, underlying_of
from bahi.api.openalgo.words import rupees
from bahi.bootstrap import House
from bahi.bootstrap.chains import (
    AROUND_AT_MOST,
    Basis,
    OptionSeen,
    basis_of,
    ends_at,
    forward_of,
    option_seen,
    options_in,
)
from bahi.instruments.model.chain import Rung
from bahi.instruments.model.instrument import Entry, instrument_of
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Invalid
from bahi.kernel.symbols import dated
from bahi.quotes.model.quote import NoPrice, Quote


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
    around = AROUND_AT_MOST if form.strike_count is None else form.strike_count
    if not 1 <= around <= AROUND_AT_MOST:
        raise Invalid(f"strike_count: {around} cannot be; it is 1 to {AROUND_AT_MOST}.")
    options = await options_meant(house, form.underlying, form.exchange, form.expiry_date)
    money = options.chain.at_the_money(options.expiry, options.price)
    rungs = options.chain.at(options.expiry, options.price, around)
    listed = options_in(rungs)
    quotes = await house.quotes.quotes(listed)
    now = house.clock()
    forward = forward_of(rungs, money, quotes)
    said = good(
        underlying=options.underlying.root,
        underlying_ltp=rupees(options.price),
        underlying_prev_close=known(options.underlying.quote.previous_close),
        expiry_date=dated(options.expiry),
        expiry_ts=int(ends_at(listed[0].segment, options.expiry).timestamp()),
        server_ts=int(now.timestamp()),
        atm_strike=rupees(money),
        quotes_included=True,
        greeks_included=form.with_greeks,
    )
    if not form.with_greeks:
        return said | {"chain": _rows(rungs, quotes, None, now)}
    basis = basis_of(forward, options.price, form.interest_rate / 100)
    said |= {"forward_price": known(forward), "model": basis.model, "priced_on": basis.priced_on}
    return said | {"chain": await asyncio.to_thread(_rows, rungs, quotes, basis, now)}


async def synthetic_future(house: House, _actor: Actor, form: OfPair) -> dict[str, Any]:
    """Tell what a call bought and a put sold at the money make of a future's price."""
    options = await options_meant(house, form.underlying, form.exchange, form.expiry_date)
    money = options.chain.at_the_money(options.expiry, options.price)
    rungs = options.chain.at(options.expiry, options.price, 0)
    listed = options_in(rungs)
    forward = forward_of(rungs, money, await house.quotes.quotes(listed))
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
    return said if basis is None else said | _greeks(option_seen(it, label, quote, basis, now))


def _greeks(it: OptionSeen) -> dict[str, Any]:
    """Return an option's greeks; where there are none, each is null, with the reason."""
    if it.figures is None:
        names = ("implied_volatility", "delta", "gamma", "theta", "vega")
        return {**dict.fromkeys(names), "no_greeks": it.why}
    said = rounded(it.figures.greeks)
    del said["rho"]
    return {"implied_volatility": percent(it.figures.volatility), **said}
