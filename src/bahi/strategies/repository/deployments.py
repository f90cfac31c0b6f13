"""The SQL of deployments: which strategies run on which accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.kernel.words import DeploymentStatus
from bahi.strategies.tables import strategies, strategy_deployments


def armed(tx: Tx, ids: Collection[int]) -> dict[int, list[str]]:
    """Return the names of the strategies that run on each of some accounts, those that have any."""
    it = strategy_deployments.c
    clause = (
        sa.select(it.account_id, strategies.c.name)
        .join_from(strategy_deployments, strategies, strategies.c.id == it.strategy_id)
        .where(
            it.account_id.in_(ids),
            it.status == str(DeploymentStatus.ACTIVE),
            strategies.c.is_active == 1,
        )
        .order_by(it.account_id, strategies.c.name)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for account_id, name in tx.rows(clause):
        found[account_id].append(name)
    return dict(found)
