"""Holdings as the days pass: delivered on the day after, and what of them may be sold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.errors import Invalid
from bahi.kernel.words import Segment
from bahi.portfolio.model.holding import (
    Deliverable,
    deliverable,
    funded_of,
    holding_of,
    is_funded,
    is_held,
)
from bahi.portfolio.model.position import Key
from bahi.portfolio.repository import holding as rows
from bahi.portfolio.repository import position as positions
from bahi.portfolio.service.books import lock_book, position_of


def roll_holdings(
    tx: Tx,
    account_id: int,
    settled: Mapping[Segment, date],
    now: datetime,
    *,
    pledges: bool = False,
) -> int:
    """Deliver what was bought up to a day (`settled_through`), wherever shares are held.

    Where nobody knows that day, what is delivered stays so.
    `pledges`: the broker has what is delivered as MTF pledged to it, without asking.
    """
    lock_book(tx, account_id)
    rolled = 0
    for position in positions.of_account(tx, account_id):
        key, through = position.key, settled.get(position.key.segment)
        if position.net <= 0 or through is None:
            continue
        if is_held(key):
            rows.save(tx, account_id, holding_of(position, through), now)
            rolled += 1
        elif is_funded(key):
            rows.save_funded(tx, account_id, funded_of(position, through), now, pledges=pledges)
            rolled += 1
    return rolled


def deliverable_of(
    tx: Tx, account_id: int, key: Key, settled: date | None, allowed: int | None = None
) -> Deliverable:
    """Return how much of a share an account may sell for delivery.

    `allowed` is what eDIS gave leave for (`edis.allowed_of`); None where none is needed: on paper,
    and for an account with a DDPI.
    """
    holding = holding_of(position_of(tx, account_id, key), settled)
    pledged = 0 if is_funded(key) else rows.pledged(tx, account_id, key)
    return deliverable(holding, pledged, allowed)


def pledge(tx: Tx, actor: Actor, account_id: int, which: tuple[Key, int], now: datetime) -> None:
    """Write how much of an MTF holding is pledged to the broker, as a person did it by hand."""
    require_change(actor)
    key, quantity = which
    lock_book(tx, account_id)
    delivered = rows.delivered_as_mtf(tx, account_id, key)
    if not is_funded(key) or not 0 <= quantity <= delivered:
        raise Invalid(
            f"quantity: {quantity} of {key.symbol} cannot be pledged; {delivered} are held as MTF"
            " and delivered."
        )
    rows.pledge(tx, account_id, key, quantity, now)
    about = ("holding", f"{account_id}/{key.segment}/{key.symbol}")
    note(tx, actor, "pledge", about, now, new={"quantity": quantity})
