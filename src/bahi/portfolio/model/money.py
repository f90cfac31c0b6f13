"""Facts of money: margin blocked or released, and lines of the ledger."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from bahi.kernel.money import Money
from bahi.portfolio.model.position import Key


class Block(NamedTuple):
    """Margin blocked for an order, or for the position where there is none; negative: released."""

    order_id: int | None
    key: Key
    amount: Money
    reason: str


class Entry(StrEnum):
    """What a line of the ledger is for."""

    OPENING = "OPENING"
    TRADE = "TRADE"
    CHARGES = "CHARGES"
    NOTE = "NOTE"
    DP = "DP"
    FEE = "FEE"
    CONVERSION = "CONVERSION"
    EXPIRY = "EXPIRY"
    EXERCISE = "EXERCISE"
    DIVIDEND = "DIVIDEND"
    RESET = "RESET"


class Line(NamedTuple):
    """An amount given, or taken where it is negative; the voucher names what it settles."""

    kind: Entry
    particulars: str
    amount: Money
    day: date | None = None
    voucher: str | None = None
