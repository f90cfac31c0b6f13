"""The one true deletion: nothing of the account or the user is left, but what proves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.accounts.service.accounts import list_accounts
from bahi.audit.service import Sealer, recent, verify
from bahi.bootstrap import House
from bahi.bootstrap.erasing import ACCOUNT, USER, erase_account, erase_user
from bahi.db.failures import Refused
from bahi.db.opening import Database, transaction
from bahi.db.schema import HOUSE, STORES
from bahi.db.tx import Tx
from bahi.identity.model import User
from bahi.identity.service.users import create_user
from bahi.kernel.actor import Actor
from bahi.kernel.errors import BahiError, Conflict, Forbidden
from bahi.kernel.words import KeyScope, Role, Side
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.placing import place_order
from tests.db.good_rows import HAS_NO_GOOD_ROW, Planter, schema_of
from tests.identity.lives import as_user, tell
from tests.living import live_in, stopped
from tests.orders.desks import NOON, OPEN, away, limit, paper_desk
from tests.tokens.mornings import WHO

STAYS = {"audit_trail", "audit_seals", "audit_seal_rows", "day_ends", "risk_violations"}
NOT_PLANTED = HAS_NO_GOOD_ROW | {
    "nodes", "revisions", "schema_migrations", "write_marks",
    "audit_trail", "audit_seals", "audit_seal_rows",
}  # fmt: skip
ACCOUNTS = {
    "account_id", "follower_account_id", "client_id", "from_account_id", "to_account_id",
}  # fmt: skip
USERS = {"user_id"}
KEPT, GONE = 1, 2
"""The account and the user that stay, and those that leave: each row is of the one or the other."""


def plant(house: House) -> None:
    """Put two good rows into every table of every store: of account 1 and user 1, of 2 and 2."""
    for store in STORES:
        schema = schema_of(store)
        with Database(store, house.settings.urls[store]).opened() as core, transaction(core):
            planter = Planter(core, schema)
            for table in schema.metadata.sorted_tables:
                if table.name not in NOT_PLANTED:
                    for n in (KEPT, GONE):
                        planter.plant(table, n)
    close(house)


def close(house: House) -> None:
    """Have nothing open and nothing working on the accounts that were planted."""
    for store in ("main", "sandbox"):
        with Database(store, house.settings.urls[store]).opened() as core, transaction(core):
            core.execute(sa.text("UPDATE positions SET net_qty = 0"))
            core.execute(sa.text("UPDATE books SET open_orders = 0"))


def contents(house: House) -> Iterator[tuple[str, sa.Table, list[dict[str, Any]]]]:
    for store in STORES:
        schema = schema_of(store)
        with Database(store, house.settings.urls[store]).opened() as core:
            for table in schema.metadata.sorted_tables:
                if table.name not in NOT_PLANTED - STAYS:
                    rows = [dict(row) for row in core.execute(sa.select(table)).mappings()]
                    yield store, table, rows


def left_of(house: House, columns: set[str], whose: int) -> set[str]:
    """Return where something of an account or a user is left."""
    return {
        f"{store}.{table.name}.{name}"
        for store, table, rows in contents(house)
        for name in columns & set(table.columns.keys())
        if not (name == "client_id" and table.name != "paper_orders")
        if any(row[name] == whose for row in rows)
    }


def counts(house: House) -> dict[str, int]:
    return {f"{store}.{table.name}": len(rows) for store, table, rows in contents(house)}


async def is_whole(house: House) -> None:
    """Seal what was written and verify the trail of both trading stores."""
    for name in ("main", "sandbox"):
        store = house.stores[name]
        await Sealer(store, house.vault, house.clock, house.settings.home).seal()
        verdict = await verify(
            store,
            house.stores["archive"],
            house.vault,
            folder=house.settings.home,
            now=house.clock(),
        )
        assert verdict.is_good, verdict.findings


def test_of_an_account_nothing_is_left_but_what_proves(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await asyncio.to_thread(plant, house)
        await is_whole(house)
        before = await asyncio.to_thread(counts, house)
        assert len(await asyncio.to_thread(left_of, house, ACCOUNTS, GONE)) > 35
        gone = await erase_account(house, WHO, GONE)
        left = await asyncio.to_thread(left_of, house, ACCOUNTS, GONE)
        assert left == {"main.risk_violations.account_id", "sandbox.risk_violations.account_id"}
        after = await asyncio.to_thread(counts, house)
        for name, count in gone.items():
            assert before[name] - after[name] == count, name
        assert await asyncio.to_thread(left_of, house, ACCOUNTS, KEPT)
        for name in before:
            if name.split(".")[1] not in STAYS:
                assert after[name] >= before[name] - 1, name  # the other's row is there
        (entry,) = await recent(house.stores["main"], WHO, action="erase")
        assert (entry.entity_type, entry.entity_id) == ("account", str(GONE))
        assert {it["table"]: it["rows"] for it in entry.new_value} == gone
        await is_whole(house)
        assert await erase_account(house, WHO, GONE) == {}  # once too often
        assert len(await recent(house.stores["main"], WHO, action="erase")) == 1

    tell(home, story)


def test_of_a_user_nothing_is_left_but_what_proves(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await asyncio.to_thread(plant, house)
        await is_whole(house)
        gone = await erase_user(house, WHO, GONE)
        assert gone["main.users"] == 1
        assert gone["main.accounts"] == 1
        assert gone["telegram.telegram_messages"] == 1
        left = await asyncio.to_thread(left_of, house, ACCOUNTS | USERS, GONE)
        assert {name.split(".")[1] for name in left} <= STAYS
        assert await asyncio.to_thread(left_of, house, USERS, KEPT)
        after = await asyncio.to_thread(counts, house)
        for table in ("persons", "api_keys", "user_sessions", "sign_in_links", "strategies"):
            assert after[f"main.{table}"] == 1, table
        await is_whole(house)
        assert await erase_user(house, WHO, GONE) == {}

    tell(home, story)


@pytest.mark.parametrize("fails_at", [0, 4, len(ACCOUNT) // 2, len(ACCOUNT) - 1, None])
def test_what_was_cut_off_goes_on_when_it_is_asked_for_again(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch, fails_at: int | None
) -> None:
    """Whichever step it dies at, also between the last of them and the end."""

    async def story(house: House) -> None:
        await asyncio.to_thread(plant, house)
        with monkeypatch.context() as cut:
            if fails_at is None:
                cut.setattr("bahi.accounts.service.erasing.remove_account", dies)
            else:
                steps = list(ACCOUNT)
                steps[fails_at] = (steps[fails_at][0], dies)
                cut.setattr("bahi.bootstrap.erasing.ACCOUNT", steps)
            with pytest.raises(BahiError, match="power"):
                await erase_account(house, WHO, GONE)
        await erase_account(house, WHO, GONE)
        left = await asyncio.to_thread(left_of, house, ACCOUNTS, GONE)
        assert {name.split(".")[1] for name in left} == {"risk_violations"}
        assert len(await recent(house.stores["main"], WHO, action="erase")) == 1

    tell(home, story)


def dies(tx: Tx, *rest: object) -> dict[str, int]:
    raise BahiError("The machine lost its power.")


def test_facts_leave_by_no_other_way(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await asyncio.to_thread(plant, house)
        for store in ("main", "sandbox"):
            for name in ("accounts", "books"):
                table = HOUSE.metadata.tables[name]
                if store in table.info["stores"]:
                    with pytest.raises(Refused, match="append-only"):
                        await house.stores[store].write(take_all, table)

    tell(home, story)


def take_all(tx: Tx, table: sa.Table) -> int:
    return tx.change(table.delete())


def test_only_an_admin_in_person_erases_and_never_the_last_one(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]

        def add(tx: Tx) -> User:
            return create_user(tx, WHO, "boss", house.clock(), role=Role.ADMIN)

        boss = await main.write(add)
        trader = Actor(name="t", user_id=9, role=Role.TRADER)
        for actor in (trader, as_user(boss, scope=KeyScope.TRADE), Actor(name="nobody")):
            with pytest.raises(Forbidden):
                await erase_account(house, actor, 1)
            with pytest.raises(Forbidden):
                await erase_user(house, actor, boss.id)
        others = [it for it in await everybody(house) if it != boss.id]
        for user_id in others:
            await erase_user(house, as_user(boss), user_id)
        with pytest.raises(Conflict, match="last admin"):
            await erase_user(house, as_user(boss), boss.id)
        assert await everybody(house) == [boss.id]

    tell(home, story)


async def everybody(house: House) -> list[int]:
    users = HOUSE.metadata.tables["users"]
    return await house.stores["main"].read(
        lambda tx: [row[0] for row in tx.rows(sa.select(users.c.id))], fresh=True
    )


def test_a_step_for_every_store_that_holds_something_of_somebody() -> None:
    """A table with an account or a user in it, in a store, has a context that erases there."""
    for columns, steps in ((ACCOUNTS - {"client_id"}, ACCOUNT), (USERS, USER)):
        erased_in = {store for store, _ in steps}
        for table in HOUSE.metadata.sorted_tables:
            if table.name not in STAYS and columns & set(table.columns.keys()):
                assert table.info["stores"] <= erased_in | {"main"}, table.name


def test_who_has_something_open_or_working_is_not_erased(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        resting = await place_order(desk, limit(desk, price=away(desk, Side.BUY)))
        await place_order(desk, limit(desk))
        words = "1 orders that work and something open in SBIN; close that first"
        with pytest.raises(Conflict, match=words):
            await erase_account(house, WHO, desk.account_id)
        (account,) = await house.stores["main"].read(list_accounts, WHO, fresh=True)
        with pytest.raises(Conflict, match=words):
            await erase_user(house, WHO, account.user_id)
        assert account.deleted_at is None
        await cancel_order(desk, resting.id)
        await place_order(desk, limit(desk, Side.SELL))
        assert (await erase_account(house, WHO, desk.account_id))["sandbox.books"] == 1

    live_in(home | OPEN, story, stopped(NOON))
