"""Alerts: raised in the transaction of their cause, open until somebody takes them on.

The channels that carry them to people come later; until then a page, a door and the terminal show
them. The account stands in the details, for not every account has a page in the books yet.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bahi.audit.service import note
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_change, the_house
from bahi.kernel.clock import to_micros
from bahi.kernel.errors import Forbidden, Invalid, NotFound
from bahi.notify import repository
from bahi.notify.model import Alert, Cause

PAGE_AT_MOST: Final = 500
NAME_AT_MOST: Final = 100
HOUSE: Final = the_house("alerts")


class NoAlert(NotFound):
    """There is no such alert."""

    code = "no_alert"


def raise_alert(tx: Tx, cause: Cause, now: datetime) -> int:
    """Raise an alert; where one of its topic is open it counts again, and may grow worse.

    The trail tells when somebody could first know of it, not how often it was said again.
    """
    kept = cause.checked()
    alert_id, times = repository.raise_alert(tx, kept, to_micros(now))
    if times == 1:
        new = {"severity": kept.severity, "source": kept.source}
        note(tx, HOUSE, "raise", ("alert", alert_id), now, new=new, details=kept.message)
    return alert_id


def acknowledge(tx: Tx, actor: Actor, alert_id: int, now: datetime) -> Alert:
    """Take an alert on; one that somebody has taken on already stays theirs."""
    require_change(actor)
    alert = repository.find(tx, alert_id)
    if alert is None or not (actor.is_admin or actor.owns(alert.user_id)):
        raise NoAlert(f"There is no alert {alert_id}.")
    if repository.close(tx, alert_id, actor.name[:NAME_AT_MOST], to_micros(now)):
        said = {"severity": alert.severity, "source": alert.source, "times": alert.times}
        note(tx, actor, "acknowledge", ("alert", alert_id), now, new=said)
    return repository.find(tx, alert_id) or alert


def resolve(tx: Tx, topic: str, now: datetime, *, by: str = "bahi") -> bool:
    """Close the open alert of a topic, because what it was about is over; say if there was one."""
    alert = repository.open_of(tx, topic)
    if alert is None or not repository.close(tx, alert.id, by, to_micros(now)):
        return False
    said = {"severity": alert.severity, "source": alert.source, "times": alert.times}
    note(tx, HOUSE, "resolve", ("alert", alert.id), now, new=said)
    return True


def find_open(tx: Tx, topic: str) -> Alert | None:
    """Return the open alert of a topic, or None."""
    return repository.open_of(tx, topic)


def find(tx: Tx, alert_id: int) -> Alert | None:
    """Return an alert, open or not."""
    return repository.find(tx, alert_id)


def count_open(tx: Tx) -> dict[str, int]:
    """Count the open alerts by severity."""
    return repository.count_open(tx)


async def list_alerts(
    store: Store,
    actor: Actor,
    *,
    limit: int = 50,
    after: Alert | tuple[bool, int] | None = None,
    only_open: bool | None = None,
) -> list[Alert]:
    """Return alerts, open ones first, each kind newest first.

    `after` is where a page ended: its last alert, or whether that was open, and its id.
    An admin sees all, another what is for them.
    """
    if not 1 <= limit <= PAGE_AT_MOST:
        raise Invalid(f"limit: {limit} is not 1 to {PAGE_AT_MOST}.")
    if not actor.is_admin and actor.user_id is None:
        raise Forbidden("Only a user of the house has alerts.")
    place = (after.is_open, after.id) if isinstance(after, Alert) else after
    mine = None if actor.is_admin else actor.user_id
    return await store.read(repository.page, limit, place, mine, only_open, fresh=True)


erase_account: Final = repository.erase_account
"""Remove some alerts on an account; return how many."""
erase_user: Final = repository.erase_user
"""Remove some of a user's alerts, chats and messages; return how many of each."""
