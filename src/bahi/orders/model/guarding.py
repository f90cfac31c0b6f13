"""Cover and bracket orders: what their exits should be now, and what brings them there.

The exits of a position are its stop and perhaps a target, each for all that is open of it: where
one fills, the other shrinks, and where nothing is left it is taken back. What is wanted follows
from the orders as they stand and from the price, so whoever looks next, after whatever broke off,
finds the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from types import MappingProxyType
from typing import Final, NamedTuple

from bahi.kernel.money import Price, down_to_tick, up_to_tick
from bahi.kernel.words import LegType, OrderType, Side
from bahi.orders.model.order import EXECUTED, OPEN, PARTIAL, REJECTED, Order

KEEPER: Final = "bahi:guard"
"""Who keeps exits, as orders remember who took them back."""
PAUSES: Final = (timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=30))
"""How long an exit that was refused waits before it is placed anew; then it is given up."""
PASSING: Final = frozenset({"ORDER_RATE", "STALE_PRICE"})
"""Refusals that say nothing of the order itself: they are tried again for ever."""
REACH_PERCENT: Final = 5
"""How far behind its trigger the limit of an option's stop lies: no exchange takes it without."""
WORKS: Final = frozenset({OPEN, PARTIAL})


class Terms(NamedTuple):
    """What the rules know of the instrument and the market."""

    tick: Price
    is_option: bool
    last: Price | None
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An exit is missing."""

    leg: LegType
    attempt: int
    side: Side
    quantity: int
    order_type: OrderType
    price: Price | None
    trigger_price: Price | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An exit should be of another size, or its stop elsewhere."""

    order_id: int
    quantity: int | None = None
    trigger_price: Price | None = None
    price: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """An exit has nothing left to protect."""

    order_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unprotected:
    """An exit that should be there is not, and is not placed again."""

    leg: LegType
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """Nothing more can come of it: nobody needs to look after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdone:
    """Both exits filled before one could take the other back: the position has turned round."""

    quantity: int


Step = Place | Change | TakeBack | Unprotected | Overdone | Over


def steps(entry: Order, legs: Sequence[Order], net: int, terms: Terms) -> list[Step]:
    """Return what to do next about a guarded order.

    `net` is what its position is now, less what younger guarded orders opened of it: what is sold
    by hand is taken to be of the oldest.
    """
    way = 1 if entry.side is Side.BUY else -1
    if (over := sum(it.filled for it in legs) - entry.filled) > 0 and net * way < 0:
        return [Overdone(quantity=min(over, -net * way))]
    held = max(entry.filled - sum(it.filled for it in legs), 0)
    open_now = min(held, max(net * way, 0))
    working = [it for it in legs if it.is_active]
    if not open_now:
        if not entry.is_active and not working:
            return [Over()]
        return [TakeBack(order_id=it.id) for it in working if it.status in WORKS and _is_calm(it)]
    asked = (_steps_of(entry, leg, legs, open_now, terms) for leg in _wanted(entry))
    return [step for each in asked for step in each]


def _wanted(entry: Order) -> tuple[LegType, ...]:
    return (LegType.SL,) if entry.bo_profit is None else (LegType.SL, LegType.TARGET)


def _steps_of(
    entry: Order, leg: LegType, legs: Sequence[Order], quantity: int, terms: Terms
) -> Iterator[Step]:
    mine = [it for it in legs if it.leg_type is leg]
    working = next((it for it in mine if it.is_active), None)
    if working is None:
        yield from _missing(entry, leg, mine, quantity, terms)
        return
    if working.status not in WORKS or not _is_calm(working):
        return  # an answer is awaited: what it is now is not known
    size = working.filled + quantity
    trigger = _trailed(entry, working, terms) if leg is LegType.SL else None
    if size == working.quantity and trigger is None:
        return
    yield Change(
        order_id=working.id,
        quantity=size if size != working.quantity else None,
        trigger_price=trigger,
        price=None if trigger is None else _limit(entry, trigger, terms),
    )


def _missing(
    entry: Order, leg: LegType, before: Sequence[Order], quantity: int, terms: Terms
) -> Iterator[Step]:
    ended = [it for it in before if it.status not in {REJECTED, EXECUTED}]
    if ended and ended[-1].cancelled_by != KEEPER:
        yield Unprotected(leg=leg, why=f"it was {ended[-1].status}")
        return
    refused = list(takewhile(lambda it: it.status is REJECTED, reversed(before)))
    tries = sum(it.error_code not in PASSING for it in refused)
    if tries > len(PAUSES):
        yield Unprotected(leg=leg, why=refused[0].error_message or "it was refused")
        return
    if refused and terms.now - refused[0].updated_at < PAUSES[max(tries, 1) - 1]:
        return  # what refused it a moment ago refuses it still
    side = Side.SELL if entry.side is Side.BUY else Side.BUY
    attempt = len(before) + 1
    if leg is LegType.TARGET:
        yield Place(
            leg=leg, attempt=attempt, side=side, quantity=quantity,
            order_type=OrderType.LIMIT, price=entry.bo_profit, trigger_price=None,
        )  # fmt: skip
        return
    trigger = _stop_of(entry)
    yield Place(
        leg=leg, attempt=attempt, side=side, quantity=quantity,
        order_type=OrderType.STOP_LOSS if terms.is_option else OrderType.STOP_LOSS_MARKET,
        price=_limit(entry, trigger, terms), trigger_price=trigger,
    )  # fmt: skip


def _stop_of(entry: Order) -> Price:
    """Return where the stop of a guarded entry was asked for."""
    return Price(0) if entry.guard is None else entry.guard.stop


def _trailed(entry: Order, stop: Order, terms: Terms) -> Price | None:
    """Return where a trailing stop is to move; None: it stays. It never moves back."""
    step, last, opened = entry.bo_trailing, terms.last, entry.average_price
    if step is None or last is None or opened is None or stop.trigger_price is None:
        return None
    way = 1 if entry.side is Side.BUY else -1
    gained = (last - opened) * way
    if gained < step:
        return None
    moved = Price(_stop_of(entry) + way * (gained // step) * step)
    moved = down_to_tick(moved, terms.tick) if way > 0 else up_to_tick(moved, terms.tick)
    return moved if (moved - stop.trigger_price) * way > 0 else None


def _limit(entry: Order, trigger: Price, terms: Terms) -> Price | None:
    """Return the limit of a stop that needs one, behind its trigger and never at nothing."""
    if not terms.is_option:
        return None
    if entry.side is Side.BUY:
        reached = Price(trigger * (100 - REACH_PERCENT) // 100)
        return max(down_to_tick(reached, terms.tick), terms.tick)
    return up_to_tick(Price(-(-trigger * (100 + REACH_PERCENT) // 100)), terms.tick)


def _is_calm(order: Order) -> bool:
    """Say whether nothing is asked of an order that is not answered yet."""
    return order.asked_at is None and not order.cancel_asked


class Beside(NamedTuple):
    """How much orders of one side still have to fill, and of each guarded order its largest exit.

    The exits of one guarded position exclude each other: of them only the largest counts.
    """

    alone: int = 0
    families: Mapping[int, int] = MappingProxyType({})

    def of(self, order: Order) -> int:
        """Return how much trades beside an order, all filled, at most."""
        others = sum(it for parent, it in self.families.items() if parent != order.parent_order_id)
        siblings = self.families.get(order.parent_order_id or 0, 0)
        return self.alone + others + max(siblings - order.quantity, 0)
