"""What wishes for orders would block and cost, one by one and together, before any is placed.

They are gone through in their order, each as if it filled at its price before the next: so a sale
of what was bought just before is an exit, and options that cover each other need less. What has to
be free on the way is mostly more than what is bound in the end, because an order is judged by
itself; but what covers another's loss may be taken from it by the next, so the end counts too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bahi.kernel.altered import altered
from bahi.kernel.clock import exchange_day
from bahi.kernel.money import NOTHING, Money, Price
from bahi.kernel.words import EQUITY, Side
from bahi.portfolio.model.charges import Dealt, charges
from bahi.portfolio.model.hedging import benefit, group_of
from bahi.portfolio.model.margin import (
    Contract,
    Footing,
    for_order,
    for_position,
    is_paid,
    usually,
)
from bahi.portfolio.model.position import Fact, Key, Position, fold, is_exit
from bahi.portfolio.model.rates import Deal, kind_of
from bahi.portfolio.model.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A wish as far as margin asks; `price` is what each would trade at, at the dearest.

    `exiting`: how many of the position other orders are about to close already.
    """

    key: Key
    contract: Contract
    side: Side
    quantity: int
    price: Price
    security_id: str = ""
    exiting: int = 0

    @property
    def value(self) -> Money:
        """What all of it is worth at its price."""
        return Money(self.price * self.quantity)


class Need(NamedTuple):
    """What one wish would block: in all, and what of it is what; and its charges.

    `exposure` is what the last days ask for beside the usual; `premium` is paid and not blocked.
    """

    total: Money = NOTHING
    span: Money = NOTHING
    exposure: Money = NOTHING
    var: Money = NOTHING
    premium: Money = NOTHING
    charges: Money = NOTHING
    is_exit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """What wishes need together: `total` is less than their sum where they cover each other.

    `free_needed` is what has to be free for all of them to pass, one after the other, and for
    nothing to be missing when all have filled; exits alone need nothing. `bound` is what there is
    less to be free in the end, negative: more. By our rules and not by a broker's calculator, which
    `is_approximate` says.
    """

    each: tuple[Need, ...]
    total: Money
    benefit: Money
    charges: Money
    free_needed: Money
    bound: Money
    available: Money
    is_approximate: bool = True

    @property
    def fits(self) -> bool:
        """Whether what is free is enough."""
        return self.free_needed <= self.available


def required(
    many: Sequence[Asked],
    positions: Iterable[Position],
    available: Money,
    terms: Terms,
    now: datetime,
) -> Required:
    """Return what wishes need on an account that holds these positions and has so much free."""
    held = {it.key: it for it in positions}
    before = _benefits(held)
    each: list[Need] = []
    bound = most = 0
    for number, it in enumerate(many):
        by = Footing(terms.rates, it.key.segment, exchange_day(now), terms.ends)
        known = held.get(it.key) or Position(key=it.key)
        need = _need(it, known, by)._replace(charges=_charges(it, terms, now))
        each.append(need)
        if not need.is_exit:  # which passes whatever is free
            most = max(most, bound + need.total + need.charges)
        covered = _benefits(held)
        held[it.key] = after = _filled(it, known, by, (now, number))
        paid = _paid(it, known, after)
        more = after.margin - known.margin - (_benefits(held) - covered)
        bound += more + paid + need.charges
    if not all(it.is_exit for it in each):
        most = max(most, bound)
    given = Money(_benefits(held) - before)
    return Required(
        each=tuple(each),
        total=Money(max(sum(it.total for it in each) - given, 0)),
        benefit=given,
        charges=Money(sum(it.charges for it in each)),
        free_needed=Money(most),
        bound=Money(bound),
        available=available,
    )


def _need(it: Asked, known: Position, by: Footing) -> Need:
    """Return what a wish blocks as its verdict will have it: all of it, but an exit nothing."""
    if is_exit(it.side, it.quantity, known.net, it.exiting):
        return Need(is_exit=True)
    asked = (it.contract, it.key.product, it.side, it.quantity, it.price)
    total = for_order(*asked, by)
    if it.key.segment in EQUITY:
        return Need(total=total, var=total)
    if it.contract.is_option and it.side is Side.BUY:
        return Need(total=total, premium=it.value, exposure=Money(total - it.value))
    span = min(usually(*asked, by), total)
    return Need(total=total, span=span, exposure=Money(total - span))


def _charges(it: Asked, terms: Terms, now: datetime) -> Money:
    kind = kind_of(it.key.segment, is_option=it.contract.is_option)
    day, named = exchange_day(now), it.contract.conditions
    deal = Deal(day, it.key.segment, kind, it.key.product, it.side, named)
    return charges(terms.rates, deal, Dealt(it.quantity, it.contract.lot, it.value)).total


def _filled(it: Asked, known: Position, by: Footing, when: tuple[datetime, int]) -> Position:
    """Return the position once a wish has filled at its price."""
    after = fold(known, Fact(*when, it.side, it.quantity, it.value))
    asked = (it.contract, it.key.product, after.net, after.open_cost)
    return altered(after, margin=for_position(*asked, by))


def _paid(it: Asked, known: Position, after: Position) -> int:
    """Return what leaves the cash when a wish fills; negative: what comes."""
    if is_paid(it.contract, it.key.product):
        return it.value if it.side is Side.BUY else -it.value
    return known.realized - after.realized


def _benefits(held: Mapping[Key, Position]) -> int:
    every = list(held.values())
    groups = {it for one in every if (it := group_of(one.key)) is not None}
    return sum(benefit(it, every) for it in groups)
