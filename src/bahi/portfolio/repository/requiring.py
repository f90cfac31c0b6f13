"""Margin as it was worked out for wishes."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.kernel.clock import to_micros
from bahi.portfolio.model.requiring import Asked, Need
from bahi.portfolio.tables import margin_requirements


def add(tx: Tx, account_id: int, it: Asked, need: Need, now: datetime) -> None:
    """Write what one wish needs."""
    tx.change(
        sa.insert(margin_requirements).values(
            id=tx.new_id(),
            account_id=account_id,
            order_id=None,
            security_id=it.security_id or it.key.symbol,
            exchange_segment=str(it.key.segment),
            quantity=it.quantity,
            price=it.price,
            product=str(it.key.product),
            total_margin=need.total,
            span_margin=need.span,
            exposure_margin=need.exposure,
            var_margin=need.var,
            calculated_at=to_micros(now),
        )
    )


def remove_before(tx: Tx, account_id: int, at: datetime) -> None:
    """Remove what was answered before an instant."""
    it = margin_requirements.c
    old = (it.account_id == account_id, it.calculated_at < to_micros(at))
    tx.change(sa.delete(margin_requirements).where(*old))
