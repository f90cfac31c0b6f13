"""The trail's seals verified while somebody looks on: one check at a time, told as it goes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from bahi.audit.model import Verdict
from bahi.audit.service import verify
from bahi.audit.service.trail import sealed
from bahi.bootstrap.house import SEALED, House
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.errors import BahiError


@dataclass
class TrailCheck:
    """A check of every trail: how far it is, and what it found."""

    begun_at: datetime
    asked_by: str
    total: int = 0
    done: dict[str, int] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    ended_at: datetime | None = None
    failure: str = ""

    @property
    def rows(self) -> int:
        """How many rows were compared with their seals so far."""
        return sum(self.done.values())

    @property
    def is_good(self) -> bool:
        """Whether it ended, and found everything as it was sealed."""
        return (
            self.ended_at is not None
            and not self.failure
            and all(it.is_good for it in self.verdicts)
        )


class TrailChecks:
    """Verifies the trails of a house, one check at a time; of several who ask, all see one."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.newest: TrailCheck | None = None
        self._going: asyncio.Task[None] | None = None

    def begin(self, actor: Actor) -> TrailCheck:
        """Begin a check, or return the one that is under way."""
        require_admin(actor)
        if self.newest is None or self.newest.ended_at is not None:
            self.newest = TrailCheck(self._house.clock(), actor.name)
            self._going = asyncio.create_task(self._run(self.newest), name="trail check")
            self._house.following.append(self._going)  # ends with the house
            self._going.add_done_callback(self._house.following.remove)
        return self.newest

    async def _run(self, check: TrailCheck) -> None:
        house = self._house
        try:
            for name in SEALED:
                check.total += await house.stores[name].read(sealed, fresh=True)
            for name in SEALED:
                check.verdicts.append(await self._of(name, check))
        except BahiError as fault:  # who looks on is told; nobody else waits for it
            check.failure = str(fault)
        finally:
            check.ended_at = house.clock()

    async def _of(self, name: str, check: TrailCheck) -> Verdict:
        def tell(rows: int) -> None:
            check.done[name] = rows

        house = self._house
        return await verify(
            house.stores[name],
            house.stores["archive"],
            house.vault,
            folder=house.settings.home,
            now=house.clock(),
            tell=tell,
        )
