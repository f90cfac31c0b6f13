"""What written options need less because bought ones cap their loss: a benefit by a rule of ours.

Of one underlying, expiry and product, a written option that a bought one of the same right stands
against can lose no more than their strikes lie apart. What its position blocks beyond that is given
back, in a block of its own, so that every position's own margin stays a function of the position.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from bahi.kernel.money import NOTHING, Money
from bahi.kernel.symbols import dated, parse
from bahi.kernel.words import EQUITY, OptionType
from bahi.portfolio.model.position import Key, Position, part_of


class Group(NamedTuple):
    """The options that can stand against each other; its key is that of its benefit's blocks."""

    key: Key
    root: str
    expiry: date


class _Leg(NamedTuple):
    """So many of one option at a strike; what a written one blocks each is kept as a whole."""

    strike: int
    quantity: int
    margin: int


def group_of(key: Key) -> Group | None:
    """Return the group that a position's option is of; None: it is no option."""
    if key.segment in EQUITY or not key.symbol.endswith(("CE", "PE")):
        return None
    contract = parse(key.symbol)
    if contract is None or contract.right is None:
        return None
    name = f"{contract.root}{dated(contract.expiry)}"
    return Group(key._replace(symbol=name), contract.root, contract.expiry)


def benefit(group: Group, positions: Iterable[Position]) -> Money:
    """Return by how much less is needed for a group than its positions block one by one."""
    many = [it for it in positions if it.net and group_of(it.key) == group]
    return Money(sum(_of_right(many, right) for right in OptionType))


def _of_right(positions: Iterable[Position], right: OptionType) -> int:
    """Pair what is written with what is bought, the hardest to cover first."""
    written: list[_Leg] = []
    bought: list[_Leg] = []
    for it in positions:
        contract = parse(it.key.symbol)
        if contract is None or contract.right is not right:
            continue
        leg = _Leg(contract.strike or 0, abs(it.net), it.margin)
        (written if it.net < 0 else bought).append(leg)
    upwards = right is OptionType.CE
    shorts = sorted(written, reverse=not upwards)
    longs = deque(sorted(bought, reverse=not upwards))
    return sum(_given_back(it, longs, 1 if upwards else -1) for it in shorts)


def _given_back(short: _Leg, longs: deque[_Leg], sign: int) -> int:
    """Take what covers a written option off the bought ones; return what that gives back."""
    left, found = short.quantity, NOTHING
    while left and longs:
        long = longs.popleft()
        covered = min(left, long.quantity)
        if long.quantity > covered:
            longs.appendleft(long._replace(quantity=long.quantity - covered))
        at_most = max(sign * (long.strike - short.strike), 0) * covered
        found = Money(found + max(part_of(short.margin, covered, short.quantity) - at_most, 0))
        left -= covered
    return found
