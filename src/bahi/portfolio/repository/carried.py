"""A position in full, as an adjustment carries it that stands for trades in the archive."""

from __future__ import annotations

import json
from datetime import date
from typing import Final

from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.money import Money
from bahi.portfolio.model.position import Key, Position

_COUNTS: Final = (
    "net", "buy_quantity", "sell_quantity", "overnight", "day_buy_quantity", "day_sell_quantity",
)  # fmt: skip
_MONEY: Final = (
    "open_cost", "buy_value", "sell_value", "realized", "day_buy_value", "day_sell_value",
    "day_realized",
)  # fmt: skip


def written(position: Position) -> str:
    """Write a position down, but for its margin, which follows from it."""
    said: dict[str, object] = {name: getattr(position, name) for name in (*_COUNTS, *_MONEY)}
    said["day"] = None if position.day is None else position.day.isoformat()
    if position.folded is not None:
        said["folded"] = [to_micros(position.folded[0]), str(position.folded[1])]
    return json.dumps(said)


def carried_in(said: str, key: Key) -> Position:
    """Read a position that was carried over."""
    it = json.loads(said)
    folded = it.get("folded")
    return Position(
        key=key,
        day=date.fromisoformat(it["day"]) if it["day"] else None,
        folded=None if folded is None else (from_micros(folded[0]), int(folded[1])),
        eve=None,
        **{name: it[name] for name in _COUNTS},
        **{name: Money(it[name]) for name in _MONEY},
    )
