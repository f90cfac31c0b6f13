"""Facts of money: margin blocked or released, and lines of the ledger."""

from __future__ import annotations

from typing import NamedTuple

from bahi.kernel.money import Money
from bahi.portfolio.model.position import Key


class Block(NamedTuple):
    """Margin blocked for an order, or for the position where there is none; negative: released."""

    order_id: int | None
    key: Key
    amount: Money
    reason: str


class Line(NamedTuple):
    """An amount given, or taken where it is negative, and what there is after it."""

    particulars: str
    amount: Money
    balance: Money
