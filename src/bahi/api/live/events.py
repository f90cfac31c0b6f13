"""What happened in the house, as its clients are told: one event for each row that tells of it.

Ids of all rows come from one mint and sort by time, so an event's id is also the place in the
stream behind which a client goes on (`Last-Event-ID`). A thing is shown as it stands when the event
is read: it may be further than the event by then, never behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from bahi.audit.model import Entry
from bahi.instruments.model.instrument import EXCHANGE_OF
from bahi.kernel.ids import tag
from bahi.kernel.money import plain
from bahi.notify.model import Alert
from bahi.orders.service.happening import Happened
from bahi.portfolio.service.happening import Moved


class Topic(StrEnum):
    """What an event is about."""

    ORDER = "order"
    POSITION = "position"
    TOKEN = "token"  # noqa: S105 - no secret: the topic's name
    JOB = "job"
    ALERT = "alert"


EVERYTHING: Final = frozenset(Topic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    It is for whoever opens the account; where there is none, for the user; where there is neither,
    for who runs the house.
    """

    id: int
    topic: Topic
    what: str
    at: datetime
    account_id: int | None
    user_id: int | None
    about: Happened | Moved | Alert | Entry


def payload_of(event: Event) -> dict[str, Any]:
    """Return what an event says, as JSON carries it: ids are decimal text, money is exact text."""
    about = event.about
    if isinstance(about, Happened):
        return _order(about)
    if isinstance(about, Moved):
        return _position(about)
    if isinstance(about, Alert):
        return {
            "id": str(about.id),
            "severity": about.severity,
            "source": about.source,
            "message": about.message,
            "topic": about.topic,
            "is_open": about.is_open,
            "acknowledged_by": about.acknowledged_by,
        }
    return {
        "entity_type": about.entity_type,
        "entity_id": about.entity_id,
        "by": about.actor,
        "old": about.old_value,
        "new": about.new_value,
        "details": about.details,
    }


def _order(about: Happened) -> dict[str, Any]:
    it = about.order
    average = None
    if it.filled:
        average = plain((2 * it.traded_value + it.filled) // (2 * it.filled))
    return {
        "order_id": str(it.id),
        "tag": tag(it.id),
        "sequence": about.sequence,
        "version": it.version,
        "client_order_id": it.client_order_id,
        "broker_order_id": it.broker_order_id,
        "exchange": EXCHANGE_OF[it.segment],
        "symbol": it.symbol,
        "side": it.side,
        "product": it.product,
        "order_type": it.order_type,
        "quantity": it.quantity,
        "price": _plain(it.price),
        "trigger_price": _plain(it.trigger_price),
        "status": it.status,
        "trigger_pending": it.trigger_pending,
        "filled": it.filled,
        "average_price": average,
        "error_code": it.error_code,
        "error_message": it.error_message,
        "strategy": it.strategy,
    }


def _position(about: Moved) -> dict[str, Any]:
    it = about.position
    return {
        "trade_id": str(about.id),
        "order_id": None if about.order_id is None else str(about.order_id),
        "side": about.side,
        "quantity": about.quantity,
        "price": plain(about.price),
        "exchange": EXCHANGE_OF[it.key.segment],
        "symbol": it.key.symbol,
        "product": it.key.product,
        "net": it.net,
        "average_price": _plain(it.average),
        "realized_pnl": plain(it.realized),
    }


def _plain(price: int | None) -> str | None:
    return None if price is None else plain(price)
