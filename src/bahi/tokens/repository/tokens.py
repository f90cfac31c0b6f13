"""The SQL of tokens; which account an application belongs to is read by the schema's names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from bahi.db.schema import HOUSE
from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, instant_of, micros_of, to_micros
from bahi.kernel.words import BrokerSlug, TokenState
from bahi.tokens.model import Token
from bahi.tokens.tables import (
    broker_tokens,
)

KINDS: Final = ("access", "session", "refresh", "feed")
_SEALED: Final = tuple(broker_tokens.c[f"{kind}_token_enc"] for kind in KINDS)
_TOKEN: Final = tuple(broker_tokens.c[name] for name in Token.__slots__)


class Goodness(NamedTuple):
    """How many tokens of an account are good by their time, of how many, and until when."""

    good: int
    total: int
    soonest_end: datetime | None


def add_token(tx: Tx, row: Mapping[str, Any]) -> None:
    """Add a token; an application has at most one that is active."""
    tx.change(broker_tokens.insert(), row)


def retire(
    tx: Tx,
    because: str,
    now: datetime,
    *,
    api_id: int | None = None,
    token_id: int | None = None,
    expired_at: datetime | None = None,
) -> int:
    """Take active tokens out of use: an application's, one, or all that have expired."""
    clause = broker_tokens.update().where(broker_tokens.c.is_active == 1)
    if api_id is not None:
        clause = clause.where(broker_tokens.c.broker_api_id == api_id)
    if token_id is not None:
        clause = clause.where(broker_tokens.c.id == token_id)
    if expired_at is not None:
        clause = clause.where(broker_tokens.c.expires_at <= to_micros(expired_at))
    at = to_micros(now)
    values = {"is_active": 0, "retired_at": at, "retired_because": because, "updated_at": at}
    return tx.change(clause.values(**values))


def change_token(tx: Tx, token_id: int, values: Mapping[str, Any], now: datetime) -> None:
    """Change what is given of a token."""
    stamped = {**values, "updated_at": to_micros(now)}
    tx.change(broker_tokens.update().where(broker_tokens.c.id == token_id).values(**stamped))


def active_tokens(tx: Tx, api_ids: Sequence[int]) -> dict[int, Token]:
    """Return the active token of each of some applications."""
    clause = sa.select(*_TOKEN).where(
        broker_tokens.c.broker_api_id.in_(api_ids), broker_tokens.c.is_active == 1
    )
    found = [_token(row) for row in tx.rows(clause)]
    return {token.broker_api_id: token for token in found}


def expired_tokens(tx: Tx, now: datetime, limit: int) -> list[Token]:
    """Return active tokens whose time is over."""
    clause = sa.select(*_TOKEN).where(
        broker_tokens.c.is_active == 1, broker_tokens.c.expires_at <= to_micros(now)
    )
    return [_token(row) for row in tx.rows(clause.limit(limit))]


def count_expired(tx: Tx, now: datetime) -> int:
    """Count active tokens whose time is over."""
    over = broker_tokens.c.expires_at <= to_micros(now)
    clause = sa.select(sa.func.count()).select_from(broker_tokens)
    row = tx.row(clause.where(broker_tokens.c.is_active == 1, over))
    return int(row[0]) if row else 0


def history(tx: Tx, api_id: int, limit: int) -> list[Token]:
    """Return every token ever issued to an application, newest first."""
    clause = sa.select(*_TOKEN).where(broker_tokens.c.broker_api_id == api_id)
    return [_token(row) for row in tx.rows(clause.order_by(broker_tokens.c.id.desc()).limit(limit))]


def sealed_tokens(tx: Tx, token_id: int) -> dict[str, bytes]:
    """Return the sealed parts of a token, by kind."""
    row = tx.row(sa.select(*_SEALED).where(broker_tokens.c.id == token_id))
    parts = () if row is None else zip(KINDS, row, strict=True)
    return {kind: bytes(sealed) for kind, sealed in parts if sealed is not None}


def newest_of_broker(tx: Tx, broker: BrokerSlug, now: datetime) -> tuple[Token, int] | None:
    """Return a broker's newest active token that has not expired, and its account."""
    apis, accounts = HOUSE.metadata.tables["broker_apis"], HOUSE.metadata.tables["accounts"]
    row = tx.row(
        sa.select(*_TOKEN, accounts.c.id)
        .join(apis, apis.c.id == broker_tokens.c.broker_api_id)
        .join(accounts, accounts.c.id == apis.c.account_id)
        .where(
            accounts.c.broker == broker,
            broker_tokens.c.is_active == 1,
            sa.or_(
                broker_tokens.c.expires_at.is_(None),
                broker_tokens.c.expires_at > to_micros(now),
            ),
        )
        .order_by(broker_tokens.c.updated_at.desc(), broker_tokens.c.id.desc())
        .limit(1)
    )
    return None if row is None else (_token(row[: len(_TOKEN)]), int(row[len(_TOKEN)]))


def count_good(tx: Tx, now: datetime) -> tuple[int, int]:
    """Count the enabled applications whose token has time left, and all of them."""
    apis, accounts = HOUSE.metadata.tables["broker_apis"], HOUSE.metadata.tables["accounts"]
    lives = sa.or_(
        broker_tokens.c.expires_at.is_(None), broker_tokens.c.expires_at > to_micros(now)
    )
    good = sa.exists().where(
        broker_tokens.c.broker_api_id == apis.c.id, broker_tokens.c.is_active == 1, lives
    )
    wanted = (
        sa.select(sa.func.count())
        .select_from(apis.join(accounts, accounts.c.id == apis.c.account_id))
        .where(apis.c.enabled == 1, accounts.c.is_active == 1, accounts.c.deleted_at.is_(None))
    )
    all_of_them, with_token = tx.row(wanted), tx.row(wanted.where(good))
    return int(with_token[0] if with_token else 0), int(all_of_them[0] if all_of_them else 0)


def by_account(tx: Tx, ids: Collection[int], now: datetime) -> dict[int, Goodness]:
    """Return how many enabled applications some accounts have, and how many a token with time."""
    apis, it = HOUSE.metadata.tables["broker_apis"], broker_tokens.c
    clause = (
        sa.select(apis.c.account_id, it.id, it.expires_at)
        .select_from(
            apis.outerjoin(broker_tokens, sa.and_(it.broker_api_id == apis.c.id, it.is_active == 1))
        )
        .where(apis.c.account_id.in_(ids), apis.c.enabled == 1)
    )
    found: dict[int, Goodness] = {}
    for account_id, token_id, ends in tx.rows(clause):
        known = found.get(account_id, Goodness(0, 0, None))
        is_good = token_id is not None and (ends is None or ends > to_micros(now))
        until = [it for it in (known.soonest_end, instant_of(ends) if is_good else None) if it]
        found[account_id] = Goodness(
            known.good + is_good, known.total + 1, min(until, default=None)
        )
    return found


def lease(tx: Tx, token_id: int, owner: str, now: datetime, until: datetime | None) -> bool:
    """Lend a token to a stream, or take it back; False while another has it."""
    free = sa.or_(
        broker_tokens.c.lease_owner.is_(None),
        broker_tokens.c.lease_owner == owner,
        broker_tokens.c.leased_until <= to_micros(now),
    )
    clause = broker_tokens.update().where(
        broker_tokens.c.id == token_id, broker_tokens.c.is_active == 1, free
    )
    holder = None if until is None else owner
    values = {"lease_owner": holder, "leased_until": micros_of(until), "updated_at": to_micros(now)}
    return tx.change(clause.values(**values)) == 1


def _token(row: Row) -> Token:
    it = dict(zip(Token.__slots__, row, strict=True))
    for name in ("expires_at", "leased_until", "checked_at", "retired_at"):
        it[name] = instant_of(it[name])
    state = it["checked_state"]
    return Token(
        **it
        | {
            "is_active": bool(it["is_active"]),
            "checked_state": None if state is None else TokenState(state),
            "generated_at": from_micros(it["generated_at"]),
            "created_at": from_micros(it["created_at"]),
        }
    )
