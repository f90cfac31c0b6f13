"""The list that a trader looks at now: before the open, after the close, or what needs a person.

It is asked for every few seconds: at most six statements in main and seven in each trading store in
which the actor has accounts, however many accounts there are. A desk of paper alone costs ten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, NamedTuple

from bahi.accounts.model import Account, Egress
from bahi.accounts.service.accounts import list_accounts
from bahi.accounts.service.addresses import list_egress
from bahi.accounts.service.people import list_persons
from bahi.bootstrap import session_closing as closing
from bahi.bootstrap import session_morning as morning
from bahi.bootstrap.rooms import Rooms
from bahi.bootstrap.session_facts import (
    BROKEN,
    NEEDS,
    Due,
    Facts,
    Hours,
    Item,
    Look,
    Thing,
    due_list,
)
from bahi.bootstrap.stages import STORE_OF
from bahi.calendar.model import MarketDays, Phase
from bahi.calendar.model.known import instant_of
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.words import AccountMode, BrokerSlug, InstrumentType, Segment
from bahi.orders.service.at_work import AtWork, at_work_for
from bahi.risk.model.control import Scope, Switch
from bahi.risk.model.standing import Standing
from bahi.risk.service import switches
from bahi.risk.service.eligibility import lists_on
from bahi.risk.service.standing import standing_of
from bahi.strategies.model.webhooks import Webhook
from bahi.strategies.service.webhooks import list_webhooks
from bahi.tokens.model.counting import Counted
from bahi.tokens.service.counting import count_of

WATCHED: Final = ((Segment.NSE_INDEX, "NIFTY"), (Segment.BSE_INDEX, "SENSEX"))
"""Whose prices tell that the feed ticks where nothing is open."""
MARKETS: Final = (Segment.NSE_EQ, Segment.NSE_FNO, Segment.BSE_EQ, Segment.BSE_FNO)
"""Whose hours say which list is due; goods trade into the night and keep no list waiting."""
IN_SHARES: Final = frozenset({InstrumentType.OPTSTK, InstrumentType.FUTSTK})

Rule = Callable[[Facts], Item]
_LIVELY: Final = (
    morning.tokens,
    morning.addresses,
    morning.feed,
    morning.free_margin,
    morning.overnight,
    morning.resting,
    morning.expiries,
    morning.bans,
    morning.limits,
    morning.switches,
    closing.unfinished,
    closing.naked_legs,
)
_LISTS: Final[dict[Due, tuple[Rule, ...]]] = {
    Due.MORNING: morning.RULES,
    Due.BETWEEN: _LIVELY,
    Due.CLOSING: closing.RULES,
}


class SessionList(NamedTuple):
    """A list with its items; between the sessions only what needs a person, of so many asked."""

    due: Due
    at: datetime
    items: tuple[Item, ...]
    asked: int

    @property
    def not_good(self) -> tuple[Item, ...]:
        """The items that are not good."""
        return tuple(it for it in self.items if it.state != "GOOD")


class _Office(NamedTuple):
    """What main knows."""

    persons: dict[int, str]
    addresses: dict[int, Egress]
    tokens: dict[int, Counted]
    webhooks: tuple[Webhook, ...]


async def session_list(house: Rooms, actor: Actor, due: Due | None = None) -> SessionList:
    """Return the list that is due now, or the one that is asked for."""
    return list_of(await facts_of(house, actor), due)


def list_of(facts: Facts, due: Due | None = None) -> SessionList:
    """Return a list of facts that were gathered: the one that is due, or the one asked for."""
    which = due or facts.due
    rules = _LISTS[which]
    items = tuple(rule(facts) for rule in rules)
    if which is Due.BETWEEN:
        items = tuple(it for it in items if it.state in {NEEDS, BROKEN})
    return SessionList(which, facts.now, items, len(rules))


async def facts_of(house: Rooms, actor: Actor) -> Facts:
    """Gather what the lists are made of, for everything that an actor may see."""
    await house.floor.renew()
    now = house.clock()
    day, main = exchange_day(now), house.stores["main"]
    every = await main.read(list_accounts, actor, fresh=True)
    accounts = tuple(it for it in every if it.is_active)
    office = await main.read(_office, actor, accounts, now, fresh=True)
    standing: list[Standing] = []
    working: list[AtWork] = []
    engaged: list[Switch] = []
    for mode, name in STORE_OF.items():
        if mine := {it.id for it in accounts if it.mode is mode}:
            stands, works, stops = await house.stores[name].read(_of_store, mine, now, fresh=True)
            standing.append(stands)
            working.append(works)
            engaged += stops
    positions = tuple(it for one in standing for it in one.positions)
    orders = tuple(it for one in working for it in one.orders)
    forevers = tuple(it for one in working for it in one.forevers)
    things = {
        *(it.key[:2] for it in positions),
        *((it.segment, it.symbol) for it in orders),
        *((it.segment, it.symbol) for it in forevers),
    }
    days = house.floor.market.days()
    return Facts(
        now=now,
        day=day,
        due=due_list(_hours(days, now), now, is_always_open=days is None),
        is_always_open=days is None,
        accounts=accounts,
        persons=office.persons,
        pages={it.account_id: it for one in standing for it in one.pages},
        positions=positions,
        orders=orders,
        forevers=forevers,
        breaks={key: many for one in standing for key, many in one.breaks.items()},
        charges={key: paid for one in standing for key, paid in one.charges.items()},
        tokens=office.tokens,
        addresses=office.addresses,
        switches=_seen(actor, accounts, engaged),
        webhooks=office.webhooks,
        lists=await main.read(lists_on, day, fresh=True),
        looks=dict(_looks(house, things or set(WATCHED))),
        is_whole=all(it.is_whole for it in standing) and all(it.is_whole for it in working),
    )


def _office(tx: Tx, actor: Actor, accounts: tuple[Account, ...], now: datetime) -> _Office:
    """Ask main for what these accounts have any of: paper has no tokens and no addresses."""
    has_persons = any(it.person_id is not None for it in accounts)
    persons = {it.id: it.name for it in list_persons(tx, actor)} if has_persons else {}
    live = [it.id for it in accounts if it.mode is AccountMode.LIVE]
    return _Office(
        persons={it.id: persons.get(it.person_id or 0, it.name) for it in accounts},
        addresses={it.id: it for it in list_egress(tx)} if live else {},
        tokens=count_of(tx, live, now) if live else {},
        webhooks=tuple(list_webhooks(tx, actor)),
    )


def _of_store(tx: Tx, accounts: set[int], now: datetime) -> tuple[Standing, AtWork, list[Switch]]:
    return standing_of(tx, accounts, now), at_work_for(tx, accounts), switches(tx)


def _seen(
    actor: Actor, accounts: tuple[Account, ...], engaged: Iterable[Switch]
) -> tuple[Switch, ...]:
    """Return the switches that bind anything of the actor's, each once, the oldest first."""
    own = {it.id for it in accounts}
    once = {
        (it.whom, it.since): it
        for it in engaged
        if (
            it.whom.account_id in own
            if it.whom.scope is Scope.ACCOUNT
            else it.whom.user_id is None or actor.owns(it.whom.user_id)
        )
    }
    return tuple(sorted(once.values(), key=lambda it: (it.since, it.id)))


def _hours(days: MarketDays | None, now: datetime) -> list[Hours]:
    """Return when the markets that count open and close today; of a day off, nothing."""
    if days is None:
        return []
    found = []
    for segment in MARKETS:
        trades = [
            it for it in days.hours_on(segment, exchange_day(now)).sessions or ()
            if it.phase is Phase.OPEN
        ]  # fmt: skip
        if trades:
            day = exchange_day(now)
            found.append(
                Hours(
                    instant_of(day, min(it.starts for it in trades)),
                    instant_of(day, max(it.ends for it in trades)),
                )
            )
    return found


def _looks(house: Rooms, things: Iterable[Thing]) -> Iterable[tuple[Thing, Look]]:
    """Yield what is known in memory of each thing; of what is not listed, nothing is."""
    market, now = house.floor.market, house.clock()
    for segment, symbol in things:
        listed = market.instrument(segment, symbol)
        if listed is None:
            yield (segment, symbol), Look()
            continue
        seen = market.look(segment, symbol)
        off = None
        if (days := market.days()) is not None and segment not in {it[0] for it in WATCHED}:
            off = days.square_off_at(
                BrokerSlug.PAPER,
                segment,
                exchange_day(now),
                in_closing_auction=listed.cas_eligible,
            )
        price = seen.reference
        yield (
            (segment, symbol),
            Look(
                last=None if price is None else price.price,
                at=None if price is None else price.at,
                source="" if price is None else price.source,
                is_open=seen.is_open,
                kept_off=tuple(it.why for it in seen.kept_off),
                delivers=listed.kind in IN_SHARES,
                square_off_at=None if off is None else off.at,
            ),
        )
