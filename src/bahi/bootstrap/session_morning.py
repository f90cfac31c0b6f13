"""The 09:14 list: whether everything is as it has to be before the first order of the day."""

from __future__ import annotations

from datetime import date
from typing import Final

from bahi.bootstrap.session_facts import (
    BROKEN,
    GOOD,
    NEEDS,
    STOPS,
    UNKNOWN,
    Facts,
    Item,
    Thing,
    age,
    counted,
    hour,
    ids,
    named,
    needs_a_stop,
    stands_at,
    stop_quantity,
    symbols,
)
from bahi.kernel.clock import exchange_day
from bahi.kernel.money import grouped, plain
from bahi.kernel.symbols import parse, spaced
from bahi.kernel.words import AccountMode, Side
from bahi.risk.model.eligibility import ListName
from bahi.risk.model.limits import in_force, read


def tokens(facts: Facts) -> Item:
    """Say whether every application has a token with time left."""
    name = "tokens"
    bare = [it for it in facts.live if it.id not in facts.tokens]
    if bare:
        who = named(it.name for it in bare)
        return Item(
            name, NEEDS, f"No application is registered for {who}.", ids(it.id for it in bare)
        )
    if not facts.tokens:
        return Item(name, GOOD, "No account needs a token: all are paper.")
    good, of = (sum(getattr(it, what) for it in facts.tokens.values()) for what in ("good", "of"))
    short = {key: it for key, it in facts.tokens.items() if it.good < it.of}
    if short:
        who = named(f"{facts.name(key)} ({it.good} of {it.of})" for key, it in short.items())
        return Item(name, BROKEN, f"{good} of {of} tokens are good; missing: {who}.", ids(short))
    ends = min((it.ends_at for it in facts.tokens.values() if it.ends_at), default=None)
    until = f"; the first ends at {hour(ends)}" if ends else ""
    return Item(name, GOOD, f"{good} of {of} tokens are good, by their time{until}.")


def addresses(facts: Facts) -> Item:
    """Say whether every live account leaves from an address of its own."""
    name = "addresses"
    if not facts.live:
        return Item(name, GOOD, "No account calls a broker: all are paper.")
    off = [
        it
        for it in facts.live
        if (bound := facts.addresses.get(it.egress_address_id or 0)) is None or not bound.is_active
    ]
    if off:
        who = named(it.name for it in off)
        return Item(name, BROKEN, f"No address in use is bound to {who}.", ids(it.id for it in off))
    return Item(name, GOOD, f"{counted(len(facts.live), 'account')} bound to addresses in use.")


def feed(facts: Facts) -> Item:
    """Say whether prices come, and how old the oldest that matters is."""
    name = "feed"
    asked = facts.looks
    trading = {thing: it for thing, it in asked.items() if it.is_open is not False}
    if not asked:
        return Item(name, UNKNOWN, "Nothing is open or working, and no index has a price here.")
    if not trading:
        newest = max((it.at for it in asked.values() if it.at), default=None)
        last = (
            f"the newest price is {age(facts.now, newest)} old" if newest else "there is no price"
        )
        return Item(name, UNKNOWN, f"Nothing has to tick while its market is closed; {last}.")
    stale = [thing for thing, it in trading.items() if not it.is_fresh(facts.now)]
    if stale:
        return Item(
            name,
            BROKEN,
            f"{len(stale)} of {len(trading)} prices are missing or over a minute old: "
            f"{named(spaced(symbol) for _, symbol in stale)}.",
            symbols=symbols(symbol for _, symbol in stale),
        )
    oldest = min(it.at for it in trading.values() if it.at)
    sources = named(it.source for it in trading.values())
    said = f"{counted(len(trading), 'price')} tick, the oldest is {age(facts.now, oldest)} old"
    return Item(name, GOOD, f"{said} ({sources}).")


def free_margin(facts: Facts) -> Item:
    """Say how much is free, account by account; live and paper are never one sum."""
    name = "free margin"
    short = {key: it for key, it in facts.pages.items() if it.available < 0}
    if short:
        who = named(f"{facts.name(key)} {plain(it.available)}" for key, it in short.items())
        return Item(name, BROKEN, f"Positions ask for more than there is: {who}.", ids(short))
    unread = [
        it for it in facts.live
        if (page := facts.pages.get(it.id)) is None or page.funds_read_at is None
    ]  # fmt: skip
    if unread:
        who = named(it.name for it in unread)
        return Item(
            name, UNKNOWN, f"The funds of {who} were not read yet.", ids(it.id for it in unread)
        )
    if not facts.pages:
        return Item(
            name, UNKNOWN, "No account has a book yet; it begins with the first look at it."
        )
    said = named(f"{facts.name(key)} {grouped(it.available)}" for key, it in facts.pages.items())
    return Item(name, GOOD, f"Free: {said}.", ids(facts.pages))


def overnight(facts: Facts) -> Item:
    """Say whether our books and the brokers' agree."""
    name = "overnight positions"
    if total := sum(facts.breaks.values()):
        who = named(f"{facts.name(key)} ({many})" for key, many in facts.breaks.items())
        words = f"{counted(total, 'break')} with a broker open: {who}."
        return Item(name, NEEDS, words, ids(facts.breaks))
    asked = {it.account_id for it in facts.positions} | {it.id for it in facts.live}
    unread = [it for it in sorted(asked) if not _is_compared(facts, it)]
    if unread:
        who = named(map(facts.name, unread))
        words = f"What {who} has open was not compared with its broker's book today."
        return Item(name, UNKNOWN, words, ids(unread))
    held = counted(len(facts.positions), "open position")
    return Item(name, GOOD, f"{held}, and no break with a broker is open.")


def resting(facts: Facts) -> Item:
    """Say what works already, and what is open without a stop."""
    name = "resting and unprotected"
    if not facts.is_whole:
        return Item(name, UNKNOWN, "There is more open or working than this list goes through.")
    working = counted(len(facts.orders) + len(facts.forevers), "order")
    bare = [
        it for it in facts.positions if needs_a_stop(it) and stop_quantity(facts, it) < abs(it.net)
    ]
    if bare:
        what = named(f"{stands_at(it)} ({facts.name(it.account_id)})" for it in bare)
        many = counted(len(bare), "position")
        words = f"{many} without a stop for all of it: {what}; {working} rest."
        return Item(
            name,
            NEEDS,
            words,
            ids(it.account_id for it in bare),
            symbols(it.key.symbol for it in bare),
        )
    return Item(name, GOOD, f"{working} rest, and nothing that needs a stop is without one.")


def expiries(facts: Facts) -> Item:
    """Say what ends today, and what of it is delivered in shares."""
    name = "expiries and deliveries"
    ending = [it for it in facts.derivatives if _ends(it.key.symbol) == facts.day]
    odd = [it for it in facts.derivatives if _ends(it.key.symbol) is None]
    if odd:
        words = f"It is not known when {named(spaced(it.key.symbol) for it in odd)} ends."
        return Item(name, UNKNOWN, words, ids(it.account_id for it in odd))
    if not ending:
        return Item(
            name, GOOD, f"None of {counted(len(facts.derivatives), 'contract')} ends today."
        )
    delivered = [it for it in ending if facts.look(*it.key[:2]).delivers]
    more = f"; {counted(len(delivered), 'one', 'of them')} in shares" if delivered else ""
    which = named(spaced(it.key.symbol) for it in ending)
    words = f"{counted(len(ending), 'contract')} end today: {which}{more}."
    about = ids(it.account_id for it in ending), symbols(it.key.symbol for it in ending)
    return Item(name, NEEDS, words, *about)


def bans(facts: Facts) -> Item:
    """Say whether anything of mine is banned or under surveillance."""
    name = "bans and surveillance"
    mine = _mine(facts)
    hits = {thing: facts.look(*thing).kept_off for thing in mine if facts.look(*thing).kept_off}
    if hits:
        words = "; ".join(
            f"{spaced(symbol)}: {why[0]}" for (_, symbol), why in list(hits.items())[:3]
        )
        return Item(name, NEEDS, f"{words}.", symbols=symbols(symbol for _, symbol in hits))
    ban = facts.lists.get(ListName.FNO_BAN)
    if facts.derivatives and (ban is None or ban.since < facts.day):
        newest = "none was entered" if ban is None else f"the newest is of {ban.since}"
        return Item(name, UNKNOWN, f"Today's ban list is not here: {newest}.")
    if not facts.lists:
        return Item(name, UNKNOWN, "No list of bans or surveillance was entered.")
    if not mine:
        return Item(name, GOOD, "Nothing of mine is open or working.")
    return Item(name, GOOD, f"{counted(len(mine), 'name')}, none of them on a list.")


def gaps(facts: Facts) -> Item:
    """Say whether a price has already gone past a stop that waits for it."""
    name = "gaps against stops"
    waits = [
        (it.account_id, (it.segment, it.symbol), it.side, it.trigger_price)
        for it in facts.orders
        if it.order_type in STOPS and it.trigger_price is not None
    ] + [
        (it.account_id, (it.segment, it.symbol), it.side, trigger)
        for it in facts.forevers
        if (trigger := it.trigger.below if it.side is Side.SELL else it.trigger.above) is not None
    ]
    if not waits:
        return Item(name, GOOD, "No stop waits.")
    past, blind = [], []
    for account_id, thing, side, trigger in waits:
        look = facts.look(*thing)
        if look.last is None or look.at is None or exchange_day(look.at) != facts.day:
            blind.append(thing[1])
        elif look.last <= trigger if side is Side.SELL else look.last >= trigger:
            past.append((account_id, thing[1]))
    if past:
        which = named(spaced(it[1]) for it in past)
        words = f"The price is past {counted(len(past), 'stop')}: {which}."
        return Item(name, NEEDS, words, ids(it[0] for it in past), symbols(it[1] for it in past))
    if blind:
        which = named(map(spaced, blind))
        words = f"{len(blind)} of {counted(len(waits), 'stop')} have no price of today: {which}."
        return Item(name, UNKNOWN, words, symbols=symbols(blind))
    return Item(name, GOOD, f"{counted(len(waits), 'stop')} wait, no price is past one.")


def armed(facts: Facts) -> Item:
    """Say what places orders by itself, on which account, live or paper."""
    name = "armed"
    on = [it for it in facts.webhooks if it.is_active]
    if not on:
        return Item(name, GOOD, "Nothing is armed: no alert becomes an order.")
    mode = {it.id: it.mode for it in facts.accounts}
    live = sum(mode.get(it.account_id) is AccountMode.LIVE for it in on)
    who = named(
        f"{it.name} on {facts.name(it.account_id)} ({mode.get(it.account_id, 'unknown')})"
        for it in sorted(on, key=lambda it: mode.get(it.account_id) is not AccountMode.LIVE)
    )
    words = f"{len(on)} armed, {live} of them live: {who}."
    return Item(name, GOOD, words, ids(it.account_id for it in on))


def limits(facts: Facts) -> Item:
    """Say whether the day's counters began anew, and who has no limit at all."""
    name = "limits"
    latched = [key for key, it in facts.pages.items() if it.is_latched_on(facts.day)]
    if latched:
        who = named(facts.name(it) for it in latched)
        words = f"The day's loss reached its limit: {who}; exits pass."
        return Item(name, NEEDS, words, ids(latched))
    free = [
        key
        for key, it in facts.pages.items()
        if it.mode is AccountMode.LIVE
        and in_force(read(it.limits), None, facts.now).daily_loss is None
    ]
    if free:
        who = named(facts.name(it) for it in free)
        return Item(name, NEEDS, f"No limit of the day's loss binds {who}.", ids(free))
    return Item(name, GOOD, f"Reset for today on {counted(len(facts.pages), 'account')}.")


def switches(facts: Facts) -> Item:
    """Say whether a kill switch is engaged: by whom, and why."""
    name = "kill switch"
    if not facts.switches:
        return Item(name, GOOD, "No switch is engaged.")
    newest = facts.switches[-1]
    account_id = newest.whom.account_id
    whom = newest.whom if account_id is None else facts.name(account_id)
    words = f"Over {whom} since {hour(newest.since)}, by {newest.by}: {newest.reason}"
    more = f" ({len(facts.switches)} engaged)" if len(facts.switches) > 1 else ""
    about = ids(it.whom.account_id for it in facts.switches if it.whom.account_id is not None)
    return Item(name, NEEDS, f"{words.rstrip('.')}{more}.", about)


RULES: Final = (
    tokens,
    addresses,
    feed,
    free_margin,
    overnight,
    resting,
    expiries,
    bans,
    gaps,
    armed,
    limits,
    switches,
)


def _ends(symbol: str) -> date | None:
    contract = parse(symbol)
    return None if contract is None else contract.expiry


def _is_compared(facts: Facts, account_id: int) -> bool:
    """Say whether a broker's positions were read whole today."""
    page = facts.pages.get(account_id)
    read_at = None if page is None else page.positions_read_at
    return read_at is not None and exchange_day(read_at) == facts.day


def _mine(facts: Facts) -> set[Thing]:
    return {
        *(it.key[:2] for it in facts.positions),
        *((it.segment, it.symbol) for it in facts.orders),
        *((it.segment, it.symbol) for it in facts.forevers),
    }
