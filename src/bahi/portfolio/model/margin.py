"""What is blocked for an order or a position, by rules of ours: approximate, and said to be so.

Delivery and bought options are paid in full; the rest is a share of what the contracts are worth.
Of shares held as MTF that share is the account's own money, and the broker pays the rest.
The shares are dated rows among the rates; without them it is the most that the floors ask for.
What an order blocks is a function of the order, and what a position blocks of the position, so that
no fill moves the margin of anything else; what options need less together stands apart (`hedging`).
"""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from bahi.kernel.money import NOTHING, Money, Price
from bahi.kernel.words import InstrumentType, Product, Segment, Side
from bahi.portfolio.model.ends import (
    EXPIRES_TODAY,
    NO_ENDS,
    STOCK_EXPIRES_TODAY,
    Ends,
    in_the_money,
)
from bahi.portfolio.model.rates import BILLION, Charge, Chosen, Deal, Kind, Rates, kind_of

PAID_IN_FULL: Final = frozenset({Product.CNC})
SHARE_PERCENT: Final = 20
"""Of what the contracts are worth, where no rate says otherwise."""
_USUAL: Final = SHARE_PERCENT * BILLION // 100

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
    symbol: str = ""

    @property
    def conditions(self) -> frozenset[str]:
        """By which names rates know it: of an index, of a stock."""
        return _NO_CLASS if self.type is None else _CLASSES.get(self.type, _NO_CLASS)


class Footing(NamedTuple):
    """By what a margin is worked out: the rates of the account's plan, where, and on which day."""

    rates: Rates
    segment: Segment
    day: date
    ends: Ends = NO_ENDS


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
        return Money(value + for_delivery(contract, product, quantity, by))
    return _share(value, _share_of(contract, product, side, by))


def usually(  # noqa: PLR0917 - as `for_order`
    contract: Contract,
    product: Product,
    side: Side,
    quantity: int,
    price: Price,
    by: Footing,
) -> Money:
    """Return what an order blocks of what is not paid in full on a day that is not its last."""
    on_any_day = contract._replace(expiry=None)
    return for_order(on_any_day, product, side, quantity, price, by)


def for_position(
    contract: Contract,
    product: Product,
    net: int,
    open_cost: Money,
    by: Footing | None = None,
) -> Money:
    """Return what a position blocks: where it is paid for, only what its delivery asks for."""
    if net == 0:
        return NOTHING
    value: int = open_cost
    if contract.is_option and net < 0:
        value = _worth(contract, -net, open_cost)
    elif is_paid(contract, product):
        return for_delivery(contract, product, net, by)
    return _share(value, _share_of(contract, product, Side.BUY if net > 0 else Side.SELL, by))


def for_delivery(contract: Contract, product: Product, quantity: int, by: Footing | None) -> Money:
    """Return what a bought option on a share asks for near its end, beside its premium."""
    if by is None or contract.type is not InstrumentType.OPTSTK or contract.expiry is None:
        return NOTHING
    left = by.ends.left(by.segment, contract.expiry, by.day)
    if left is None or not by.ends.is_in_the_money(by.segment, contract.symbol):
        return NOTHING
    named = contract.conditions | {in_the_money(left)}
    deal = Deal(by.day, by.segment, Kind.OPTION, product, Side.BUY, named)
    found = by.rates.find(deal, Charge.MARGIN_EXTRA)
    share = 0 if found is None else found.rate or 0
    return _share((contract.strike or 0) * quantity, share)


def _worth(contract: Contract, quantity: int, premium: int) -> int:
    """Return what a written option stands for: its strike, and never less than its premium."""
    return max((contract.strike or 0) * quantity, premium)


def _share_of(contract: Contract, product: Product, side: Side, by: Footing | None) -> int:
    """Return which share of the worth is blocked, in billionths."""
    if by is None:
        return _USUAL
    kind = kind_of(by.segment, is_option=contract.is_option)
    named = contract.conditions | _ending(contract, by.day)
    chosen = by.rates.on(Deal(by.day, by.segment, kind, product, side, named))
    found, more = (chosen.get((it, None)) for it in (Charge.MARGIN, Charge.MARGIN_EXTRA))
    usual = _USUAL if found is None or found.rate is None else found.rate
    with_more = usual + (more.rate or 0 if more is not None else 0)
    return max(with_more, _raised(usual, chosen))


def _ending(contract: Contract, day: date) -> frozenset[str]:
    """Return by which names rates know a contract on its last day."""
    if contract.expiry != day:
        return _NO_CLASS
    is_stock = "stock" in contract.conditions
    return frozenset({EXPIRES_TODAY, STOCK_EXPIRES_TODAY} if is_stock else {EXPIRES_TODAY})


def _raised(usual: int, chosen: Chosen) -> int:
    """Return so many times the usual share where rates ask for that, up to the most they ask."""
    times, most = (chosen.get((it, None)) for it in (Charge.MARGIN_TIMES, Charge.MARGIN_MOST))
    if times is None or times.rate is None:
        return usual
    raised = -(-usual * times.rate // BILLION)
    return raised if most is None or most.rate is None else min(raised, most.rate)


def _share(value: int, share: int) -> Money:
    return Money(-(-value * share // BILLION))
