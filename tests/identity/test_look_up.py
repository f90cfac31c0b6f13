"""The look-up that every call begins with: what is remembered, for how long, at what cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
import sqlalchemy as sa

from bahi.bootstrap import House
from bahi.bootstrap.first_start import admin_of
from bahi.config import Settings
from bahi.db.revisions import GOOD_FOR_S, LOOK_EVERY_S, Revisions
from bahi.db.schema import HOUSE
from bahi.db.statement import Statement
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.identity.model import Holder
from bahi.identity.repository.keys import HOLDER
from bahi.identity.service import keys
from bahi.identity.service.keys import (
    INVALID_AT_MOST,
    INVALID_FOR_S,
    UNKNOWN_PER_ADDRESS,
    UNKNOWN_WINDOW_S,
    VALID_AT_MOST,
    VALID_FOR_S,
    Keys,
    new_key,
)
from bahi.kernel.errors import BahiError, TooSoon, Unauthenticated
from bahi.kernel.remembered import Remembered
from bahi.kernel.words import KeyScope
from tests.identity.lives import a_user, tell
from tests.identity.test_keys import issue
from tests.living import stopped
from tests.tokens.mornings import WHO, a_house

STORED = 10_000

T = TypeVar("T")


class Seconds:
    """A clock of the process that moves when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Process:
    """What one process keeps of keys, with a clock of its own."""

    def __init__(self, house: House) -> None:
        self.seconds = Seconds()
        self.revisions = Revisions(house.stores["main"], self.seconds)
        self.keys = Keys(
            house.stores["main"], house.vault, house.clock, self.revisions, self.seconds
        )

    async def goes_on(self, for_s: float) -> None:
        """Let time pass, and look at what changed as a process does all the while."""
        self.seconds.now += for_s
        await self.revisions.look()

    async def refuses(self, key: str, address: str | None = None) -> None:
        with pytest.raises(Unauthenticated):
            await self.keys.holder(key, address)


@asynccontextmanager
async def another(home: dict[str, str]) -> AsyncIterator[House]:
    """Build a second house on the same stores."""
    house = a_house(Settings.from_environment(home), stopped())
    try:
        yield house
    finally:
        await house.close()


def test_what_was_found_is_remembered_for_ten_hours_and_what_was_not_for_five_minutes(
    home: dict[str, str],
) -> None:
    assert (VALID_AT_MOST, VALID_FOR_S) == (1_000, 10 * 3600)
    assert (INVALID_AT_MOST, INVALID_FOR_S) == (10_000, 5 * 60)

    async def story(house: House) -> None:
        good, _ = await issue(house, await a_user(house))
        process, bad = Process(house), new_key()
        await process.revisions.look()
        for _ in range(3):
            await process.keys.holder(good)
            await process.refuses(bad)
        assert process.keys.looked_up == 2
        await process.goes_on(INVALID_FOR_S - 0.1)
        await process.refuses(bad)
        assert process.keys.looked_up == 2
        await process.goes_on(0.1)
        await process.refuses(bad)
        await process.keys.holder(good)
        assert process.keys.looked_up == 3
        await process.goes_on(VALID_FOR_S - INVALID_FOR_S - 0.1)
        await process.keys.holder(good)
        assert process.keys.looked_up == 3
        await process.goes_on(0.2)
        await process.keys.holder(good)
        assert process.keys.looked_up == 4

    tell(home, story)


def test_a_memory_has_room_for_so_many_and_forgets_the_oldest() -> None:
    for at_most in (VALID_AT_MOST, INVALID_AT_MOST):
        memory: Remembered[int, str] = Remembered(at_most, 1.0, Seconds())
        for n in range(at_most + 1):
            memory.put(n, "known")
        assert len(memory) == at_most
        assert memory.get(0) is None
        assert memory.get(1) == memory.get(at_most) == "known"


def test_what_is_known_is_answered_without_the_database(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        good, _ = await issue(house, await a_user(house))
        process, bad = Process(house), new_key()
        await process.revisions.look()
        holder = await process.keys.holder(good)
        await process.refuses(bad)
        await house.stores.close()
        assert await process.keys.holder(good) == holder
        await process.refuses(bad)
        await process.refuses("not a key at all")
        assert process.keys.looked_up == 2

    tell(home, story)


def test_many_at_once_of_one_key_read_the_database_once(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        good, _ = await issue(house, await a_user(house))
        process, bad = Process(house), new_key()
        await process.revisions.look()
        for key in (bad, good):
            before = process.keys.looked_up
            tries = [process.keys.holder(key, "203.0.113.7") for _ in range(500)]
            found = await asyncio.gather(*tries, return_exceptions=True)
            assert process.keys.looked_up == before + 1
            wished = Unauthenticated if key == bad else Holder
            assert all(isinstance(it, wished) for it in found)

    tell(home, story)


def test_one_who_hangs_up_takes_the_answer_from_nobody_else(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        good, _ = await issue(house, await a_user(house))
        process = Process(house)
        tries = [asyncio.ensure_future(process.keys.holder(good)) for _ in range(3)]
        await asyncio.sleep(0)
        tries[0].cancel()
        found = await asyncio.gather(*tries, return_exceptions=True)
        assert isinstance(found[0], asyncio.CancelledError | Holder)  # SQLite may have answered
        assert [type(it) for it in found[1:]] == [Holder, Holder]

    tell(home, story)


def test_distinct_unknown_keys_are_bounded_by_address_even_all_at_once(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        good, _ = await issue(house, await a_user(house))
        process = Process(house)
        await process.revisions.look()
        tries = [process.keys.holder(new_key(), "203.0.113.7") for _ in range(300)]
        found = await asyncio.gather(*tries, return_exceptions=True)
        assert process.keys.looked_up == UNKNOWN_PER_ADDRESS
        assert sum(isinstance(it, Unauthenticated) for it in found) == UNKNOWN_PER_ADDRESS
        assert sum(isinstance(it, TooSoon) for it in found) == 300 - UNKNOWN_PER_ADDRESS
        await process.keys.holder(good, "203.0.113.8")  # another address goes on
        await process.keys.holder(good, "203.0.113.7")  # and what is known is known anywhere
        await process.goes_on(UNKNOWN_WINDOW_S)
        await process.refuses(new_key(), "203.0.113.7")

    tell(home, story)


def test_one_unknown_key_asked_often_counts_once(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        process, bad = Process(house), new_key()
        await process.revisions.look()
        for _ in range(2):
            tries = [process.keys.holder(bad, "203.0.113.7") for _ in range(200)]
            found = await asyncio.gather(*tries, return_exceptions=True)
            assert all(isinstance(it, Unauthenticated) for it in found)
        for _ in range(UNKNOWN_PER_ADDRESS - 1):
            await process.refuses(new_key(), "203.0.113.7")
        with pytest.raises(TooSoon) as refusal:
            await process.keys.holder(new_key(), "203.0.113.7")
        assert refusal.value.retry_after_s == 60

    tell(home, story)


def test_many_good_keys_of_one_address_all_get_in_at_once(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        vijay = await a_user(house)
        good = [(await issue(house, vijay))[0] for _ in range(2 * UNKNOWN_PER_ADDRESS)]
        process = Process(house)
        await process.revisions.look()
        found = await asyncio.gather(*(process.keys.holder(it, "127.0.0.1") for it in good))
        assert len({holder.key_id for holder in found}) == len(good)

    tell(home, story)


def test_with_ten_thousand_keys_a_look_up_is_one_indexed_row(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        good, _ = await issue(house, await a_user(house))
        await plant_keys(house, STORED)
        process = Process(house)
        holder = await process.keys.holder(good)
        assert holder.username == "vijay"
        plan = await main.read(
            plan_of_a_look_up, house.vault.digest(good, keys.PURPOSE), fresh=True
        )
        if main.kind == "sqlite":
            assert len(plan) == 2
            assert "SEARCH api_keys USING INDEX" in plan[0]
            assert "key_hash=?" in plan[0]
            assert "SEARCH users USING INTEGER PRIMARY KEY" in plan[1]
        else:
            text = "\n".join(plan)
            assert "Index Cond: (key_hash = " in text
            assert "Seq Scan on api_keys" not in text
        warmed = Process(house)
        await warmed.revisions.look()
        assert await warmed.keys.warm() == VALID_AT_MOST

    tell(home, story)


async def plant_keys(house: House, how_many: int) -> None:
    """Store keys of the admin's, as they would be after years."""
    main, table = house.stores["main"], HOUSE.metadata.tables["api_keys"]
    admin = await main.read(admin_of, fresh=True)
    row = {"user_id": admin.id, "name": "old", "scope": KeyScope.READ, "created_at": 1}
    rows = [
        row | {"id": n + 1, "key_hash": house.vault.digest(str(n), keys.PURPOSE)}
        for n in range(how_many)
    ]
    add = Statement(sa.insert(table).values({name: sa.bindparam(name) for name in rows[0]}))
    for begin in range(0, how_many, 1000):
        await main.write(lambda tx, some: tx.change_each(add, some), rows[begin : begin + 1000])
    if main.kind == "postgresql":
        await main.write(lambda tx: tx.change(sa.text("ANALYZE api_keys")))


def plan_of_a_look_up(tx: Tx, digest: str) -> list[str]:
    """Return how the database answers the very statement of the look-up."""
    text, _ = HOLDER.on(tx.dialect)
    sqlite = tx.dialect.name == "sqlite"
    words = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
    named = text.replace("?", ":digest", 1).replace("?", "1") if sqlite else text
    literal = named.replace(":digest", f"'{digest}'").replace("%(digest)s", f"'{digest}'")
    for name in ("is_active_1", "is_active_2", "param_1"):
        literal = literal.replace(f"%({name})s", "1")
    rows = tx.rows(sa.text(words + literal.replace("::", "\\:\\:")))
    return [str(row[3] if sqlite else row[0]) for row in rows]


def test_a_key_that_was_revoked_in_one_process_dies_in_another_within_a_second(
    home: dict[str, str],
) -> None:
    assert LOOK_EVERY_S < GOOD_FOR_S < 1.0

    async def story(house: House) -> None:
        user = await a_user(house)
        async with another(home) as there:
            looks, looks_not = Process(there), Process(there)
            key, issued = await issue(house, user)
            for process in (looks, looks_not):
                await process.revisions.look()
                await process.keys.holder(key)
            await house.stores["main"].write(keys.revoke_key, WHO, issued.id, house.clock())
            await looks.goes_on(LOOK_EVERY_S)
            await looks.refuses(key)
            looks_not.seconds.now += GOOD_FOR_S  # its looking hangs
            await looks_not.refuses(key)

    tell(home, story)


def test_a_key_that_was_unknown_is_known_as_soon_as_another_process_issued_it(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        user = await a_user(house)
        async with another(home) as there:
            key = new_key()
            process = Process(there)
            await process.revisions.look()
            await process.refuses(key)
            digest = house.vault.digest(key, keys.PURPOSE)
            await house.stores["main"].write(
                lambda tx: keys.issue_key(
                    tx, WHO, digest, house.clock(),
                    user_id=user.id, name="k", scope=KeyScope.READ,
                )
            )  # fmt: skip
            await process.goes_on(LOOK_EVERY_S)
            assert (await process.keys.holder(key)).user_id == user.id

    tell(home, story)


def test_two_houses_that_run_feel_a_revocation_by_themselves(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await house.begin()
        user = await a_user(house)
        async with another(home) as there:
            await there.begin()
            key, issued = await issue(house, user)
            await there.keys.holder(key)
            await house.stores["main"].write(keys.revoke_key, WHO, issued.id, house.clock())
            with pytest.raises(Unauthenticated):
                await calls_on(there, key)

    tell(home, story)


async def calls_on(house: House, key: str) -> None:
    for _ in range(1000):
        await house.keys.holder(key)
        await asyncio.sleep(0.01)


def test_while_the_database_cannot_be_read_nothing_remembered_is_trusted(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        user = await a_user(house)
        async with another(home) as there:
            key, issued = await issue(house, user)
            process = Process(there)
            await process.revisions.look()
            await process.keys.holder(key)
            await house.stores["main"].write(keys.revoke_key, WHO, issued.id, house.clock())
            await there.stores.close()
            with pytest.raises(BahiError):
                await process.revisions.look()
            process.seconds.now += GOOD_FOR_S
            with pytest.raises(BahiError) as refusal:
                await process.keys.holder(key)
            assert not isinstance(refusal.value, Unauthenticated)  # unknown is not "nobody's"

    tell(home, story)


def test_what_a_slow_start_read_before_a_revocation_is_not_kept(home: dict[str, str]) -> None:
    """Warming reads, the key is revoked and felt, and only then does the reading return."""

    async def story(house: House) -> None:
        key, issued = await issue(house, await a_user(house))
        process = Process(house)
        await process.revisions.look()
        main = house.stores["main"]
        slow = Slow(main)
        process.keys._main = slow  # type: ignore[assignment]
        warming = asyncio.ensure_future(process.keys.warm())
        await slow.has_read.wait()
        process.keys._main = main
        await main.write(keys.revoke_key, WHO, issued.id, house.clock())
        await process.goes_on(LOOK_EVERY_S)
        await process.refuses(key)
        slow.may_answer.set()
        await warming
        await process.refuses(key)

    tell(home, story)


class Slow:
    """A store whose answers take their time."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.has_read, self.may_answer = asyncio.Event(), asyncio.Event()

    async def read(self, fn: Callable[[Tx, int], T], limit: int, *, fresh: bool) -> T:
        """Read now, and say so later."""
        found = await self.store.read(fn, limit, fresh=fresh)
        self.has_read.set()
        await self.may_answer.wait()
        return found
