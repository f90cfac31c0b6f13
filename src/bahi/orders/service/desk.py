"""A desk: one account with its store, its broker and what is known of the market.

Which store and which broker is chosen once, when a door asks for the desk; no use case asks again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from bahi.db.stores import Store
from bahi.kernel.actor import Actor
from bahi.kernel.clock import Clock
from bahi.kernel.ports import Broker
from bahi.kernel.words import Segment
from bahi.orders.model.order import SETTLED_AFTER
from bahi.orders.model.wishes import Seen
from bahi.orders.service.errands import Errands
from bahi.portfolio.model.terms import Terms

Look = Callable[[Segment, str], Seen]
"""Says what is known now of an instrument, its hours and its price; NotFound for a stranger."""


def _nobody() -> None:
    """Wake nobody."""


def _never(_strategy: str | None) -> bool:
    """Hold no strategy's orders for approval."""
    return False


async def _nothing() -> None:
    """Value nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where one actor's orders for one account are placed.

    `errands` see through what was begun; `wake` tells the driver that something may have moved;
    `freshen` values what is open where that is due, so that the day's loss is known;
    `needs_approval` says of a strategy whether a person has to let its orders go out; `patience` is
    how long one waits for what comes of an order that another sends.
    """

    actor: Actor
    account_id: int
    store: Store
    broker: Broker
    look: Look
    terms: Terms
    clock: Clock
    errands: Errands = field(default_factory=Errands)
    wake: Callable[[], None] = _nobody
    freshen: Callable[[], Awaitable[None]] = _nothing
    needs_approval: Callable[[str | None], bool] = _never
    patience: timedelta = SETTLED_AFTER
