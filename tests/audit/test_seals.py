"""From its seal on, whatever is done to the trail is found and named (I8)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.audit import repository
from bahi.audit.model import Verdict
from bahi.audit.service import Sealer, Witness, move_to_archive, note, recent, verify
from bahi.audit.service.witness import LARGEST_BYTES
from bahi.bootstrap import House
from bahi.db.opening import Database, transaction
from bahi.db.tx import Tx
from bahi.kernel.actor import the_house
from bahi.kernel.clock import to_micros
from bahi.kernel.errors import Forbidden
from bahi.kernel.words import Role
from tests.living import live_in

Story = Callable[[House], Awaitable[None]]
WHO = the_house("test")


def write(tx: Tx, house: House, n: int) -> int:
    new = {"n": n, "why": '₹ and \u2028 "quotes"', "nested": {"b": [1, None], "a": "x"}}
    return note(tx, WHO, "update", ("config", n), house.clock(), old={"n": n - 1}, new=new)


def sealer(house: House, store: str = "main") -> Sealer:
    return Sealer(house.stores[store], house.vault, house.clock, house.settings.home)


async def seal_some(house: House, how_many: int = 3) -> list[int]:
    ids = [await house.stores["main"].write(write, house, n) for n in range(how_many)]
    assert await sealer(house).seal() == how_many
    return ids


async def verdict(house: House, store: str = "main") -> Verdict:
    stores = house.stores
    return await verify(
        stores[store],
        stores["archive"],
        house.vault,
        folder=house.settings.home,
        now=house.clock(),
    )


def tamper(house: House, *statements: str, store: str = "main") -> None:
    """Do what only somebody with the whole database in hand can: drop the triggers, then write."""
    database = Database(store, house.settings.urls[store])
    with database.opened(foreign_keys=False) as core, transaction(core):
        tables = ("audit_trail", "audit_seals", "audit_seal_rows")
        for table in tables:
            if core.dialect.name == "sqlite":
                for what in ("update", "delete"):
                    core.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_{what}")
            else:
                core.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for statement in statements:
            core.exec_driver_sql(statement)


def test_an_untouched_trail_is_good(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await seal_some(house)
        await seal_some(house)
        found = await verdict(house)
        assert (found.is_good, found.seals, found.rows, found.unsealed) == (True, 2, 6, 0)

    live_in(home, story)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "'somebody else'"),
        ("entity_id", "'7'"),
        ("new_value", "'{\"n\":8}'"),
        ("at", "at + 1"),
        ("user_id", "1"),
        ("details", "''"),
    ],
)
def test_one_change_to_a_sealed_row_is_named(home: dict[str, str], column: str, value: str) -> None:
    async def story(house: House) -> None:
        _, second, _ = await seal_some(house)
        tamper(house, f"UPDATE audit_trail SET {column} = {value} WHERE id = {second}")
        (finding,) = (await verdict(house)).findings
        assert (finding.what, finding.audit_id) == ("row changed", second)
        assert str(second) in finding.sentence

    live_in(home, story)


def test_a_removed_row_is_named(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        _, second, _ = await seal_some(house)
        tamper(house, f"DELETE FROM audit_trail WHERE id = {second}")
        (finding,) = (await verdict(house)).findings
        assert (finding.what, finding.audit_id) == ("row removed", second)

    live_in(home, story)


def test_a_row_removed_with_its_place_in_the_seal_is_found(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        _, second, _ = await seal_some(house)
        tamper(
            house,
            f"DELETE FROM audit_seal_rows WHERE audit_id = {second}",
            f"DELETE FROM audit_trail WHERE id = {second}",
        )
        (finding,) = (await verdict(house)).findings
        assert finding.what == "rows removed"

    live_in(home, story)


def test_a_tail_cut_off_with_its_seals_is_found(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        first = await seal_some(house)
        await seal_some(house)
        keep = max(first)
        tamper(
            house,
            f"DELETE FROM audit_seal_rows WHERE audit_id > {keep}",
            f"DELETE FROM audit_trail WHERE id > {keep}",
            "DELETE FROM audit_seals WHERE previous_seal_no <> 0",
        )
        (finding,) = (await verdict(house)).findings
        assert finding.what == "tail cut"

    live_in(home, story)


CUT = (
    "DELETE FROM audit_seal_rows WHERE audit_id > {keep}",
    "DELETE FROM audit_trail WHERE id > {keep}",
    "DELETE FROM audit_seals WHERE previous_seal_no <> 0",
)


def test_a_cut_is_found_though_the_house_has_gone_on(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        keep = max(await seal_some(house))
        await seal_some(house)
        tamper(house, *(it.format(keep=keep) for it in CUT))
        await seal_some(house)
        (finding,) = (await verdict(house)).findings
        assert finding.what == "tail cut"

    live_in(home, story)


def test_a_row_that_was_unsealed_changed_and_sealed_again_is_found(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await seal_some(house)
        second = await seal_some(house)
        tamper(
            house,
            f"DELETE FROM audit_seal_rows WHERE audit_id >= {min(second)}",
            "DELETE FROM audit_seals WHERE previous_seal_no <> 0",
            f"UPDATE audit_trail SET actor = 'him' WHERE id = {second[0]}",
        )
        assert await sealer(house).seal() == 3
        assert [it.what for it in (await verdict(house)).findings] == ["tail cut"]

    live_in(home, story)


@pytest.mark.parametrize(
    ("left", "what"),
    [(None, "witness missing"), ("abc def", "witness forged"), ("1 ab 2 cd", "witness forged")],
)
def test_a_witness_that_was_taken_away_or_written_by_another_is_named(
    home: dict[str, str], left: str | None, what: str
) -> None:
    async def story(house: House) -> None:
        await seal_some(house)
        file = house.settings.home / "seals" / "main"
        if left is None:
            file.unlink()
        else:
            file.write_text(left)
        assert what in [it.what for it in (await verdict(house)).findings]

    live_in(home, story)


def test_a_row_that_was_put_in_with_an_older_time_is_remarked_on(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await seal_some(house)
        before = to_micros(house.clock() - timedelta(hours=2))
        await house.stores["main"].write(_add_with_id, 77, before)
        again = sealer(house)
        assert await again.seal() == 1
        found = await verdict(house)
        assert found.is_good
        assert any("77" in note and "put in later" in note for note in found.notes)

    live_in(home, story)


def test_a_witness_keeps_its_newer_half(home: dict[str, str], tmp_path: Path) -> None:
    async def story(house: House) -> None:
        ids = await seal_some(house)
        assert len(ids) == 3
        witness = Witness(house.settings.home, "main", house.vault)
        (seal,) = await house.stores["main"].read(repository.seals, fresh=True)
        lines = LARGEST_BYTES // witness.path.stat().st_size + 1
        witness.path.write_bytes(witness.path.read_bytes() * lines)
        witness.keep(seal)
        assert witness.path.stat().st_size < LARGEST_BYTES
        assert (await verdict(house)).is_good

    live_in(home, story)


def test_a_seal_taken_out_of_the_middle_is_named(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await seal_some(house)
        middle = await seal_some(house)
        await seal_some(house)
        gone = ",".join(map(str, middle))
        tamper(
            house,
            f"DELETE FROM audit_seals WHERE seal_no = (SELECT min(seal_no) FROM audit_seal_rows"
            f" WHERE audit_id IN ({gone}))",
        )
        assert "seal removed" in [f.what for f in (await verdict(house)).findings]

    live_in(home, story)


def test_a_seal_made_by_somebody_without_the_key_is_named(home: dict[str, str]) -> None:
    """He changes a row, and every digest that he can compute; the key he has not."""

    async def story(house: House) -> None:
        from bahi.audit import repository
        from bahi.audit.model import row_digest

        _, second, _ = await seal_some(house)
        tamper(house, f"UPDATE audit_trail SET actor = 'him' WHERE id = {second}")
        (row,) = await house.stores["main"].read(
            lambda tx: list(repository.stored(tx, [second])), fresh=True
        )
        digest = row_digest(row)
        tamper(
            house,
            f"UPDATE audit_seal_rows SET row_digest = '{digest}' WHERE audit_id = {second}",
            f"UPDATE audit_seals SET digest = '{'ab' * 32}'",
        )
        whats = {f.what for f in (await verdict(house)).findings}
        assert whats == {"seal forged", "tail cut"}

    live_in(home, story)


def test_a_row_that_commits_late_with_a_smaller_id_is_sealed_too(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        late: list[int] = []

        def begin(tx: Tx) -> None:
            late.append(tx.new_id())

        await house.stores["main"].write(begin)
        (later,) = await seal_some(house, 1)
        assert late[0] < later
        await house.stores["main"].write(_add_with_id, late[0], to_micros(house.clock()))
        assert await sealer(house).seal() == 1
        assert (await verdict(house)).is_good

    live_in(home, story)


def _add_with_id(tx: Tx, audit_id: int, at: int) -> None:
    row = {"id": audit_id, "at": at, "entity_type": "config", "action": "update", "actor": "late"}
    columns = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    tx.change(sa.text(f"INSERT INTO audit_trail ({columns}) VALUES ({values})"), row)


def test_several_that_seal_at_once_make_one_chain(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        async def one(n: int) -> None:
            await house.stores["main"].write(write, house, n)
            await sealer(house).seal()

        await asyncio.gather(*(one(n) for n in range(12)))
        await sealer(house).seal()
        found = await verdict(house)
        assert found.is_good, found.findings
        assert found.rows == 12

    live_in(home, story)


def test_old_rows_leave_for_the_archive_in_whole_batches_and_still_verify(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        old = await seal_some(house)
        cut = house.clock() + timedelta(seconds=1)
        stores = house.stores
        move: dict[str, Any] = {"store": stores["main"], "archive": stores["archive"]}
        assert await move_to_archive(**move, vault=house.vault, before=cut, dry_run=True) == 3
        assert await move_to_archive(**move, vault=house.vault, before=cut) == 3
        assert await move_to_archive(**move, vault=house.vault, before=cut) == 0
        assert await recent(stores["main"], WHO) == []
        assert [entry.id for entry in await recent(stores["archive"], WHO)] == old[::-1]
        assert (await verdict(house)).is_good
        tamper(
            house,
            f"UPDATE audit_trail SET actor = 'him' WHERE id = {old[0]}",
            store="archive",
        )
        (finding,) = (await verdict(house)).findings
        assert finding.audit_id == old[0]

    live_in(home, story)


def test_a_changed_batch_does_not_leave(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        _, second, _ = await seal_some(house)
        tamper(house, f"UPDATE audit_trail SET actor = 'him' WHERE id = {second}")
        cut = house.clock() + timedelta(seconds=1)
        stores = house.stores
        assert await move_to_archive(stores["main"], stores["archive"], house.vault, cut) == 0
        assert not (await verdict(house)).is_good

    live_in(home, story)


def test_people_see_what_they_did_and_admins_see_all(home: dict[str, str]) -> None:
    from bahi.kernel.actor import Actor

    async def story(house: House) -> None:
        ravi = Actor(name="ravi", user_id=7, role=Role.TRADER)

        def by_ravi(tx: Tx) -> int:
            return note(tx, ravi, "login", ("auth", 7), house.clock())

        mine = await house.stores["main"].write(by_ravi)
        await house.stores["main"].write(write, house, 1)
        assert [e.id for e in await recent(house.stores["main"], ravi)] == [mine]
        assert len(await recent(house.stores["main"], WHO)) == 2
        with pytest.raises(Forbidden):
            await recent(house.stores["main"], ravi, user_id=8)

    live_in(home, story)
