"""The day's end: contracts that ended are settled, notes written, deliveries made.

Every step looks for what is still owed, so that a house that was away for days does, at its next
start, each of them once and in order; and asked again, nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from bahi.bootstrap.rooms import Rooms
from bahi.calendar.model import UnknownDay
from bahi.db.stores import Store
from bahi.exchange.model.trading_day import Timetable
from bahi.exchange.service import Rules, Settlement
from bahi.exchange.service.prices import Prices
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import BahiError
from bahi.kernel.money import Price
from bahi.kernel.symbols import is_index
from bahi.kernel.words import EQUITY, InstrumentType, Product, Segment
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert, resolve
from bahi.portfolio.model.holding import settled_through
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.position import Key
from bahi.portfolio.service.adjusting import Expiry, settle_expiry
from bahi.portfolio.service.closing import (
    Closing,
    days_traded,
    dealt_on,
    deliver_all,
    settle_all,
)
from bahi.portfolio.service.edis import expire
from bahi.portfolio.service.ending import Ending, endings

STORES: Final = ("main", "sandbox")
TOPIC: Final = "expiries"
SHOWN: Final = 5
DELIVERED: Final = {Segment.NSE_FNO: Segment.NSE_EQ, Segment.BSE_FNO: Segment.BSE_EQ}
"""Where the shares come from, or go to, of contracts that end in shares; all others in cash."""
KINDS: Final = {
    # by whether it is on an index, and whether it is an option
    (True, True): InstrumentType.OPTIDX,
    (True, False): InstrumentType.FUTIDX,
    (False, True): InstrumentType.OPTSTK,
    (False, False): InstrumentType.FUTSTK,
}


class Expired(NamedTuple):
    """How many positions were settled, and which could not be, each with the reason."""

    settled: int = 0
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEnd:
    """What the end of a day did."""

    through: date | None
    """The last day whose notes are written; None: there was none to write."""
    expired: Expired = field(default_factory=Expired)
    owing: int = 0
    delivered: int = 0


class Close(NamedTuple):
    """The official close of what a contract is on, when it was made, and into what it delivers."""

    price: Price
    at: datetime
    delivers: Key | None


async def end_day(house: Rooms, actor: Actor, since: date | None = None) -> DayEnd:
    """Do all that the days from one on, or ever, have left to do; today only once it is over."""
    await house.floor.renew()
    expired, owing, delivered = Expired(), 0, 0
    through: date | None = None
    for name in STORES:
        store = house.stores[name]
        ended = await settle_expiries(house, store, actor)
        expired = Expired(expired.settled + ended.settled, expired.missing + ended.missing)
        for day in await days_traded(store, since):
            if _is_over(house, day):
                owing += await _settle(house, store, actor, day)
                through = max(through or day, day)
        delivered += await deliver_all(store, _delivered_through(house), house.clock)
    await _tell(house, expired.missing)
    return DayEnd(through=through, expired=expired, owing=owing, delivered=delivered)


async def expire_leaves(house: Rooms, actor: Actor) -> int:
    """End leave to deliver that lapsed, in every store."""
    ended = 0
    for name in STORES:
        while gone := await house.stores[name].write(expire, actor, house.clock()):
            ended += gone
    return ended


async def settle_expiries(house: Rooms, store: Store, actor: Actor) -> Expired:
    """Settle what is open of contracts that ended, wherever the official close is known."""
    settled, missing = 0, list[str]()
    closes = _Closes(house)
    async for it in endings(store, exchange_day(house.clock())):
        try:
            close = await closes.of(it)
            if close is not None:
                settled += await _end(house, store, actor, _expiry(it, close))
            elif closes.is_over(it):
                missing.append(f"{it.key.symbol}: its official close is not known.")
        except BahiError as fault:  # one contract's trouble is no other's
            missing.append(f"{it.key.symbol}: {fault}")
    return Expired(settled, tuple(dict.fromkeys(missing)))


async def _end(house: Rooms, store: Store, actor: Actor, end: Expiry) -> bool:
    terms, now = house.floor.terms_of(end.account_id), house.clock()
    done = await store.write(settle_expiry, actor, end, terms, now, account=end.account_id)
    return bool(done.made)


def _expiry(it: Ending, close: Close) -> Expiry:
    contract = it.contract
    is_option = contract.right is not None
    return Expiry(
        account_id=it.account_id,
        key=it.key,
        contract=Contract(
            is_option=is_option,
            strike=contract.strike,
            type=KINDS[is_index(contract.root), is_option] if it.key.segment in DELIVERED else None,
            expiry=contract.expiry,
        ),
        option=contract.right,
        close=close.price,
        reason=f"{it.key.symbol} ended on {contract.expiry}",
        delivers=close.delivers,
        at=close.at,
    )


class _Closes:
    """Official closes: as the exchange published them, else as prices say."""

    def __init__(self, house: Rooms) -> None:
        market = house.floor.market
        self._house, self._market = house, market
        self._timetable = Timetable(market.days(), Rules())
        self._prices = Prices(market, Rules(), market.past)
        self._published: dict[tuple[Segment, str], Settlement] | None = None

    def is_over(self, it: Ending) -> bool:
        """Say whether the contract's last day is: a day that nobody knows is over with the day."""
        ends = self._timetable.on(it.key.segment, it.contract.expiry, in_auction=False)
        now = self._house.clock()
        return it.contract.expiry < exchange_day(now) if ends is None else now >= ends.closes

    async def of(self, it: Ending) -> Close | None:
        """Return the close of what a contract is on; None: not yet, or not known."""
        if not self.is_over(it):
            return None
        ends = self._timetable.on(it.key.segment, it.contract.expiry, in_auction=False)
        spot, at = self._spot(it), None if ends is None else ends.closes
        published = (await self._told()).get((it.key.segment, it.key.symbol))
        if published is not None:
            at = at or published.published_at
            return Close(published.underlying_price, at, self._delivers(it, spot))
        if spot is None or at is None:
            return None
        now = self._house.clock()
        quote = self._prices.close_of(spot, it.contract.expiry, self._timetable, now)
        return None if quote is None else Close(quote.last, at, self._delivers(it, spot))

    async def _told(self) -> dict[tuple[Segment, str], Settlement]:
        if self._published is None:
            told = await self._house.floor.exchange.settlements(date.min.replace(year=2000))
            self._published = {(one.segment, one.symbol): one for one in told}
        return self._published

    def _spot(self, it: Ending) -> Instrument | None:
        """Return what a contract is settled on; of a future without one, the future itself."""
        spot = self._prices.underlying(it.key.segment, it.contract.root)
        if spot is None and it.contract.right is None:
            return self._market.instrument(it.key.segment, it.key.symbol)
        return spot

    @staticmethod
    def _delivers(it: Ending, spot: Instrument | None) -> Key | None:
        shares = DELIVERED.get(it.key.segment)
        if shares is None or spot is None or spot.segment not in EQUITY:
            return None
        return Key(shares, spot.symbol, Product.CNC)


def _is_over(house: Rooms, day: date) -> bool:
    """Say whether shares trade no more on a day."""
    now = house.clock()
    if day != exchange_day(now):
        return day < exchange_day(now)
    hours = Timetable(house.floor.market.days(), Rules()).on(Segment.NSE_EQ, day, in_auction=False)
    return hours is None or now >= hours.closes


async def _settle(house: Rooms, store: Store, actor: Actor, day: date) -> int:
    """Write the notes of a day over all accounts."""
    isins = {}
    for segment, symbol in sorted(await dealt_on(store, day)):
        instrument = house.floor.market.instrument(segment, symbol)
        if instrument is not None and instrument.isin:
            isins[segment, symbol] = instrument.isin
    closing = Closing(day=day, terms_of=house.floor.terms_of, isins=isins)
    return (await settle_all(store, actor, closing, house.clock)).owing


def _delivered_through(house: Rooms) -> dict[Segment, date]:
    """Return the last day of each market whose purchases are delivered by now."""
    days, today = house.floor.market.days(), exchange_day(house.clock())
    if days is None:
        return dict.fromkeys(EQUITY, today - timedelta(days=1))

    def known() -> Iterator[tuple[Segment, date]]:
        for segment in EQUITY:
            try:
                yield segment, settled_through(days, segment, today)
            except UnknownDay:  # `calendar_check` has an alert open for it
                continue

    return dict(known())


async def _tell(house: Rooms, missing: tuple[str, ...]) -> None:
    main, now = house.stores["main"], house.clock()
    if not missing:
        await main.write(resolve, TOPIC, now)
        return
    more = f" And {len(missing) - SHOWN} more." if len(missing) > SHOWN else ""
    cause = Cause(
        severity=Severity.CRITICAL,
        source="portfolio",
        message=f"Contracts ended and are not settled. {' '.join(missing[:SHOWN])}{more}",
        topic=TOPIC,
    )
    await main.write(raise_alert, cause, now)
