"""`bahi up`: what a newcomer sees, and one clear sentence for whatever keeps it from starting."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from bahi.bootstrap import take_service_lock
from bahi.bootstrap.ground import served_at
from bahi.config import STORE_VARIABLES
from tests.cli.processes import HEADS, Environment, Service, bahi, environment, refusal
from tests.databases import KINDS, Database, Kind, MakeDatabase
from tests.furnished import Furnished
from tests.ports import LOOPBACK, reserve_port


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def lived_in(
    home: Path, furnished: Furnished, furnished_at: datetime, make_database: MakeDatabase
) -> Environment:
    """Lead to a house that has been started before: for what is no matter of a first start."""
    return furnished.copy("sqlite", home, make_database, at=furnished_at)


def test_a_first_start_makes_everything_and_says_where_it_is(
    home: Path, empty_database: Database
) -> None:
    with Service(environment(home, empty_database)) as service:
        health = service.health()
        assert health["status"] == "healthy"
        assert {name: it["version"] for name, it in health["stores"].items()} == HEADS
        assert {it["kind"] for it in health["stores"].values()} == {empty_database.kind}
        assert service.get("/openapi.json").json()["info"]["title"] == "Bahi"
        page = service.get("/")
        assert str(home) not in page.text  # the terminal says it, below
        assert "script" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert service.said[0].startswith(f"Bahi is open at http://{LOOPBACK}:")
        assert str(home) in service.said[1]
        code, errors = service.stop()
    assert code == 0
    assert "Traceback" not in errors


def test_as_long_as_the_admin_has_no_password_a_start_says_a_link_to_one(
    lived_in: Environment,
) -> None:
    env = lived_in
    with Service(env) as service:
        first = welcome_link(service)
        service.stop()
    with Service(env) as service, httpx.Client(base_url=service.url) as browser:
        link = welcome_link(service)
        assert browser.get(first).status_code == 401  # each start makes its own
        page = browser.get(link)
        form = page.text.partition('name="form" value="')[2].partition('"')[0]
        fields = {"form": form, "password": "a good password", "again": "a good password"}
        assert browser.post(link, data=fields).status_code == 303
        assert "Sign out" in browser.get("/").text
        service.stop()
    with Service(env) as service:
        service.process.terminate()
        said, _ = service.process.communicate(timeout=60)
        assert "welcome" not in said


def welcome_link(service: Service) -> str:
    """Return the path of the link that a start says last."""
    said = service._line()
    assert said.startswith(f"First: choose the admin's password at {service.url}/welcome/")
    return said.removeprefix(f"First: choose the admin's password at {service.url}")


def test_what_a_start_makes_is_closed_to_others(home: Path) -> None:
    with Service(environment(home)) as service:
        assert home.stat().st_mode & 0o777 == 0o700
        modes = {file.name: file.stat().st_mode & 0o777 for file in home.iterdir()}
        assert {"keyring", "service.lock", *(f"{s}.sqlite" for s in STORE_VARIABLES)} <= set(modes)
        folders = {name: mode for name, mode in modes.items() if mode != 0o600}
        assert folders == {"statistics": 0o700, "wake": 0o700}
        service.stop()


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_nought_while_clients_hold_their_connections(
    lived_in: Environment, by: signal.Signals
) -> None:
    with Service(lived_in) as service, httpx.Client(base_url=service.url) as client:
        assert client.get("/healthz").status_code == 200
        with socket.create_connection((LOOPBACK, httpx.URL(service.url).port or 0)) as half_asked:
            half_asked.sendall(b"GET /healthz HTTP/1.1\r\n")
            code, errors = service.stop(by)
    assert code == 0
    assert "Traceback" not in errors


def test_a_second_start_finds_what_the_first_one_made(home: Path) -> None:
    env = environment(home)
    with Service(env) as service:
        service.stop()
    keyring = (home / "keyring").read_text()
    with Service(env) as service:
        assert service.health()["status"] == "healthy"
        code, errors = service.stop()
        assert code == 0
        assert "Traceback" not in errors
    assert (home / "keyring").read_text() == keyring


def test_a_second_service_on_the_folder_is_told_of_the_first(lived_in: Environment) -> None:
    with Service(lived_in) as service:
        sentence = refusal("up", "--port", "0", env=lived_in)
        assert f"process {service.process.pid}" in sentence
        assert service.health()["status"] == "healthy"


def test_a_killed_service_leaves_no_lock_behind(lived_in: Environment) -> None:
    with Service(lived_in) as service:
        service.stop(signal.SIGKILL)
    with Service(lived_in) as service:
        assert service.health()["status"] == "healthy"


def test_a_taken_port_is_named(home: Path) -> None:
    with closing(socket.create_server((LOOPBACK, 0))) as other:
        port = other.getsockname()[1]
        sentence = refusal("up", "--port", str(port), env=environment(home))
    assert f"port {port}" in sentence


def test_an_address_of_another_machine_is_named(home: Path) -> None:
    env = environment(home, BAHI_HOST="192.0.2.1")
    assert "192.0.2.1" in refusal("up", env=env)


def test_a_folder_that_cannot_be_made_is_named(home: Path) -> None:
    home.write_text("a file where the folder should be")
    sentence = refusal("up", env=environment(home))
    assert str(home) in sentence
    assert "BAHI_HOME" in sentence


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_ours_to_write_is_named(home: Path) -> None:
    home.mkdir(mode=0o500)
    assert str(home) in refusal("up", env=environment(home))


def test_a_folder_of_other_things_that_others_may_read_is_not_taken(home: Path) -> None:
    home.mkdir()
    home.chmod(0o755)
    (home / "letters").write_text("somebody's")
    assert f"chmod 700 {home}" in refusal("up", env=environment(home))
    assert home.stat().st_mode & 0o777 == 0o755


def test_a_database_newer_than_the_code_is_left_alone(home: Path, empty_database: Database) -> None:
    env = environment(home, empty_database)
    assert bahi("db", "upgrade", env=env).returncode == 0
    _claim_version(home, empty_database, 9999)
    for migrate in ("auto", "refuse", "warn"):
        sentence = refusal("up", env=env | {"BAHI_MIGRATE": migrate})
        assert "version 9999" in sentence
        assert "install a newer Bahi" in sentence


def _claim_version(home: Path, database: Database, version: int) -> None:
    claim = "INSERT INTO {}schema_migrations VALUES ({}, 'later', '', 0)"
    if database.kind == "postgresql":
        with psycopg.connect(database.url) as there:
            there.execute(claim.format("main.", version))
    else:
        with closing(sqlite3.connect(home / "main.sqlite")) as there, there:
            there.execute(claim.format("", version))


def test_a_postgresql_that_does_not_answer_is_named_without_its_password(home: Path) -> None:
    url = f"postgresql://desk:hunter2@{LOOPBACK}:{reserve_port()}/bahi"
    env = environment(home, SANDBOX_DATABASE_URL=url)
    ended = bahi("up", "--port", "0", env=env)
    assert ended.returncode == 1
    assert "SANDBOX_DATABASE_URL: PostgreSQL does not answer" in ended.stderr
    assert "hunter2" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_file_that_is_no_database_is_named(home: Path) -> None:
    home.mkdir(mode=0o700)
    env = environment(home, LOGS_DATABASE_URL="sqlite:///letters.txt")
    (home / "letters.txt").write_text("Dear Bahi, " * 1000)
    sentence = refusal("up", env=env)
    assert "LOGS_DATABASE_URL" in sentence


def test_a_sqlite_that_is_too_old_is_named(home: Path) -> None:
    aged = "import sqlite3; sqlite3.sqlite_version = '3.34.1'"
    aged += "; sqlite3.sqlite_version_info = (3, 34, 1)"
    sentence = refusal("up", env=environment(home), before=aged)
    assert "3.34.1" in sentence
    assert "3.37" in sentence


def test_a_setting_that_cannot_be_used_is_named(home: Path) -> None:
    sentence = refusal("up", env=environment(home, BAHI_PORT="eighty"))
    assert sentence == "BAHI_PORT is 'eighty'; it must be a whole number from 0 to 65535."


@pytest.mark.parametrize("kind", KINDS)
def test_stores_without_their_keyring_are_not_served(
    home: Path,
    furnished: Furnished,
    furnished_at: datetime,
    make_database: MakeDatabase,
    kind: Kind,
) -> None:
    env = furnished.copy(kind, home, make_database, at=furnished_at)
    keys = (home / "keyring").read_text()
    (home / "keyring").unlink()
    sentence = refusal("up", env=env)
    assert str(home / "keyring") in sentence
    assert "bahi keys create" in sentence
    with Service(env | {"BAHI_KEYS": keys}) as service:
        assert service.health()["status"] == "healthy"
        service.stop()
    assert bahi("keys", "create", "--yes", env=env).returncode == 0
    with Service(env) as service:
        assert service.health()["status"] == "healthy"


def test_a_store_that_is_behind_is_not_touched_where_that_is_wished(home: Path) -> None:
    env = environment(home, BAHI_MIGRATE="refuse")
    assert "bahi db upgrade" in refusal("up", env=env)
    assert bahi("db", "upgrade", env=env).returncode == 0
    with Service(env) as service:
        assert service.health()["status"] == "healthy"


def test_the_lock_of_a_folder_goes_with_its_holder(tmp_path: Path) -> None:
    with take_service_lock(tmp_path):
        pass
    assert served_at(tmp_path) is None
    with take_service_lock(tmp_path, "http://127.0.0.1:8000"):
        assert (tmp_path / "service.lock").read_text().split()[0] == str(os.getpid())
        assert served_at(tmp_path) == "http://127.0.0.1:8000"
    assert served_at(tmp_path) is None


def test_the_version_is_said(home: Path) -> None:
    assert bahi("--version", env=environment(home)).stdout.startswith("bahi ")
