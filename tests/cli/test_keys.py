"""`bahi keys`: secrets move to another key while the service and its writers are at work."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.bootstrap import build
from bahi.config import Settings
from bahi.db.opening import Database as Place
from bahi.db.opening import transaction
from bahi.db.resealing import SealedTable, row_id, sealed_tables
from bahi.db.schema import HOUSE
from bahi.db.statement import Statement
from bahi.db.tx import Tx
from bahi.kernel.crypto import Vault, key_id_of
from bahi.kernel.keyring import Keyring
from tests.cli.processes import Environment, Service, bahi, refusal
from tests.databases import KINDS, MakeDatabase
from tests.db.good_rows import Planter
from tests.furnished import Furnished

SECRET = "a canary that sings"
MANY = 120  # more than one chunk


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(params=KINDS)
def env(
    request: pytest.FixtureRequest, home: Path, furnished: Furnished, make_database: MakeDatabase
) -> Environment:
    return furnished.copy(request.param, home, make_database)


def vault_of(home: Path) -> Vault:
    return Vault(Keyring.load(home / "keyring"))


def each_sealed(env: Environment) -> Iterator[tuple[Place, SealedTable]]:
    for store, url in Settings.from_environment(env).urls.items():
        for sealed in sealed_tables(store):
            yield Place(store, url), sealed


def plant_secrets(env: Environment, vault: Vault) -> int:
    """Put two rows into every table that seals, each secret its own; return how many secrets."""
    planted = 0
    for store, url in Settings.from_environment(env).urls.items():
        place = Place(store, url)
        with place.opened() as core, transaction(core):
            planter = Planter(core, place.schema)
            tables = list(sealed_tables(store))
            rows = [(sealed, planter.plant(sealed.table, n)) for sealed in tables for n in (1, 2)]
            for sealed, row in rows:
                planted += seal_in_place(core, vault, sealed, row)
    return planted


def seal_in_place(core: sa.Connection, vault: Vault, sealed: SealedTable, row: Any) -> int:
    at = tuple(row[column.name] for column in sealed.key)
    secrets = {
        c.name: vault.seal(text_of(sealed, c.name, at), **where(sealed, c.name, at))
        for c in sealed.columns
    }
    this = [column == value for column, value in zip(sealed.key, at, strict=True)]
    core.execute(sealed.table.update().where(*this).values(secrets))
    return len(secrets)


def text_of(sealed: SealedTable, column: str, at: tuple[Any, ...]) -> str:
    return f"{SECRET} of {sealed.table.name}.{column} {at}"


def where(sealed: SealedTable, column: str, at: tuple[Any, ...]) -> dict[str, Any]:
    return {"table": sealed.table.name, "column": column, "row_id": row_id(at)}


def read_all(env: Environment, vault: Vault) -> tuple[int, set[str]]:
    """Open every secret, each of which has to be its own; return how many, and their keys."""
    opened, keys = 0, set()
    for place, sealed in each_sealed(env):
        with place.opened() as core:
            for row in core.execute(sa.select(*sealed.key, *sealed.columns)):
                at = tuple(row[: len(sealed.key)])
                for column, secret in zip(sealed.columns, row[len(at) :], strict=True):
                    if secret is None:  # who was there from the first start has none
                        continue
                    said = vault.open(bytes(secret), **where(sealed, column.name, at))
                    assert said.decode() == text_of(sealed, column.name, at)
                    opened += 1
                    keys.add(key_id_of(bytes(secret)))
    return opened, keys


def status(env: Environment) -> dict[str, tuple[str, int]]:
    found = json.loads(bahi("keys", "status", "--json", env=env).stdout)
    return {it["key"]: (it["state"], it["secrets"]) for it in found}


def test_every_secret_moves_to_the_new_key_and_the_old_one_can_go(
    home: Path, env: Environment
) -> None:
    planted = plant_secrets(env, vault_of(home))
    (old,) = status(env)
    assert status(env) == {old: ("active", planted)}

    turned = json.loads(bahi("keys", "rotate", "--json", env=env).stdout)
    new = turned["key"]
    assert turned == {"key": new, "secrets": planted, "broken": []}
    assert status(env) == {old: ("old", 0), new: ("active", planted)}
    assert read_all(env, vault_of(home)) == (planted, {new})

    assert bahi("keys", "retire", old, "--yes", env=env).returncode == 0
    assert old not in (home / "keyring").read_text()
    assert read_all(env, vault_of(home)) == (planted, {new})


def test_a_key_that_is_still_used_is_not_forgotten(home: Path, env: Environment) -> None:
    plant_secrets(env, vault_of(home))
    (old,) = status(env)
    Keyring.load(home / "keyring").add_key()  # a rotation that was cut off right away
    sentence = refusal("keys", "retire", old, "--yes", env=env)
    assert "bahi keys rotate --resume" in sentence
    assert bahi("keys", "rotate", "--resume", env=env).returncode == 0
    assert len(status(env)) == 2
    assert bahi("keys", "retire", old, "--yes", env=env).returncode == 0


def test_the_active_key_is_never_forgotten(env: Environment) -> None:
    (active,) = status(env)
    assert active in refusal("keys", "retire", active, "--yes", env=env)


def test_forgetting_asks_first(home: Path, env: Environment) -> None:
    (old,) = status(env)
    assert bahi("keys", "rotate", env=env).returncode == 0
    assert bahi("keys", "retire", old, env=env, answer="n\n").returncode == 1
    assert old in status(env)


def test_a_secret_that_does_not_open_is_named_and_keeps_its_key(
    home: Path, env: Environment
) -> None:
    planted = plant_secrets(env, vault_of(home))
    (old,) = status(env)
    tokens = HOUSE.metadata.tables["broker_tokens"]
    with Place("main", Settings.from_environment(env).main).opened() as core:
        moved = sa.select(tokens.c.feed_token_enc).where(tokens.c.id == 1).scalar_subquery()
        core.execute(tokens.update().where(tokens.c.id == 2).values(access_token_enc=moved))
    turned = bahi("keys", "rotate", env=env)
    assert turned.returncode == 1
    assert "broker_tokens.access_token_enc of row 2" in turned.stderr
    assert "Traceback" not in turned.stderr
    assert status(env)[old] == ("old", 1)
    assert f"Sealed {planted - 1} secrets anew" in turned.stdout
    assert "1 secret;" in refusal("keys", "retire", old, "--yes", env=env)


OF_WHAT_WAS_PLANTED = {"breaks", "limits", "prices"}
"""Parts that tell, rightly, of the rows that fill every table: the rest has to be healthy."""


def test_secrets_move_while_a_service_runs_and_others_write(home: Path, env: Environment) -> None:
    plant_secrets(env, vault_of(home))
    (old,) = status(env)
    with Service(env) as service:
        written = asyncio.run(write_while(env, "rotate"))
        checks = service.health()["checks"]
        assert {name for name, it in checks.items() if it != "healthy"} <= OF_WHAT_WAS_PLANTED
        assert service.stop()[0] == 0
    assert written > 0
    assert status(env)[old] == ("old", 0)
    assert bahi("keys", "retire", old, "--yes", env=env).returncode == 0
    secrets, keys = read_all(env, vault_of(home))
    assert old not in keys
    assert secrets > written


async def write_while(env: Environment, command: str) -> int:
    """Write secrets from this process for as long as the command runs in its own."""
    house = build(Settings.from_environment(env))
    turning = asyncio.create_task(asyncio.to_thread(bahi, "keys", command, env=env))
    written = 0
    while not turning.done() or written < MANY:
        await house.stores["main"].write(remember, house.vault, f"{written:04}")
        written += 1
    await house.close()
    ended = await turning
    assert ended.returncode == 0, ended
    return written


(CONFIG_SECRETS,) = (s for s in sealed_tables("main") if s.table.name == "config")
REMEMBER = Statement(CONFIG_SECRETS.table.insert())


def remember(tx: Tx, vault: Vault, name: str) -> None:
    key = ("load", name)
    secret = text_of(CONFIG_SECRETS, "value_enc", key)
    sealed = vault.seal(secret, **where(CONFIG_SECRETS, "value_enc", key))
    plain = dict.fromkeys(CONFIG_SECRETS.table.c.keys())
    said = {"category": key[0], "key": key[1], "value": "", "value_enc": sealed, "version": 1}
    kind = {"data_type": "string", "is_sensitive": 1, "is_active": 1, "updated_at": 0}
    tx.change(REMEMBER, plain | said | kind)


def test_keys_of_the_environment_are_turned_there(home: Path, env: Environment) -> None:
    keys = (home / "keyring").read_text()
    outside = env | {"BAHI_KEYS": keys}
    assert "environment" in refusal("keys", "rotate", env=outside)
    assert json.loads(bahi("keys", "rotate", "--resume", "--json", env=outside).stdout)


def test_a_keyring_that_is_there_is_not_made_anew(home: Path, env: Environment) -> None:
    kept = (home / "keyring").read_text()
    assert "already" in refusal("keys", "create", "--yes", env=env)
    assert (home / "keyring").read_text() == kept
