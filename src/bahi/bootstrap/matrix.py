"""All accounts on one page: their tokens, their money, what is open and what stops them.

However many there are, it is read in at most five statements of the main store, and six of each
store that keeps books of any of them. Paper and live are never in one sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Final, NamedTuple

from bahi.accounts.model import Account, Egress, Person
from bahi.accounts.service.accounts import list_accounts
from bahi.accounts.service.addresses import list_egress
from bahi.accounts.service.people import list_persons
from bahi.bootstrap.looking import worth_now
from bahi.bootstrap.pages import opening_of, store_of
from bahi.bootstrap.rooms import TRADING, Rooms
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.money import NOTHING, Money
from bahi.kernel.words import AccountMode, Product
from bahi.orders.service.looking import exits_on
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.curve import realized_on
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.today import Made
from bahi.portfolio.service.across import Across, across
from bahi.strategies.service.deployments import armed
from bahi.tokens.service.status import Goodness, goodness

NO_TOKENS: Final = Goodness(0, 0, None)
NO_BOOK: Final = "It has no book yet: live brokers are not connected."


class Row(NamedTuple):
    """One account; what is None is not known, and `why` says why.

    `tokens` counts by time alone: no broker is asked. `unprotected` counts what is open, but for
    shares that are held, without an order that works to close it. `killed` names each switch.
    """

    account: Account
    person: Person | None
    tokens: Goodness
    egress: Egress | None
    free: Money | None
    made: Made
    breaks: int | None
    open_positions: int | None
    working_orders: int | None
    unprotected: int | None
    strategies: tuple[str, ...]
    killed: tuple[str, ...]
    kill_reason: str | None


class Sums(NamedTuple):
    """What some accounts of one mode come to; one that is unknown makes the sum unknown."""

    mode: AccountMode
    user_id: int
    person: Person | None
    accounts: int
    free: Money | None
    made: Made
    open_positions: int | None
    working_orders: int | None


@dataclass(frozen=True, slots=True)
class Matrix:
    """Every account that an actor sees; sums by person, and by the family of each user."""

    day: date
    at: datetime
    rows: list[Row]
    persons: list[Sums]
    families: list[Sums]


class _Around(NamedTuple):
    accounts: list[Account]
    persons: dict[int, Person]
    addresses: dict[int, Egress]
    tokens: dict[int, Goodness]
    armed: dict[int, list[str]]


class _Books(NamedTuple):
    pages: dict[int, Across]
    exits: dict[int, set[Key]]


async def matrix_of(
    house: Rooms,
    actor: Actor,
    accounts: Sequence[Account] | None = None,
    *,
    only_money: bool = False,
) -> Matrix:
    """Return every account that an actor sees, with what there is to know of it at a glance.

    `accounts` are these, of a caller who looked them up. With `only_money`, which is what moves by
    itself, tokens, addresses and strategies are left out and what is unprotected is not counted.
    """
    await house.floor.renew()
    now = house.clock()
    day = exchange_day(now)
    around = await house.stores["main"].read(
        partial(_around, only_money=only_money), actor, accounts, now, fresh=True
    )
    books, books_of = _Books({}, {}), partial(_books, only_money=only_money)
    for name in TRADING:
        ids = [it.id for it in around.accounts if store_of(house, it).name == name]
        if ids:
            found = await house.stores[name].read(books_of, ids, day, fresh=True)
            books.pages.update(found.pages)
            books.exits.update(found.exits)
    rows = [_row(house, it, around, books, day) for it in around.accounts]
    return Matrix(
        day=day,
        at=now,
        rows=rows,
        persons=_summed(rows, lambda it: it.person),
        families=_summed(rows, lambda _: None),
    )


def _around(
    tx: Tx, actor: Actor, known: Sequence[Account] | None, now: datetime, *, only_money: bool
) -> _Around:
    accounts = list_accounts(tx, actor) if known is None else list(known)
    persons = {it.id: it for it in list_persons(tx, actor)}
    if only_money:
        return _Around(accounts, persons, {}, {}, {})
    ids = [it.id for it in accounts]
    live = [it.id for it in accounts if it.mode is AccountMode.LIVE]  # paper has no tokens
    has_address = any(it.egress_address_id is not None for it in accounts)
    return _Around(
        accounts,
        persons,
        {it.id: it for it in list_egress(tx)} if has_address else {},
        goodness(tx, live, now) if live else {},
        armed(tx, ids),
    )


def _books(tx: Tx, ids: Sequence[int], day: date, *, only_money: bool) -> _Books:
    return _Books(across(tx, ids, day), {} if only_money else exits_on(tx, ids))


def _row(house: Rooms, it: Account, around: _Around, books: _Books, day: date) -> Row:
    page = books.pages.get(it.id)
    held = [] if page is None else [at for at in page.positions if at.net]
    exits = books.exits.get(it.id, set())
    risky = [at for at in held if at.key.product is not Product.CNC]
    egress_id, person_id = it.egress_address_id, it.person_id
    # A live account's page may be there for its switches; its money is known to its broker alone.
    kept = page if it.mode is AccountMode.PAPER else None
    return Row(
        account=it,
        person=None if person_id is None else around.persons.get(person_id),
        tokens=around.tokens.get(it.id, NO_TOKENS),
        egress=None if egress_id is None else around.addresses.get(egress_id),
        free=_begins_with(it) if kept is None else kept.book.available,
        made=_made_without(it) if kept is None else _made(house, kept, day),
        breaks=_seen(it, 0 if page is None else page.breaks),
        open_positions=_seen(it, len(held)),
        working_orders=_seen(it, 0 if page is None else page.book.open_orders),
        unprotected=_seen(it, sum(at.key not in exits for at in risky)),
        strategies=tuple(around.armed.get(it.id, ())),
        killed=() if page is None else _killed(page.book),
        kill_reason=None if page is None else page.book.kill_reason,
    )


def _seen(it: Account, many: int) -> int | None:
    """Return a count; none at a broker that nobody compared with is not known to be none."""
    return many if many or it.mode is AccountMode.PAPER else None


def _begins_with(it: Account) -> Money | None:
    """Return what an account has free that nobody used yet; of a live one its broker knows."""
    return opening_of(it).cash if it.mode is AccountMode.PAPER else None


def _made_without(it: Account) -> Made:
    return Made() if it.mode is AccountMode.PAPER else Made(unrealized=None, why=NO_BOOK)


def _made(house: Rooms, page: Across, day: date) -> Made:
    made = Made(realized_on(page.positions, day), page.charges)
    for it in page.positions:
        worth = worth_now(house, it)
        made = made.with_open(worth.unrealized, worth.why)
    return made


def _killed(book: Book) -> tuple[str, ...]:
    """Name the switches that stop an account, the widest first."""
    by_scope = (
        (book.killed_globally, "all trading"),
        (book.killed_for_user, "its user"),
        (book.killed_for_account, "the account"),
    )
    named = (f"strategy {it}" for it in book.killed_strategies)
    return (*(name for is_on, name in by_scope if is_on), *named)


def _summed(rows: Iterable[Row], by: Callable[[Row], Person | None]) -> list[Sums]:
    found: dict[tuple[AccountMode, int, int], Sums] = {}
    for it in rows:
        person, mode, user_id = by(it), it.account.mode, it.account.user_id
        key = (mode, user_id, 0 if person is None else person.id)
        found[key] = _plus(
            found.get(key, Sums(mode, user_id, person, 0, NOTHING, Made(), 0, 0)), it
        )
    return [found[key] for key in sorted(found)]


def _plus(sums: Sums, it: Row) -> Sums:
    both = None if sums.free is None or it.free is None else Money(sums.free + it.free)
    made = sums.made.with_open(it.made.unrealized, f"{it.account.name}: {it.made.why}")
    return sums._replace(
        accounts=sums.accounts + 1,
        free=both,
        made=made._replace(
            realized=Money(made.realized + it.made.realized),
            charges=Money(made.charges + it.made.charges),
        ),
        open_positions=_both(sums.open_positions, it.open_positions),
        working_orders=_both(sums.working_orders, it.working_orders),
    )


def _both(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
