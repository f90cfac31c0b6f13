"""The floor: the market as this process knows it, the paper exchange over it, what trading costs.

One for each process: the exchange remembers the mean of recent prices, and whom it squared off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from bahi.brokers.paper import PaperBroker
from bahi.calendar.model import MarketDays, UnknownDay
from bahi.calendar.service import LiveCalendar
from bahi.db.stores import Store
from bahi.exchange.service import PaperExchange
from bahi.exchange.service.settings import rules_of
from bahi.instruments.model.instrument import EXCHANGE_OF, Instrument
from bahi.instruments.service.live import LiveInstruments
from bahi.kernel.clock import Clock, exchange_day
from bahi.kernel.errors import NotFound
from bahi.kernel.money import Price
from bahi.kernel.ports import Broker
from bahi.kernel.words import Segment
from bahi.orders.model.wishes import SHARES, Seen
from bahi.portfolio.model.holding import settled_through
from bahi.portfolio.model.rates import EveryPlan
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.service.rates import LiveRates
from bahi.quotes.model.quote import NoPrice, Quote
from bahi.quotes.service.candle_files import CandleFiles
from bahi.quotes.service.history import KeptCandles
from bahi.quotes.service.market import LiveMarket
from bahi.quotes.service.quotes import Quotes
from bahi.risk.model.verdict import Reference
from bahi.risk.service.eligibility import LiveLists
from bahi.settings.service import LiveConfig

PAPER_PLAN: Final = "paper"


@dataclass(frozen=True)
class Prices:
    """What answers for prices, and what brings them in while the house is open."""

    quotes: Quotes
    market: LiveMarket | None = None
    candles: KeptCandles | None = None
    files: CandleFiles | None = None


class Market:
    """Instruments, hours and prices as they are in memory now: no transaction looks anything up."""

    def __init__(
        self,
        instruments: LiveInstruments,
        calendar: LiveCalendar,
        prices: Prices,
        clock: Clock,
        *,
        always_open: bool,
        lists: LiveLists | None = None,
    ) -> None:
        self._instruments, self._calendar = instruments, calendar
        self._prices, self._clock = prices, clock
        self.is_always_open = always_open
        self._lists = lists
        self._days: MarketDays | None = None
        self.mean_of: Callable[[Instrument], Price | None] = lambda _: None

    async def renew(self) -> None:
        """Have instruments, hours and prices as they are by now at hand."""
        await self._instruments.catalogue()
        self._days = await self._calendar.days()
        if self._lists is not None:
            await self._lists.renew()
        if self._prices.market is not None:
            await self._prices.market.now()

    def days(self) -> MarketDays | None:
        """Return the market days; None where the market is always open, by the settings."""
        return None if self.is_always_open else self._days

    def instrument(self, segment: Segment, symbol: str) -> Instrument | None:
        """Return a listed instrument."""
        return self._instruments.named_at_hand(symbol, segment)

    def is_open(self, instrument: Instrument) -> bool | None:
        """Say whether an instrument trades now; None: not known."""
        if self.is_always_open:
            return True
        if self._days is None:
            return None
        state = self._days.state(
            instrument.segment, self._clock(), in_closing_auction=instrument.cas_eligible
        )
        return state.is_open

    def quote(self, instrument: Instrument) -> Quote | None:
        """Return an instrument's newest price."""
        try:
            return self._prices.quotes.latest(instrument)
        except NoPrice:
            return None

    def past(self, instrument: Instrument, at: datetime) -> Quote | None:
        """Return what a price was, where the market can still say it."""
        market = None if self._prices.market is None else self._prices.market.newest
        return None if market is None else market.quote(instrument, at)

    def look(self, segment: Segment, symbol: str) -> Seen:
        """Say what is known of an instrument now."""
        instrument = self.instrument(segment, symbol)
        if instrument is None:
            raise NotFound(f"There is no {symbol!r} on {EXCHANGE_OF[segment]}.")
        quote = self.quote(instrument)
        return Seen(
            instrument=instrument,
            is_open=self.is_open(instrument),
            reference=None if quote is None else Reference(quote.last, quote.at, quote.source),
            settled=self._settled(segment),
            kept_off=() if self._lists is None else self._lists.kept_off(instrument),
            mean=self.mean_of(instrument),
        )

    def _settled(self, segment: Segment) -> date | None:
        """Return the last day whose purchases are delivered by now; None: not known."""
        if segment not in SHARES or (days := self.days()) is None:
            return None
        try:
            return settled_through(days, segment, exchange_day(self._clock()))
        except UnknownDay:
            return None


class Floor:
    """What all desks of a process share."""

    def __init__(
        self,
        market: Market,
        store: Store,
        rates: LiveRates,
        config: LiveConfig,
        clock: Clock,
    ) -> None:
        self.market, self.rates, self._config = market, rates, config
        self.exchange = PaperExchange(store, market, clock, days=market.days, past=market.past)
        market.mean_of = self.exchange.mean_of
        self._plans = EveryPlan()

    async def renew(self) -> None:
        """Have the market, the rates and the exchange's rules as they are by now at hand."""
        await self.market.renew()
        self._plans = await self.rates.plans()
        if not self.market.is_always_open:  # which is for those who want no delay and no surprise
            self.exchange.go_by(await rules_of(self._config.get))

    def broker_of(self, account_id: int) -> Broker:
        """Return an account's broker: so far, all are clients of the paper exchange."""
        return PaperBroker(self.exchange, account_id)

    def terms_of(self, account_id: int) -> Terms:
        """Return what trading costs an account: so far, all are on the paper exchange's plan."""
        del account_id
        return Terms(plan=PAPER_PLAN, rates=self._plans.of(PAPER_PLAN))
