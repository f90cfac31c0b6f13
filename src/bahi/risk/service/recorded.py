"""Switches and limits as they were recorded by an instant."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from bahi.db.tx import Tx
from bahi.portfolio.service.books import page_of
from bahi.risk.model.control import Held, Switch, stops_of
from bahi.risk.model.limits import Limits, in_force, read
from bahi.risk.repository import control as rows


class Recorded(NamedTuple):
    """What bound an account by an instant; of the limits also those that were still to come."""

    switches: tuple[Switch, ...]
    limits: tuple[Held, ...]
    in_force: Limits
    """What all of its orders were held to; those of a strategy may have been held to more."""


def as_of(tx: Tx, account_id: int, at: datetime) -> Recorded:
    """Return an account's switches and limits as our commits had them by an instant."""
    user = page_of(tx, account_id).user_id
    switches = [it for it in rows.switches(tx, at) if it.whom.binds(account_id, user)]
    limits = [it for it in rows.limits(tx, at) if it.whom.binds(account_id, user)]
    stops = stops_of(switches, limits, account_id, user)
    return Recorded(tuple(switches), tuple(limits), in_force(read(stops.limits), None, at))
