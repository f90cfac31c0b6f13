"""Candles that are kept of what was followed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bahi.quotes.model.candles import Interval
from bahi.quotes.service.history import KeptCandles
from tests.calendars.known import DAYS
from tests.quotes.names import EVERYTHING, RELIANCE, SBIN, a_market, at

BEGIN = at("2026-11-20 09:15:00")
SECOND = timedelta(seconds=1)


def test_what_was_followed_from_the_open_is_what_the_market_made() -> None:
    market, kept = a_market(), KeptCandles(DAYS, {it.id: it for it in EVERYTHING}.get)
    end = BEGIN + 20 * 60 * SECOND
    for n in range(-900, 20 * 60):
        quote = market.quote(RELIANCE, BEGIN + n * SECOND)
        assert quote is not None
        kept.take(quote)
    for interval in (Interval.M1, Interval.M5):
        told = asyncio.run(kept.candles(RELIANCE, interval, BEGIN, end))
        made = market.candles(RELIANCE, interval, BEGIN, end - SECOND)
        assert [(it.at, it.open, it.high, it.low, it.close) for it in told] == [
            (it.at, it.open, it.high, it.low, it.close) for it in made
        ]
        assert [it.volume for it in told[1:]] == [it.volume for it in made[1:]]
    assert asyncio.run(kept.candles(SBIN, Interval.M1, BEGIN, end)) == ()


def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    market = a_market()
    kept = KeptCandles(DAYS, {it.id: it for it in EVERYTHING}.get, at_most=2)
    for day in ("2026-11-18", "2026-11-19", "2026-11-20"):
        quote = market.quote(RELIANCE, at(f"{day} 10:00:00"))
        assert quote is not None
        kept.take(quote)
    assert len(kept) == 2
    (first, _) = asyncio.run(
        kept.candles(RELIANCE, Interval.D1, at("2026-11-01 00:00:00"), at("2026-11-20 23:00:00"))
    )
    assert first.at == at("2026-11-19 09:15:00")
