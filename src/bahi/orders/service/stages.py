"""How long orders took from intent to fill, stage by stage."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from bahi.db.tx import Tx
from bahi.kernel.clock import to_micros
from bahi.orders.model.stages import StageSpread
from bahi.orders.repository import stages as rows


def stages_between(
    tx: Tx, accounts: Collection[int], since: datetime, until: datetime
) -> list[StageSpread]:
    """Return how long each stage took of accounts' own orders that were placed in a while."""
    return rows.stages_of(tx, accounts, to_micros(since), to_micros(until))
