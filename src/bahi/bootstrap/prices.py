"""Where the house's prices come from, as the setting says, and who brings them in."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from bahi.bootstrap.floor import Prices
from bahi.bootstrap.rooms import Rooms
from bahi.calendar.model import NO_FACTS, MarketDays
from bahi.calendar.service import LiveCalendar
from bahi.config import Settings
from bahi.instruments.model.instrument import Instrument, segment_of
from bahi.instruments.model.shipped import reference_prices
from bahi.instruments.service.live import LiveInstruments
from bahi.kernel.clock import Clock
from bahi.kernel.errors import NotFound
from bahi.kernel.money import Price
from bahi.quotes.model.quote import SIMULATED
from bahi.quotes.service.board import Board
from bahi.quotes.service.candle_files import CandleFiles
from bahi.quotes.service.feed import FeedMember
from bahi.quotes.service.files import Replay
from bahi.quotes.service.history import KeptCandles
from bahi.quotes.service.market import LiveMarket, SimulatedPrices
from bahi.quotes.service.quotes import Quotes
from bahi.quotes.service.sources import first_of, keep_pumping

REPLAY: Final = "replay"


def prices_of(
    settings: Settings, clock: Clock, calendar: LiveCalendar, instruments: LiveInstruments
) -> Prices:
    """Make what answers for prices."""
    board, origin = Board(), settings.market
    if origin.word == SIMULATED:
        market = LiveMarket(
            settings.simulated_seed,
            _worth,
            calendar.days,
            always_open=settings.is_always_open,
        )
        return Prices(Quotes(board, clock, market=market, source=SIMULATED), market)
    if origin.word == REPLAY and origin.file is not None:
        kept = KeptCandles(MarketDays(NO_FACTS), instruments.at_hand)
        files = None
        if settings.candles_folder is not None:
            files = CandleFiles(settings.candles_folder, kept, instruments.at_hand, clock)
        source = f"{REPLAY}:{origin.file.name}"
        quotes = Quotes(board, clock, history=files or kept, source=source)
        return Prices(quotes, candles=kept, files=files)
    return Prices(Quotes(board, clock))


_REFERENCES: Final = reference_prices()


def _worth(instrument: Instrument) -> Price | None:
    return _REFERENCES.get(instrument.root or instrument.symbol)


async def bring_in(house: Rooms) -> None:
    """Bring prices in for as long as the house is open."""
    prices, origin = house.prices, house.settings.market
    if prices.market is not None:
        await prices.market.now()
        source = SimulatedPrices(prices.market, house.instruments.at_hand, house.clock)
        await keep_pumping(source, prices.quotes.board)
    if prices.candles is not None and origin.file is not None:
        await house.instruments.catalogue()
        prices.candles.know(await house.calendar.days())
        member = FeedMember(
            house.settings.home,
            prices.quotes.board,
            partial(_replayed, house, origin.file),
            tell=prices.candles.take,
        )
        if prices.files is None:
            await member.run()
        else:
            await first_of(member.run(), prices.files.keep())


def _replayed(house: Rooms, file: Path) -> Replay:
    return Replay(
        file, partial(_found, house), house.clock, speed=float(house.settings.replay_speed)
    )


def _found(house: Rooms, exchange: str, symbol: str) -> int | None:
    with suppress(NotFound):
        instrument = house.instruments.named_at_hand(symbol, segment_of(exchange))
        return None if instrument is None else instrument.id
    return None
