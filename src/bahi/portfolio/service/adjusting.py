"""What moves a position without a trade: a conversion, a company's action, a contract's end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, NamedTuple

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Conflict, Invalid
from bahi.kernel.money import NOTHING, Money, Price, grouped
from bahi.kernel.names import shown
from bahi.kernel.words import EQUITY, OptionType, Product, Side
from bahi.portfolio.model import margin
from bahi.portfolio.model.adjustment import Action, Adjustment, AdjustmentKind
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.charges import Dealt, charges, on_exercise
from bahi.portfolio.model.holding import holding_of, is_held
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.money import Entry, Line
from bahi.portfolio.model.position import Key, Position, part_of
from bahi.portfolio.model.rates import Deal, Kind
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.repository import adjustment as adjustments
from bahi.portfolio.service.books import Moving, enter, lock_book, move, position_of, save_book

PHYSICAL: Final = frozenset({"physical"})
_TURNS: Final = {
    True: frozenset({Product.INTRADAY, Product.CNC}),
    False: frozenset({Product.INTRADAY, Product.MARGIN}),
}
"""Between which products shares, and anything else, may be converted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """So much of a position, to be held as another product.

    `is_carried`: its broker has done it, whether or not the account has the money.
    """

    account_id: int
    key: Key
    to: Product
    quantity: int
    contract: Contract
    is_carried: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """The end of a contract at the underlying's official close.

    `delivers`: into which shares; or, where `into` says what it is, into which future.
    """

    account_id: int
    key: Key
    contract: Contract
    option: OptionType | None
    close: Price
    reason: str
    delivers: Key | None = None
    into: Contract | None = None
    at: datetime | None = None  # None: now; else when it ended, for what is settled later

    @property
    def price(self) -> Price:
        """What one unit is worth at its end."""
        if self.option is None:
            return self.close
        strike = self.contract.strike or 0
        worth = self.close - strike if self.option is OptionType.CE else strike - self.close
        return Price(max(worth, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Corporate:
    """What a company did: `new` for every `old` share (split), on top of them (bonus), or cash."""

    account_id: int
    key: Key
    action: Action
    notice: str
    at: datetime
    new: int = 1
    old: int = 1
    per_share: Money = NOTHING


class Adjusted(NamedTuple):
    """The page after adjustments, and what they were; none: there was nothing to adjust."""

    book: Book
    made: tuple[Adjustment, ...]


class _By(NamedTuple):
    """Who adjusts, by which terms, and when; `at` is from when it counts, where that is earlier."""

    actor: Actor
    terms: Terms
    now: datetime
    at: datetime | None = None

    @property
    def since(self) -> datetime:
        """From when it counts."""
        return self.at or self.now

    @property
    def day(self) -> date:
        """The day that it is of."""
        return exchange_day(self.since)


def convert(tx: Tx, actor: Actor, wish: Conversion, terms: Terms, now: datetime) -> Adjusted:
    """Hold a part of a position as another product: two adjustments of equal cost."""
    require_change(actor)
    before = lock_book(tx, wish.account_id)
    known = position_of(tx, wish.account_id, wish.key)
    check_conversion(wish, known)
    signed = wish.quantity if known.net > 0 else -wish.quantity
    cost = Money(part_of(known.open_cost, wish.quantity, abs(known.net)))
    target = wish.key._replace(product=wish.to)
    was, is_now = (margin.is_paid(wish.contract, it.product) for it in (wish.key, target))
    amount = Money((cost if was else 0) - (cost if is_now else 0))
    reason = f"{wish.quantity} {wish.key.symbol} from {shown(wish.key.product)} to {shown(wish.to)}"
    away = Adjustment(
        tx.new_id(), AdjustmentKind.CONVERSION, wish.key, -signed, cost, reason, now,
        instrument_id=known.instrument_id,
    )  # fmt: skip
    if position_of(tx, wish.account_id, target).net * signed < 0:
        raise Conflict(f"{target.symbol} is open the other way as {wish.to}; close that first.")
    there = away._replace(id=tx.new_id(), key=target, quantity=signed, amount=amount)
    by = _By(actor, terms, now)
    book = before.on(exchange_day(now))
    for it in (away, there):
        book, _ = _adjust(tx, book, it, wish.contract, by)
    book = enter(tx, book, Line(Entry.CONVERSION, f"Conversion of {reason}", amount), now)
    if book.available < 0 and not wish.is_carried:
        raise Conflict(
            f"The conversion of {reason} needs {grouped(-book.available)} rupees more than the"
            " account has free."
        )
    return _done(tx, before, Adjusted(book, (away, there)), by)


def settle_expiry(tx: Tx, actor: Actor, end: Expiry, terms: Terms, now: datetime) -> Adjusted:
    """Settle what is open of a contract that ended: its profit, its cash, and its shares if any.

    Delivery is the settlement in cash and, at the same close, the shares: together they come to
    the strike. Asked again, nothing is open, and nothing happens.
    """
    before = lock_book(tx, end.account_id)
    known = position_of(tx, end.account_id, end.key)
    if known.net == 0:
        return Adjusted(before, ())
    by = _By(actor, terms, now, end.at)
    book = before.on(exchange_day(now))
    value = Money(end.price * abs(known.net))
    made = Adjustment(
        tx.new_id(), AdjustmentKind.EXPIRY, end.key, -known.net, value, end.reason, by.since,
        price=end.price, instrument_id=known.instrument_id,
    )  # fmt: skip
    gained = value if known.net > 0 else -value
    paid = margin.is_paid(end.contract, end.key.product)
    if paid:
        made = made._replace(amount=Money(gained))
    book, profit = _adjust(tx, book, made, end.contract, by)
    line = Line(Entry.EXPIRY, end.reason, Money(gained if paid else profit), by.day)
    book = enter(tx, book, line, now)
    all_made = [made]
    book = _exercise_tax(tx, book, end, known, by)
    shares = _shares(end, known.net)
    if end.delivers is not None and shares:
        moved = _deliver if end.into is None else _devolve
        book, delivered = moved(tx, book, end, shares, by)
        all_made.append(delivered)
    return _done(tx, before, Adjusted(book, tuple(all_made)), by)


def act(tx: Tx, actor: Actor, event: Corporate, terms: Terms, now: datetime) -> Adjusted:
    """Give effect to what a company did; the same notice again does nothing."""
    before = lock_book(tx, event.account_id)
    kind = AdjustmentKind.CORPORATE_ACTION
    known = position_of(tx, event.account_id, event.key)
    seen = adjustments.is_known(tx, event.account_id, event.key, kind, event.notice)
    if seen or known.net == 0:
        return Adjusted(before, ())
    quantity, amount = _effect(event, known.net)
    made = Adjustment(
        tx.new_id(), kind, event.key, quantity, NOTHING, event.notice, event.at,
        amount=amount, action=event.action, instrument_id=known.instrument_id,
    )  # fmt: skip
    by = _By(actor, terms, now)
    contract = Contract(is_option=False)
    book, _ = _adjust(tx, before.on(exchange_day(now)), made, contract, by)
    book = enter(tx, book, Line(Entry.DIVIDEND, event.notice, amount), now)
    return _done(tx, before, Adjusted(book, (made,)), by)


def check_conversion(wish: Conversion, known: Position) -> None:
    """Refuse to convert what is not there, or cannot become what is wished."""
    allowed = _TURNS[wish.key.segment in EQUITY]
    if wish.to is wish.key.product or not {wish.to, wish.key.product} <= allowed:
        raise Invalid(
            f"{shown(wish.key.product)} cannot become {shown(wish.to)} on {wish.key.segment}."
        )
    if not 0 < wish.quantity <= abs(known.net):
        raise Conflict(
            f"There are {abs(known.net)} {wish.key.symbol} ({shown(wish.key.product)}) open;"
            f" {wish.quantity} cannot be converted."
        )
    if known.net < 0 and wish.to is Product.CNC:
        raise Conflict("What was sold short cannot be held for delivery; buy it back.")
    if is_held(wish.key) and wish.quantity > holding_of(known).coming:
        raise Conflict("Only what was bought today can become INTRADAY; the rest is delivered.")


def _adjust(
    tx: Tx, book: Book, made: Adjustment, contract: Contract, by: _By
) -> tuple[Book, Money]:
    """Write an adjustment and fold it in; return the page and what was gained."""
    moving = Moving(made.key, made.fact, contract, made.instrument_id)
    book, _, profit, _ = move(tx, book, moving, by.terms, by.now)
    adjustments.add(tx, book.account_id, made, by.actor.name, by.now)
    today = profit if exchange_day(made.at) == book.day else 0
    book = replace(book, realized_today=Money(book.realized_today + today))
    return book, profit


def _exercise_tax(tx: Tx, book: Book, end: Expiry, known: Position, by: _By) -> Book:
    """Charge the tax on an option that its holder exercises by letting it end in the money."""
    if end.option is None or known.net <= 0 or not end.price:
        return book
    deal = Deal(by.day, end.key.segment, Kind.OPTION, end.key.product, Side.SELL)
    tax = on_exercise(by.terms.rates, deal, Money(end.price * known.net))
    words = f"STT on the exercise of {known.net} {end.key.symbol}"
    return enter(tx, book, Line(Entry.EXERCISE, words, Money(-tax), by.day), by.now)


def _shares(end: Expiry, net: int) -> int:
    """Return how many shares come, or go where it is negative."""
    if end.option is None:
        return net
    if not end.price:
        return 0
    return net if end.option is OptionType.CE else -net


def _deliver(tx: Tx, book: Book, end: Expiry, shares: int, by: _By) -> tuple[Book, Adjustment]:
    """Move the shares at the close, pay or be paid for them, and pay what that costs."""
    key = end.delivers
    assert key is not None  # noqa: S101 - asked before
    value = Money(end.close * abs(shares))
    amount = Money(-value if shares > 0 else value)
    made = Adjustment(
        tx.new_id(), AdjustmentKind.EXPIRY, key, shares, value, end.reason, by.since,
        amount=amount, price=end.close,
    )  # fmt: skip
    book, _ = _adjust(tx, book, made, Contract(is_option=False), by)
    words = f"Delivery of {abs(shares)} {key.symbol} for {end.key.symbol}"
    book = enter(tx, book, Line(Entry.EXPIRY, words, amount, by.day), by.now)
    side = Side.BUY if shares > 0 else Side.SELL
    deal = Deal(by.day, key.segment, Kind.EQUITY, key.product, side, PHYSICAL)
    cost = charges(by.terms.rates, deal, Dealt(abs(shares), 0, value))
    line = Line(Entry.EXERCISE, f"Charges: {words}", Money(-cost.total), by.day)
    return enter(tx, book, line, by.now), made


def _devolve(tx: Tx, book: Book, end: Expiry, many: int, by: _By) -> tuple[Book, Adjustment]:
    """Open the future that an option is on at its price: no money, but for what that closes."""
    key, into = end.delivers, end.into
    assert key is not None and into is not None  # noqa: S101, PT018 - asked before
    value = Money(end.close * abs(many))
    made = Adjustment(
        tx.new_id(), AdjustmentKind.EXPIRY, key, many, value, end.reason, by.since, price=end.close
    )  # fmt: skip
    book, profit = _adjust(tx, book, made, into, by)
    words = f"{end.key.symbol} became {abs(many)} {key.symbol}"
    return enter(tx, book, Line(Entry.EXPIRY, words, profit, by.day), by.now), made


def _effect(event: Corporate, net: int) -> tuple[int, Money]:
    """Return what an action adds to a position, and to the cash; parts of a share are dropped."""
    if event.old < 1 or event.new < 1:
        raise Invalid(f"{event.new} for {event.old} is no ratio; both are at least 1.")
    if event.action is Action.DIVIDEND:
        return 0, Money(event.per_share * net)
    sign = 1 if net > 0 else -1
    came = abs(net) * event.new // event.old
    return sign * (came - abs(net) if event.action is Action.SPLIT else came), NOTHING


def _done(tx: Tx, before: Book, adjusted: Adjusted, by: _By) -> Adjusted:
    save_book(tx, before, adjusted.book, by.now)
    for it in adjusted.made:
        note(
            tx,
            by.actor,
            "adjust",
            ("position", f"{before.account_id}/{it.key.segment}/{it.key.symbol}/{it.key.product}"),
            by.now,
            new={"kind": str(it.kind), "quantity": it.quantity, "value": it.value},
            details=it.reason,
        )
    return adjusted
