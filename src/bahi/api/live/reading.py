"""From what the tables hold to events: one look at one store."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from bahi.accounts.service.applications import get_registration
from bahi.api.live.events import Event, Topic
from bahi.audit.model import Entry
from bahi.audit.service import trail
from bahi.db.since import Part
from bahi.db.tx import Tx
from bahi.jobs.service import get_job
from bahi.kernel.actor import the_house
from bahi.kernel.errors import NotFound
from bahi.notify import service as notify
from bahi.notify.model import Alert
from bahi.orders.service import happening as orders
from bahi.portfolio.service import happening as portfolio

READER: Final = the_house("events")
TOLD_OF: Final = {
    "job": "",
    "schedule": "",
    "broker_api": "token.",
    "account": "token.",
    "alert": "",
}
"""What of the audit trail is told, and how the actions begin that count."""


class Look(NamedTuple):
    """Events of one look, and where it was cut: there may be more behind; None: that was all."""

    events: list[Event]
    cut: int | None


def look(tx: Tx, above: int, known: Collection[int], at_most: int) -> Look:
    """Return what happened above an id and is not known yet, each kind up to a bound.

    Where a bound was met, what lies behind the first cut is left for the next look: so a follower
    is told of everything in one order, and skips nothing.
    """
    parts = [
        _orders(tx, above, known, at_most),
        _positions(tx, above, known, at_most),
        _entries(tx, above, known, at_most),
    ]
    cut = min((it.cut for it in parts if it.cut is not None), default=None)
    events = sorted((event for it in parts for event in it.rows), key=lambda it: it.id)
    if cut is None:
        return Look(events, None)
    return Look([it for it in events if it.id <= cut], cut)


def newest(tx: Tx) -> int:
    """Return the largest id of anything that is told."""
    return max(orders.newest(tx), portfolio.newest(tx), trail.newest(tx))


def _orders(tx: Tx, above: int, known: Collection[int], at_most: int) -> Part[Event]:
    found = orders.happened(tx, above, known, at_most)
    events = [
        Event(
            id=it.id,
            topic=Topic.ORDER,
            what=it.kind,
            at=it.recorded_at,
            account_id=it.order.account_id,
            user_id=None,
            about=it,
        )
        for it in found.rows
    ]
    return Part(events, found.cut)


def _positions(tx: Tx, above: int, known: Collection[int], at_most: int) -> Part[Event]:
    found = portfolio.moved(tx, above, known, at_most)
    events = [
        Event(
            id=it.id,
            topic=Topic.POSITION,
            what="TRADED",
            at=it.booked_at,
            account_id=it.account_id,
            user_id=None,
            about=it,
        )
        for it in found.rows
    ]
    return Part(events, found.cut)


def _entries(tx: Tx, above: int, known: Collection[int], at_most: int) -> Part[Event]:
    found = trail.happened(tx, TOLD_OF, above, known, at_most)
    return Part([_entry(tx, it) for it in found.rows], found.cut)


def _entry(tx: Tx, it: Entry) -> Event:
    said = it.entity_id or ""
    number = int(said) if said.isdecimal() else None
    if it.entity_type == "alert" and number is not None:
        return _alert(tx, it, number)
    topic = Topic.JOB if it.entity_type in {"job", "schedule"} else Topic.TOKEN
    account_id = number if it.entity_type == "account" else None
    if it.entity_type == "broker_api" and number is not None:
        account_id = _account_of(tx, number)
    user_id = _user_of(tx, said) if it.entity_type == "job" else None
    return _told(it, topic, account_id, user_id, it)


def _alert(tx: Tx, it: Entry, alert_id: int) -> Event:
    alert = notify.find(tx, alert_id)
    if alert is None:  # erased with its account
        return _told(it, Topic.ALERT, None, None, it)
    account_id = alert.account_id
    if account_id is None and isinstance(alert.details, dict):
        said = str(alert.details.get("account_id", ""))  # it may have had no page in the books yet
        account_id = int(said) if said.isdecimal() else None
    return _told(it, Topic.ALERT, account_id, alert.user_id, alert)


def _told(
    it: Entry,
    topic: Topic,
    account_id: int | None,
    user_id: int | None,
    about: Entry | Alert,
) -> Event:
    return Event(
        id=it.id,
        topic=topic,
        what=it.action,
        at=it.at,
        account_id=account_id,
        user_id=user_id,
        about=about,
    )


def _user_of(tx: Tx, job_id: str) -> int | None:
    """Return who asked for a job, if a person did."""
    try:
        return get_job(tx, job_id).user_id
    except NotFound:  # cleaned up since
        return None


def _account_of(tx: Tx, api_id: int) -> int | None:
    try:
        return get_registration(tx, READER, api_id).account_id
    except NotFound:  # removed since: then only who runs the house is told
        return None
