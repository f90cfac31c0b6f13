"""What the OpenAPI document promises is kept: whatever is sent, no 500 and no unknown answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import hypothesis
import pytest
import schemathesis
import uvicorn
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bahi.asgi import doors_of
from bahi.bootstrap import build
from bahi.config import Settings
from bahi.kernel.crypto import Passwords
from bahi.kernel.words import BrokerSlug
from tests.api.standing import CHEAP, Standing
from tests.cli.processes import Environment
from tests.databases import Kind
from tests.ports import LOOPBACK, reserve_port

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES: Final[dict[Kind, int]] = {"sqlite": 5, "postgresql": 2}
MODES: Final = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@dataclass(frozen=True)
class Served:
    """A house that is served over real HTTP, an admin's key, and ids of what is in it."""

    url: str
    key: str
    ids: dict[str, str]
    document: dict[str, Any]


class Listening(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listens.set()


class Server:
    """A house and its doors in a thread of their own."""

    def __init__(self, environ: Environment) -> None:
        self._environ = environ
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.fault: BaseException | None = None

    def __enter__(self) -> Served:
        self._thread.start()
        self._ready.wait()
        if self.fault is not None:
            raise self.fault
        return self.served

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    async def _serve(self) -> None:
        try:
            await self._open()
        except BaseException as fault:
            self.fault = fault
            raise
        finally:
            self._ready.set()
        await self._serving

    async def _open(self) -> None:
        nowhere = f"http://{LOOPBACK}:{reserve_port()}"
        environ = {**self._environ, "BAHI_WORKER": "apart"}
        environ["BAHI_BROKER_ADDRESSES"] = f"upstox.api={nowhere}"
        house = build(Settings.from_environment(environ), passwords=Passwords(CHEAP))
        app = doors_of(house)
        config = uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="on")
        self._server = server = Listening(config)
        self._serving = asyncio.create_task(server.serve())
        await server.listens.wait()
        port = self._server.servers[0].sockets[0].getsockname()[1]
        it = Standing(house, app, None)  # type: ignore[arg-type] # it opens no clients here
        await it.set("api", "rate_limit_per_minute", 100_000)
        admin = await it.admin()
        account = await it.account(admin, BrokerSlug.UPSTOX, "Upstox")
        api_id = await it.application(admin, account, client_id="client")
        asha = await it.user("asha")
        ids = {"account_id": account.id, "api_id": api_id, "user_id": asha.id}
        self.served = Served(
            f"http://{LOOPBACK}:{port}",
            await it.key(admin),
            {name: str(value) for name, value in ids.items()},
            app.openapi(),
        )


@pytest.fixture
def served(home: Environment) -> Iterator[Served]:
    with Server(home) as served:
        yield served


def test_every_answer_is_as_documented(
    served: Served, home: Environment, rounds: Callable[[int], int]
) -> None:
    assert served.document["components"]["securitySchemes"]["key"]["name"] == "X-API-Key"
    assert "HTTPValidationError" not in served.document["components"]["schemas"]
    kind: Kind = "postgresql" if "DATABASE_URL" in home else "sqlite"
    schema = schemathesis.openapi.from_dict(served.document)
    asked: set[tuple[str, int]] = set()
    for found in schema.get_all_operations():
        for mode in MODES:
            asked |= ask(served, found.ok(), mode, rounds(EXAMPLES[kind]))
    assert {label for label, _ in asked} == {
        f"{method.upper()} {path}"
        for path, operations in served.document["paths"].items()
        for method in operations
    }
    refused = {pair for pair in asked if pair[1] in {401, 429}}
    assert not refused  # else it would be the refusals that were tried


def ask(served: Served, operation: Any, mode: GenerationMode, many: int) -> set[tuple[str, int]]:
    """Ask one operation in many ways; half of the good ones name what is there."""
    asked = set()

    @hypothesis.settings(
        max_examples=many,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(data=st.data())
    def trial(data: Any) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if mode is GenerationMode.POSITIVE and data.draw(st.booleans()):
            for name in set(case.path_parameters or {}) & set(served.ids):
                case.path_parameters[name] = served.ids[name]
        answer = case.call(base_url=served.url, headers={"X-API-Key": served.key})
        case.validate_response(answer, checks=CHECKS)
        asked.add((operation.label, answer.status_code))

    try:
        trial()
    except hypothesis.errors.Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # nothing that it takes could be wrong
    return asked
