"""What the paper exchange tells of one account beside its orders: what its journal knows."""

from __future__ import annotations

from bahi.brokers.paper.adapter import heard
from bahi.exchange.service.standings import Standings
from bahi.kernel.ports import HeldShare, OpenPosition, Purse, ToldTrade


class PaperTeller:
    """A client of the paper exchange who asks how it stands."""

    def __init__(self, standings: Standings, client_id: int) -> None:
        self._standings, self._client_id = standings, client_id

    async def positions(self) -> tuple[OpenPosition, ...]:
        """See `Teller`."""
        return await heard(self._standings.positions(self._client_id))

    async def holdings(self) -> tuple[HeldShare, ...]:
        """See `Teller`; the exchange delivers nothing, so it does not tell how far that is."""
        return await heard(self._standings.holdings(self._client_id))

    async def funds(self) -> Purse:
        """See `Teller`; the exchange has nobody's money and tells no figure."""
        return Purse()

    async def trade_book(self) -> tuple[ToldTrade, ...]:
        """See `Teller`."""
        return await heard(self._standings.trade_book(self._client_id))
