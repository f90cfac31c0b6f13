"""What a check of the books can find, by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields
from enum import StrEnum
from typing import Final, NamedTuple

from bahi.kernel.money import plain
from bahi.portfolio.model.position import Position


class Fault(StrEnum):
    """What is not as the facts make it."""

    POSITION_IS_NOT_ITS_FACTS = "POSITION_IS_NOT_ITS_FACTS"
    POSITION_IS_MISSING = "POSITION_IS_MISSING"
    POSITION_MARGIN_IS_NOT_ITS_BLOCKS = "POSITION_MARGIN_IS_NOT_ITS_BLOCKS"
    BENEFIT_IS_NOT_ITS_LEGS = "BENEFIT_IS_NOT_ITS_LEGS"
    MARGIN_IS_NOT_ITS_BLOCKS = "MARGIN_IS_NOT_ITS_BLOCKS"
    CASH_IS_NOT_ITS_LEDGER = "CASH_IS_NOT_ITS_LEDGER"
    AVAILABLE_IS_NOT_CASH_LESS_MARGIN = "AVAILABLE_IS_NOT_CASH_LESS_MARGIN"
    BALANCES_DO_NOT_FOLLOW = "BALANCES_DO_NOT_FOLLOW"
    CHARGES_DO_NOT_ADD_UP = "CHARGES_DO_NOT_ADD_UP"
    TRADES_AND_LEDGER_DIFFER = "TRADES_AND_LEDGER_DIFFER"
    HOLDING_IS_NOT_ITS_POSITION = "HOLDING_IS_NOT_ITS_POSITION"
    FUNDED_IS_NOT_ITS_POSITION = "FUNDED_IS_NOT_ITS_POSITION"


class Finding(NamedTuple):
    """One fault, of what, and the sentence that says it."""

    fault: StrEnum
    account_id: int
    subject: str
    sentence: str


_FOLLOWS_FROM_OTHERS: Final = {"key", "instrument_id", "margin"}


def differences(kept: Position, folded: Position) -> Iterator[str]:
    """Yield in which figures a position is not the fold of its facts."""
    for it in fields(Position):
        if it.name in _FOLLOWS_FROM_OTHERS:
            continue
        here, there = getattr(kept, it.name), getattr(folded, it.name)
        if it.name == "eve" and (here is None or there is None):
            continue  # not known: of a book of before it was kept, or of one from the archive
        if here != there:
            yield f"{it.name} is {here} and should be {there}"


def follows(balances: Iterable[tuple[int, int]], loose: Counter[int]) -> None:
    """Take lines (amount, balance after it) into account: each balance is where another begins.

    Lines are not read in the order in which they were written, because ids do not tell it for
    certain. Balances that nobody continues stay behind in `loose`, with their count: of a ledger
    without a fault those are nothing (where it began) at minus one, and its cash at one.
    """
    for amount, balance in balances:
        for at, count in ((balance, 1), (balance - amount, -1)):
            loose[at] += count
            if not loose[at]:
                del loose[at]


def broken(loose: Counter[int], cash: int) -> str | None:
    """Say where balances do not follow each other, if they do not."""
    expected = Counter({cash: 1})
    expected[0] -= 1
    wrong = {at for at in {*loose, *expected} if loose[at] != expected[at]}
    if not wrong:
        return None
    shown = ", ".join(plain(it) for it in sorted(wrong)[:5])
    return f"no line begins where another ends at {shown}"
