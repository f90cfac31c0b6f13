"""What holds for every broker whose login takes a person, each day anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from bahi.kernel.ports import Application, Grant, LoginFailed
from bahi.kernel.words import LoginFailure


class ByHand:
    """The part of Login that such a broker has no way to do."""

    BROKER: ClassVar[str]

    def is_headless(self, application: Application) -> bool:
        """Say no, whatever is registered."""
        del application
        return False

    async def log_in(self, application: Application, now: datetime) -> Grant:
        """Refuse, and say what to do instead."""
        del application, now
        raise LoginFailed(
            f"{self.BROKER} has no login without a person; open the address that begins one.",
            LoginFailure.CONSENT_FAILED,
            broker_code="needs a person",
        )

    async def ask(self, application: Application, now: datetime) -> datetime | None:
        """Return None: nobody is asked but by a link."""
        del application, now
        return None

    async def renew(
        self, application: Application, tokens: Mapping[str, str], now: datetime
    ) -> Grant | None:
        """Return None: nothing is renewed."""
        del application, tokens, now
        return None
