"""What a broker does by itself, in the books: it squares off for a fee, and carries the rest.

And what a person converts, at the exchange: the wish is written, the exchange told, the book moved,
each step once, so that whoever comes after a crash goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bahi.bootstrap.desks import desk_of
from bahi.bootstrap.margins import contract_of
from bahi.bootstrap.rooms import Rooms
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.exchange.model.order import PaperOrder, PlacedBy, Seen, signed
from bahi.exchange.service import Conversion
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Conflict, Invalid, NotFound, Rejected
from bahi.kernel.money import Money
from bahi.kernel.names import shown
from bahi.kernel.words import EQUITY, OrderStatus, Product, Side
from bahi.notify.model import Cause, Severity
from bahi.notify.service import find_open, raise_alert
from bahi.orders.model.order import Order
from bahi.orders.service.ingesting import Word, ingest
from bahi.portfolio.model.converting import CARRIED, Stage, Wished
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.money import Entry, Line
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.service.books import position_of
from bahi.portfolio.service.converting import ask, charge_once, make, turn

BROKER: Final = the_house("broker")
ENDED: Final = frozenset({OrderStatus.REJECTED, OrderStatus.EXPIRED})
BACK: Final = "/back"
ASKED: Final = "asked/"
"""How the marks of conversions begin that their callers named."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the exchange told of an order, as the book takes it in."""

    seen: Seen
    word: Word


def take_in(tx: Tx, account_id: int, told: Told, terms: Terms, now: datetime) -> Order:
    """Take in what the exchange told of an order, with what its own orders cost and leave open."""
    order = ingest(tx, account_id, told.word, terms, now)
    by = told.seen.order
    if by.placed_by is PlacedBy.EXCHANGE:
        _charge(tx, account_id, by, now)
        if by.status in ENDED and by.quantity > by.filled:
            _carry(tx, account_id, by, now)
    return order


def _charge(tx: Tx, account_id: int, by: PaperOrder, now: datetime) -> None:
    """Take the fee of an order that squared off, once, whatever it filled in."""
    if not by.fee or not by.filled:
        return
    words = f"Squaring off {by.symbol} ({shown(by.product)}), with GST"
    line = Line(Entry.FEE, words, Money(-by.fee), by.session_day, f"fee/{by.id}")
    charge_once(tx, account_id, line, now)


def _carry(tx: Tx, account_id: int, by: PaperOrder, now: datetime) -> None:
    """Have what was not squared off held as what its broker carries it as, and tell of it."""
    key = Key(by.segment, by.symbol, by.product)
    net = position_of(tx, account_id, key).net
    moves = signed(Side.BUY if by.side is Side.SELL else Side.SELL, by.quantity - by.filled)
    moves = min(moves, max(net, 0)) if moves > 0 else max(moves, min(net, 0))
    if not moves:
        return
    becomes = Product.CNC if by.segment in EQUITY else Product.MARGIN
    if moves < 0 and becomes is Product.CNC:
        what = "cannot be delivered and go to auction; buy them back as soon as the market opens"
    else:
        what = f"are carried as {shown(becomes)}; see that there is money for them, or close them"
        wish = Wished(
            account_id=account_id,
            tag=f"{CARRIED}{by.id}",
            key=key,
            to=becomes,
            moves=moves,
            day=by.session_day or exchange_day(now),
        )
        ask(tx, BROKER, wish, now)
    left = f"{moves} {by.symbol} ({shown(by.product)}) were not squared off"
    _tell(tx, account_id, f"{left}: they {what}.", f"carried:{by.id}", now)


def _tell(tx: Tx, account_id: int, words: str, topic: str, now: datetime) -> None:
    if find_open(tx, topic) is None:
        cause = Cause(
            severity=Severity.CRITICAL,
            source="portfolio",
            message=f"Account {account_id}: {words}",
            topic=topic,
            account_id=account_id,
        )
        raise_alert(tx, cause, now)


async def convert_position(
    house: Rooms,
    actor: Actor,
    account_id: int,
    key: Key,
    *,
    to: Product,
    quantity: int,
    name: str | None = None,
) -> Wished:
    """Hold so much of a position as another product, at the exchange and in the book.

    The same name again, where the caller gives one, is the same conversion.
    """
    desk = await desk_of(house, actor, account_id)
    net = (await desk.store.read(position_of, account_id, key, fresh=True)).net
    now = house.clock()
    wish = Wished(
        account_id=account_id,
        key=key,
        to=to,
        moves=quantity if net >= 0 else -quantity,
        day=exchange_day(now),
        tag="" if name is None else f"{ASKED}{name}",
    )
    asked = await desk.store.write(ask, actor, wish, now, account=account_id)
    done = await see_through(house, desk.store, asked)
    if done.stage is not Stage.MADE:
        raise Conflict(done.why or "The conversion was not made.")
    return done


async def see_through(house: Rooms, store: Store, wish: Wished) -> Wished:
    """Tell the exchange of a conversion and make it in the book; or take it back from both."""
    account = wish.account_id
    if wish.stage is Stage.ASKED:
        try:
            await house.floor.exchange.convert(_asked(wish))
        except Rejected as fault:
            return await _turned(house, store, wish, Stage.REFUSED, str(fault))
        by = (_contract(house, wish.key), house.floor.terms_of(account))
        try:
            return await store.write(make, BROKER, wish, by, house.clock(), account=account)
        except (Conflict, Invalid) as fault:
            wish = await _turned(house, store, wish, Stage.TAKING_BACK, str(fault))
    if wish.stage is not Stage.TAKING_BACK:
        return wish
    await house.floor.exchange.convert(_asked(wish, back=True))
    return await _turned(house, store, wish, Stage.REFUSED, wish.why or "")


async def _turned(house: Rooms, store: Store, wish: Wished, to: Stage, why: str) -> Wished:
    return await store.write(turn, BROKER, wish, (to, why), house.clock(), account=wish.account_id)


def _asked(wish: Wished, *, back: bool = False) -> Conversion:
    of, to = (wish.to, wish.key.product) if back else (wish.key.product, wish.to)
    return Conversion(
        client_id=wish.account_id,
        tag=f"{wish.tag}{BACK}" if back else wish.tag,
        segment=wish.key.segment,
        symbol=wish.key.symbol,
        of=of,
        to=to,
        moves=wish.moves,
        day=wish.day,
    )


def _contract(house: Rooms, key: Key) -> Contract:
    listed = house.floor.market.instrument(key.segment, key.symbol)
    if listed is None:
        raise NotFound(f"{key.symbol} is listed no longer on {key.segment}.")
    return contract_of(listed, key)
