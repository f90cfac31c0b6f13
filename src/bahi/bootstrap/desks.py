"""Desks: which store and which broker an account's orders go to, chosen here and nowhere else."""

from __future__ import annotations

from typing import Final

from bahi.accounts.model import Account
from bahi.accounts.service.accounts import get_account
from bahi.bootstrap.rooms import Rooms
from bahi.brokers.paper import PaperBroker
from bahi.calendar.model import MarketDays
from bahi.exchange.service import PaperExchange
from bahi.instruments.model.instrument import EXCHANGE_OF, Instrument
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.errors import Forbidden, NotFound, Unavailable
from bahi.kernel.money import SCALE, Money
from bahi.kernel.words import AccountMode, KeyScope, Segment
from bahi.orders.model.wishes import Seen
from bahi.orders.service.desk import Desk
from bahi.portfolio.model.book import Opening
from bahi.portfolio.service.books import open_book
from bahi.quotes.model.quote import NoPrice, Quote

PAPER_CASH: Final = Money(1_00_00_000 * SCALE)
"""What a paper account begins with where it does not say: a crore."""


async def desk_of(house: Rooms, actor: Actor, account_id: int) -> Desk:
    """Return the desk of an account that an actor may trade on; its page is begun on first use."""
    require_change(actor)
    account = await house.stores["main"].read(get_account, actor, account_id, fresh=True)
    _require_reach(actor, account)
    market = await market_of(house)
    store = house.stores["sandbox"]
    await store.write(open_book, opening_of(account), house.clock(), account=account_id)
    return Desk(
        actor=actor,
        account_id=account_id,
        store=store,
        broker=PaperBroker(PaperExchange(store, market, house.clock), account_id),
        look=market.look,
        clock=house.clock,
    )


async def exchange_of(house: Rooms) -> PaperExchange:
    """Return the paper exchange of a house."""
    return PaperExchange(house.stores["sandbox"], await market_of(house), house.clock)


async def market_of(house: Rooms) -> Market:
    """Return what is known of the market, read into memory: no transaction looks anything up."""
    await house.instruments.catalogue()
    days = await house.calendar.days()
    if house.prices.market is not None:
        await house.prices.market.now()
    return Market(house, days)


def opening_of(account: Account) -> Opening:
    """Return with what an account's page begins."""
    is_paper = account.mode is AccountMode.PAPER
    cash = account.opening_cash if account.opening_cash is not None else PAPER_CASH
    return Opening(
        account_id=account.id,
        name=account.name,
        user_id=account.user_id,
        copy_role=account.copy_role,
        mode=account.mode,
        cash=cash if is_paper else Money(0),
    )


class Market:
    """Instruments, hours and prices as they are in memory now."""

    def __init__(self, house: Rooms, days: MarketDays) -> None:
        self._house, self._days = house, days
        self._always_open = house.settings.market_always_open == "yes"

    def instrument(self, segment: Segment, symbol: str) -> Instrument | None:
        """Return a listed instrument."""
        return self._house.instruments.named_at_hand(symbol, segment)

    def is_open(self, instrument: Instrument) -> bool | None:
        """Say whether an instrument trades now; None: not known."""
        if self._always_open:
            return True
        now = self._house.clock()
        state = self._days.state(
            instrument.segment, now, in_closing_auction=instrument.cas_eligible
        )
        return state.is_open

    def quote(self, instrument: Instrument) -> Quote | None:
        """Return an instrument's newest price."""
        try:
            return self._house.quotes.latest(instrument)
        except NoPrice:
            return None

    def look(self, segment: Segment, symbol: str) -> Seen:
        """Say what is known of an instrument now."""
        instrument = self.instrument(segment, symbol)
        if instrument is None:
            raise NotFound(f"There is no {symbol!r} on {EXCHANGE_OF[segment]}.")
        quote = self.quote(instrument)
        return Seen(
            instrument=instrument,
            is_open=self.is_open(instrument),
            price=None if quote is None else quote.last,
            priced_at=None if quote is None else quote.at,
            source=None if quote is None else quote.source,
        )


def _require_reach(actor: Actor, account: Account) -> None:
    if not account.is_active:
        raise Forbidden(f"Account {account.name!r} is switched off.")
    if account.mode is AccountMode.PAPER:
        return
    if actor.scope is KeyScope.PAPER:
        raise Forbidden("A key of scope paper places paper orders only.")
    raise Unavailable(f"Account {account.name!r} is live; live brokers are not connected yet.")
