"""One wish in several orders: parts no larger than the exchange takes, and what they come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from bahi.kernel.errors import Invalid
from bahi.kernel.money import Money, Price
from bahi.orders.model.order import ENDS, EXECUTED, OPEN, PARTIAL, REJECTED, Order

MOST_SLICES: Final = 100


def slices_of(quantity: int, largest: int, lot: int) -> tuple[int, ...]:
    """Return the parts of a quantity: all of the largest size, the last with what is left."""
    if quantity <= 0:
        raise Invalid(f"quantity: {quantity} is not above zero.")
    size = largest // lot * lot
    if size <= 0:
        raise Invalid(f"split_size: {largest} is less than a lot of {lot}.")
    count = -(-quantity // size)
    if count > MOST_SLICES:
        raise Invalid(
            f"split_size: {quantity} in parts of {size} would be {count} orders; at most "
            f"{MOST_SLICES} are placed."
        )
    return (*(size for _ in range(count - 1)), quantity - size * (count - 1))


class Whole(NamedTuple):
    """What the slices of one wish come to."""

    group: str
    quantity: int
    filled: int
    traded_value: Money
    placed: int
    failed: int
    is_over: bool

    @property
    def status(self) -> str:
        """Say in a word how far it is; what is filled is never hidden behind what failed."""
        if self.filled == self.quantity:
            return str(EXECUTED)
        if self.filled:
            return str(PARTIAL)
        return str(REJECTED if self.is_over else OPEN)

    @property
    def average_price(self) -> Price | None:
        """What its fills came to each, to the nearest ten-thousandth."""
        if not self.filled:
            return None
        return Price((2 * self.traded_value + self.filled) // (2 * self.filled))


def whole_of(group: str, quantity: int, slices: Sequence[Order]) -> Whole:
    """Return what slices come to: their fills are its fill."""
    return Whole(
        group=group,
        quantity=quantity,
        filled=sum(it.filled for it in slices),
        traded_value=Money(sum(it.traded_value for it in slices)),
        placed=len(slices),
        failed=sum(it.status is REJECTED for it in slices),
        is_over=all(it.status in ENDS for it in slices),
    )
