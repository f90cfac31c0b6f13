"""The only SQL of settings, of what is remembered for a while, and of counted requests."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros
from bahi.kernel.redaction import HIDDEN
from bahi.settings.model import CacheUse, Config, RateUse, decoded
from bahi.settings.tables import cache_entries, config, rate_limits

_SEED: Final = sa.text(
    "INSERT INTO config (category, key, value, data_type, description, created_at, updated_at,"
    " updated_by) VALUES (:category, :key, :value, :data_type, :description, :now, :now,"
    " 'bahi:seed') ON CONFLICT (category, key) DO NOTHING"
)
_SET: Final = sa.text(
    "INSERT INTO config (category, key, value, value_enc, data_type, description, is_sensitive,"
    " is_active, version, created_at, updated_at, updated_by) VALUES (:category, :key, :value,"
    " :value_enc, :data_type, :description, :is_sensitive, 1, 1, :now, :now, :updated_by)"
    " ON CONFLICT (category, key) DO UPDATE SET value = excluded.value,"
    " value_enc = excluded.value_enc, data_type = excluded.data_type,"
    " description = coalesce(excluded.description, config.description),"
    " is_sensitive = excluded.is_sensitive, is_active = 1, version = config.version + 1,"
    " updated_at = excluded.updated_at, updated_by = excluded.updated_by"
)
_PUT: Final = sa.text(
    "INSERT INTO cache_entries (cache_key, cache_value, cache_type, expires_at, created_at,"
    " updated_at, access_count) VALUES (:cache_key, :cache_value, :cache_type, :expires_at, :now,"
    " :now, 0) ON CONFLICT (cache_key) DO UPDATE SET cache_value = excluded.cache_value,"
    " cache_type = excluded.cache_type, expires_at = excluded.expires_at,"
    " updated_at = excluded.updated_at"
)
_RECALL: Final = sa.text(
    "UPDATE cache_entries SET access_count = access_count + 1, last_accessed_at = :now"
    " WHERE cache_key = :cache_key AND (expires_at IS NULL OR expires_at > :now)"
    " RETURNING cache_value"
)
_COUNT: Final = sa.text(
    "INSERT INTO rate_limits (id, api_name, account_id, user_ref, endpoint, request_count,"
    " window_start, window_end, last_request_at, limit_exceeded, created_at) VALUES (:id,"
    " :api_name, :account_id, :user_ref, :endpoint, 1, :window_start, :window_end, :now,"
    " CASE WHEN :most < 1 THEN 1 ELSE 0 END, :now) ON CONFLICT (id) DO UPDATE SET"
    " request_count = rate_limits.request_count + 1, last_request_at = excluded.last_request_at,"
    " limit_exceeded = CASE WHEN rate_limits.request_count + 1 > :most THEN 1"
    " ELSE rate_limits.limit_exceeded END RETURNING request_count"
)
_SHOWN: Final = tuple(c for c in config.columns if c.name != "value_enc")


def seed(tx: Tx, row: Mapping[str, Any]) -> int:
    """Enter a setting where there is none of its name; return 1 if it was entered."""
    return tx.change(_SEED, row)


def find(tx: Tx, category: str, key: str, *, lock: bool = False) -> Config | None:
    """Return a setting, active or not."""
    clause = sa.select(*_SHOWN).where(config.c.category == category, config.c.key == key)
    row = tx.row(clause.with_for_update() if lock else clause)
    return None if row is None else _config(row)


def find_sealed(tx: Tx, category: str, key: str) -> bytes | None:
    """Return the ciphertext of an active setting."""
    clause = sa.select(config.c.value_enc).where(
        config.c.category == category, config.c.key == key, config.c.is_active == 1
    )
    row = tx.row(clause)
    return None if row is None or row[0] is None else bytes(row[0])


def save(tx: Tx, row: Mapping[str, Any]) -> None:
    """Enter a setting or change it; its version grows by one."""
    tx.change(_SET, row)


def deactivate(tx: Tx, category: str, key: str, updated_by: str, now: int) -> None:
    """Have a setting count no longer."""
    tx.change(
        config.update()
        .where(config.c.category == category, config.c.key == key)
        .values(is_active=0, version=config.c.version + 1, updated_by=updated_by, updated_at=now)
    )


def configs(tx: Tx, category: str | None = None, *, all_of_them: bool = False) -> list[Config]:
    """Return the active settings (of a category), or all of them, by name."""
    clause = sa.select(*_SHOWN).order_by(config.c.category, config.c.key)
    if category is not None:
        clause = clause.where(config.c.category == category)
    if not all_of_them:
        clause = clause.where(config.c.is_active == 1)
    return [_config(row) for row in tx.rows(clause)]


def sealed(tx: Tx) -> dict[tuple[str, str], bytes]:
    """Return the ciphertext of every active sensitive setting, by its name."""
    clause = sa.select(config.c.category, config.c.key, config.c.value_enc).where(
        config.c.is_active == 1, config.c.value_enc.is_not(None)
    )
    return {(category, key): bytes(secret) for category, key, secret in tx.rows(clause)}


def put(tx: Tx, row: Mapping[str, Any]) -> None:
    """Remember something, or remember it anew."""
    tx.change(_PUT, row)


def recall(tx: Tx, key: str, now: int) -> str | None:
    """Return what is remembered and has not expired, and count that it was asked for."""
    row = tx.row(_RECALL, {"cache_key": key, "now": now})
    return None if row is None else str(row[0])


def count_entries(tx: Tx, cache_type: str | None = None, expired_at: int | None = None) -> int:
    """Count what is remembered: all of it, of one kind, or what has expired."""
    clause = sa.select(sa.func.count()).select_from(cache_entries)
    return _one(tx, clause.where(*_which(cache_type, expired_at)))


def forget(tx: Tx, cache_type: str | None = None, expired_at: int | None = None) -> int:
    """Forget all of it, one kind, or what has expired; return how many."""
    return tx.change(cache_entries.delete().where(*_which(cache_type, expired_at)))


def forget_soonest(tx: Tx, at_most: int) -> int:
    """Make room: forget what would expire first."""
    first = sa.select(cache_entries.c.cache_key).order_by(cache_entries.c.expires_at).limit(at_most)
    return tx.change(cache_entries.delete().where(cache_entries.c.cache_key.in_(first)))


def cache_use(tx: Tx) -> list[CacheUse]:
    """Say of each kind how much is remembered and how often it was asked for."""
    kind = sa.func.coalesce(cache_entries.c.cache_type, "")
    clause = sa.select(
        kind, sa.func.count(), sa.func.coalesce(sa.func.sum(cache_entries.c.access_count), 0)
    ).group_by(kind)
    return [CacheUse(row[0], int(row[1]), int(row[2])) for row in tx.rows(clause.order_by(kind))]


def count_request(tx: Tx, row: Mapping[str, Any]) -> int:
    """Count a request in its window; return how many there are now."""
    found = tx.row(_COUNT, row)
    return int(found[0]) if found else 0


def rate_use(tx: Tx, since: int, until: int) -> list[RateUse]:
    """Say of each API how much it was used in windows that began in a while."""
    clause = (
        sa.select(
            rate_limits.c.api_name,
            sa.func.sum(rate_limits.c.request_count),
            sa.func.count(),
            sa.func.sum(rate_limits.c.limit_exceeded),
        )
        .where(rate_limits.c.window_start >= since, rate_limits.c.window_start < until)
        .group_by(rate_limits.c.api_name)
        .order_by(rate_limits.c.api_name)
    )
    return [RateUse(row[0], int(row[1]), int(row[2]), int(row[3])) for row in tx.rows(clause)]


def count_windows(tx: Tx, before: int) -> int:
    """Count the windows that ended before an instant."""
    clause = sa.select(sa.func.count()).select_from(rate_limits)
    return _one(tx, clause.where(rate_limits.c.window_end < before))


def forget_windows(tx: Tx, before: int) -> int:
    """Forget the windows that ended before an instant."""
    return tx.change(rate_limits.delete().where(rate_limits.c.window_end < before))


def _which(cache_type: str | None, expired_at: int | None) -> list[sa.ColumnElement[bool]]:
    rules: list[sa.ColumnElement[bool]] = []
    if cache_type is not None:
        rules.append(cache_entries.c.cache_type == cache_type)
    if expired_at is not None:
        rules.append(cache_entries.c.expires_at <= expired_at)
    return rules


def _one(tx: Tx, clause: sa.Select[Any]) -> int:
    row = tx.row(clause)
    return int(row[0]) if row else 0


def _config(row: Row) -> Config:
    it = dict(zip((c.name for c in _SHOWN), row, strict=True))
    it["is_sensitive"], it["is_active"] = bool(it["is_sensitive"]), bool(it["is_active"])
    if it["is_sensitive"]:
        it["value"] = HIDDEN
    else:
        with suppress(ValueError):  # written by another hand: shown as it is
            it["value"] = decoded(it["data_type"], it["value"])
    it["created_at"] = it["created_at"] and from_micros(it["created_at"])
    it["updated_at"] = from_micros(it["updated_at"])
    return Config(**it)
