"""How the desk is: who drives it, what nobody answered for, and what of the books is not right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from bahi.accounts.service.accounts import list_accounts
from bahi.bootstrap.rooms import Rooms
from bahi.bootstrap.session_facts import counted, named
from bahi.bootstrap.stages import STORE_OF
from bahi.bootstrap.trading import JOB
from bahi.db.schema import TRADING
from bahi.db.tx import Tx
from bahi.health.model import Check, Finding
from bahi.jobs.service import get_job
from bahi.kernel.actor import the_house
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import NotFound
from bahi.kernel.words import AccountMode, Health, Segment
from bahi.orders.service.sweeping import unsettled_orders
from bahi.portfolio.service.books import page_of
from bahi.portfolio.service.marking import open_things
from bahi.portfolio.service.reconciling import open_breaks
from bahi.portfolio.service.stops import accounts
from bahi.risk.model.verdict import FRESH
from bahi.risk.service.standing import standing_of

SHOWN: Final = 3
TOO_LONG: Final = timedelta(minutes=2)
"""An order of which nobody knows for so long needs a person."""


class Desks(NamedTuple):
    """What is open and wrong over all accounts of a store."""

    breaks: int
    things: frozenset[tuple[Segment, str]]
    latched: tuple[int, ...]


def desk_checks(house: Rooms) -> Sequence[Check]:
    """Return what is asked of trading; none of it keeps the house from serving."""
    return (
        Check("driver", lambda: _driver(house), vital=False),
        Check("orders", lambda: _orders(house), vital=False),
        Check("breaks", lambda: _breaks(house), vital=False),
        Check("prices", lambda: _prices(house), vital=False),
        Check("limits", lambda: _limits(house), vital=False),
    )


async def _driver(house: Rooms) -> Finding:
    """Ask who drives the paper accounts, and until when."""
    try:
        job = await house.stores["sandbox"].read(get_job, JOB, fresh=True)
    except NotFound:
        return Finding(Health.HEALTHY, "Nothing was traded yet.")
    left = timedelta(0) if job.leased_until is None else job.leased_until - house.clock()
    if job.lease_owner is None or left <= timedelta(0):
        return Finding(
            Health.DEGRADED,
            "Nobody drives: stops, targets and what waits stand still. Is the service running?",
        )
    return Finding(
        Health.HEALTHY,
        f"{job.lease_owner} drives trading, and reports within {left.total_seconds():.0f} s.",
    )


async def _orders(house: Rooms) -> Finding:
    """Ask of which orders nobody knows what became."""
    now = house.clock()
    found = [it for name in TRADING for it in await unsettled_orders(house.stores[name], now)]
    found.sort(key=lambda it: -it.age)
    if not found:
        return Finding(Health.HEALTHY, "Of every order it is known what became of it.")
    oldest = ", ".join(f"{it.order.id} for {it.age.total_seconds():.0f} s" for it in found[:SHOWN])
    bad = found[0].age > TOO_LONG
    return Finding(
        Health.UNHEALTHY if bad else Health.DEGRADED,
        f"{counted(len(found), 'order')} of which nobody knows what became: {oldest}.",
    )


async def _breaks(house: Rooms) -> Finding:
    """Ask how many breaks with a broker are open."""
    found = sum([it.breaks for it in await _over_all(house)])
    if found:
        return Finding(
            Health.DEGRADED, f"{counted(found, 'difference')} between our books and a broker's."
        )
    return Finding(Health.HEALTHY, await _agreement(house))


async def _agreement(house: Rooms) -> str:
    """Say what is known of our books and the brokers': nothing of an account never compared."""
    every = await house.stores["main"].read(list_accounts, the_house("health"), fresh=True)
    live = {it.id: it.name for it in every if it.mode is AccountMode.LIVE and it.is_active}
    if not live:
        return "Our books and the brokers' agree."
    store = house.stores[STORE_OF[AccountMode.LIVE]]
    standing = await store.read(standing_of, set(live), house.clock(), fresh=True)
    read = {it.account_id for it in standing.pages if it.positions_read_at is not None}
    never = [name for number, name in live.items() if number not in read]
    if not never:
        return "Our books and the brokers' agree."
    return f"No difference is known; never compared with their brokers: {named(never)}."


async def _prices(house: Rooms) -> Finding:
    """Ask what is open without a price that is fresh while its market trades."""
    things = frozenset[tuple[Segment, str]]().union(*(it.things for it in await _over_all(house)))
    if not things:
        return Finding(Health.HEALTHY, "Nothing is open.")
    await house.floor.renew()
    blind = sorted(symbol for segment, symbol in things if _is_blind(house, segment, symbol))
    if not blind:
        return Finding(
            Health.HEALTHY, f"{counted(len(things), 'open instrument')}, each with a fresh price."
        )
    more = f" and {len(blind) - SHOWN} more" if len(blind) > SHOWN else ""
    return Finding(
        Health.DEGRADED, f"No fresh price of what is open: {', '.join(blind[:SHOWN])}{more}."
    )


def _is_blind(house: Rooms, segment: Segment, symbol: str) -> bool:
    try:
        seen = house.floor.market.look(segment, symbol)
    except NotFound:
        return True
    if seen.is_open is False:
        return False  # it has no price now, and needs none
    return seen.reference is None or house.clock() - seen.reference.at > FRESH


async def _limits(house: Rooms) -> Finding:
    """Ask whose day's loss reached its limit."""
    latched = [account for it in await _over_all(house) for account in it.latched]
    if not latched:
        return Finding(Health.HEALTHY, "No account has reached its limit of the day's loss.")
    named = ", ".join(map(str, latched[:SHOWN]))
    return Finding(
        Health.DEGRADED,
        f"{counted(len(latched), 'account')} at the limit of the day's loss: {named}; exits pass.",
    )


async def _over_all(house: Rooms) -> list[Desks]:
    today = exchange_day(house.clock())

    def look(tx: Tx) -> Desks:
        bound = accounts(tx, None, None)
        pages = [page_of(tx, it) for it in bound]
        return Desks(
            breaks=sum(len(open_breaks(tx, it)) for it in bound),
            things=frozenset[tuple[Segment, str]]().union(*(open_things(tx, it) for it in bound)),
            latched=tuple(
                it.account_id for it in pages if it.latched_at is not None and it.day == today
            ),
        )

    return [await house.stores[name].read(look, fresh=True) for name in sorted(TRADING)]
