"""The JSON door: failures have one form and one status, and no answer says more than it should."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from bahi.api.app import make_app
from bahi.api.errors import STATUS, status_of
from bahi.bootstrap import House, build
from bahi.config import Settings
from bahi.db.failures import DatabaseAway, Duplicate
from bahi.kernel import errors as kernel
from bahi.kernel.errors import BahiError
from tests.cli.processes import HEADS, environment
from tests.databases import Database, Databases, MakeDatabase
from tests.furnished import Furnished

SECRET = "hunter2"


@pytest.fixture
def house(tmp_path: Path, furnished: Furnished, make_database: MakeDatabase) -> Iterator[House]:
    env = furnished.copy("sqlite", tmp_path / "data", make_database)
    house = build(Settings.from_environment(env))
    yield house
    asyncio.run(house.close())


@pytest.fixture
def app(house: House) -> FastAPI:
    return make_app(house)


def ask(app: FastAPI, method: str, path: str, **options: Any) -> httpx.Response:
    async def asking() -> httpx.Response:
        door = httpx.ASGITransport(app)  # what escapes the application fails the test
        async with httpx.AsyncClient(transport=door, base_url="http://bahi") as client:
            return await client.request(method, path, **options)

    return asyncio.run(asking())


def door_that_raises(app: FastAPI, failure: Exception) -> None:
    @app.get("/fails")
    async def fails() -> None:
        raise failure


def every_failure(kind: type[BahiError] = BahiError) -> Iterator[type[BahiError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from every_failure(child)


KERNEL = [it for it in vars(kernel).values() if isinstance(it, type) and issubclass(it, BahiError)]


def test_every_failure_of_the_kernel_has_a_status_of_its_own_choice() -> None:
    assert set(KERNEL) <= set(STATUS)


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
    assert answer.json() == {"code": kind.code, "message": "The sentence."}


def test_busy_says_when_to_try_again(app: FastAPI) -> None:
    door_that_raises(app, kernel.Busy())
    assert ask(app, "GET", "/fails").headers["retry-after"] == "1"


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
    assert set(answer.json()) == {"code", "message"}


def test_every_answer_keeps_a_browser_from_doing_more(app: FastAPI) -> None:
    for path in ("/", "/healthz", "/openapi.json", "/nowhere"):
        headers = ask(app, "GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]


def test_the_first_page_says_where_things_are_and_no_password(tmp_path: Path) -> None:
    class Nothing:
        stores: tuple[Any, ...] = ()
        settings = Settings.from_environment(
            {
                "BAHI_HOME": str(tmp_path / "<b>data"),
                "DATABASE_URL": f"postgresql://desk:{SECRET}@db.example/bahi",
                "BAHI_KEYS": SECRET,
            }
        )

    page = ask(make_app(Nothing()), "GET", "/").text  # type: ignore[arg-type] # shows settings only
    assert "PostgreSQL at db.example/bahi" in page
    assert "&lt;b&gt;data" in page
    assert "<b>" not in page
    assert SECRET not in page
    assert "from the environment" in page


def test_the_house_says_how_each_store_is(app: FastAPI) -> None:
    answer = ask(app, "GET", "/healthz")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    found = {name: it["version"] for name, it in answer.json()["stores"].items()}
    assert found == HEADS


def test_a_store_that_does_not_answer_makes_the_house_unwell(
    tmp_path: Path, make_database: Callable[..., Database], databases: Databases
) -> None:
    lost = make_database("postgresql")
    env = environment(tmp_path / "data", LOGS_DATABASE_URL=lost.url)
    house = build(Settings.from_environment(env))
    app = make_app(house)
    assert ask(app, "GET", "/healthz").json()["status"] == "healthy"
    databases.drop(lost)
    answer = ask(app, "GET", "/healthz")
    assert answer.status_code == 503
    stores = answer.json()["stores"]
    assert stores["logs"] == {
        "kind": "postgresql",
        "answers": False,
        "version": None,
        "code": "database_away",
    }
    assert stores["main"]["answers"]
    asyncio.run(house.close())
