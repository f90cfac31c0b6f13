"""Sealing: what is committed gets its seal a moment later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from bahi.audit import repository
from bahi.audit.model import FIRST, ROWS_IN_A_SEAL, SEAL_PURPOSE, Seal, row_digest
from bahi.audit.service.witness import Witness
from bahi.db.failures import Duplicate
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.clock import Clock, from_micros, to_micros
from bahi.kernel.crypto import Vault
from bahi.kernel.errors import BahiError
from bahi.kernel.ids import minted_at

SEAL_EVERY_S: Final = 1.5
LATE_BY: Final = timedelta(hours=1)
"""How much older than the newest sealed row one may be that commits now; a sweep finds others."""
SWEEP_EVERY: Final = 400
_MS_SHIFT: Final = 22

log = logging.getLogger("bahi.audit")


class Sealer:
    """Seals what a store's transactions wrote, a moment after they commit.

    Any number of processes may seal: a seal follows exactly one other, which the database keeps,
    so of two that seal at once one begins again. Each seal is also written down in a file, so
    that a trail cut off at its end is found too.
    """

    def __init__(self, store: Store, vault: Vault, clock: Clock, folder: Path) -> None:
        self._store, self._vault, self._clock = store, vault, clock
        self._witness = Witness(folder, store.name, vault)
        self._rounds = 0
        self._task: asyncio.Task[None] | None = None

    async def seal(self) -> int:
        """Seal everything that is committed and not sealed; return how many rows."""
        whole = self._rounds % SWEEP_EVERY == 0
        self._rounds += 1
        total = 0
        while ids := await self._store.read(_to_seal, whole, fresh=True):
            try:
                seal = await self._store.write(_seal_these, ids, self._vault.digest, self._clock())
            except Duplicate:
                await asyncio.sleep(0)  # another process was quicker: look again what is left
                continue
            self._witness.keep(seal)
            total += seal.row_count
        return total

    def start(self) -> None:
        """Go on sealing until `stop`."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_sealing(), name=f"seal {self._store.name}")

    async def stop(self) -> None:
        """Seal a last time, and no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        with suppress(BahiError):  # who seals next will seal these too
            await self.seal()

    async def _keep_sealing(self) -> None:
        said = ""
        while True:
            try:
                await self.seal()
                said = ""
            except BahiError as fault:
                if fault.code != said:
                    log.warning("the %s trail waits to be sealed: %s", self._store.name, fault)
                    said = fault.code
            await asyncio.sleep(SEAL_EVERY_S)


def _to_seal(tx: Tx, whole: bool) -> list[int]:  # noqa: FBT001 - handed over by position
    above = 0
    if not whole and (newest := repository.newest_seal(tx)):
        begins = from_micros(newest.sealed_at) - LATE_BY
        above = max(0, _first_id_at(begins))
    return repository.unsealed(tx, above, ROWS_IN_A_SEAL)


def _first_id_at(instant: datetime) -> int:
    since_epoch = instant - minted_at(0)
    return (since_epoch // timedelta(milliseconds=1)) << _MS_SHIFT


def _seal_these(
    tx: Tx, ids: Sequence[int], digest: Callable[[str, str], str], now: datetime
) -> Seal:
    previous = repository.newest_seal(tx)
    members = [(row[0], row_digest(row)) for row in repository.stored(tx, ids)]
    seal = Seal(
        seal_no=tx.new_id(),
        previous_seal_no=previous.seal_no if previous else FIRST,
        previous_digest=previous.digest if previous else "",
        row_count=len(members),
        sealed_at=to_micros(now),
    )
    seal = replace(seal, digest=digest(seal.text(it for _, it in members), SEAL_PURPOSE))
    repository.add_seal(tx, seal, members)
    return seal
