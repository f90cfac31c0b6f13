"""How a client stands by the exchange's own journal: what is open, what is held, what was dealt.

The exchange keeps no cash and delivers nothing: it knows what was bought on which day, and neither
what money there is nor what is in a demat account.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, time

from bahi.db.stores import Store
from bahi.exchange.repository import standings as rows
from bahi.kernel.clock import IST, Clock, exchange_day
from bahi.kernel.money import Price
from bahi.kernel.ports import HeldShare, OpenPosition, ToldTrade
from bahi.kernel.words import EQUITY, Product


class Standings:
    """The exchange's journal, as its clients may read it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def positions(self, client_id: int) -> tuple[OpenPosition, ...]:
        """Return what is open; of what is for delivery, what was dealt today."""
        by_name: dict[tuple[str, str, str], list[rows.Stood]] = defaultdict(list)
        for it in await self._read(client_id):
            if it.is_todays or not _is_held(it):
                by_name[it.segment, it.symbol, it.product].append(it)
        return tuple(
            OpenPosition(
                segment=segment,
                symbol=symbol,
                product=product,
                quantity=net,
                average_price=_average(parts),
            )
            for (segment, symbol, product), parts in by_name.items()
            if (net := sum(it.net for it in parts))
        )

    async def holdings(self, client_id: int) -> tuple[HeldShare, ...]:
        """Return what was bought for delivery on the days before today, and is not sold."""
        return tuple(
            HeldShare(
                segment=it.segment,
                symbol=it.symbol,
                quantity=it.net,
                average_price=_average([it]),
            )
            for it in await self._read(client_id)
            if _is_held(it) and not it.is_todays and it.net
        )

    async def trade_book(self, client_id: int) -> tuple[ToldTrade, ...]:
        """Return the fills of the day."""
        begins = datetime.combine(exchange_day(self._clock()), time(), tzinfo=IST)
        return tuple(await self._store.read(rows.traded_since, client_id, begins, fresh=True))

    async def _read(self, client_id: int) -> list[rows.Stood]:
        today = exchange_day(self._clock())
        return await self._store.read(rows.standings, client_id, today, fresh=True)


def _is_held(it: rows.Stood) -> bool:
    return it.product is Product.CNC and it.segment in EQUITY


def _average(parts: Iterable[rows.Stood]) -> Price | None:
    """Return what was paid or got each, where only one side was ever dealt; else nobody counted."""
    many = list(parts)
    bought, sold = sum(it.bought for it in many), sum(it.sold for it in many)
    if bool(bought) == bool(sold) or any(it.converted for it in many):
        return None
    value = sum(it.paid + it.got for it in many)
    quantity = bought + sold
    return Price((2 * value + quantity) // (2 * quantity))
