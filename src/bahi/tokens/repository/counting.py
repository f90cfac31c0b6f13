"""How many tokens accounts have, of how many applications; accounts by the schema's names."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from bahi.db.schema import HOUSE
from bahi.db.tx import Tx
from bahi.kernel.clock import instant_of, to_micros
from bahi.tokens.model.counting import Counted
from bahi.tokens.tables import broker_tokens


def count_of(tx: Tx, accounts: Collection[int], now: datetime) -> dict[int, Counted]:
    """Return how many enabled applications of each account have a token with time left."""
    apis = HOUSE.metadata.tables["broker_apis"]
    it = broker_tokens.c
    good = sa.and_(
        it.broker_api_id == apis.c.id,
        it.is_active == 1,
        sa.or_(it.expires_at.is_(None), it.expires_at > to_micros(now)),
    )
    clause = (
        sa.select(
            apis.c.account_id,
            sa.func.count(sa.distinct(apis.c.id)),
            sa.func.count(sa.distinct(it.broker_api_id)),
            sa.func.min(it.expires_at),
        )
        .select_from(apis.outerjoin(broker_tokens, good))
        .where(apis.c.account_id.in_(sorted(accounts)), apis.c.enabled == 1)
        .group_by(apis.c.account_id)
    )
    return {
        row[0]: Counted(good=int(row[2]), of=int(row[1]), ends_at=instant_of(row[3]))
        for row in tx.rows(clause)
    }
