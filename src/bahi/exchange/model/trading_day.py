"""One trading day as an instrument sees it: when it opens, what its auction takes, when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from bahi.calendar.model import AuctionRules, Hours, MarketDays, Phase, UnknownDay
from bahi.calendar.model.known import as_traded, instant_of
from bahi.exchange.model.rules import Rules, drawn
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import exchange_day
from bahi.kernel.words import AmoTime, OrderType, Segment

DAY: Final = timedelta(days=1)
REMEMBERED: Final = 256
AFTER: Final = {
    AmoTime.OPEN: timedelta(),
    AmoTime.OPEN_30: timedelta(minutes=30),
    AmoTime.OPEN_60: timedelta(minutes=60),
}


class ClosingAuction(NamedTuple):
    """What a closing auction takes, and until when."""

    begins: datetime
    entry_ends: datetime
    order_types: tuple[str, ...]
    allows_iceberg: bool
    collar: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingDay:
    """A day of an instrument. What waits expires when it `closes`."""

    day: date
    begins: datetime
    opens: datetime
    closes: datetime
    auction: ClosingAuction | None = None
    stops_purged_at: datetime | None = None
    post_close: tuple[datetime, datetime] | None = None
    square_off_at: datetime | None = None

    @property
    def has_pre_open(self) -> bool:
        """Whether orders are taken before it opens."""
        return self.begins < self.opens

    def released_at(self, amo_time: AmoTime) -> datetime:
        """Return when an order that was kept goes to the market."""
        if amo_time is AmoTime.PRE_OPEN:
            return self.begins
        return min(self.opens + AFTER[amo_time], self.closes)


class Timetable:
    """Trading days as the calendar has them; without one, every day trades around the clock."""

    def __init__(self, days: MarketDays | None, rules: Rules) -> None:
        self._days, self._rules = days, rules
        self._kept: dict[tuple[Segment, bool, date], TradingDay | None] = {}

    @property
    def days(self) -> MarketDays | None:
        """The calendar that it was made of."""
        return self._days

    @property
    def is_known(self) -> bool:
        """Whether there is a calendar."""
        return self._days is not None

    def phase(self, it: Instrument, at: datetime) -> Phase:
        """Say what an instrument's market does at an instant."""
        if self._days is None:
            return Phase.OPEN
        return self._days.state(it.segment, at, in_closing_auction=it.cas_eligible).phase

    def day_of(self, it: Instrument, at: datetime) -> TradingDay | None:
        """Return the trading day that an instant falls on; None: none is known."""
        return self.on(it.segment, exchange_day(at), in_auction=it.cas_eligible)

    def next_day(self, it: Instrument, at: datetime) -> TradingDay | None:
        """Return the first trading day that has not begun; None: it is not known."""
        today = self.day_of(it, at)
        if today is not None and at < today.begins:
            return today
        day = exchange_day(at) + DAY
        if self._days is not None:
            try:
                day = self._days.next_trading_day(it.segment, exchange_day(at))
            except UnknownDay:
                return None
        return self.on(it.segment, day, in_auction=it.cas_eligible)

    def on(self, segment: Segment, day: date, *, in_auction: bool) -> TradingDay | None:
        """Return a day of a market, for what is in its closing auction or is not."""
        key = (segment, in_auction, day)
        if key not in self._kept:
            if len(self._kept) >= REMEMBERED:
                self._kept.clear()
            self._kept[key] = self._laid_out(segment, day, in_auction=in_auction)
        return self._kept[key]

    def _laid_out(self, segment: Segment, day: date, *, in_auction: bool) -> TradingDay | None:
        if self._days is None:
            midnight = instant_of(day, time())
            return TradingDay(day=day, begins=midnight, opens=midnight, closes=midnight + DAY)
        sessions = list(
            as_traded(self._days.hours_on(segment, day).sessions or (), in_auction=in_auction)
        )
        trading = [it for it in sessions if it.phase.is_open]
        if not any(it.phase is Phase.OPEN for it in trading):
            return None
        opens = instant_of(day, min(it.starts for it in trading))
        before = [instant_of(day, it.starts) for it in sessions if it.phase is Phase.PRE_OPEN]
        post = next((it for it in sessions if it.phase is Phase.POST_CLOSE), None)
        auction = next((it for it in trading if it.phase is Phase.CLOSING_AUCTION), None)
        rules = self._days.auction_rules(segment, day) if auction else None
        purged = rules.stops_purged_at if rules and not rules.allows_stops else None
        square_off = self._days.square_off_at(
            self._rules.profile, segment, day, in_closing_auction=in_auction
        )
        return TradingDay(
            day=day,
            begins=min([opens, *before]),
            opens=opens,
            closes=instant_of(day, max(it.ends for it in trading)),
            auction=None if auction is None else self._auction(day, auction, rules),
            stops_purged_at=None if purged is None else instant_of(day, purged),
            post_close=None
            if post is None
            else (instant_of(day, post.starts), instant_of(day, post.ends)),
            square_off_at=square_off.at if square_off and self._rules.squares_off else None,
        )

    def _auction(self, day: date, hours: Hours, rules: AuctionRules | None) -> ClosingAuction:
        """Return a day's auction; its entry ends at a moment that nobody knows beforehand."""
        ends = instant_of(day, hours.ends)
        if rules is not None and rules.entry_ends_from and rules.entry_ends_by:
            first, last = (
                instant_of(day, it) for it in (rules.entry_ends_from, rules.entry_ends_by)
            )
            within = int((last - first).total_seconds())
            ends = first + timedelta(seconds=drawn(self._rules.seed, "entry", day) % (within + 1))
        plain = (OrderType.LIMIT, OrderType.MARKET)
        return ClosingAuction(
            begins=instant_of(day, hours.starts),
            entry_ends=ends,
            order_types=rules.order_types if rules else plain,
            allows_iceberg=rules.allows_iceberg if rules else False,
            collar=rules.collar if rules else None,
        )
