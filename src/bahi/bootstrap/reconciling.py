"""Every broker's books against ours: read, compared, written down, and told of where they differ.

A read that fails is not known: it is neither a zero nor an empty book, and it settles no break.
Orders fill while a broker is read, so what differs is read again until two readings agree.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

from bahi.accounts.model import Account
from bahi.accounts.service.accounts import get_account, list_accounts
from bahi.bootstrap.pages import store_of
from bahi.bootstrap.rooms import Rooms
from bahi.brokers.paper import PaperTeller
from bahi.calendar.model import CALENDARS
from bahi.exchange.service.standings import Standings
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import BahiError, Invalid, Unavailable
from bahi.kernel.money import SCALE, Money
from bahi.kernel.ports import HeldShare, OpenPosition, Teller
from bahi.kernel.words import AccountMode, Product, Segment
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert, resolve
from bahi.portfolio.model.holding import is_held
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.reconciling import Listing, Policy, Snapshot, Told
from bahi.portfolio.service.books import has_page
from bahi.portfolio.service.reconciling import (
    Stance,
    moved_beside,
    open_breaks,
    reconcile,
    would_do,
)

READINGS_AT_MOST: Final = 3
AGAIN_AFTER_S: Final = 2.0
"""Longer than what is under way between a fill and its entry in our book."""
TOLERANCE: Final = Money(SCALE)
"""A rupee: contract notes are rounded to it."""
SHOWN: Final = 3

Pause = Callable[[float], Awaitable[None]]
T = TypeVar("T")

log = logging.getLogger("bahi.reconciling")


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How it is done: what breaks are answered with, and whether anything is written at all."""

    policy: Policy = Policy.REPORT
    dry_run: bool = False
    pause: Pause = field(default=asyncio.sleep)


USUALLY: Final = How()


class Outcome(NamedTuple):
    """What came of one account: its breaks in sentences, and what could not be read."""

    account_id: int
    breaks: tuple[str, ...]
    settled: int
    adopted: int
    unread: tuple[str, ...]


class _Read(NamedTuple):
    """What a broker told, and which parts of it could not be had, each with the reason."""

    told: Snapshot
    unread: tuple[str, ...]


def teller_of(house: Rooms, account: Account) -> Teller:
    """Return who tells how an account stands at its broker."""
    if account.mode is AccountMode.PAPER:
        return PaperTeller(Standings(house.stores["sandbox"], house.clock), account.id)
    raise Unavailable(f"Account {account.name!r} is live; live brokers are not connected yet.")


async def is_any_open(house: Rooms) -> bool:
    """Say whether any market trades now, as far as the calendar knows."""
    await house.floor.renew()
    days, now = house.floor.market.days(), house.clock()
    return days is None or any(days.state(it, now).is_open is True for it in CALENDARS)


async def reconcile_all(house: Rooms, actor: Actor, how: How = USUALLY) -> list[Outcome]:
    """Reconcile every account that is in use and has a book; one's trouble is no other's."""
    found = []
    for account in await house.stores["main"].read(list_accounts, actor, fresh=True):
        if not account.is_active:
            continue
        if await store_of(house, account).read(has_page, account.id, fresh=True):
            try:
                found.append(await _reconcile(house, actor, account, how))
            except BahiError as fault:
                log.warning("account %s could not be reconciled: %s", account.id, fault)
                found.append(Outcome(account.id, (), 0, 0, (str(fault),)))
    return found


async def reconcile_one(
    house: Rooms, actor: Actor, account_id: int, how: How = USUALLY, teller: Teller | None = None
) -> Outcome:
    """Reconcile one account now."""
    account = await house.stores["main"].read(get_account, actor, account_id, fresh=True)
    return await _reconcile(house, actor, account, how, teller)


async def _reconcile(
    house: Rooms, actor: Actor, account: Account, how: How, teller: Teller | None = None
) -> Outcome:
    store = store_of(house, account)
    await house.floor.renew()
    stance = Stance(house.floor.terms_of(account.id), how.policy, TOLERANCE)
    try:
        read = await _settled_reading(
            house, account, teller or teller_of(house, account), stance, how
        )
    except Unavailable as fault:
        read = _Read(Snapshot(account.id, house.clock()), (str(fault),))
    now = house.clock()
    if how.dry_run:
        result = await store.read(would_do, read.told, stance, now, fresh=True)
    else:
        result = await store.write(reconcile, actor, read.told, stance, now, account=account.id)
        await _tell(house, account, read, now)
    sentences = tuple(it.explanation for it in result.breaks)
    return Outcome(account.id, sentences, result.settled, len(result.adopted), read.unread)


async def _settled_reading(
    house: Rooms, account: Account, teller: Teller, stance: Stance, how: How
) -> _Read:
    """Read a broker; where it differs, again, until it differs in the same."""
    store = store_of(house, account)

    async def once() -> tuple[_Read, set[object]]:
        read = await _read(house, account, teller)
        found = await store.read(would_do, read.told, stance, house.clock(), fresh=True)
        return read, {(it.subject, it.key, it.missing) for it in found.breaks}

    read, differs = await once()
    for _ in range(READINGS_AT_MOST - 1):
        if not differs:
            break
        await how.pause(AGAIN_AFTER_S)
        before = differs
        read, differs = await once()
        if differs == before:
            break
    return read


async def _read(house: Rooms, account: Account, teller: Teller) -> _Read:
    unread: list[str] = []

    async def part(name: str, call: Awaitable[T]) -> T | None:
        try:
            return await call
        except BahiError as fault:
            unread.append(f"{name}: {fault}")
            return None

    now = house.clock()
    open_now = await part("positions", teller.positions())
    held = await part("holdings", teller.holdings())
    purse = await part("funds", teller.funds())
    traded = await part("trades", teller.trade_book())
    told = Snapshot(
        account_id=account.id,
        at=now,
        positions=None if open_now is None else _positions(open_now),
        holdings=None if held is None else _holdings(held),
        available=None if purse is None else purse.available,
        purse=purse,
        trades=traded,
    )
    if account.mode is AccountMode.PAPER:
        store = store_of(house, account)
        beside = await store.read(moved_beside, account.id, exchange_day(now), fresh=True)
        told = _with(told, beside)
    return _Read(told, tuple(unread))


def _positions(told: tuple[OpenPosition, ...]) -> dict[Key, Told]:
    return {
        Key(Segment(it.segment), it.symbol, Product(it.product)): Told(
            it.quantity, it.average_price, it.last_price, it.realized, it.unrealized
        )
        for it in told
    }


def _holdings(told: tuple[HeldShare, ...]) -> dict[Listing, Told]:
    return {
        (Segment(it.segment), it.symbol): Told(
            it.quantity,
            it.average_price,
            it.last_price,
            delivered=it.delivered,
            coming=it.coming,
            pledged=it.pledged,
            isin=it.isin,
        )
        for it in told
    }


def _with(told: Snapshot, beside: Mapping[Key, int]) -> Snapshot:
    """Add what the paper exchange cannot know: it has fills, and no demat accounts."""
    positions = None if told.positions is None else dict(told.positions)
    holdings = None if told.holdings is None else dict(told.holdings)
    for key, quantity in beside.items():
        if is_held(key) and holdings is not None:
            _add(holdings, (key.segment, key.symbol), quantity)
        if not is_held(key) and positions is not None:
            _add(positions, key, quantity)
    return told._replace(positions=positions, holdings=holdings)


K = TypeVar("K")


def _add(many: dict[K, Told], name: K, quantity: int) -> None:
    known = many.pop(name, Told(0))
    if known.quantity + quantity:
        many[name] = Told(known.quantity + quantity)  # its average is nobody's any more


async def _tell(house: Rooms, account: Account, read: _Read, now: datetime) -> None:
    """Raise or close the alerts of an account: of breaks, and of a broker who did not answer."""
    main = house.stores["main"]
    kept = await store_of(house, account).read(open_breaks, account.id, fresh=True)
    shown = " ".join(it.explanation for it in kept[:SHOWN])
    more = f" And {len(kept) - SHOWN} more." if len(kept) > SHOWN else ""
    differs = Cause(
        severity=Severity.WARNING,
        source="portfolio",
        message=f"Account {account.name!r} differs from its broker. {shown}{more}",
        topic=f"reconcile:{account.id}",
        account_id=account.id,
    )
    silent = replace(
        differs,
        message=f"Account {account.name!r} could not be read. {' '.join(read.unread)}",
        topic=f"reconcile_unread:{account.id}",
    )
    for cause, is_so in ((differs, bool(kept)), (silent, bool(read.unread))):
        if is_so:
            await main.write(raise_alert, cause, now)
        else:
            await main.write(resolve, cause.topic or "", now)


def policy_of(word: str | None) -> Policy:
    """Read a policy as a job names it."""
    if word is None:
        return Policy.REPORT
    if word not in Policy.__members__:
        raise Invalid(f"policy: {word!r} is not {' or '.join(Policy)}.")
    return Policy(word)
