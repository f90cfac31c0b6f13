"""The JSON door: failures have one form and one status, and no answer says more than it should."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from bahi.api.errors import STATUS, status_of
from bahi.asgi import doors_of
from bahi.bootstrap import House, build
from bahi.config import Settings
from bahi.db.failures import DatabaseAway, Duplicate
from bahi.kernel import errors as kernel
from bahi.kernel.errors import BahiError
from bahi.kernel.ports import LoginFailed
from bahi.kernel.words import LoginFailure
from bahi.telemetry.service import end_logging, set_up_logging
from tests.api.standing import Standing, standing
from tests.cli.processes import HEADS, environment
from tests.databases import Database, Databases, Kind, MakeDatabase
from tests.furnished import Furnished

SECRET = "hunter2"


@pytest.fixture
def house(tmp_path: Path, furnished: Furnished, make_database: MakeDatabase) -> Iterator[House]:
    env = furnished.copy("sqlite", tmp_path / "data", make_database)
    house = build(Settings.from_environment(env))
    yield house
    asyncio.run(house.close())


@pytest.fixture(scope="module")
def app(furnished: Furnished, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """Stand on a house that no test changes, with a door that fails as it is told to."""
    env = furnished.copy("sqlite", tmp_path_factory.mktemp("app") / "data", no_database)
    house = build(Settings.from_environment(env))
    app = doors_of(house)

    @app.get("/fails")
    async def fails() -> None:
        raise app.state.failure

    yield app
    asyncio.run(house.close())


def no_database(kind: Kind, template: Database | None = None) -> Database:
    raise AssertionError(f"a house of files needs no {kind} of {template}")


def ask(app: FastAPI, method: str, path: str, **options: Any) -> httpx.Response:
    async def asking() -> httpx.Response:
        door = httpx.ASGITransport(app)  # what escapes the application fails the test
        async with httpx.AsyncClient(transport=door, base_url="http://bahi") as client:
            return await client.request(method, path, **options)

    return asyncio.run(asking())


def door_that_raises(app: FastAPI, failure: Exception) -> None:
    app.state.failure = failure


def every_failure(kind: type[BahiError] = BahiError) -> Iterator[type[BahiError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from every_failure(child)


KERNEL = [it for it in vars(kernel).values() if isinstance(it, type) and issubclass(it, BahiError)]


def test_every_failure_of_the_kernel_has_a_status_of_its_own_choice() -> None:
    assert set(KERNEL) <= set(STATUS)
    assert status_of(LoginFailed) == 502


def test_every_other_failure_has_that_of_what_it_is_a_kind_of() -> None:
    assert {status_of(kind) for kind in every_failure()} <= set(STATUS.values())
    assert status_of(Duplicate) == 409
    assert status_of(DatabaseAway) == 503


@pytest.mark.parametrize("kind", KERNEL, ids=lambda kind: kind.__name__)
def test_a_failure_is_answered_with_its_sentence_and_its_code(
    app: FastAPI, kind: type[BahiError]
) -> None:
    door_that_raises(app, kind("The sentence."))
    answer = ask(app, "GET", "/fails")
    assert answer.status_code == STATUS[kind]
    assert answer.json() == {
        "status": "error",
        "code": kind.code,
        "message": "The sentence.",
        "request_id": answer.headers["x-request-id"],
    }


def test_busy_says_when_to_try_again(app: FastAPI) -> None:
    door_that_raises(app, kernel.Busy())
    assert ask(app, "GET", "/fails").headers["retry-after"] == "1"


def test_too_soon_says_when_to_come_again(app: FastAPI) -> None:
    door_that_raises(app, kernel.TooSoon("The sentence.", retry_after_s=17))
    assert ask(app, "GET", "/fails").headers["retry-after"] == "17"


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (LoginFailure.RATE_LIMIT, 429),
        (LoginFailure.NETWORK_TIMEOUT, 504),
        (LoginFailure.INVALID_CREDENTIALS, 422),
        (LoginFailure.CONSENT_FAILED, 422),
        (LoginFailure.TOKEN_EXCHANGE_FAILED, 422),
        (LoginFailure.UNKNOWN, 502),
    ],
)
def test_a_brokers_no_is_answered_by_its_reason(
    app: FastAPI, reason: LoginFailure, status: int
) -> None:
    door_that_raises(app, LoginFailed("The sentence.", reason))
    answer = ask(app, "GET", "/fails")
    assert answer.status_code == status
    assert answer.json()["code"] == "login_failed"
    assert ("retry-after" in answer.headers) == (status == 429)


def test_what_nobody_expected_is_logged_once_and_not_told(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    door_that_raises(app, RuntimeError(SECRET))
    with caplog.at_level(logging.DEBUG):
        answer = ask(app, "GET", "/fails")
    assert answer.status_code == 500
    assert answer.json()["code"] == "error"
    assert SECRET not in answer.text
    assert [r.name for r in caplog.records if r.exc_info] == ["bahi.api"]


class Wish(BaseModel):
    quantity: int


def test_a_wish_that_is_not_understood_is_named_and_not_repeated(app: FastAPI) -> None:
    @app.post("/wishes")
    async def wishes(wish: Wish) -> None: ...

    answer = ask(app, "POST", "/wishes", json={"quantity": SECRET})
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert answer.json()["message"].startswith("body.quantity: ")
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere", 404, "not_found"), ("DELETE", "/healthz", 405, "method_not_allowed")],
)
def test_what_is_not_there_has_the_same_form(
    app: FastAPI, method: str, path: str, status: int, code: str
) -> None:
    answer = ask(app, method, path)
    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert set(answer.json()) == {"status", "code", "message", "request_id"}


def test_every_answer_keeps_a_browser_from_doing_more(app: FastAPI) -> None:
    for path in ("/", "/healthz", "/openapi.json", "/nowhere"):
        headers = ask(app, "GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]


def test_the_house_says_how_each_store_is(app: FastAPI) -> None:
    answer = ask(app, "GET", "/healthz")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    found = {name: it["version"] for name, it in answer.json()["stores"].items()}
    assert found == HEADS


@pytest.mark.parametrize(
    ("variable", "store", "status", "word", "ready"),
    [
        ("LOGS_DATABASE_URL", "logs", 200, "degraded", 200),
        ("SANDBOX_DATABASE_URL", "sandbox", 503, "unhealthy", 503),
    ],
)
def test_a_store_that_does_not_answer_makes_the_house_unwell(
    tmp_path: Path,
    make_database: Callable[..., Database],
    databases: Databases,
    variable: str,
    store: str,
    status: int,
    word: str,
    ready: int,
) -> None:
    lost = make_database("postgresql")
    house = build(Settings.from_environment(environment(tmp_path, **{variable: lost.url})))
    app = doors_of(house)
    app.state.is_open = True
    assert ask(app, "GET", "/healthz").json()["status"] == "healthy"
    databases.drop(lost)
    answer = ask(app, "GET", "/healthz")
    assert answer.status_code == status
    assert answer.json()["status"] == word
    assert answer.json()["checks"][f"store {store}"] == "unhealthy"
    stores = answer.json()["stores"]
    assert stores[store] == {
        "kind": "postgresql",
        "answers": False,
        "version": None,
        "code": "database_away",
    }
    assert stores["main"]["answers"]
    assert ask(app, "GET", "/readyz").status_code == ready
    asyncio.run(house.close())


def test_nothing_is_ready_before_the_day_has_begun(app: FastAPI) -> None:
    assert ask(app, "GET", "/readyz").status_code == 503


def test_a_body_has_a_bound_and_is_not_read_beyond_it(app: FastAPI) -> None:
    whole, too_much = b" " * (64 * 1024), b" " * (64 * 1024 + 1)
    assert ask(app, "POST", "/nowhere", content=whole).status_code == 404
    answer = ask(app, "POST", "/nowhere", content=too_much)
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"

    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * 30_000

    assert ask(app, "POST", "/nowhere", content=in_pieces()).status_code == 413


def test_only_json_is_read_as_json(house: House) -> None:
    async def story(it: Standing) -> None:
        admin = await it.admin_client()
        for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
            answer = await admin.post(
                "/v1/users", content=b'{"username": "asha"}', headers={"Content-Type": kind}
            )
            assert answer.status_code == 415, kind
        assert (await admin.post("/v1/users", json={"username": "asha"})).status_code == 201

    standing(environ_of(house), story)


def environ_of(house: House) -> dict[str, str]:
    return {"BAHI_HOME": str(house.settings.home), "BAHI_PORT": "8000"}


def test_the_log_of_a_request_carries_its_id(
    app: FastAPI, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = set_up_logging("INFO", "json")
    door_that_raises(app, RuntimeError("a fault"))
    answer = ask(app, "GET", "/fails")
    end_logging(chain)
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    faults = [line for line in said if line.get("error_type") == "RuntimeError"]
    assert [line["context"]["request_id"] for line in faults] == [answer.headers["x-request-id"]]
