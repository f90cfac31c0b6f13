"""The end of a day, as far as it costs: the contract note's rounding, and the depository's fee.

Each is a line of the ledger with a voucher that names the day. Asked again, for a trade that was
told late, it writes only what is different now: more of a line, or a line that takes it back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import NamedTuple

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.money import Money
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.charges import of_the_day
from bahi.portfolio.model.money import Entry, Line
from bahi.portfolio.model.note import on_the_note
from bahi.portfolio.model.rates import Deal, Kind
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.repository import days
from bahi.portfolio.service.books import enter, lock_book, save_book

Isins = Mapping[tuple[Segment, str], str]
"""The security behind each listing, where it is known: both exchanges deliver from one holding."""


class Day(NamedTuple):
    """Which day of which account is settled, and what is known of its securities."""

    account_id: int
    day: date
    isins: Isins


class Settled(NamedTuple):
    """What settling a day did to the cash."""

    rounding: Money
    depository: Money


def settle_day(tx: Tx, actor: Actor, of: Day, terms: Terms, now: datetime) -> Settled:
    """Write what a day still owes to its contract note and to the depository."""
    before = lock_book(tx, of.account_id)
    archived = days.carried_until(tx, of.account_id)
    if archived is not None and of.day < archived:
        return Settled(Money(0), Money(0))  # its trades are in the archive: it was settled long ago
    fees = _depository(tx, of, terms)
    wanted = {**_rounding(tx, of, terms), **fees, **_not_delivered(tx, of, fees)}
    known = days.vouchers(tx, of.account_id, (it.voucher or "" for it in wanted))
    book = before
    moved = {Entry.NOTE: 0, Entry.DP: 0}
    for line, amount in wanted.items():
        owed = Money(amount - known.get(line.voucher or "", 0))
        moved[line.kind] += owed
        book = enter(tx, book, line._replace(amount=owed), now)
    if book != before:
        save_book(tx, before, book, now)
        new = {str(kind): amount for kind, amount in moved.items()}
        note(tx, actor, "settle", ("day", f"{of.account_id}/{of.day}"), now, new=new)
    return Settled(Money(moved[Entry.NOTE]), Money(moved[Entry.DP]))


def _rounding(tx: Tx, of: Day, terms: Terms) -> dict[Line, Money]:
    """Return what the note takes more, or less, than the day's trades were taxed."""
    taxed, beside = days.taxes_of(tx, of.account_id, of.day)
    shares = days.shares_of(tx, of.account_id, of.day)
    note_takes = on_the_note(terms.rates, of.day, shares, beside)
    words = f"Contract note of {of.day}: STT and stamp duty on the day's net, to the rupee"
    return {Line(Entry.NOTE, words, Money(0), of.day, f"note/{of.day}"): taxed.less(note_takes)}


def _depository(tx: Tx, of: Day, terms: Terms) -> dict[Line, Money]:
    """Return the fee for each security that leaves the demat account for that day's sales."""
    leaving: dict[str, int] = {}
    for it in days.deliveries_of(tx, of.account_id, of.day):
        isin = of.isins.get((it.segment, it.symbol), it.symbol)
        leaving[isin] = leaving.get(isin, 0) + it.sold - it.bought
    deal = Deal(of.day, Segment.NSE_EQ, Kind.EQUITY, Product.CNC, Side.SELL)
    fee = Money(-of_the_day(terms.rates, deal))
    return {
        Line(
            Entry.DP,
            f"Depository: {isin} delivered for sales of {of.day}",
            Money(0),
            of.day,
            f"dp/{of.day}/{isin}",
        ): fee
        for isin, quantity in sorted(leaving.items())
        if quantity > 0
    }


def _not_delivered(tx: Tx, of: Day, delivered: Collection[Line]) -> dict[Line, Money]:
    """Return the lines of fees that hold no more: a late purchase meant that nothing left."""
    holds = {it.voucher for it in delivered}
    words = f"Depository: taken back, not delivered for sales of {of.day} after all"
    return {
        Line(Entry.DP, words, Money(0), of.day, voucher): Money(0)
        for voucher in sorted(days.vouchers_of(tx, of.account_id, of.day, Entry.DP))
        if voucher not in holds
    }
