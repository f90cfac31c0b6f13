"""What positions block as the days pass: a contract near its end asks for more than it did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.altered import altered
from bahi.kernel.clock import exchange_day
from bahi.kernel.money import Money
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.holding import is_funded
from bahi.portfolio.model.margin import Contract, Footing, for_position
from bahi.portfolio.model.money import Block
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.repository import holding as holdings
from bahi.portfolio.repository import position as rows
from bahi.portfolio.service.books import block, hedged, lock_book, save_book

WHY: Final = "what the day asks for"


def remargin(
    tx: Tx,
    actor: Actor,
    account_id: int,
    by: tuple[Mapping[Key, Contract], Terms],
    now: datetime,
) -> Book:
    """Block for each position that is known to be of a contract what its day asks for."""
    contracts, terms = by
    before = book = lock_book(tx, account_id)
    today = exchange_day(now)
    for it in rows.of_account(tx, account_id):
        contract = contracts.get(it.key)
        if contract is None or not it.net:
            continue
        footing = Footing(terms.rates, it.key.segment, today, terms.ends)
        due = for_position(contract, it.key.product, it.net, it.open_cost, footing)
        if due == it.margin:
            continue
        after = altered(it, margin=due)
        rows.save(tx, account_id, after, now, is_new=False)
        if is_funded(it.key):
            holdings.save_own(tx, account_id, it.key, due, now)
        book = block(tx, book, Block(None, it.key, Money(due - it.margin), WHY), now)
        book = hedged(tx, book, it.key, now)
    if book.margin_used != before.margin_used:
        save_book(tx, before, book, now)
        old, new = ({"margin_used": it.margin_used} for it in (before, book))
        note(tx, actor, "remargin", ("account", account_id), now, old=old, new=new, details=WHY)
    return book
