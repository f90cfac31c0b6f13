"""API keys as they are kept: shown once, scoped, several, ended by hand or by themselves."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.bootstrap import House
from bahi.db.schema import HOUSE
from bahi.db.tx import Tx
from bahi.identity.model import ApiKey, User
from bahi.identity.service import keys, users
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from bahi.kernel.words import KeyScope, Role
from tests.identity.lives import a_user, as_user, tell
from tests.tokens.mornings import WHO

SOME = ("api_keys", "audit_trail", "jobs", "config", "api_key_accounts")


async def issue(
    house: House,
    user: User,
    *,
    actor: Actor = WHO,
    scope: KeyScope = KeyScope.TRADE,
    expires_at: datetime | None = None,
) -> tuple[str, ApiKey]:
    """Issue a key; return it as it is shown, once, and what is kept."""
    key = keys.new_key()
    digest = house.vault.digest(key, keys.PURPOSE)

    def write(tx: Tx) -> ApiKey:
        return keys.issue_key(
            tx,
            actor,
            digest,
            house.clock(),
            user_id=user.id,
            name="strategy",
            scope=scope,
            expires_at=expires_at,
        )

    return key, await house.stores["main"].write(write)


def test_a_key_is_kept_as_a_digest_alone(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        key, issued = await issue(house, await a_user(house))

        def read(tx: Tx) -> list[Any]:
            tables = HOUSE.metadata.tables
            return [list(row) for name in SOME for row in tx.rows(sa.select(tables[name]))]

        written = str(await house.stores["main"].read(read, fresh=True))
        assert key not in written
        assert house.vault.digest(key, keys.PURPOSE) in written
        assert key not in repr(issued)
        assert (await house.keys.holder(key)).key_id == issued.id

    tell(home, story)


def test_a_user_has_several_keys_each_with_its_scope(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        vijay = await a_user(house)
        for scope in KeyScope:
            key, issued = await issue(house, vijay, scope=scope)
            holder = await house.keys.holder(key)
            assert (holder.scope, holder.username, holder.role) == (scope, "vijay", Role.TRADER)
            assert issued.scope is scope
        listed = await house.stores["main"].read(keys.list_keys, as_user(vijay), fresh=True)
        assert len({it.id for it in listed}) == len(KeyScope)

    tell(home, story)


def test_a_viewers_key_reads_and_a_key_that_is_past_is_not_issued(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        asha = await a_user(house, "asha", Role.VIEWER)
        with pytest.raises(Forbidden, match="viewer"):
            await issue(house, asha, scope=KeyScope.PAPER)
        await issue(house, asha, scope=KeyScope.READ)
        with pytest.raises(Invalid, match="expires_at"):
            await issue(house, asha, scope=KeyScope.READ, expires_at=house.clock())
        await house.stores["main"].write(users.delete_user, WHO, asha.id, house.clock())
        with pytest.raises(Conflict, match="not active"):
            await issue(house, asha, scope=KeyScope.READ)
        with pytest.raises(NotFound):
            await house.stores["main"].read(keys.get_key, 12345, fresh=True)

    tell(home, story)


def test_keys_are_issued_listed_and_ended_by_their_owner_alone(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        vijay, asha = await a_user(house), await a_user(house, "asha")
        _, hers = await issue(house, asha, actor=as_user(asha))
        with pytest.raises(Forbidden, match="for others"):
            await issue(house, asha, actor=as_user(vijay))
        with pytest.raises(Forbidden, match="cannot issue"):
            await issue(house, asha, actor=as_user(asha, scope=KeyScope.TRADE, key_id=hers.id))
        sentences = set()
        for key_id in (hers.id, hers.id + 1):
            with pytest.raises(NotFound) as refusal:
                await main.write(keys.revoke_key, as_user(vijay), key_id, house.clock())
            sentences.add(str(refusal.value).replace(str(key_id), "?"))
        assert len(sentences) == 1  # another's and nobody's are told apart by nobody
        reader = as_user(asha, scope=KeyScope.READ)
        with pytest.raises(Forbidden):
            await main.write(keys.revoke_key, reader, hers.id, house.clock())
        assert await main.read(keys.list_keys, as_user(vijay), asha.id, fresh=True) == []
        assert len(await main.read(keys.list_keys, WHO, asha.id, fresh=True)) == 1
        ended = await main.write(keys.revoke_key, as_user(asha), hers.id, house.clock())
        assert not ended.is_active

    tell(home, story)


def test_a_key_ends_at_its_time_also_where_it_is_remembered(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        at = house.clock() + timedelta(hours=1)
        key, _ = await issue(house, await a_user(house), expires_at=at)
        await house.revisions.look()
        await house.keys.holder(key)
        house.clock.set(at - timedelta(microseconds=1))  # type: ignore[attr-defined]
        await house.keys.holder(key)
        house.clock.set(at)  # type: ignore[attr-defined]
        with pytest.raises(Unauthenticated, match="expired"):
            await house.keys.holder(key)

    tell(home, story)


def test_keys_that_have_ended_leave_room_for_new_ones(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "KEYS_OF_A_USER", 3)

    async def story(house: House) -> None:
        vijay = await a_user(house)
        soon = house.clock() + timedelta(minutes=1)
        kept = [await issue(house, vijay, expires_at=it) for it in (None, None, soon)]
        with pytest.raises(Conflict, match="revoke one"):
            await issue(house, vijay)
        await house.stores["main"].write(keys.revoke_key, WHO, kept[0][1].id, house.clock())
        await issue(house, vijay)
        house.clock.set(soon)  # type: ignore[attr-defined]
        await issue(house, vijay)
        with pytest.raises(Conflict):
            await issue(house, vijay)

    tell(home, story)


def test_the_minute_of_a_keys_use_is_kept(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        key, issued = await issue(house, await a_user(house))
        holder = await house.keys.holder(key)
        minute = house.clock().replace(second=0, microsecond=0)
        for _ in range(3):
            house.keys.used(holder)
        kept = issued
        for _ in range(1000):
            kept = await house.stores["main"].read(keys.get_key, issued.id, fresh=True)
            if kept.last_used_at is not None:
                break
            await asyncio.sleep(0.01)
        assert kept.last_used_at == minute

    tell(home, story)
