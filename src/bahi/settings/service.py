"""Settings that an operator changes while the house runs, and two small memories beside them.

A change is written with its audit row and the number that tells every process of it; `LiveConfig`
is how the house reads settings, never older than a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypedDict

from bahi.audit.service import note
from bahi.db.resealing import row_id
from bahi.db.revisions import bump
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.crypto import Vault
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.redaction import HIDDEN
from bahi.settings import repository
from bahi.settings.model import (
    Asked,
    CacheUse,
    Config,
    Counted,
    Limit,
    RateUse,
    Wish,
    check_name,
    checked,
    decoded,
    is_sensitive,
    type_of,
    usable,
    window_id,
)
from bahi.settings.model.declared import DECLARED, KNOWN

TOPIC: Final = "config"
DESCRIPTION_AT_MOST: Final = 500
ENTRIES_AT_MOST: Final = 10_000
ENTRY_AT_MOST: Final = 65_536
KEY_AT_MOST: Final = 255
REMEMBER_AT_MOST: Final = timedelta(days=30)
ROOM_FOR: Final = 100  # entries that go at once when there is no room
SCHEDULER: Final = "scheduler"


class Place(TypedDict):
    """Where a secret is sealed for."""

    table: str
    column: str
    row_id: int | str


Known = dict[tuple[str, str], tuple[Config, bytes | None]]
"""Settings by name, each with its ciphertext where it is sensitive."""


class NoSetting(NotFound):
    """There is no such setting."""

    code = "no_setting"


class Numbers(Protocol):
    """Knows how often a thing changed (`db.revisions.Revisions`)."""

    def number(self, topic: str) -> int | None:
        """Return the topic's number, None where it is not known freshly."""


# Settings


def seed(tx: Tx, now: datetime) -> int:
    """Enter every declared setting that is missing; return how many. Nothing is overwritten."""
    entered = 0
    for it in DECLARED:
        row = {
            "category": it.category,
            "key": it.key,
            "value": checked(it.category, it.key, it.data_type, it.default),
            "data_type": it.data_type,
            "description": it.description,
            "now": to_micros(now),
        }
        entered += repository.seed(tx, row)
    if entered:
        bump(tx, TOPIC)
    return entered


def find_config(tx: Tx, category: str, key: str) -> Config | None:
    """Return an active setting, or None."""
    found = repository.find(tx, category, key)
    return found if found and found.is_active else None


def get_config(tx: Tx, category: str, key: str) -> Config:
    """Return an active setting; the value of a sensitive one is `***`."""
    if found := find_config(tx, category, key):
        return found
    raise NoSetting(f"There is no setting {category[:64]}.{key[:64]}.")


def get_configs_by_type(tx: Tx, category: str) -> list[Config]:
    """Return the active settings of a category, by name."""
    return repository.configs(tx, category)


def get_all_configs(tx: Tx, *, inactive_too: bool = False) -> list[Config]:
    """Return every active setting, by category and name."""
    return repository.configs(tx, all_of_them=inactive_too)


def set_config(
    tx: Tx,
    vault: Vault,
    actor: Actor,
    wish: Wish,
    now: datetime,
) -> Config:
    """Set a setting: a new version, audited, in effect everywhere within a second.

    What is sensitive once stays so, and a setting whose name says secret always is.
    """
    require_admin(actor)
    category, key = wish.category, wish.key
    check_name(category, key)
    before = repository.find(tx, category, key, lock=True)
    kind = type_of(wish, before.data_type if before else None)
    hidden = wish.sensitive or is_sensitive(category, key) or bool(before and before.is_sensitive)
    text = checked(category, key, kind, wish.value)
    if hidden and text == HIDDEN:
        raise Invalid(f"{category}.{key}: {HIDDEN} is what is shown of it, not its value.")
    repository.save(
        tx,
        {
            "category": category,
            "key": key,
            "value": "" if hidden else text,
            "value_enc": vault.seal(text, **_place(category, key)) if hidden else None,
            "data_type": kind,
            "description": _described(wish.description),
            "is_sensitive": int(hidden),
            "now": to_micros(now),
            "updated_by": actor.name[:100],
        },
    )
    after = get_config(tx, category, key)
    _note(tx, actor, before, after, now)
    return after


def deactivate_config(tx: Tx, actor: Actor, category: str, key: str, now: datetime) -> Config:
    """Have a setting count no longer; what is declared falls back to where it began."""
    require_admin(actor)
    before = repository.find(tx, category, key, lock=True)
    if before is None or not before.is_active:
        raise NoSetting(f"There is no setting {category[:64]}.{key[:64]}.")
    repository.deactivate(tx, category, key, actor.name[:100], to_micros(now))
    _note(tx, actor, before, None, now)
    after = repository.find(tx, category, key)
    return after or before


def get_scheduler_config(tx: Tx) -> dict[str, Any]:
    """Return the settings of the schedule by key; what is not set is as declared."""
    declared = {it.key: it.default for it in DECLARED if it.category == SCHEDULER}
    return declared | {it.key: it.value for it in get_configs_by_type(tx, SCHEDULER)}


def save_scheduler_config(
    tx: Tx, vault: Vault, actor: Actor, values: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """Set several settings of the schedule at once; one that is wrong sets none."""
    for key, value in values.items():
        set_config(tx, vault, actor, Wish(category=SCHEDULER, key=key, value=value), now)
    return get_scheduler_config(tx)


def _note(tx: Tx, actor: Actor, before: Config | None, after: Config | None, now: datetime) -> None:
    said = after or before
    assert said is not None  # noqa: S101 - one of the two is there
    note(
        tx,
        actor,
        "delete" if after is None else "update" if before else "create",
        ("config", said.name),
        now,
        old=_remembered(before),
        new=_remembered(after),
        details="changed" if said.is_sensitive else "",
    )
    bump(tx, TOPIC)


def _remembered(it: Config | None) -> dict[str, Any] | None:
    if it is None:
        return None
    value = HIDDEN if it.is_sensitive else it.value
    return {"value": value, "version": it.version, "active": it.is_active}


def _described(description: str | None) -> str | None:
    if description is not None and (len(description) > DESCRIPTION_AT_MOST or "\0" in description):
        raise Invalid(f"description: it has up to {DESCRIPTION_AT_MOST} characters, none NUL.")
    return description


class LiveConfig:
    """The settings as the house reads them: from memory while nothing has changed.

    What is kept in memory is sealed where it is sensitive.
    """

    def __init__(self, store: Store, vault: Vault, revisions: Numbers) -> None:
        self._store, self._vault, self._revisions = store, vault, revisions
        self._values: Known = {}
        self._number: int | None = None

    async def get(self, category: str, key: str) -> Any:
        """Return a setting's value, secrets included; what is not set is as declared."""
        number = self._revisions.number(TOPIC)
        values = self._values
        if number is None or number != self._number:
            values = await self._store.read(_everything, fresh=True)
            if number is not None:  # as old as the number or newer, never older
                self._values, self._number = values, number
        if found := values.get((category, key)):
            return self._value(*found)
        if declared := KNOWN.get((category, key)):
            return declared.default
        raise NoSetting(f"There is no setting {category[:64]}.{key[:64]}.")

    def _value(self, it: Config, sealed: bytes | None) -> Any:
        """Return a value; a secret is opened for who asks, so that a broken one stops no other."""
        if sealed is None:
            return usable(it)
        secret = self._vault.open(sealed, **_place(it.category, it.key))
        return decoded(it.data_type, secret.decode())


def _everything(tx: Tx) -> Known:
    sealed = repository.sealed(tx)
    found = ((it, (it.category, it.key)) for it in repository.configs(tx))
    return {name: (it, sealed.get(name)) for it, name in found}


def _place(category: str, key: str) -> Place:
    return {"table": "config", "column": "value_enc", "row_id": row_id([category, key])}


# What is remembered for a while


def put_cache(
    tx: Tx,
    key: str,
    value: str,
    now: datetime,
    *,
    keep_for: timedelta,
    kind: str | None = None,
) -> None:
    """Remember a text across restarts; never a secret, for it lies there as it is."""
    if not 0 < len(key) <= KEY_AT_MOST or len(value) > ENTRY_AT_MOST or "\0" in key + value:
        raise Invalid(
            f"An entry has a key of 1 to {KEY_AT_MOST} characters and a value of up to"
            f" {ENTRY_AT_MOST}, none of them NUL."
        )
    if not timedelta() < keep_for <= REMEMBER_AT_MOST:
        raise Invalid(f"An entry is kept for a while of up to {REMEMBER_AT_MOST.days} days.")
    if repository.count_entries(tx) >= ENTRIES_AT_MOST and not expire_cache(tx, now):
        repository.forget_soonest(tx, ROOM_FOR)
    row = {
        "cache_key": key,
        "cache_value": value,
        "cache_type": kind,
        "expires_at": to_micros(now + keep_for),
        "now": to_micros(now),
    }
    repository.put(tx, row)


def get_cache(tx: Tx, key: str, now: datetime) -> str | None:
    """Return what is remembered and has not expired; counts that it was asked for."""
    return repository.recall(tx, key, to_micros(now))


def expire_cache(tx: Tx, now: datetime, *, dry_run: bool = False) -> int:
    """Forget what has expired; return how many entries there were."""
    which = repository.count_entries if dry_run else repository.forget
    return which(tx, None, to_micros(now))


def count_cache(tx: Tx, kind: str | None = None) -> int:
    """Count what is remembered."""
    return repository.count_entries(tx, kind)


def clear_cache(tx: Tx, kind: str | None = None) -> int:
    """Forget everything, or everything of a kind; return how many entries there were."""
    return repository.forget(tx, kind)


def cache_use(tx: Tx) -> list[CacheUse]:
    """Say how the memory is used, kind by kind: the monthly look at hit rates."""
    return repository.cache_use(tx)


# Requests, counted


def count_request(tx: Tx, asked: Asked, limit: Limit, now: datetime) -> Counted:
    """Count a request in its window, and say whether it is within the limit.

    One statement, so that any number of processes count right; who is refused is counted too.
    """
    if limit.window_s < 1:
        raise Invalid(f"window_s: {limit.window_s} is no window; it lasts a second or more.")
    micros = limit.window_s * 1_000_000
    begins = to_micros(now) // micros * micros
    row = {
        "id": window_id(asked, limit, begins),
        "api_name": asked.api_name,
        "account_id": asked.account_id,
        "user_ref": asked.user_ref,
        "endpoint": asked.endpoint,
        "window_start": begins,
        "window_end": begins + micros,
        "now": to_micros(now),
        "most": limit.requests,
    }
    made = repository.count_request(tx, row)
    left = max(0, limit.requests - made)
    return Counted(made <= limit.requests, left, from_micros(begins + micros))


def rate_use(tx: Tx, since: datetime, until: datetime) -> list[RateUse]:
    """Say how each API was used in a while: the monthly look at limits."""
    return repository.rate_use(tx, to_micros(since), to_micros(until))


def expire_windows(tx: Tx, before: datetime, *, dry_run: bool = False) -> int:
    """Forget the windows that ended before an instant; return how many there were."""
    which = repository.count_windows if dry_run else repository.forget_windows
    return which(tx, to_micros(before))
