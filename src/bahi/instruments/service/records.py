"""What was loaded, and when: the records of loads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from bahi.db.revisions import bump
from bahi.db.tx import Tx
from bahi.instruments.model.loads import InForce, Load, LoadStatus, Wanted
from bahi.instruments.repository import loads
from bahi.kernel.actor import Actor
from bahi.kernel.clock import to_micros
from bahi.kernel.errors import Conflict, NotFound
from bahi.kernel.listings import Listing
from bahi.kernel.words import BrokerSlug, Segment

TOPIC: Final = "instruments"
LOADS_SHOWN_AT_MOST: Final = 200
GIVEN_UP_AFTER: Final = timedelta(minutes=2)


def list_loads(tx: Tx, broker: BrokerSlug | None = None, limit: int = 20) -> list[Load]:
    """Return what was loaded, the newest first."""
    return loads.list_loads(tx, broker, min(limit, LOADS_SHOWN_AT_MOST))


def get_load(tx: Tx, load_id: int) -> Load:
    """Return one load with its report."""
    load = loads.find_load(tx, load_id)
    if load is None:
        raise NotFound(f"There is no load {load_id}.")
    return load


def begin(tx: Tx, actor: Actor, wanted: Wanted, day: date, now: datetime) -> int:
    """Enter a load; two at once would each take the other's contracts for new ones."""
    bump(tx, f"{TOPIC}.load")  # its row is the lock that two beginners pass one after the other
    for load_id, broker, _seen_at in loads.list_reading(tx):
        raise Conflict(
            f"A file of {broker} is being loaded (load {load_id}); wait until it is done, "
            f"or {GIVEN_UP_AFTER.seconds // 60} minutes if what loads it was stopped."
        )
    load_id = tx.new_id()
    row = {
        "id": load_id,
        "broker": wanted.broker,
        "source": wanted.source[:300],
        "sha256": wanted.sha256 or None,
        "trading_day": day.isoformat(),
        "status": LoadStatus.READING,
        "lines": 0,
        "started_by": actor.name,
        "started_at": to_micros(now),
        "seen_at": to_micros(now),
    }
    loads.add_load(tx, row)
    return load_id


def is_anything_in_force(tx: Tx, broker: BrokerSlug) -> bool:
    """Say whether a file of this broker is in force."""
    return bool(loads.in_force(tx, broker))


def masters_in_force(tx: Tx) -> list[InForce]:
    """Return which load is in force, by broker and segment."""
    return loads.masters(tx)


def unless_others_know_better(
    tx: Tx, broker: BrokerSlug, listings: Sequence[Listing]
) -> list[Listing]:
    """Leave out, in every segment that another master covers, what that master does not list."""
    kept: list[Listing] = []
    for segment in Segment:
        here = [it for it in listings if it.segment is segment]
        known = loads.listed_by_others(tx, broker, segment, {it.symbol for it in here})
        kept += [it for it in here if known is None or it.symbol in known]
    return kept
