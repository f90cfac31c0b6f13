"""A desk: one account with its store, its broker and what is known of the market.

Which store and which broker is chosen once, when a door asks for the desk; no use case asks again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bahi.db.stores import Store
from bahi.kernel.actor import Actor
from bahi.kernel.clock import Clock
from bahi.kernel.ports import Broker
from bahi.kernel.words import Segment
from bahi.orders.model.wishes import Seen

Look = Callable[[Segment, str], Seen]
"""Says what is known now of an instrument, its hours and its price; NotFound for a stranger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where one actor's orders for one account are placed."""

    actor: Actor
    account_id: int
    store: Store
    broker: Broker
    look: Look
    clock: Clock
