"""What is blocked for an order or a position, by rules of ours: approximate, and said to be so.

Delivery and bought options are paid in full; the rest is a share of what the contracts are worth.
The shares are dated rows among the rates; without them it is the most that the floors ask for.
What an order blocks is a function of the order, and what a position blocks of the position, so that
no fill moves the margin of anything else; what options need less together stands apart (`hedging`).
"""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from bahi.kernel.money import NOTHING, Money, Price
from bahi.kernel.words import InstrumentType, Product, Segment, Side
from bahi.portfolio.model.rates import BILLION, Charge, Deal, Rates, kind_of

PAID_IN_FULL: Final = frozenset({Product.CNC, Product.MTF})
SHARE_PERCENT: Final = 20
"""Of what the contracts are worth, where no rate says otherwise."""
_USUAL: Final = SHARE_PERCENT * BILLION // 100


EXPIRES_TODAY: Final = "expires today"

_CLASSES: Final = {
    InstrumentType.FUTIDX: frozenset({"index"}),
    InstrumentType.OPTIDX: frozenset({"index"}),
    InstrumentType.FUTSTK: frozenset({"stock"}),
    InstrumentType.OPTSTK: frozenset({"stock"}),
}
_NO_CLASS: Final[frozenset[str]] = frozenset()


class Contract(NamedTuple):
    """What margin and charges have to know of an instrument; what is not known costs more."""

    is_option: bool
    strike: Price | None = None
    type: InstrumentType | None = None
    lot: int = 0
    expiry: date | None = None

    @property
    def conditions(self) -> frozenset[str]:
        """By which names rates know it: of an index, of a stock."""
        return _NO_CLASS if self.type is None else _CLASSES.get(self.type, _NO_CLASS)


class Footing(NamedTuple):
    """By what a margin is worked out: the rates of the account's plan, where, and on which day."""

    rates: Rates
    segment: Segment
    day: date


def is_paid(contract: Contract, product: Product) -> bool:
    """Say whether its value itself changes hands, and not only what it gains or loses."""
    return product in PAID_IN_FULL or contract.is_option


def for_order(  # noqa: PLR0917 - an order has its terms, in the order in which it is read
    contract: Contract,
    product: Product,
    side: Side,
    quantity: int,
    price: Price,
    by: Footing | None = None,
) -> Money:
    """Return what an order blocks that opens all of its quantity."""
    value = price * quantity
    if contract.is_option and side is Side.SELL:
        value = _worth(contract, quantity, value)
    elif is_paid(contract, product):
        return Money(value)
    return _share(value, _share_of(contract, product, side, by))


def for_position(
    contract: Contract,
    product: Product,
    net: int,
    open_cost: Money,
    by: Footing | None = None,
) -> Money:
    """Return what a position blocks: nothing where it is paid for."""
    if net == 0:
        return NOTHING
    value: int = open_cost
    if contract.is_option and net < 0:
        value = _worth(contract, -net, open_cost)
    elif is_paid(contract, product):
        return NOTHING
    return _share(value, _share_of(contract, product, Side.BUY if net > 0 else Side.SELL, by))


def _worth(contract: Contract, quantity: int, premium: int) -> int:
    """Return what a written option stands for: its strike, and never less than its premium."""
    return max((contract.strike or 0) * quantity, premium)


def _share_of(contract: Contract, product: Product, side: Side, by: Footing | None) -> int:
    """Return which share of the worth is blocked, in billionths."""
    if by is None:
        return _USUAL
    kind = kind_of(by.segment, is_option=contract.is_option)
    ends = {EXPIRES_TODAY} if contract.expiry == by.day else _NO_CLASS
    deal = Deal(by.day, by.segment, kind, product, side, contract.conditions | ends)
    found = by.rates.find(deal, Charge.MARGIN)
    more = by.rates.find(deal, Charge.MARGIN_EXTRA)
    share = _USUAL if found is None or found.rate is None else found.rate
    return share + (more.rate or 0 if more is not None else 0)


def _share(value: int, share: int) -> Money:
    return Money(-(-value * share // BILLION))
