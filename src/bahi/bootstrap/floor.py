"""The floor: the market as this process knows it, the paper exchange over it, what trading costs.

One for each process: the exchange remembers the mean of recent prices, and whom it squared off.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from bahi.bootstrap.ends import NearEnds
from bahi.brokers.paper import PaperBroker
from bahi.calendar.model import MarketDays, UnknownDay
from bahi.calendar.service import LiveCalendar
from bahi.db.stores import Store
from bahi.exchange.model.trading_day import Timetable
from bahi.exchange.service import PaperExchange, Rules
from bahi.exchange.service.settings import Get, rules_of
from bahi.instruments.model.instrument import EXCHANGE_OF, Instrument
from bahi.instruments.service.live import LiveInstruments
from bahi.kernel.altered import altered
from bahi.kernel.clock import Clock, exchange_day
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.ports import Broker
from bahi.kernel.words import Segment
from bahi.orders.model.wishes import SHARES, Seen
from bahi.portfolio.model.ends import Ends
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

log = logging.getLogger("bahi.floor")


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
        self._ends = NearEnds(self._listed, self.quote)

    async def renew(self) -> None:
        """Have instruments, hours and prices as they are by now at hand."""
        await self._instruments.catalogue()
        self._days = await self._calendar.days()
        self._ends.renew(self.days(), exchange_day(self._clock()))
        if self._lists is not None:
            await self._lists.renew()
        if self._prices.market is not None:
            await self._prices.market.now()

    def days(self) -> MarketDays | None:
        """Return the market days; None where the market is always open, by the settings."""
        return None if self.is_always_open else self._days

    def instrument(self, segment: Segment, symbol: str) -> Instrument | None:
        """Return a listed instrument."""
        found = self._listed(segment, symbol)
        if found is not None:
            self._ends.note(found)
        return found

    def _listed(self, segment: Segment, symbol: str) -> Instrument | None:
        return self._instruments.named_at_hand(symbol, segment)

    @property
    def ends(self) -> Ends:
        """Which contracts are near their end, of those that were looked up."""
        return self._ends.known

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

    def has_reopened(self, segment: Segment, day: date, now: datetime) -> bool:
        """Say whether a market has opened, by an instant, on a day after one; not known is no."""
        if self.is_always_open:
            return exchange_day(now) > day
        if self._days is None:
            return False
        try:
            following = self._days.next_trading_day(segment, day)
        except UnknownDay:
            return False
        hours = Timetable(self._days, Rules()).on(segment, following, in_auction=False)
        return hours is not None and hours.opens <= now

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
        """Say what is known of an instrument now, but for the mean that the exchange keeps."""
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
        self._every = EveryPlan()
        self._plans: Mapping[int, str] = {}

    async def renew(self) -> None:
        """Have the market, the rates and the exchange's rules as they are by now at hand."""
        await self.market.renew()
        self._every = await self.rates.plans()
        self._plans = await plans_of(self._config.get)
        if not self.market.is_always_open:  # which is for those who want no delay and no surprise
            self.exchange.go_by(await rules_of(self._config.get))

    def look(self, segment: Segment, symbol: str) -> Seen:
        """Say what is known of an instrument now, as an order is judged by it."""
        seen = self.market.look(segment, symbol)
        return altered(seen, mean=self.exchange.mean_of(seen.instrument))

    def broker_of(self, account_id: int) -> Broker:
        """Return an account's broker: so far, all are clients of the paper exchange."""
        return PaperBroker(self.exchange, account_id)

    def terms_of(self, account_id: int) -> Terms:
        """Return what trading costs an account: by the plan that is set for it, else paper's."""
        plan = self._plans.get(account_id, PAPER_PLAN)
        try:
            rates = self._every.of(plan)
        except Invalid as unknown:
            log.warning("charges.plans, account %s: %s", account_id, unknown)
            plan, rates = PAPER_PLAN, self._every.of(PAPER_PLAN)
        return Terms(plan=plan, rates=rates, ends=self.market.ends)


async def plans_of(get: Get) -> Mapping[int, str]:
    """Read `charges.plans`, which nobody has to set: {"7001": "upstox"}, by account."""
    try:
        plans = await get("charges", "plans")
    except NotFound:
        return {}
    if not isinstance(plans, dict) or not all(
        account.isdigit() and isinstance(plan, str) for account, plan in plans.items()
    ):
        log.warning('charges.plans cannot be used; write accounts with their plans: {"7": "dhan"}.')
        return {}
    return {int(account): plan for account, plan in plans.items()}
