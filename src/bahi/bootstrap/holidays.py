"""The lists of market days that brokers answer, looked at each morning.

A year that nobody has entered is taken from them, as not confirmed. Of one that is known, nothing
changes by itself: where a list says otherwise, people are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bahi.bootstrap.masters import brokers_in_use, host_with_key
from bahi.bootstrap.rooms import SCHEDULE, Rooms
from bahi.brokers.openalgo import calendar as openalgo
from bahi.brokers.upstox import calendar as upstox
from bahi.brokers.upstox.login import API
from bahi.brokers.wire import Wires, ask_for_days
from bahi.calendar.model import DayFact, Document, Kind, MarketDays
from bahi.calendar.model.document import document_of
from bahi.calendar.service import days_as_entered, import_days, what_is_missing
from bahi.jobs.service import JobContext
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import BahiError
from bahi.kernel.words import BrokerSlug
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert, resolve

READERS: Final = {
    BrokerSlug.UPSTOX: upstox.market_days,
    BrokerSlug.OPENALGO: openalgo.market_days,
}
LEAST_HOLIDAYS: Final = 8
"""A list that closes a market on fewer days of a year is only begun; every year has more."""
NAMED_AT_MOST: Final = 10


async def look_at_lists(house: Rooms, actor: Actor) -> dict[str, Any]:
    """Ask every broker that has a list and an account; return what came of each."""
    told: dict[str, Any] = {}
    for broker in [it for it in READERS if it in await brokers_in_use(house)]:
        try:
            told[str(broker)] = await _look_at(house, actor, broker)
        except BahiError as fault:  # the next morning asks again; what is missing has its own alert
            told[str(broker)] = f"not asked: {fault}"
    return {"lists": told} if told else {}


async def _look_at(house: Rooms, actor: Actor, broker: BrokerSlug) -> str:
    main, now = house.stores["main"], house.clock()
    days = await days_as_entered(main)
    missing = what_is_missing(days, now)
    year = exchange_day(now).year if missing is None else missing.year
    answer = await _answer(house, broker, year)
    if missing is None:
        return await _compare(house, broker, days, _read(broker, answer))
    listed = [it for it in _read(broker, answer).days if it.day.year == year]
    shut = {it.day for it in listed if it.kind is Kind.FULL_DAY}
    if len(shut) < LEAST_HOLIDAYS:
        return f"it has no list of {year} yet"
    whole = _read(broker, answer, complete=year)
    years = tuple(it for it in whole.years if not days.is_year_known(it.segment, year))
    fresh = {it.segment for it in years}
    document = Document(tuple(it for it in listed if it.segment in fresh), years)
    if not years:
        return f"it names none of the markets of which {year} is missing"
    came = await main.write(lambda tx: import_days(tx, actor, document, now, replacing=False))
    return f"{came.added} days of {year} were taken from its list"


async def _answer(house: Rooms, broker: BrokerSlug, year: int) -> Any:
    wires = Wires(broker=broker, recorder=house.recorder, clock=house.clock)
    if broker is BrokerSlug.OPENALGO:
        host, key = await host_with_key(house, "")
        return await ask_for_days(wires.to(host), openalgo.asked(year, key))
    options: Mapping[str, Any] = house.settings.broker_options.get(broker, {})
    return await ask_for_days(wires.to(options.get("api", API)), upstox.asked())


def _read(broker: BrokerSlug, answer: Any, *, complete: int | None = None) -> Document:
    read = READERS[broker](answer, complete=complete)
    return document_of(read["days"], source=read["source"])


async def _compare(house: Rooms, broker: BrokerSlug, days: MarketDays, said: Document) -> str:
    """Tell people of coming days on which a list says otherwise than what is entered."""
    main, now = house.stores["main"], house.clock()
    topic, today = f"calendar:{broker}", exchange_day(now)
    other = [it for it in said.days if it.day >= today and _says_otherwise(days, it)]
    if not other:
        await main.write(resolve, topic, now)
        return "it says what is entered"
    named = "; ".join(f"{it.day} {it.kind} for {it.segment}" for it in other[:NAMED_AT_MOST])
    more = f" and {len(other) - NAMED_AT_MOST} more" if len(other) > NAMED_AT_MOST else ""
    cause = Cause(
        severity=Severity.WARNING,
        source="calendar",
        message=f"{broker} lists days that are otherwise here: {named}{more}. Look which is right,"
        " and enter it with `bahi calendar set`.",
        topic=topic,
    )
    await main.write(raise_alert, cause, now)
    return f"{len(other)} days are otherwise in its list"


def _says_otherwise(days: MarketDays, said: DayFact) -> bool:
    known = days.hours_on(said.segment, said.day)
    if said.kind is Kind.FULL_DAY:
        return known.is_trading_day is not False
    return bool(said.sessions) and not known.is_trading_day


async def calendar_check(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Warn each day while market days are missing: of this year, from December on of the next.

    The brokers that an account is at are asked for their lists first.
    """
    del context
    main, now = house.stores["main"], house.clock()
    told = await look_at_lists(house, SCHEDULE)
    missing = what_is_missing(await days_as_entered(main), now)
    if missing is None:
        await main.write(resolve, "calendar", now)
        return {"missing": None, **told}
    is_now = missing.year == exchange_day(now).year
    cause = Cause(
        severity=Severity.CRITICAL if is_now else Severity.WARNING,
        source="calendar",
        message=missing.sentence,
        topic="calendar",
    )
    await main.write(raise_alert, cause, now)
    return {"missing": missing.year, **told}
