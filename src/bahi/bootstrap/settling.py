"""The day's end: contracts that ended are settled, notes written, deliveries made.

Every step looks for what is still owed, so that a house that was away for days does, at its next
start, each of them once and in order; and asked again, nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, NamedTuple

from bahi.bootstrap.closes import DELIVERED, Close, Closes
from bahi.bootstrap.margins import remargin_all
from bahi.bootstrap.rooms import TRADING, Rooms
from bahi.calendar.model import UnknownDay
from bahi.db.stores import Store
from bahi.exchange.model.trading_day import Timetable
from bahi.exchange.service import Rules
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import BahiError
from bahi.kernel.money import NOTHING, Money
from bahi.kernel.symbols import is_index
from bahi.kernel.words import EQUITY, InstrumentType, Segment
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert, resolve
from bahi.portfolio.model.holding import settled_through
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.service.adjusting import Expiry, settle_expiry
from bahi.portfolio.service.closing import (
    Accruing,
    Closing,
    accrue_all,
    days_traded,
    dealt_on,
    deliver_all,
    settle_all,
)
from bahi.portfolio.service.edis import expire
from bahi.portfolio.service.ending import Ending, endings
from bahi.portfolio.service.funding import Accrued

TOPIC: Final = "expiries"
SHOWN: Final = 5
DAYS_AT_ONCE: Final = 31
"""Days whose interest is charged in one transaction."""
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
    remargined: int = 0
    interest: Money = NOTHING


async def end_day(house: Rooms, actor: Actor, since: date | None = None) -> DayEnd:
    """Do all that the days from one on, or ever, have left to do; today only once it is over."""
    await house.floor.renew()
    expired, owing, delivered, remargined, interest = Expired(), 0, 0, 0, 0
    today, pledges = exchange_day(house.clock()), house.floor.exchange.rules.pledges
    through: date | None = None
    for name in TRADING:
        store = house.stores[name]
        ended = await settle_expiries(house, store, actor)
        expired = Expired(expired.settled + ended.settled, expired.missing + ended.missing)
        traded = await days_traded(store, since)
        for day in traded:
            if _is_over(house, day):
                owing += await _settle(house, store, actor, day)
                through = max(through or day, day)
        through_today = _delivered_through(house, today)
        delivered += await deliver_all(store, through_today, house.clock, pledges=pledges)
        interest += await _accrue(house, store, actor, since or min(traded, default=today))
        remargined += await remargin_all(house, store, actor)
    await _tell(house, expired.missing)
    return DayEnd(
        through=through,
        expired=expired,
        owing=owing,
        delivered=delivered,
        remargined=remargined,
        interest=Money(interest),
    )


async def expire_leaves(house: Rooms, actor: Actor) -> int:
    """End leave to deliver that lapsed, in every store."""
    ended = 0
    for name in TRADING:
        while gone := await house.stores[name].write(expire, actor, house.clock()):
            ended += gone
    return ended


async def settle_expiries(house: Rooms, store: Store, actor: Actor) -> Expired:
    """Settle what is open of contracts that ended, wherever the official close is known."""
    settled, missing = 0, list[str]()
    closes = Closes(house)
    async for it in endings(store, exchange_day(house.clock())):
        try:
            close = await closes.of(it)
            if close is not None:
                settled += await _end(house, store, actor, _expiry(it, close))
            elif closes.is_over(it):
                missing.append(f"{it.key.symbol}: {closes.wanted(it)} is not known.")
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
            symbol=it.key.symbol,
        ),
        option=contract.right,
        close=close.price,
        reason=f"{it.key.symbol} ended on {contract.expiry}",
        delivers=close.delivers,
        into=close.into,
        at=close.at,
    )


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


async def _accrue(house: Rooms, store: Store, actor: Actor, first: date) -> Money:
    """Charge the interest of the days from one through today, some at a time."""
    count, charged = (exchange_day(house.clock()) - first).days + 1, 0
    for begin in range(0, count, DAYS_AT_ONCE):
        some = range(begin, min(begin + DAYS_AT_ONCE, count))
        past = (first + timedelta(days=it) for it in some)
        days = [Accrued(it, _delivered_through(house, it)) for it in past]
        over = Accruing(actor=actor, days=days, terms_of=house.floor.terms_of)
        charged += await accrue_all(store, over, house.clock)
    return Money(charged)


def _delivered_through(house: Rooms, today: date) -> dict[Segment, date]:
    """Return the last day of each market whose purchases are delivered by a day."""
    days = house.floor.market.days()
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
