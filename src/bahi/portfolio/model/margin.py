"""What is blocked for an order or a position, by rules of ours: approximate, and said to be so.

Delivery and bought options are paid in full; the rest is a share of what the contracts are worth.
The shares become dated rows with the slice that brings money; until then they are the most that
the exchanges' own floors ask for.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from bahi.kernel.money import NOTHING, Money, Price
from bahi.kernel.words import Product, Side

PAID_IN_FULL: Final = frozenset({Product.CNC, Product.MTF})
SHARE_PERCENT: Final = 20
"""Of what the contracts are worth: intraday shares, futures, written options."""


class Contract(NamedTuple):
    """What margin has to know of an instrument."""

    is_option: bool
    strike: Price | None = None


def is_paid(contract: Contract, product: Product) -> bool:
    """Say whether its value itself changes hands, and not only what it gains or loses."""
    return product in PAID_IN_FULL or contract.is_option


def for_order(
    contract: Contract, product: Product, side: Side, quantity: int, price: Price
) -> Money:
    """Return what an order blocks that opens all of its quantity."""
    value = price * quantity
    if contract.is_option and side is Side.SELL:
        return _share(_worth(contract, quantity, value))
    return Money(value) if is_paid(contract, product) else _share(value)


def for_position(contract: Contract, product: Product, net: int, open_cost: Money) -> Money:
    """Return what a position blocks: nothing where it is paid for."""
    if net == 0:
        return NOTHING
    if contract.is_option and net < 0:
        return _share(_worth(contract, -net, open_cost))
    return NOTHING if is_paid(contract, product) else _share(open_cost)


def _worth(contract: Contract, quantity: int, premium: int) -> int:
    """Return what a written option stands for: its strike, and never less than its premium."""
    return max((contract.strike or 0) * quantity, premium)


def _share(value: int) -> Money:
    return Money(-(-value * SHARE_PERCENT // 100))
