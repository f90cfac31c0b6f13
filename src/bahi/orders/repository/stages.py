"""How long orders took on their way, counted in the database."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa

from bahi.db import spreading
from bahi.db.tx import Tx
from bahi.kernel.spread import Bucket, spread_of
from bahi.orders.model.stages import Stage, StageSpread
from bahi.orders.tables import orders

_IT: Final = orders.c
_STAMPS: Final = {
    Stage.TO_THE_WIRE: (_IT.intent_at, _IT.sent_at),
    Stage.AT_THE_BROKER: (_IT.sent_at, _IT.acked_at),
    Stage.TO_THE_FIRST_FILL: (_IT.acked_at, _IT.first_fill_at),
    Stage.WHOLE: (_IT.intent_at, _IT.first_fill_at),
}


def stages_of(tx: Tx, accounts: Collection[int], since: int, until: int) -> list[StageSpread]:
    """Return how long each stage took of accounts' own orders of a while; one statement.

    A fill is stamped by the broker's clock: where that is before ours of the answer it took nothing
    to fill. Orders that moved to the archive are not counted.
    """
    if not accounts:
        return []
    several = [_counted(it, accounts, since, until) for it in _STAMPS]
    buckets: dict[Stage, list[Bucket]] = {}
    for stage, *measured in tx.rows(sa.union_all(*several)):
        buckets.setdefault(Stage(stage), []).append(spreading.bucket_of(measured))
    return [StageSpread(it, spread_of(buckets[it])) for it in Stage if it in buckets]


def _counted(stage: Stage, accounts: Collection[int], since: int, until: int) -> sa.Select[Any]:
    first, then = _STAMPS[stage]
    took = sa.case((then < first, sa.literal_column("0")), else_=then - first)
    return (
        sa.select(sa.literal_column(f"'{stage}'").label("stage"), *spreading.measured(took))
        .where(
            _IT.account_id.in_(sorted(accounts)),
            _IT.placed_at >= since,
            _IT.placed_at < until,
            _IT.is_external == 0,
            first.is_not(None),
            then.is_not(None),
        )
        .group_by(sa.text("bucket"))
    )
