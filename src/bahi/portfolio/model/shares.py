"""Whose what is open is: one position, opened by orders of several strategies.

What adds to a position belongs to who added it. What takes from it takes from the one who sends
it first, and from the others the oldest first, since somebody's has to go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from bahi.kernel.money import Money

Label = str | None
"""A strategy; None: none."""


class Share(NamedTuple):
    """How much of a position is of one label; negative was sold."""

    label: Label
    quantity: int


def shares_of(moves: Iterable[Share], begun: Iterable[Share] = ()) -> list[Share]:
    """Return whose an open position is after moves in their order, the oldest first."""
    found = list(begun)
    for move in moves:
        found = _moved(found, move)
    return found


def _moved(shares: list[Share], move: Share) -> list[Share]:
    left = move.quantity
    if not shares or shares[-1].quantity * left >= 0:
        return _added(shares, move)
    for it in sorted(shares, key=lambda it: it.label != move.label):
        if not left:
            break
        gone = min(abs(it.quantity), abs(left)) * (1 if left > 0 else -1)
        place = shares.index(it)
        shares = [*shares[:place], Share(it.label, it.quantity + gone), *shares[place + 1 :]]
        left -= gone
    rest = [it for it in shares if it.quantity]
    return _added(rest, Share(move.label, left))


def _added(shares: list[Share], more: Share) -> list[Share]:
    """Return shares of one side with more of that side behind them."""
    if not more.quantity:
        return shares
    if shares and shares[-1].label == more.label:
        return [*shares[:-1], Share(more.label, shares[-1].quantity + more.quantity)]
    return [*shares, more]


def divided(amount: Money, shares: Iterable[Share]) -> dict[Label, Money]:
    """Divide an amount by the shares, to the last ten-thousandth: what is left over is the last's.

    Where there are none it is nobody's.
    """
    each: dict[Label, int] = {}
    for it in shares:
        each[it.label] = each.get(it.label, 0) + it.quantity
    whole, gone, found = sum(each.values()), 0, dict[Label, Money]()
    for label, quantity in each.items():
        found[label] = Money(amount * quantity // whole)
        gone += found[label]
    if not found:
        return {None: amount}
    last = next(reversed(found))
    found[last] = Money(found[last] + amount - gone)
    return found
