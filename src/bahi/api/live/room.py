"""What all sockets of a process share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from bahi.api.live.bounds import Sockets
from bahi.api.live.frames import market_data, written
from bahi.api.live.happenings import Happenings
from bahi.bootstrap import House
from bahi.instruments.model.instrument import Instrument
from bahi.quotes.model.quote import Quote

FRAMES_AT_MOST: Final = 20_000


class Wording:
    """Frames of the newest prices, written once for all sockets of a process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], tuple[Quote, str]] = {}

    def of(self, it: Instrument, quote: Quote, mode: int) -> str:
        """Return the frame of a price."""
        kept = self._kept.get((it.id, mode))
        if kept is not None and kept[0] is quote:
            return kept[1]
        if len(self._kept) >= FRAMES_AT_MOST:
            self._kept.clear()
        text = written(market_data(it, quote, mode))
        self._kept[it.id, mode] = (quote, text)
        return text


@dataclass(frozen=True)
class Room:
    """The house, what happens in it, and the sockets that are open."""

    house: House
    happenings: Happenings
    sockets: Sockets = field(default_factory=Sockets)
    wording: Wording = field(default_factory=Wording)
