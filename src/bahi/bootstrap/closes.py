"""At which price a contract ends: as its exchange published it, else as prices say, else not yet.

Contracts on shares and indices go by the official close of what they are on. Currencies go by a
reference rate and goods by a due date rate, which nobody trades: they are entered, and waited for.
Only in a made-up market, where nobody publishes anything, a contract's own close stands for them.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, NamedTuple

from bahi.bootstrap.margins import contract_of
from bahi.bootstrap.rooms import Rooms
from bahi.exchange.model.settling import By, Manner, manner_of
from bahi.exchange.model.trading_day import Timetable
from bahi.exchange.service import Rules, Settlement
from bahi.exchange.service.prices import Prices
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import NotFound
from bahi.kernel.money import Price
from bahi.kernel.symbols import future
from bahi.kernel.words import EQUITY, Product, Segment
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.position import Key
from bahi.portfolio.service.ending import Ending
from bahi.portfolio.service.official import official_price

DELIVERED: Final = {Segment.NSE_FNO: Segment.NSE_EQ, Segment.BSE_FNO: Segment.BSE_EQ}
"""Where the shares come from, or go to, of contracts that end in shares."""


class Close(NamedTuple):
    """The official close of what a contract is on, when it was made, and into what it delivers."""

    price: Price
    at: datetime
    delivers: Key | None = None
    into: Contract | None = None


class Closes:
    """Prices at which contracts end; one for each time that they are settled."""

    def __init__(self, house: Rooms) -> None:
        market = house.floor.market
        self._house, self._market = house, market
        self._timetable = Timetable(market.days(), Rules())
        self._prices = Prices(market, Rules(), market.past)
        self._published: dict[date, dict[tuple[Segment, str], Settlement]] = {}

    def is_over(self, it: Ending) -> bool:
        """Say whether the contract's last day is: a day that nobody knows is over with the day."""
        ends, now = self._ends(it), self._house.clock()
        return it.contract.expiry < exchange_day(now) if ends is None else now >= ends

    def wanted(self, it: Ending) -> str:
        """Name the price that a contract waits for."""
        by, (root, day) = _manner(it), it.contract[:2]
        if by is None:
            return f"how contracts of {it.key.segment} end"
        if by.by is By.CLOSE:
            return "its official close"
        of = "the future that it is on" if by.becomes_a_future else root
        return f"the {by.by} of {of} of {day} (enter it as it was published)"

    async def of(self, it: Ending) -> Close | None:
        """Return at what a contract ends; None: not yet, or not known."""
        manner = _manner(it)
        if manner is None or not self.is_over(it):
            return None
        if manner.by is By.CLOSE:
            return await self._by_close(it)
        return await self._by_rate(it, manner)

    async def _by_close(self, it: Ending) -> Close | None:
        spot, at = self._spot(it), self._ends(it)
        published = await self._told(it)
        if published is not None:
            at = at or published.published_at
            return Close(published.underlying_price, at, self._delivers(it, spot))
        if spot is None or at is None:
            return None
        close = self._close(spot, it, is_own=spot.symbol == it.key.symbol)
        return None if close is None else Close(close, at, self._delivers(it, spot))

    async def _by_rate(self, it: Ending, manner: Manner) -> Close | None:
        """Return a price that is published and not traded, with the future that it may open."""
        on = await self._future_of(it, manner)
        if manner.becomes_a_future and on is None:
            return None
        name = on.symbol if on is not None and manner.becomes_a_future else it.contract.root
        main, day = self._house.stores["main"], it.contract.expiry
        price = await main.read(official_price, it.key.segment, name, day, fresh=True)
        if price is None and on is not None:
            price = self._close(on, it, is_own=True)
        if price is None and (published := await self._told(it)) is not None:
            price = published.underlying_price
        if price is None:
            return None
        at = self._ends(it) or self._house.clock()
        if on is None or not manner.becomes_a_future:
            return Close(price, at)
        key = Key(on.segment, on.symbol, it.key.product)
        return Close(price, at, key, contract_of(on, key))

    def _ends(self, it: Ending) -> datetime | None:
        ends = self._timetable.on(it.key.segment, it.contract.expiry, in_auction=False)
        return None if ends is None else ends.closes

    def _close(self, of: Instrument, it: Ending, *, is_own: bool) -> Price | None:
        """Return a close; a contract's own one counts only where the market is made up."""
        now, day = self._house.clock(), it.contract.expiry
        quote = self._prices.close_of(of, day, self._timetable, now)
        if quote is None or (is_own and not quote.is_simulated):
            return None
        return quote.last

    async def _told(self, it: Ending) -> Settlement | None:
        """Return what the paper exchange published of a contract, if it is worth believing."""
        since = it.contract.expiry
        if since not in self._published:
            told = await self._house.floor.exchange.settlements(since)
            official = {(one.segment, one.symbol): one for one in told if one.is_official}
            self._published[since] = official
        return self._published[since].get((it.key.segment, it.key.symbol))

    async def _future_of(self, it: Ending, manner: Manner) -> Instrument | None:
        """Return the future that a contract is on: the next one to end, or the one of its day."""
        contract = it.contract
        if not manner.becomes_a_future:
            return self._market.instrument(it.key.segment, future(contract.root, contract.expiry))
        catalogue = await self._house.instruments.catalogue()
        try:
            every = catalogue.contracts(contract.root, it.key.segment)
        except NotFound:
            return None
        later = [
            (one.expiry, one.id)
            for one in every
            if one.option_type is None and one.expiry and one.expiry >= str(contract.expiry)
        ]
        return catalogue.by_id(min(later)[1]) if later else None

    def _spot(self, it: Ending) -> Instrument | None:
        """Return what a contract is settled on; of a future without one, the future itself."""
        spot = self._prices.underlying(it.key.segment, it.contract.root)
        if spot is None and it.contract.right is None:
            return self._market.instrument(it.key.segment, it.key.symbol)
        return spot

    @staticmethod
    def _delivers(it: Ending, spot: Instrument | None) -> Key | None:
        shares = DELIVERED.get(it.key.segment)
        if shares is None or spot is None or spot.segment not in EQUITY:
            return None
        return Key(shares, spot.symbol, Product.CNC)


def _manner(it: Ending) -> Manner | None:
    is_option = it.contract.right is not None
    return manner_of(it.key.segment, it.contract.expiry, is_option=is_option)
