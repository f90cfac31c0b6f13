"""Conversions that a broker has to make as well: wished, told, made; each step once.

The wish is a row. Whoever finds it, the one who wished or the driver after a crash, tells the
broker under its mark and then has the book make it; what the book cannot make is taken back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.ids import tag
from bahi.portfolio.model.converting import Stage, Wished
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.money import Line
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.repository import converting as rows
from bahi.portfolio.repository import days
from bahi.portfolio.service.adjusting import Conversion, check_conversion, convert
from bahi.portfolio.service.books import enter, lock_book, position_of, save_book

conversions_under_way: Final = rows.under_way
"""Return what is wished and not made; `conversions_under_way(tx, at_most)`."""

_NOTHING: Final = Contract(is_option=False)


def ask(tx: Tx, actor: Actor, wish: Wished, now: datetime) -> Wished:
    """Write that a conversion is wished, if the book could make it; one mark, one wish."""
    lock_book(tx, wish.account_id)
    identity = tx.new_id()
    wish = replace(wish, id=identity, tag=wish.tag or tag(identity), actor=actor.name)
    if known := rows.find(tx, wish.account_id, wish.tag):
        return known
    check_conversion(_conversion(wish, _NOTHING), position_of(tx, wish.account_id, wish.key))
    rows.add(tx, wish, now)
    new = {"symbol": wish.key.symbol, "from": wish.key.product, "to": wish.to, "moves": wish.moves}
    note(tx, actor, "conversion.ask", ("conversion", identity), now, new=new)
    return wish


def make(tx: Tx, actor: Actor, wish: Wished, by: tuple[Contract, Terms], now: datetime) -> Wished:
    """Make in the book what the broker was told of; asked again, it is made already."""
    contract, terms = by
    lock_book(tx, wish.account_id)
    known = _known(tx, wish)
    if known.stage is not Stage.ASKED:
        return known
    convert(tx, actor, _conversion(wish, contract), terms, now)
    return _moved(tx, known, Stage.MADE, None, now)


def turn(tx: Tx, actor: Actor, wish: Wished, end: tuple[Stage, str], now: datetime) -> Wished:
    """Write that a conversion is refused, or is being taken back; what has ended stays."""
    to, why = end
    lock_book(tx, wish.account_id)
    known = _known(tx, wish)
    if known.stage in {Stage.MADE, Stage.REFUSED, to}:
        return known
    note(tx, actor, "conversion.end", ("conversion", known.id), now, new={"stage": to}, details=why)
    return _moved(tx, known, to, why, now)


def charge_once(tx: Tx, account_id: int, line: Line, now: datetime) -> bool:
    """Write a line of the ledger unless one of its voucher is there; say if it was written."""
    before = lock_book(tx, account_id)
    voucher = line.voucher or ""
    if voucher in days.vouchers(tx, account_id, [voucher]):
        return False
    after = enter(tx, before.on(exchange_day(now)), line, now)
    save_book(tx, before, after, now)
    return True


def _conversion(wish: Wished, contract: Contract) -> Conversion:
    return Conversion(
        account_id=wish.account_id,
        key=wish.key,
        to=wish.to,
        quantity=abs(wish.moves),
        contract=contract,
        is_carried=wish.is_carried,
    )


def _known(tx: Tx, wish: Wished) -> Wished:
    return rows.find(tx, wish.account_id, wish.tag) or wish


def _moved(tx: Tx, it: Wished, stage: Stage, why: str | None, now: datetime) -> Wished:
    rows.move(tx, it, stage, why, now)
    return replace(it, stage=stage, why=why)
