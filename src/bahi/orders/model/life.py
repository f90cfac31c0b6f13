"""An order's life as a line: what happened, when, and how long it was between.

All instants on it are our own clock's, so that one line can carry them; what the broker says of its
own time stands beside. A line never runs backwards, even where the clock was set back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple, Protocol

from bahi.kernel.clock import from_micros
from bahi.kernel.money import Price, grouped
from bahi.kernel.words import EventSource, EventType, OrderStatus
from bahi.orders.model.order import ENDS, NOT_FOUND, PENDING, TRANSIT, UNKNOWN, Order

_MICROSECOND: Final = timedelta(microseconds=1)


class Mark(StrEnum):
    """What a tick stands for."""

    INTENT = "INTENT"
    RISK = "RISK"
    RELEASED = "RELEASED"
    WIRE = "WIRE"
    UNKNOWN = "UNKNOWN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    TRIGGERED = "TRIGGERED"
    ASKED = "ASKED"
    CHANGE = "CHANGE"
    FILL = "FILL"
    END = "END"


class Happening(Protocol):
    """One event of an order, as the book keeps it: the fields that it changed, as stored."""

    @property
    def sequence(self) -> int:
        """Its place in the order's life."""

    @property
    def kind(self) -> EventType:
        """What happened."""

    @property
    def source(self) -> EventSource | None:
        """Who told of it."""

    @property
    def event_at(self) -> datetime:
        """When it was, as the source says."""

    @property
    def recorded_at(self) -> datetime:
        """When we wrote it down."""

    @property
    def changes(self) -> Mapping[str, Any]:
        """The changed fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One mark on the line; `after_us` is how long it was since the one before."""

    mark: Mark
    at: datetime
    words: str
    sequence: int
    after_us: int = 0
    source: EventSource | None = None
    told_at: datetime | None = None
    """When it was as the broker says, where that is another instant than ours."""


class Stretch(NamedTuple):
    """A while in which nobody knew what became of the order; `until` None: it lasts."""

    since: datetime
    until: datetime | None
    words: str

    def us(self, now: datetime) -> int:
        """Return how long it was, or is by now."""
        return max(0, ((self.until or now) - self.since) // _MICROSECOND)


class Life(NamedTuple):
    """An order's line: its ticks in their order, and where it was unknown."""

    ticks: tuple[Tick, ...]
    unknown: tuple[Stretch, ...]

    @property
    def whole_us(self) -> int:
        """From the first tick to the last."""
        return sum(it.after_us for it in self.ticks)

    def between(self, first: Mark, then: Mark) -> int | None:
        """Return how long it was from the first of one mark to the first of another."""
        begins = next((it.at for it in self.ticks if it.mark is first), None)
        ends = next((it.at for it in self.ticks if it.mark is then), None)
        return None if begins is None or ends is None else (ends - begins) // _MICROSECOND


def life_of(order: Order, events: Iterable[Happening]) -> Life:
    """Draw an order's life from its events, in the sequence in which they were written."""
    ticks: list[Tick] = []
    known: dict[str, Any] = {}
    for event in sorted(events, key=lambda it: it.sequence):
        for mark, at, words in _marks(order, event, known):
            ticks.append(_placed(mark, at, words, event, ticks))
        known |= event.changes
    return Life(tuple(ticks), tuple(_unknown(ticks, order)))


def _placed(mark: Mark, at: datetime, words: str, event: Happening, before: list[Tick]) -> Tick:
    """Put a mark behind all that are there: a clock that was set back makes no time negative."""
    last = before[-1].at if before else at
    at = max(at, last)
    return Tick(
        mark=mark,
        at=at,
        words=words,
        sequence=event.sequence,
        after_us=(at - last) // _MICROSECOND,
        source=event.source,
        told_at=event.event_at if event.event_at != event.recorded_at else None,
    )


Marked = tuple[Mark, datetime, str]


def _marks(order: Order, event: Happening, known: Mapping[str, Any]) -> Iterator[Marked]:
    """Yield what an event puts on the line, in the order in which it came about."""
    for rule in _RULES:
        yield from rule(order, event, known)


def _begins(order: Order, event: Happening, known: Mapping[str, Any]) -> Iterator[Marked]:
    if known:
        return
    at, status = event.recorded_at, event.changes.get("status")
    if order.is_external:
        yield Mark.INTENT, at, "Others placed it at the broker; the book took it in."
        return
    yield Mark.INTENT, _stamp(event, "intent_at") or at, "The intent is written."
    if status == OrderStatus.REJECTED:
        yield Mark.RISK, at, f"Refused: {event.changes.get('error_message') or 'no reason kept'}"
    elif status == PENDING:
        yield Mark.RISK, at, f"It passed, and waits for {order.waits_for or 'its time'}."
    else:
        yield Mark.RISK, at, "It passed, in the intent's own transaction."


def _released(order: Order, event: Happening, known: Mapping[str, Any]) -> Iterator[Marked]:
    if known.get("status") == PENDING and event.changes.get("status") == TRANSIT:
        by = f" by {order.approved_by}" if order.approved_by else ""
        yield Mark.RELEASED, event.recorded_at, f"Let go{by}; judged once more."


def _sent(_order: Order, event: Happening, _known: Mapping[str, Any]) -> Iterator[Marked]:
    if (at := _stamp(event, "sent_at")) is not None:
        yield Mark.WIRE, at, "It went on the wire."


def _lost(_order: Order, event: Happening, _known: Mapping[str, Any]) -> Iterator[Marked]:
    if event.changes.get("status") == UNKNOWN:
        yield Mark.UNKNOWN, event.recorded_at, "Nobody answered in time."


def _answered(order: Order, event: Happening, _known: Mapping[str, Any]) -> Iterator[Marked]:
    if (at := _stamp(event, "acked_at")) is not None and not order.is_external:
        name = event.changes.get("broker_order_id") or order.broker_order_id
        yield Mark.ACKNOWLEDGED, at, f"The broker answered{f': {name}' if name else ''}."


def _fired(_order: Order, event: Happening, _known: Mapping[str, Any]) -> Iterator[Marked]:
    if event.kind is EventType.TRIGGERED:
        yield Mark.TRIGGERED, event.recorded_at, "Its trigger fired."


def _asked(_order: Order, event: Happening, known: Mapping[str, Any]) -> Iterator[Marked]:
    asks = [
        words
        for name, words in (
            ("cancel_asked", "The broker is asked to take it back."),
            ("asked_quantity", "The broker is asked to change it."),
        )
        if event.changes.get(name) and event.changes[name] != known.get(name)
    ]
    for words in asks:
        yield Mark.ASKED, event.recorded_at, words


_TERMS: Final[Mapping[str, Callable[[Any], str]]] = {
    "quantity": str,
    "price": lambda it: grouped(Price(it)),
    "trigger_price": lambda it: grouped(Price(it)),
    "validity": str,
}
"""What a change changes, and how it is said."""


def _changed(_order: Order, event: Happening, known: Mapping[str, Any]) -> Iterator[Marked]:
    if not known:
        return
    said = [
        f"{name.replace('_', ' ')} {_said(name, known.get(name))} to {_said(name, value)}"
        for name, value in event.changes.items()
        if name in _TERMS and value != known.get(name)
    ]
    if said:
        yield Mark.CHANGE, event.recorded_at, f"Changed: {', '.join(said)}."


def _said(name: str, value: Any) -> str:
    return "none" if value is None else _TERMS[name](value)


def _filled(order: Order, event: Happening, known: Mapping[str, Any]) -> Iterator[Marked]:
    filled, before = event.changes.get("filled"), known.get("filled", 0)
    if filled is None or filled <= before:
        return
    value = event.changes.get("traded_value", known.get("traded_value", 0))
    came, cost = filled - before, value - known.get("traded_value", 0)
    price = Price((2 * cost + came) // (2 * came))
    quantity = event.changes.get("quantity", known.get("quantity", order.quantity))
    words = f"{came} at {grouped(price)}; {filled} of {quantity} filled."
    yield Mark.FILL, event.recorded_at, words


def _ended(_order: Order, event: Happening, known: Mapping[str, Any]) -> Iterator[Marked]:
    status = event.changes.get("status")
    if status not in ENDS:
        return
    if not known and status == OrderStatus.REJECTED:  # why stands at the verdict
        yield Mark.END, event.recorded_at, f"{status}: nothing was sent."
        return
    why = event.changes.get("error_message")
    yield Mark.END, event.recorded_at, f"{status}: {why}" if why else f"{status}."


_RULES: Final = (
    _begins,
    _released,
    _sent,
    _lost,
    _answered,
    _fired,
    _asked,
    _changed,
    _filled,
    _ended,
)


def _stamp(event: Happening, name: str) -> datetime | None:
    micros = event.changes.get(name)
    return None if micros is None else from_micros(micros)


def _unknown(ticks: Sequence[Tick], order: Order) -> Iterator[Stretch]:
    """Yield where it was unknown, each with what the house did, or does, about it."""
    for place, it in enumerate(ticks):
        if it.mark is not Mark.UNKNOWN:
            continue
        told = next((later for later in ticks[place + 1 :] if later.mark in _TELLS), None)
        if told is None:
            yield Stretch(
                it.at,
                None,
                f"Nobody knows what became of it. The broker's book is read until it tells of "
                f"{order.tag}; it is never sent again, and counts as working meanwhile.",
            )
        elif told.mark is Mark.END and order.error_code == NOT_FOUND:
            yield Stretch(it.at, told.at, "The broker's book was read, and did not have it.")
        else:
            yield Stretch(it.at, told.at, "The broker's book was read, and told what became of it.")


_TELLS: Final = frozenset({Mark.ACKNOWLEDGED, Mark.FILL, Mark.TRIGGERED, Mark.CHANGE, Mark.END})
