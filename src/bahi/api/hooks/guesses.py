"""What guesses at secret addresses may cost: few are looked up, and whoever guesses much, none.

An address that opened before is looked up at once, whatever else comes from where its caller is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from bahi.api.callers import Caller
from bahi.kernel.remembered import Remembered

T = TypeVar("T")

GOOD_AT_MOST: Final = 1_000
GOOD_FOR_S: Final = 36_000.0
AT_ONCE: Final = 4
"""Looks at the database for addresses that nobody has seen open."""


class Guesses:
    """Knows which addresses opened; one for each door of them."""

    def __init__(self) -> None:
        self._good: Remembered[str, bool] = Remembered(GOOD_AT_MOST, GOOD_FOR_S)
        self._looking = asyncio.Semaphore(AT_ONCE)

    async def found(
        self, caller: Caller, digest: str, look: Callable[[], Awaitable[T | None]]
    ) -> T | None:
        """Return what an address opens; a guess is counted, and one too many is not looked up."""
        if self._good.get(digest):
            found = await look()
        else:
            await caller.may_guess()
            async with self._looking:
                found = await look()
        if found is None:
            self._good.forget(digest)
            await caller.stranger()
        else:
            self._good.put(digest, value=True)
        return found
