"""Frames of the socket: what clients send, and what they are told, each one JSON object.

Prices are numbers with at most four decimals: a whole number of ten-thousandths divided once is the
nearest float there is, and is written as those decimals again. What is not known is left out.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from bahi.accounts.model import Account
from bahi.api.openalgo.words import mode_of, pricetype_of, product_word, status_of
from bahi.instruments.model.instrument import EXCHANGE_OF, Instrument
from bahi.kernel.errors import BahiError, Invalid
from bahi.kernel.money import SCALE
from bahi.kernel.ports import Level
from bahi.orders.model.order import Order
from bahi.quotes.model.quote import Quote

LTP, QUOTE, DEPTH = 1, 2, 3
MODES: Final = {
    "1": LTP, "2": QUOTE, "3": DEPTH, "ltp": LTP, "quote": QUOTE, "depth": DEPTH,
}  # fmt: skip
NAMED_AT_MOST: Final = 1_000
"""Instruments in one frame."""
TEXT_AT_MOST: Final = 120
LARGEST_NUMBER: Final = 2**53


class Named(msgspec.Struct):
    """One instrument of a frame; where it has no mode, the frame's."""

    symbol: str = ""
    exchange: str = ""
    mode: int | str | None = None


class Frame(msgspec.Struct):
    """What a client sends; words that nobody knows are passed over."""

    action: str = ""
    api_key: str = ""
    apikey: str = ""
    symbols: list[Named] = []
    instruments: list[Named] = []
    symbol: str = ""
    exchange: str = ""
    mode: int | str | None = None
    request_id: str | int | None = None

    @property
    def key(self) -> str:
        """The key that it brings."""
        return self.api_key or self.apikey

    @property
    def named(self) -> list[Named]:
        """The instruments that it names: several, or one as older clients do."""
        some = self.symbols or self.instruments
        if not some and self.symbol:
            some = [Named(self.symbol, self.exchange, self.mode)]
        if not some:
            raise Invalid('symbols: name some: [{"symbol": "SBIN", "exchange": "NSE"}].')
        if len(some) > NAMED_AT_MOST:
            raise Invalid(f"symbols: these are {len(some)}; {NAMED_AT_MOST} are the most at once.")
        return some

    def mode_of(self, it: Named) -> int:
        """Return how much of an instrument is asked for."""
        said = it.mode if it.mode is not None else self.mode
        word = "1" if said is None else str(said).strip().lower()
        if word not in MODES:
            raise Invalid(f"mode: {word[:20]!r} is none; it is 1 (LTP), 2 (quote) or 3 (depth).")
        return MODES[word]


_FRAME: Final = msgspec.json.Decoder(Frame)
_WRITE: Final = msgspec.json.Encoder().encode


def read(text: str | bytes) -> Frame:
    """Read a frame, or say in one sentence what is wrong with it; never what was in it."""
    try:
        return _FRAME.decode(text)
    except msgspec.ValidationError as fault:
        raise Invalid(f"frame: {fault}.") from None
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise Invalid('frame: this is no JSON object; write {"action": "ping"}.') from None


def written(said: dict[str, Any]) -> str:
    """Write a frame."""
    return _WRITE(said).decode()


def refused(failure: BahiError, frame: Frame | None = None) -> dict[str, Any]:
    """Return what a client is told of a failure."""
    said: dict[str, Any] = {
        "type": "error",
        "status": "error",
        "code": failure.code,
        "message": str(failure),
    }
    if frame is not None:
        said["action"] = frame.action[:TEXT_AT_MOST]
        answering(said, frame)
    return said


def answering(said: dict[str, Any], frame: Frame) -> dict[str, Any]:
    """Return an answer with the name that its frame gave it."""
    name = frame.request_id
    if isinstance(name, int) and abs(name) > LARGEST_NUMBER:
        name = None  # no number that JSON's readers agree on
    if name is not None:
        said["request_id"] = name[:TEXT_AT_MOST] if isinstance(name, str) else name
    return said


def market_data(it: Instrument, quote: Quote, mode: int) -> dict[str, Any]:
    """Return a price as those are told who asked for so much of it."""
    data: dict[str, Any] = {
        "ltp": quote.last / SCALE,
        "timestamp": int(quote.at.timestamp() * 1000),
    }
    if mode == QUOTE:
        data |= _day(quote)
    if mode == DEPTH:
        data["depth"] = {"buy": _side(quote.bids), "sell": _side(quote.asks)}
    return {
        "type": "market_data",
        "symbol": it.symbol,
        "exchange": it.exchange,
        "mode": mode,
        "data": data,
    }


def _day(quote: Quote) -> dict[str, Any]:
    figures = {
        "open": quote.open,
        "high": quote.high,
        "low": quote.low,
        "close": quote.previous_close,
        "bid": quote.bid,
        "ask": quote.ask,
    }
    said: dict[str, Any] = {name: it / SCALE for name, it in figures.items() if it is not None}
    if quote.volume is not None:
        said["volume"] = quote.volume
    if quote.open_interest is not None:
        said["oi"] = quote.open_interest
    if quote.previous_close:
        change = quote.last - quote.previous_close
        said["change"] = change / SCALE
        said["change_percent"] = round(100 * change / quote.previous_close, 2)
    return said


def _side(levels: tuple[Level, ...]) -> list[dict[str, Any]]:
    return [
        {"price": it.price / SCALE, "quantity": it.quantity, "orders": it.orders} for it in levels
    ]


def order_update(it: Order, account: Account, username: str) -> dict[str, Any]:
    """Return an order as it stands now; prices that it does not have are 0, as OpenAlgo's."""
    return {
        "type": "order_update",
        "user_id": username,
        "account": account.name,
        "mode": mode_of(account.mode),
        "broker": str(account.broker),
        "orderid": str(it.id),
        "symbol": it.symbol,
        "exchange": EXCHANGE_OF[it.segment],
        "action": str(it.side),
        "quantity": it.quantity,
        "price": (it.price or 0) / SCALE,
        "trigger_price": (it.trigger_price or 0) / SCALE,
        "pricetype": pricetype_of(it.order_type),
        "product": product_word(it.product),
        "order_status": status_of(it.status, waits_for_trigger=it.trigger_pending),
        "filled_quantity": it.filled,
        "pending_quantity": it.remaining,
        "average_price": (it.average_price or 0) / SCALE,
        "rejection_reason": it.error_message or "",
    }
