"""Positions, and the trades and adjustments that they are the fold of."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.money import Money
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.charges import Charges, Earlier
from bahi.portfolio.model.position import Eve, Fact, Key, Position, average
from bahi.portfolio.model.trade import SoFar, Trade
from bahi.portfolio.repository.beside import beside_trades
from bahi.portfolio.tables import positions, trades

_FIGURES: Final = (
    "instrument_id",
    "net_qty",
    "open_cost",
    "buy_qty",
    "buy_value",
    "sell_qty",
    "sell_value",
    "realized_pnl",
    "session_day",
    "overnight_qty",
    "day_buy_qty",
    "day_buy_value",
    "day_sell_qty",
    "day_sell_value",
    "day_realized_pnl",
    "margin_required",
    "folded_at",
    "folded_id",
)
_SHOWN: Final = (
    "eve",
    "average_price",
    "buy_avg",
    "sell_avg",
    "day_buy_avg",
    "day_sell_avg",
    "day_qty",
    "updated_at",
)
_KEYED: Final = (
    positions.c.account_id == sa.bindparam("the_account"),
    positions.c.exchange_segment == sa.bindparam("the_segment"),
    positions.c.symbol == sa.bindparam("the_symbol"),
    positions.c.product == sa.bindparam("the_product"),
)
_READ: Final = [*(positions.c[name] for name in _FIGURES), sa.cast(positions.c.eve, sa.Text)]
_FIND: Final = Statement(sa.select(*_READ).where(*_KEYED))
_ALL: Final = sa.select(
    positions.c.exchange_segment, positions.c.symbol, positions.c.product, *_READ
)
_SAVE: Final = Statement(
    sa.update(positions)
    .where(*_KEYED)
    .values({name: sa.bindparam(name) for name in (*_FIGURES, *_SHOWN)})
)
_ADD: Final = Statement(
    sa.insert(positions).values(
        {name: sa.bindparam(name) for name in (*_FIGURES, *_SHOWN)}
        | {
            "id": sa.bindparam("id"),
            "account_id": sa.bindparam("the_account"),
            "exchange_segment": sa.bindparam("the_segment"),
            "symbol": sa.bindparam("the_symbol"),
            "product": sa.bindparam("the_product"),
        }
    )
)
_TRADE: Final = (
    "id",
    "account_id",
    "order_id",
    "broker_trade_id",
    "exchange_trade_id",
    "is_cumulative",
    "instrument_id",
    "exchange_segment",
    "symbol",
    "side",
    "product",
    "order_type",
    "quantity",
    "price",
    "trade_value",
    "brokerage",
    "exchange_charges",
    "clearing_charges",
    "stt",
    "stamp_duty",
    "transaction_charges",
    "sebi_fee",
    "ipft",
    "gst",
    "total_charges",
    "net_amount",
    "traded_at",
    "created_at",
)
_ADD_TRADE: Final = Statement(
    sa.insert(trades).values({name: sa.bindparam(name) for name in _TRADE})
)
_CHARGED: Final = (
    trades.c.quantity,
    trades.c.trade_value,
    trades.c.brokerage,
    trades.c.exchange_charges
    + trades.c.clearing_charges
    + trades.c.transaction_charges
    + trades.c.sebi_fee,
    trades.c.ipft,
    trades.c.gst,
)
_OF_ORDER: Final = Statement(
    sa.select(trades.c.broker_trade_id, trades.c.is_cumulative, *_CHARGED).where(
        trades.c.order_id == sa.bindparam("order_id")
    )
)


def find(tx: Tx, account_id: int, key: Key) -> Position | None:
    """Return an account's position in one thing."""
    row = tx.row(_FIND, _named(account_id, key))
    return None if row is None else _position(key, row)


def of_account(tx: Tx, account_id: int) -> list[Position]:
    """Return every position of an account, flat ones too."""
    clause = _ALL.where(positions.c.account_id == account_id).order_by(positions.c.symbol)
    return [_position(_key(row), row[3:]) for row in tx.rows(clause)]


def of_accounts(tx: Tx, ids: Collection[int], day: date) -> dict[int, list[Position]]:
    """Return what each of some accounts has open, and what it dealt in on a day."""
    clause = _ALL.add_columns(positions.c.account_id).where(
        positions.c.account_id.in_(ids),
        sa.or_(positions.c.net_qty != 0, positions.c.session_day == day.isoformat()),
    )
    found: dict[int, list[Position]] = defaultdict(list)
    for row in tx.rows(clause.order_by(positions.c.account_id, positions.c.symbol)):
        found[row[-1]].append(_position(_key(row), row[3:-1]))
    return found


def of_symbol(tx: Tx, account_id: int, symbol: str) -> list[Position]:
    """Return every position of an account in a symbol, flat ones too."""
    clause = _ALL.where(positions.c.account_id == account_id, positions.c.symbol == symbol)
    return [_position(_key(row), row[3:]) for row in tx.rows(clause)]


def save(tx: Tx, account_id: int, position: Position, now: datetime, *, is_new: bool) -> None:
    """Write a position as it is now."""
    folded_at, folded_id = position.folded or (None, None)
    values: dict[str, Any] = {
        "instrument_id": position.instrument_id,
        "net_qty": position.net,
        "open_cost": position.open_cost,
        "average_price": position.average,
        "buy_qty": position.buy_quantity,
        "buy_value": position.buy_value,
        "buy_avg": average(position.buy_value, position.buy_quantity) or 0,
        "sell_qty": position.sell_quantity,
        "sell_value": position.sell_value,
        "sell_avg": average(position.sell_value, position.sell_quantity) or 0,
        "realized_pnl": position.realized,
        "session_day": None if position.day is None else position.day.isoformat(),
        "overnight_qty": position.overnight,
        "day_buy_qty": position.day_buy_quantity,
        "day_buy_value": position.day_buy_value,
        "day_buy_avg": average(position.day_buy_value, position.day_buy_quantity) or 0,
        "day_sell_qty": position.day_sell_quantity,
        "day_sell_value": position.day_sell_value,
        "day_sell_avg": average(position.day_sell_value, position.day_sell_quantity) or 0,
        "day_qty": position.day_buy_quantity - position.day_sell_quantity,
        "day_realized_pnl": position.day_realized,
        "margin_required": position.margin,
        "folded_at": None if folded_at is None else to_micros(folded_at),
        "folded_id": folded_id,
        "eve": None if position.eve is None else json.dumps(position.eve),
        "updated_at": to_micros(now),
    }
    values |= _named(account_id, position.key)
    if is_new:
        tx.put(_ADD, values | {"id": tx.new_id()})
    else:
        tx.put(_SAVE, values)


def add_trade(tx: Tx, trade: Trade, cost: Charges, net_amount: Money, now: datetime) -> None:
    """Write a trade with its charges; the same one twice is refused by the database."""
    tx.put(
        _ADD_TRADE,
        {
            "id": trade.id,
            "account_id": trade.account_id,
            "order_id": trade.order_id,
            "broker_trade_id": trade.name,
            "exchange_trade_id": trade.told_as,
            "is_cumulative": int(trade.told_as is None),
            "instrument_id": trade.instrument_id,
            "exchange_segment": str(trade.key.segment),
            "symbol": trade.key.symbol,
            "side": str(trade.side),
            "product": str(trade.key.product),
            "order_type": trade.order_type,
            "quantity": trade.quantity,
            "price": trade.price,
            "trade_value": trade.value,
            "brokerage": cost.brokerage,
            "exchange_charges": cost.exchange,
            "clearing_charges": cost.clearing,
            "stt": cost.stt,
            "stamp_duty": cost.stamp_duty,
            "transaction_charges": cost.transaction,
            "sebi_fee": cost.sebi_fee,
            "ipft": cost.ipft,
            "gst": cost.gst,
            "total_charges": cost.total,
            "net_amount": net_amount,
            "traded_at": to_micros(trade.at),
            "created_at": to_micros(now),
        },
    )


def trades_of_order(tx: Tx, order_id: int) -> SoFar:
    """Return what is booked of an order."""
    rows = tx.rows(_OF_ORDER, {"order_id": order_id})
    sums = (sum(column) for column in zip(*(row[2:] for row in rows), strict=True))
    earlier = Earlier(*(Money(it) for it in sums))  # of nothing there are no columns, and no sums
    return SoFar(frozenset(row[0] for row in rows), any(row[1] for row in rows), earlier)


def facts_of(tx: Tx, account_id: int, key: Key) -> list[Fact]:
    """Return all that ever moved a position: its trades and its adjustments."""
    moved = [it.fact for it in beside_trades(tx, account_id, key.symbol, of=key)]
    return [*_traded(tx, account_id, key), *moved]


def facts_since(tx: Tx, account_id: int, key: Key, since: datetime) -> list[Fact] | None:
    """Return what moved a position since an instant; None: some of it is in the archive."""
    moved = [it.fact for it in beside_trades(tx, account_id, key.symbol, of=key)]
    if any(it.carried is not None and it.at > since for it in moved):
        return None
    later = [it for it in moved if it.carried is None and it.at >= since]
    return [*_traded(tx, account_id, key, trades.c.traded_at >= to_micros(since)), *later]


def _traded(tx: Tx, account_id: int, key: Key, *when: sa.ColumnElement[bool]) -> Iterator[Fact]:
    clause = sa.select(
        trades.c.traded_at, trades.c.id, trades.c.side, trades.c.quantity, trades.c.trade_value
    ).where(*_of_key(trades, account_id, key), *when)
    for at, identity, side, quantity, value in tx.rows(clause):
        yield Fact(from_micros(at), identity, Side(side), quantity, Money(value))


def _of_key(table: sa.Table, account_id: int, key: Key) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        table.c.account_id == account_id,
        table.c.exchange_segment == str(key.segment),
        table.c.symbol == key.symbol,
        table.c.product == str(key.product),
    )


def _named(account_id: int, key: Key) -> dict[str, Any]:
    return {
        "the_account": account_id,
        "the_segment": str(key.segment),
        "the_symbol": key.symbol,
        "the_product": str(key.product),
    }


def _key(row: Row) -> Key:
    return Key(Segment(row[0]), row[1], Product(row[2]))


def _position(key: Key, row: Row) -> Position:
    return Position(
        key=key,
        instrument_id=row[0],
        net=row[1],
        open_cost=Money(row[2]),
        buy_quantity=row[3],
        buy_value=Money(row[4]),
        sell_quantity=row[5],
        sell_value=Money(row[6]),
        realized=Money(row[7]),
        day=date.fromisoformat(row[8]) if row[8] else None,
        overnight=row[9] or 0,
        day_buy_quantity=row[10],
        day_buy_value=Money(row[11]),
        day_sell_quantity=row[12],
        day_sell_value=Money(row[13]),
        day_realized=Money(row[14]),
        margin=Money(row[15] or 0),
        folded=None if row[16] is None else (from_micros(row[16]), row[17]),
        eve=None if row[18] is None else Eve(*json.loads(row[18])),
    )
