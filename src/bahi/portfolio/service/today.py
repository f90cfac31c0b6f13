"""What trades did to an account on a day: all that is needed to reckon the day's money."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from bahi.db.tx import Tx
from bahi.kernel.errors import NotFound
from bahi.kernel.money import NOTHING, Money
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.gains import Fill, Gain, gains_of
from bahi.portfolio.model.position import Fact, Key, Position, in_order
from bahi.portfolio.repository import book, dealings
from bahi.portfolio.repository import position as positions

Fills = Mapping[Key, list[Fill]]


class Dealt(NamedTuple):
    """What an account has open or dealt in on a day, by the version of its page."""

    account_id: int
    version: int
    day: date
    positions: list[Position]
    fills: Fills
    gains: list[Gain]

    @property
    def overnight(self) -> dict[Key, Position]:
        """What was open already when the day began, as far as it still matters."""
        return {
            it.key: it
            for it in self.positions
            if it.net and (it.overnight if it.day == self.day else it.net)
        }


def dealt_of(tx: Tx, account_id: int, day: date, known: Dealt | None = None) -> tuple[Book, Dealt]:
    """Return an account's page, and what it has open or dealt in on a day: five statements, mostly.

    It is one where what is known is of this day, and the page was not written since.
    """
    page = book.read_with_version(tx, account_id)
    if page is None:
        raise NotFound(f"There is no book of account {account_id} yet; ask for its desk first.")
    written, version = page
    if known is not None and (known.version, known.day) == (version, day):
        return written, known
    held = positions.of_accounts(tx, [account_id], day).get(account_id, [])
    fills = dealings.fills_on(tx, account_id, day)
    gains = [gain for it in held for gain in _gains(tx, account_id, it, fills.get(it.key, []))]
    dues = dealings.dues_of(tx, account_id, day, day)
    gains += [_due(account_id, day, paid) for _, paid in dues]
    return written, Dealt(account_id, version, day, held, fills, gains)


def _gains(tx: Tx, account_id: int, held: Position, fills: list[Fill]) -> list[Gain]:
    """Fold a day's facts into the position as its day began; where that is not kept, all of it."""
    if not fills:
        return []
    first: Fact = min((it.fact for it in fills), key=in_order)
    eve = held.on_the_eve_of(first)
    if eve is not None:
        return list(gains_of(account_id, held.key, fills, eve))
    day = held.day or date.max
    moves = dealings.moves_of(tx, account_id, held.key.symbol, day)
    whole = [it.fill for it in moves if it.key == held.key]
    return [it for it in gains_of(account_id, held.key, whole) if it.day == day]


def _due(account_id: int, day: date, paid: Money) -> Gain:
    return Gain(account_id, day, None, None, NOTHING, NOTHING, NOTHING, paid, 0)


def fills_before(
    tx: Tx, account_id: int, keys: Collection[Key], day: date
) -> dict[Key, list[Fill]]:
    """Return all that moved some positions before a day: two statements for each symbol."""
    found: dict[Key, list[Fill]] = {key: [] for key in keys}
    eve = day - timedelta(days=1)
    for symbol in sorted({key.symbol for key in keys}):
        for it in dealings.moves_of(tx, account_id, symbol, eve):
            if it.key in found:
                found[it.key].append(it.fill)
    for fills in found.values():
        fills.sort(key=lambda fill: in_order(fill.fact))
    return found
