"""What one socket follows: instruments, how much of each, and the frames that come of a price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from bahi.api.live.frames import DEPTH
from bahi.api.live.room import Room
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.errors import Invalid
from bahi.quotes.model.quote import Quote
from bahi.quotes.service.board import Subscription

OFF: Final = "off"
"""No price will ever come."""


@dataclass
class Followed:
    """One instrument, and how much of it is wanted."""

    instrument: Instrument
    modes: set[int] = field(default_factory=set)


class Following:
    """The instruments of one socket."""

    def __init__(self, room: Room, key_id: int) -> None:
        self._room, self._key_id = room, key_id
        self.subscription: Subscription = room.house.quotes.subscribe("a socket")
        self._followed: dict[int, Followed] = {}
        self._is_new = False

    def __len__(self) -> int:
        return len(self._followed)

    def add(self, it: Instrument, mode: int) -> None:
        """Follow an instrument; its newest price comes at once where one is known."""
        if mode == DEPTH and not it.is_tradable:
            raise Invalid(f"mode: {it.symbol} is an index: there is no order book of it.")
        followed = self._followed.get(it.id)
        if followed is None:
            if self._room.house.quotes.source == OFF:
                self._room.house.quotes.latest(it)  # which says why there is none
            self._room.sockets.follow(self._key_id, 1)
            self._is_new = True
            followed = self._followed[it.id] = Followed(it)
        elif mode not in followed.modes and (
            (latest := self._room.house.quotes.board.latest(it.id)) is not None
        ):
            self.subscription.offer(latest)
        followed.modes.add(mode)

    def drop(self, instrument_id: int, mode: int | None = None) -> bool:
        """Follow an instrument no more, or less of it; say whether it was."""
        followed = self._followed.get(instrument_id)
        if followed is None or (mode is not None and mode not in followed.modes):
            return False
        followed.modes -= followed.modes if mode is None else {mode}
        if not followed.modes:
            del self._followed[instrument_id]
            self._is_new = True
            self._room.sockets.leave(self._key_id, 1)
        return True

    def drop_all(self) -> int:
        """Follow nothing; return how many instruments were followed."""
        many = len(self._followed)
        for it in tuple(self._followed):
            self.drop(it)
        self.apply()
        return many

    def apply(self) -> None:
        """Have the board know what is followed now."""
        if self._is_new:
            self.subscription.follow(self._followed)
            self._is_new = False

    def frames(self, quote: Quote) -> Iterator[str]:
        """Yield what a price comes to here."""
        followed = self._followed.get(quote.instrument_id)
        if followed is None:
            return
        for mode in sorted(followed.modes):
            yield self._room.wording.of(followed.instrument, quote, mode)

    def close(self) -> None:
        """Leave the board."""
        self.drop_all()
        self.subscription.close()
