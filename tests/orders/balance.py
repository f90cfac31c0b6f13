"""What must hold of an account's book at any time: DESIGN section 5, I4 and I5, looked at."""

from __future__ import annotations

import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.orders.model.order import FIELDS, Order
from bahi.orders.repository.order import COLUMN_OF, events_of, fold, order_of
from bahi.orders.tables import orders
from bahi.portfolio.model.position import fold_all
from bahi.portfolio.repository.book import read as read_book
from bahi.portfolio.repository.book import sums
from bahi.portfolio.repository.position import facts_of, of_account
from bahi.portfolio.tables import trades


def orders_of(tx: Tx, account_id: int) -> list[Order]:
    """Return all orders of an account."""
    columns = [orders.c[COLUMN_OF[name]] for name in FIELDS]
    clause = sa.select(*columns).where(orders.c.account_id == account_id).order_by(orders.c.id)
    return [order_of(row) for row in tx.rows(clause)]


def assert_balanced(tx: Tx, account_id: int, *, folds: bool = True) -> list[Order]:
    """Hold an account's book against its facts, in one snapshot; return its orders."""
    book = read_book(tx, account_id)
    assert book is not None
    held = of_account(tx, account_id)
    found = orders_of(tx, account_id)
    facts = sums(tx, account_id)
    assert (book.cash, book.margin_used) == facts
    assert book.margin_used == sum(it.margin for it in found) + sum(it.margin for it in held)
    assert book.open_orders == sum(it.is_active for it in found)
    traded = {
        order_id: (int(quantity), int(value))
        for order_id, quantity, value in tx.rows(
            sa.select(
                trades.c.order_id, sa.func.sum(trades.c.quantity), sa.func.sum(trades.c.trade_value)
            )
            .where(trades.c.account_id == account_id)
            .group_by(trades.c.order_id)
        )
    }
    for order in found:
        assert (order.filled, order.traded_value) == traded.get(order.id, (0, 0))
        if folds:
            assert fold(events_of(tx, order.id)) == order
    for position in held:
        moved = facts_of(tx, account_id, position.key)
        again = fold_all(position.key, moved, position.instrument_id)
        assert position.net == sum(it.signed for it in moved)
        assert (position.open_cost, position.realized) == (again.open_cost, again.realized)
    return found
