"""Limits: what an account, its user, a strategy or everybody is held to, and from when.

Several may bind one order, and the tightest of each kind counts. A page of the books carries all
that bind its account, dated, so that a verdict reads nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, time
from functools import lru_cache
from typing import Any, Final, NamedTuple

from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.errors import Invalid
from bahi.kernel.money import LARGEST, Money
from bahi.kernel.words import Product, Segment
from bahi.portfolio.model.book import spelt
from bahi.risk.model.rate import Window

PERCENT: Final = 10_000
"""One percent, as it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one is held to; None is no limit, an empty set allows everything."""

    daily_loss: Money | None = None
    position_value: Money | None = None
    order_value: Money | None = None
    orders_a_day: int | None = None
    open_orders: int | None = None
    price_band: int | None = None
    symbols: frozenset[str] = frozenset()
    segments: frozenset[Segment] = frozenset()
    products: frozenset[Product] = frozenset()
    hours: tuple[time, time] | None = None
    rates: tuple[Window, ...] = ()

    def checked(self) -> Limits:
        """Return it, or say what would be right."""
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None and value > LARGEST:
                raise Invalid(f"{name}: {value} is more than can be counted; leave it out.")
            if value is not None and value < 0:
                raise Invalid(f"{name}: {value} is below zero; 0 allows nothing, none is no limit.")
        if any(it.orders <= 0 or it.seconds <= 0 for it in self.rates):
            raise Invalid("rates: a window has orders and seconds above zero.")
        if self.hours is not None and self.hours[0] >= self.hours[1]:
            raise Invalid("hours: they end before they begin; write the earlier first.")
        return self


_NUMBERS: Final = (
    "daily_loss",
    "position_value",
    "order_value",
    "orders_a_day",
    "open_orders",
    "price_band",
)
_SETS: Final[Mapping[str, Any]] = {"symbols": str, "segments": Segment, "products": Product}
NO_LIMITS: Final = Limits()


class Dated(NamedTuple):
    """Limits from an instant on, until the next of the same scope; of a strategy, or of all."""

    since: datetime
    scope: str
    strategy: str | None
    limits: Limits


def in_force(dated: Iterable[Dated], strategy: str | None, now: datetime) -> Limits:
    """Return what binds an order of a strategy now: the newest of each scope, all together."""
    name = None if strategy is None else spelt(strategy)
    newest: dict[tuple[str, str | None], Dated] = {}
    for it in sorted(dated, key=lambda it: it.since):
        its = None if it.strategy is None else spelt(it.strategy)
        if it.since <= now and its in {None, name}:
            newest[it.scope, its] = it
    return tightest([it.limits for it in newest.values()])


def tightest(several: Sequence[Limits]) -> Limits:
    """Return the limits that hold all of several."""
    held = NO_LIMITS
    for it in several:
        held = _both(held, it)
    return held


@lru_cache(maxsize=1024)
def _both(one: Limits, other: Limits) -> Limits:
    changes: dict[str, Any] = {}
    for name in _NUMBERS:
        known = [it for it in (getattr(one, name), getattr(other, name)) if it is not None]
        changes[name] = min(known, default=None)
    for name in _SETS:
        first, second = getattr(one, name), getattr(other, name)
        changes[name] = _common(first, second)
    changes["hours"] = _overlap(one.hours, other.hours)
    changes["rates"] = _slowest(*one.rates, *other.rates)
    return replace(one, **changes)


NOBODY: Final = "(none)"
"""Stands for a set that allows nothing, since an empty one allows everything."""


def _common(one: frozenset[Any], other: frozenset[Any]) -> frozenset[Any]:
    if not one or not other:
        return one or other
    return one & other or frozenset({NOBODY})


def _slowest(*windows: Window) -> tuple[Window, ...]:
    kept: dict[int, Window] = {}
    for it in windows:
        kept[it.seconds] = min(it, kept.get(it.seconds, it))
    return tuple(kept[seconds] for seconds in sorted(kept))


def _overlap(
    one: tuple[time, time] | None, other: tuple[time, time] | None
) -> tuple[time, time] | None:
    if one is None or other is None:
        return one or other
    return max(one[0], other[0]), min(one[1], other[1])


def is_looser(before: Limits, after: Limits) -> bool:
    """Say whether anything that was refused before would pass after."""
    return tightest([before, after]) != after


def written(dated: Iterable[Dated]) -> str | None:
    """Write limits as a page carries them; none as nothing."""
    kept = [
        [to_micros(it.since), it.scope, it.strategy, document_of(it.limits)]
        for it in sorted(dated, key=lambda it: (it.since, it.scope, it.strategy or ""))
    ]
    return json.dumps(kept, separators=(",", ":")) if kept else None


@lru_cache(maxsize=1024)
def read(text: str | None) -> tuple[Dated, ...]:
    """Read limits as a page carries them."""
    if not text:
        return ()
    return tuple(
        Dated(from_micros(since), scope, strategy, limits_of(document))
        for since, scope, strategy, document in json.loads(text)
    )


def document_of(limits: Limits) -> dict[str, Any]:
    """Return limits as JSON has them: only those that are set."""
    document: dict[str, Any] = {}
    for it in fields(limits):
        value = getattr(limits, it.name)
        if it.name == "hours" and value is not None:
            document["hours"] = [f"{each:%H:%M}" for each in value]
        elif it.name == "rates" and value:
            document["rates"] = [list(each) for each in value]
        elif it.name in _SETS and value:
            document[it.name] = sorted(value)
        elif it.name in _NUMBERS and value is not None:
            document[it.name] = value
    return document


def limits_of(document: Mapping[str, Any]) -> Limits:
    """Return the limits that a document holds."""
    changes: dict[str, Any] = {name: document.get(name) for name in _NUMBERS}
    for name, word in _SETS.items():
        given = document.get(name, ())
        changes[name] = frozenset(it if it == NOBODY else word(it) for it in given)
    if hours := document.get("hours"):
        changes["hours"] = (time.fromisoformat(hours[0]), time.fromisoformat(hours[1]))
    changes["rates"] = tuple(Window(*each) for each in document.get("rates", ()))
    return Limits(**changes)
