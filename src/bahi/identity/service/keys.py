"""API keys: issued, listed, revoked; and the look-up that every call begins with.

A key is found by its keyed digest: in the cache of keys that are known, in the cache of keys that
are known to be nobody's, then in the database by one indexed row. Nothing loops over keys, and
nothing in memory is older than a second after a change anywhere (`bahi.db.revisions`).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from asyncio import FIRST_COMPLETED
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from bahi.audit.service import note
from bahi.db.revisions import Revisions, bump
from bahi.db.stores import Store
from bahi.db.tx import Row, Tx
from bahi.identity.model import ApiKey, Holder, could_be_a_key, parse_label
from bahi.identity.repository import keys as key_rows
from bahi.identity.service.users import TOPIC, get_user
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.clock import Clock, to_micros
from bahi.kernel.crypto import Vault
from bahi.kernel.errors import Conflict, Forbidden, Invalid, NotFound, TooSoon, Unauthenticated
from bahi.kernel.remembered import Remembered
from bahi.kernel.words import KeyScope, Role

KEY_BYTES: Final = 32
PURPOSE: Final = "api_key"
KEYS_AT_MOST: Final = 500
KEYS_OF_A_USER: Final = 100

VALID_AT_MOST: Final = 1_000
VALID_FOR_S: Final = 36_000.0
INVALID_AT_MOST: Final = 10_000
INVALID_FOR_S: Final = 300.0
UNKNOWN_PER_ADDRESS: Final = 30
UNKNOWN_WINDOW_S: Final = 60.0
ADDRESSES_AT_MOST: Final = 10_000

Asking = asyncio.Future[Holder | None]
"""A question to the database that is open."""


def new_key() -> str:
    """Make a key: 256 bits as 64 hex digits."""
    return secrets.token_hex(KEY_BYTES)


def issue_key(
    tx: Tx,
    actor: Actor,
    digest: str,
    now: datetime,
    *,
    user_id: int,
    name: str,
    scope: KeyScope,
    expires_at: datetime | None = None,
    needs_approval: bool = False,
) -> ApiKey:
    """Store a new key's digest; the key itself is shown once, by who made it."""
    _refuse_others(actor, user_id)
    if actor.scope is not None:
        raise Forbidden("A key cannot issue keys; sign in, or use the terminal.")
    user = get_user(tx, user_id)
    if not user.is_active:
        raise Conflict(f"{user.username!r} is not active, and a key of theirs would not open.")
    if user.role is Role.VIEWER and scope is not KeyScope.READ:
        raise Forbidden(f"{user.username!r} is a viewer; a key of theirs can only read.")
    if expires_at is not None and expires_at <= now:
        raise Invalid("expires_at: that is past already; give a time to come, or none.")
    if key_rows.count_usable(tx, user_id, now) >= KEYS_OF_A_USER:
        raise Conflict(f"{user.username!r} has {KEYS_OF_A_USER} keys already; revoke one first.")
    key_id = tx.new_id()
    row = {
        "id": key_id,
        "user_id": user_id,
        "key_hash": digest,
        "name": parse_label(name),
        "scope": scope,
        "created_at": to_micros(now),
        "expires_at": None if expires_at is None else to_micros(expires_at),
        "is_active": 1,
        "needs_approval": int(needs_approval),
    }
    key_rows.add_key(tx, row)
    bump(tx, TOPIC)
    issued = get_key(tx, key_id)
    note(tx, actor, "create", ("api_key", key_id), now, new=_shown(issued))
    return issued


def get_key(tx: Tx, key_id: int) -> ApiKey:
    """Return a key, revoked or not."""
    key = key_rows.find_key(tx, key_id)
    if key is None:
        raise NotFound(f"There is no key {key_id}.")
    return key


def find_key(tx: Tx, key_id: int) -> ApiKey | None:
    """Return a key, revoked or not, if there is one."""
    return key_rows.find_key(tx, key_id)


def list_keys(tx: Tx, actor: Actor, user_id: int | None = None) -> list[ApiKey]:
    """Return keys: everybody's to an admin who names nobody, else one's own."""
    wanted = user_id if actor.is_admin else actor.user_id
    return key_rows.list_keys(tx, wanted, KEYS_AT_MOST)


def revoke_key(tx: Tx, actor: Actor, key_id: int, now: datetime) -> ApiKey:
    """End a key; within a second it opens nothing in any process."""
    require_change(actor)
    key = key_rows.find_key(tx, key_id)
    if key is None or not actor.owns(key.user_id):
        raise NotFound(f"There is no key {key_id}.")  # also of another's: it tells nobody more
    if key_rows.revoke_keys(tx, key_id=key_id):
        bump(tx, TOPIC)
        note(tx, actor, "revoke", ("api_key", key_id), now, old=_shown(key))
    return get_key(tx, key_id)


def turn_key(tx: Tx, actor: Actor, key_id: int, now: datetime, *, live: bool) -> ApiKey:
    """Have a key mean its live default where no account is named, or that of paper again."""
    key = get_key(tx, key_id)
    if key.goes_live is not live:
        key_rows.turn(tx, key_id, live=live)
        bump(tx, TOPIC)
        old, new = {"goes_live": key.goes_live}, {"goes_live": live}
        note(tx, actor, "update", ("api_key", key_id), now, old=old, new=new)
    return get_key(tx, key_id)


def get_user_by_api_key(tx: Tx, digest: str) -> Holder | None:
    """Return whose key has this digest, if it opens anything."""
    return key_rows.find_holder(tx, digest)


def _refuse_others(actor: Actor, user_id: int) -> None:
    if not actor.owns(user_id):
        raise Forbidden("Only an admin may issue keys for others.")
    require_change(actor)


def _shown(key: ApiKey) -> dict[str, Any]:
    expires = None if key.expires_at is None else key.expires_at.isoformat()
    shown = {"name": key.name, "scope": key.scope, "user_id": str(key.user_id), "expires": expires}
    return shown | ({"needs_approval": True} if key.needs_approval else {})


class Keys:
    """Knows whose a key is; one for each process."""

    def __init__(
        self,
        main: Store,
        vault: Vault,
        clock: Clock,
        revisions: Revisions,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._main, self._clock, self._revisions = main, clock, revisions
        self._vault = vault
        self._revision: int | None = None
        self._valid: Remembered[str, Holder] = Remembered(VALID_AT_MOST, VALID_FOR_S, now_s)
        self._invalid: Remembered[str, str] = Remembered(INVALID_AT_MOST, INVALID_FOR_S, now_s)
        self._once_good: Remembered[str, bool] = Remembered(VALID_AT_MOST, VALID_FOR_S, now_s)
        self._strangers: Remembered[str, int] = Remembered(
            ADDRESSES_AT_MOST, UNKNOWN_WINDOW_S, now_s
        )
        self._asking: dict[str, Asking] = {}
        self._asked_from: dict[str, set[Asking]] = {}
        self._last_minute: Remembered[int, datetime] = Remembered(VALID_AT_MOST, VALID_FOR_S, now_s)
        self.looked_up = 0

    async def holder(self, key: str, address: str | None = None) -> Holder:
        """Return whose key this is; refuse one that is nobody's, or that has ended."""
        digest = self._vault.digest(key, PURPOSE)
        self._forget_if_changed()
        found = self._valid.get(digest)
        if found is None:
            if not could_be_a_key(key):
                raise Unauthenticated
            found = await self._find(digest, address or "")
        if found.expires_at is not None and found.expires_at <= self._clock():
            raise Unauthenticated("This API key has expired; issue a new one.")
        return found

    async def _find(self, digest: str, address: str) -> Holder:
        """Look it up: at once where the database can, else together with all who ask the same."""
        if digest not in self._asking and not self._invalid.get(digest):
            self._refuse_too_many(digest, address)
            as_of = self._revisions.number(TOPIC)
            rows = self._main.glance(key_rows.HOLDER, {"digest": digest})
            if rows is not None:
                found = self._learn(digest, rows[0] if rows else None, as_of)
                if found is None:
                    self._count(address)
                    raise Unauthenticated
                return found
        return await self._find_by_asking(digest, address)

    async def _find_by_asking(self, digest: str, address: str) -> Holder:
        while (asking := self._asking.get(digest)) is None:
            if self._invalid.get(digest):
                raise Unauthenticated
            if (asking := self._ask_if_room(digest, address)) is not None:
                break
            await asyncio.wait(self._asked_from[address], return_when=FIRST_COMPLETED)
            self._forget_if_changed()
            if (known := self._valid.get(digest)) is not None:
                return known
        found = await asyncio.shield(asking)
        if found is None:
            raise Unauthenticated
        return found

    def _forget_if_changed(self) -> None:
        number = self._revisions.number(TOPIC)
        if number is None or number != self._revision:
            self.forget()
            self._revision = number

    def forget(self) -> None:
        """Know nothing any more: every key is looked up again, first those that were good."""
        self._valid.clear()
        self._invalid.clear()

    def _ask_if_room(self, digest: str, address: str) -> Asking | None:
        """Ask the database; None while as many questions of this address are open as it has left.

        So however many distinct keys come at once, no more of them than the bound are looked up
        and found to be nobody's, and one who has a good key only waits. A key that was good here
        is looked up at once, whatever else comes from its address.
        """
        unknown = self._refuse_too_many(digest, address)
        is_full = unknown + len(self._asked_from.get(address, ())) >= UNKNOWN_PER_ADDRESS
        if is_full and not self._once_good.get(digest):
            return None
        asking = asyncio.ensure_future(self._ask(digest))
        self._asking[digest] = asking
        self._asked_from.setdefault(address, set()).add(asking)
        asking.add_done_callback(lambda done: self._answered(digest, address, done))
        return asking

    def _answered(self, digest: str, address: str, asking: Asking) -> None:
        del self._asking[digest]
        self._asked_from[address].discard(asking)
        if not self._asked_from[address]:
            del self._asked_from[address]
        failed = asking.cancelled() or asking.exception() is not None
        if not failed and asking.result() is None:
            self._count(address)

    async def _ask(self, digest: str) -> Holder | None:
        as_of = self._revisions.number(TOPIC)
        row = await self._main.look(key_rows.HOLDER, {"digest": digest})
        return self._learn(digest, row, as_of)

    def _learn(self, digest: str, row: Row | None, as_of: int | None) -> Holder | None:
        self.looked_up += 1
        found = key_rows.holder_of(row)
        if found is None:
            self._once_good.forget(digest)
        elif not self._once_good.get(digest):
            self._once_good.put(digest, value=True)
        if as_of is not None and as_of == self._revision == self._revisions.number(TOPIC):
            if found is None:
                self._invalid.put(digest, "nobody's")
            else:
                self._valid.put(digest, found)
        return found

    def _refuse_too_many(self, digest: str, address: str) -> int:
        """Return how many unknown keys came from an address; refuse one that brought too many."""
        unknown = 0 if self._once_good.get(digest) else self._strangers.get(address) or 0
        if unknown >= UNKNOWN_PER_ADDRESS:
            raise TooSoon(
                "Too many unknown API keys came from this address; wait a minute.",
                retry_after_s=int(UNKNOWN_WINDOW_S),
            )
        return unknown

    def _count(self, address: str) -> None:
        self._strangers.change(address, (self._strangers.get(address) or 0) + 1)

    async def warm(self) -> int:
        """Fill the cache with the keys used last; return how many."""
        self._forget_if_changed()
        as_of = self._revision
        known = await self._main.read(key_rows.newest_holders, VALID_AT_MOST, fresh=True)
        if as_of is not None and as_of == self._revision == self._revisions.number(TOPIC):
            for digest, holder in reversed(known):
                self._valid.put(digest, holder)
                self._once_good.put(digest, value=True)
        return len(known)

    def used(self, holder: Holder) -> None:
        """Remember the minute of a key's use, when there is room, once a minute."""
        minute = self._clock().replace(second=0, microsecond=0)
        if self._last_minute.get(holder.key_id) != minute:
            self._last_minute.put(holder.key_id, minute)
            self._main.offer(key_rows.touch_key, holder.key_id, minute)
