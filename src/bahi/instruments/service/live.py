"""The symbol master as the house asks it: from memory, and new within a second of a change.

A master of two hundred thousand takes a second to read. Whoever asks meanwhile gets the one before,
which is as whole as the new one; only where there is none yet is it waited for.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import date
from typing import Final, Protocol

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.instruments.model.catalogue import BrokerName, BrokerNames, Catalogue
from bahi.instruments.model.instrument import Instrument, Terms, instrument_of
from bahi.instruments.repository import entries
from bahi.instruments.service.records import TOPIC
from bahi.kernel.errors import BahiError, NotFound
from bahi.kernel.words import BrokerSlug, Segment

log: Final = logging.getLogger("bahi.instruments")


class Numbers(Protocol):
    """Knows how often a thing changed (`db.revisions.Revisions`)."""

    def number(self, topic: str) -> int | None:
        """Return the topic's number, None where it is not known freshly."""


class LiveInstruments:
    """What is listed, and how brokers name it; one for each process."""

    def __init__(self, main: Store, revisions: Numbers) -> None:
        self._main, self._revisions = main, revisions
        self._catalogue: Catalogue | None = None
        self._names: dict[BrokerSlug, tuple[int | None, BrokerNames]] = {}
        self._number: int | None = None
        self._keeps_ready = False
        self._reading: asyncio.Task[Catalogue] | None = None

    async def start(self) -> None:
        """Read it now and keep it ready to be searched, before the first who asks has to wait."""
        self._keeps_ready = True
        self._begin_reading(self._revisions.number(TOPIC))

    @property
    def number(self) -> int | None:
        """The number of the master that is in memory; None: there is none, or it may be old."""
        number = self._revisions.number(TOPIC)
        return None if number is None or number != self._number else number

    async def catalogue(self) -> Catalogue:
        """Return what is listed; the master before it while a new one is being read."""
        number = self._revisions.number(TOPIC)
        if self._catalogue is not None and self._is_good(number):
            return self._catalogue
        reading = self._begin_reading(number)
        if self._catalogue is not None and len(self._catalogue):
            return self._catalogue
        return await asyncio.shield(reading)

    def _is_good(self, number: int | None) -> bool:
        """Say whether nothing was loaded since; where nobody knows, any is better than none."""
        return bool(self._catalogue) if number is None else number == self._number

    async def newest(self) -> Catalogue:
        """Return what is listed now, however long it takes to read."""
        return await asyncio.shield(self._begin_reading(self._revisions.number(TOPIC)))

    def _begin_reading(self, number: int | None) -> asyncio.Task[Catalogue]:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(number), name="instruments")
            self._reading.add_done_callback(_told)
        return self._reading

    async def _read(self, number: int | None) -> Catalogue:
        catalogue = await self._main.read(catalogue_of, fresh=True)
        self._catalogue, self._number = catalogue, number  # as old as the number or newer
        if self._keeps_ready:
            asyncio.get_running_loop().run_in_executor(None, catalogue.prepare)
        return catalogue

    async def names(self, broker: BrokerSlug) -> BrokerNames:
        """Return how a broker names what it lists; read when it is first asked for."""
        number = self._revisions.number(TOPIC)
        known = self._names.get(broker)
        if known is None or (number is not None and number != known[0]):
            known = (number, await self._main.read(names_of, broker, fresh=True))
            self._names[broker] = known
        return known[1]

    def at_hand(self, instrument_id: int) -> Instrument | None:
        """Return an instrument of the master that is in memory, without waiting for a newer one."""
        return None if self._catalogue is None else self._catalogue.by_id(instrument_id)

    def named_at_hand(self, symbol: str, segment: Segment) -> Instrument | None:
        """Return an instrument by its symbol, likewise."""
        return None if self._catalogue is None else self._catalogue.find(symbol, segment)

    async def by_id(self, instrument_id: int) -> Instrument:
        """Return an instrument by its id, also one that is listed no longer."""
        if (found := (await self.catalogue()).by_id(instrument_id)) is not None:
            return found
        entry = await self._main.read(entries.find_entry, instrument_id)
        if entry is None:
            raise NotFound(f"There is no instrument {instrument_id}.")
        return instrument_of(entry)

    async def named_by(self, instrument_id: int) -> list[tuple[BrokerSlug, BrokerName]]:
        """Return how each broker names an instrument, of those whose master is in force."""
        return await self._main.read(entries.names_for, instrument_id, fresh=True)

    async def terms_on(self, instrument_id: int, day: date) -> Terms:
        """Return what held for an instrument on a day."""
        terms = await self._main.read(entries.terms_on, instrument_id, day)
        if terms is None:
            raise NotFound(f"What held for instrument {instrument_id} on {day} is not known here.")
        return terms

    async def close(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)


def _told(reading: asyncio.Task[Catalogue]) -> None:
    """Log what went wrong: who asked may have been content with the master before."""
    if not reading.cancelled() and isinstance(failure := reading.exception(), BahiError):
        log.warning("the symbol master could not be read: %s", failure)


def catalogue_of(tx: Tx) -> Catalogue:
    """Read what is listed, in the thread that reads."""
    return Catalogue(entries.listed(tx))


def names_of(tx: Tx, broker: BrokerSlug) -> BrokerNames:
    """Read how a broker names things."""
    return BrokerNames(entries.names_of(tx, broker))
