"""The closing list: what is still open, what is owed, and what the day made."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from bahi.bootstrap.session_facts import (
    BROKEN,
    GOOD,
    MINUS,
    NEEDS,
    OF_A_DAY,
    UNKNOWN,
    Facts,
    Item,
    counted,
    hour,
    ids,
    named,
    stands_at,
    symbols,
)
from bahi.bootstrap.session_morning import overnight
from bahi.kernel.money import grouped, grouped_count, plain, to_paise
from bahi.kernel.symbols import spaced
from bahi.kernel.words import EQUITY, AccountMode, CopyRole, OrderStatus, Product
from bahi.portfolio.model.hedging import group_of
from bahi.portfolio.model.worth import open_profit
from bahi.risk.model.standing import Open, Page


def derivatives(facts: Facts) -> Item:
    """Say which futures and options are still open, and until when they can be closed today."""
    name = "derivatives open"
    held = facts.derivatives
    if not held:
        return Item(name, GOOD, "No future or option is open.")
    about = ids(it.account_id for it in held), symbols(it.key.symbol for it in held)
    what = f"{counted(len(held), 'contract')} open: {facts.named(held)}"
    trading = [facts.look(*it.key[:2]) for it in held]
    if any(it.is_open is None for it in trading):
        return Item(name, UNKNOWN, f"{what}; it is not known whether their market trades.", *about)
    if any(it.is_open for it in trading):
        return Item(name, NEEDS, f"{what}, and their market still trades.", *about)
    return Item(name, GOOD, f"{what}; they are carried.", *about)


def intraday(facts: Facts) -> Item:
    """Say what was meant for today and is still open, and when its broker squares it off."""
    name = "intraday left"
    left = [it for it in facts.positions if it.key.product in OF_A_DAY]
    if not left:
        return Item(name, GOOD, "Nothing that was meant for today is open.")
    about = ids(it.account_id for it in left), symbols(it.key.symbol for it in left)
    what = f"{counted(len(left), 'position')} left: {facts.named(left)}"
    times = [facts.look(*it.key[:2]).square_off_at for it in left]
    known = [it for it in times if it is not None]
    if known and max(known) <= facts.now:
        words = f"{what}; the square-off of {hour(max(known))} is over."
        return Item(name, BROKEN, words, *about)
    if len(known) < len(times):
        return Item(name, NEEDS, f"{what}; when it is squared off is not known.", *about)
    return Item(name, NEEDS, f"{what}; it is squared off from {hour(min(known))} on.", *about)


def unfinished(facts: Facts) -> Item:
    """Say of which orders nobody knows what became, and which still work."""
    name = "unknown and working orders"
    lost = [it for it in facts.orders if it.status is OrderStatus.UNKNOWN]
    if lost:
        words = f"Nobody knows what became of {counted(len(lost), 'order')}: " + named(
            f"{it.id} ({spaced(it.symbol)})" for it in lost
        )
        about = ids(it.account_id for it in lost), symbols(it.symbol for it in lost)
        return Item(name, BROKEN, f"{words}.", *about)
    if not facts.is_whole:
        return Item(name, UNKNOWN, "There is more working than this list goes through.")
    working = [it for it in facts.orders if not it.is_amo and it.status is not OrderStatus.PENDING]
    if working:
        which = named(spaced(it.symbol) for it in working)
        words = f"{counted(len(working), 'order')} still work: {which}."
        about = ids(it.account_id for it in working), symbols(it.symbol for it in working)
        return Item(name, NEEDS, words, *about)
    waits = len(facts.orders)
    return Item(name, GOOD, f"No order works or is unknown; {waits} wait for another day or hour.")


def auction(facts: Facts) -> Item:
    """Say which shares were sold for delivery and are not there: they go to auction."""
    name = "auction"
    short = [
        it
        for it in facts.positions
        if it.net < 0 and it.key.segment in EQUITY and it.key.product is Product.CNC
    ]
    if not short:
        return Item(name, GOOD, "Nothing was sold that is not there to be delivered.")
    what = named(map(stands_at, short))
    words = f"Check that it is held, or buy it back: {what}. The auction's price is not known yet."
    return Item(
        name,
        NEEDS,
        words,
        ids(it.account_id for it in short),
        symbols(it.key.symbol for it in short),
    )


def naked_legs(facts: Facts) -> Item:
    """Say which written options have no bought one of their underlying, expiry and right."""
    name = "naked legs"
    written = [it for it in facts.derivatives if it.net < 0 and group_of(it.key) is not None]
    if not written:
        return Item(name, GOOD, "No option is written.")
    cover: dict[object, int] = defaultdict(int)
    for it in facts.derivatives:
        if it.net > 0:
            cover[_stands_against(it)] += it.net
    bare = []
    for it in written:
        against = _stands_against(it)
        covered = min(cover[against], -it.net)
        cover[against] -= covered
        if covered < -it.net:
            bare.append((it, -it.net - covered))
    if not bare:
        return Item(name, GOOD, f"{counted(len(written), 'written option')}, each covered.")
    what = named(f"{grouped_count(many)} of {spaced(it.key.symbol)}" for it, many in bare)
    about = ids(it.account_id for it, _ in bare), symbols(it.key.symbol for it, _ in bare)
    return Item(name, NEEDS, f"Written without a bought one against it: {what}.", *about)


def _stands_against(it: Open) -> tuple[int, object, str]:
    return it.account_id, group_of(it.key), it.key.symbol[-2:]


def day_made(facts: Facts) -> Item:
    """Say what the day made: gross, charges and net, for each person, live and paper apart."""
    name = "the day's money"
    if not facts.pages:
        return Item(name, UNKNOWN, "No account has a book yet.")
    if not facts.is_whole:
        return Item(name, UNKNOWN, "There is more open than this list goes through.")
    profits = [(it, _open_profit(facts, it)) for it in facts.positions]
    if blind := [it for it, profit in profits if profit is None]:
        about = ids(it.account_id for it in blind), symbols(it.key.symbol for it in blind)
        words = f"Of {facts.named(blind)} there is no fresh price, so the day's money is not known."
        return Item(name, UNKNOWN, words, *about)
    opened: dict[int, int] = defaultdict(int)
    for it, profit in profits:
        opened[it.account_id] += profit or 0
    unread = {it.id: it.name for it in facts.live if not _was_read(facts.pages.get(it.id))}
    sums: dict[tuple[str, AccountMode], list[int]] = defaultdict(lambda: [0, 0])
    for key, page in facts.pages.items():
        if key in unread:
            continue
        of = sums[facts.persons.get(key, facts.name(key)), page.mode]
        of[0] += page.realized_on(facts.day) + opened[key]
        of[1] += facts.charges.get(key, 0)
    said = "; ".join(
        f"{who} ({mode}): gross {_signed(gross)}, charges {grouped(to_paise(paid))}, "
        f"net {_signed(gross - paid)}"
        for (who, mode), (gross, paid) in sorted(sums.items())
    )
    if unread:
        who = f"What {named(unread.values())} made is not known: no broker told it"
        words = f"{who}; {said}." if said else f"{who}."
        return Item(name, UNKNOWN, words, ids(unread))
    return Item(name, GOOD, f"{said}.", ids(facts.pages))


def _open_profit(facts: Facts, it: Open) -> int | None:
    """Return what is open would make; None: no price, or one too old while its market trades."""
    look = facts.look(*it.key[:2])
    if look.last is None or (look.is_open is not False and not look.is_fresh(facts.now)):
        return None
    return open_profit(it.net, it.cost, look.last)


def _was_read(page: Page | None) -> bool:
    return page is not None and page.positions_read_at is not None


def _signed(amount: int) -> str:
    paise = to_paise(amount)
    return f"{'+' if paise > 0 else MINUS if paise < 0 else ''}{grouped(abs(paise))}"


def margin(facts: Facts) -> Item:
    """Say whether there is money for what is carried over night."""
    name = "overnight margin"
    short = {key: it for key, it in facts.pages.items() if it.available < 0}
    if short:
        who = named(f"{facts.name(key)} {plain(it.available)}" for key, it in short.items())
        return Item(name, BROKEN, f"Not enough for what is open: {who}.", ids(short))
    unread = [it.id for it in facts.live if it.id not in facts.pages]
    if unread or not facts.pages:
        who = named(map(facts.name, unread)) or "an account"
        return Item(name, UNKNOWN, f"The funds of {who} were not read yet.", ids(unread))
    used = named(
        f"{facts.name(key)} {grouped(it.margin_used)} of {grouped(it.cash)}"
        for key, it in facts.pages.items()
    )
    return Item(name, GOOD, f"Blocked: {used}.", ids(facts.pages))


def delivery(facts: Facts) -> Item:
    """Say what of today's sales has to be given leave for (eDIS)."""
    name = "delivery and eDIS"
    asks = [it for it in facts.live if not it.has_ddpi]
    if not asks:
        return Item(
            name, GOOD, "No leave is owed: paper delivers itself, and a DDPI asks for none."
        )
    who = named(it.name for it in asks)
    words = f"What {who} sold from its demat account is not read from its broker yet."
    return Item(name, UNKNOWN, words, ids(it.id for it in asks))


def followers(facts: Facts) -> Item:
    """Say whether accounts that follow another are where it is."""
    name = "followers' drift"
    follow = [it for it in facts.accounts if it.copy_role is CopyRole.FOLLOWER]
    if not follow:
        return Item(name, GOOD, "No account follows another.")
    words = f"{counted(len(follow), 'follower')}: orders are not copied yet, so nobody compares."
    return Item(name, UNKNOWN, words, ids(it.id for it in follow))


def breaks(facts: Facts) -> Item:
    """Say where our books and the brokers' disagree."""
    return overnight(facts)._replace(name="breaks")


RULES: Final = (
    derivatives,
    intraday,
    unfinished,
    auction,
    naked_legs,
    day_made,
    margin,
    delivery,
    breaks,
    followers,
)
