"""How long calls took, by broker and operation: a histogram of an hour or of a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bahi.db.stores import Store
from bahi.kernel.actor import Actor
from bahi.kernel.clock import to_micros
from bahi.kernel.errors import Forbidden, Invalid
from bahi.telemetry import repository
from bahi.telemetry.model import CallSpread

LONGEST: Final = timedelta(days=7)
"""Over how long at most a histogram is made at once."""
TO_BROKERS: Final = "brokers"
BY_PROGRAMS: Final = "api"


async def call_spreads(
    store: Store,
    actor: Actor,
    since: datetime,
    until: datetime,
    *,
    module: str = TO_BROKERS,
    broker: str | None = None,
    operation: str | None = None,
    account_id: int | None = None,
) -> list[CallSpread]:
    """Return how long calls that began in a while took, by broker and operation; one statement.

    `module` is `brokers` for what we asked of them, `api` for what programs asked of us.
    """
    if not actor.is_admin:
        raise Forbidden("Only an admin may read what the house wrote down of itself.")
    check_while(since, until)
    names = {"module": module, "broker": broker, "operation": operation, "account_id": account_id}
    within = (to_micros(since), to_micros(until))
    return await store.read(repository.call_spreads, within, names, fresh=True)


def check_while(since: datetime, until: datetime) -> None:
    """Refuse what is no while, or too long a one."""
    if since >= until:
        raise Invalid("until: it is not after since; give the earlier instant first.")
    if until - since > LONGEST:
        raise Invalid(f"until: at most {LONGEST.days} days are counted at once.")
