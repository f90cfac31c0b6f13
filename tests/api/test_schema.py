"""What the OpenAPI document promises is kept: whatever is sent, no 500 and no unknown answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bahi.kernel.words import BrokerSlug, Side
from bahi.orders.service.placing import place_order
from tests.api.doors import ENDLESS
from tests.api.serving import Server
from tests.api.standing import Standing, as_actor
from tests.cli.processes import Environment
from tests.databases import Kind
from tests.orders.desks import OPEN, away, limit
from tests.ports import LOOPBACK, reserve_port

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES: Final[dict[Kind, int]] = {"sqlite": 5, "postgresql": 2}
LAST: Final = {"DELETE /v1/accounts/{account_id}", "DELETE /v1/users/{user_id}"}
"""What leaves nothing behind for others to ask for."""
MODES: Final = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@dataclass(frozen=True)
class Served:
    """A house that is served over real HTTP, an admin's key, and ids of what is in it."""

    url: str
    key: str
    ids: dict[str, str]
    document: dict[str, Any]


async def furnished(it: Standing) -> tuple[str, dict[str, str]]:
    """Put something of each kind into the house; return an admin's key, and ids."""
    admin = await it.admin()
    account = await it.account(admin, BrokerSlug.PAPER, "For trials")
    upstox = await it.account(admin, BrokerSlug.UPSTOX, "Upstox")
    api_id = await it.application(admin, upstox, client_id="client")
    asha = await it.user("asha")
    desk = await it.house.desk(as_actor(admin), account.id)
    bought = await place_order(desk, limit(desk, quantity=10))
    rests = await place_order(desk, limit(desk, price=away(desk, Side.BUY)))
    assert bought.filled == 10
    ids = {
        "account_id": account.id,
        "api_id": api_id,
        "user_id": asha.id,
        "order_id": rests.id,
        "which": "NSE:SBIN",
        "symbol": "SBIN",
        "segment": "NSE_EQ",
        "product": "INTRADAY",
        "root": "NIFTY",
    }
    return await it.key(admin), {name: str(value) for name, value in ids.items()}


@pytest.fixture
def served(home: Environment) -> Iterator[Served]:
    nowhere = f"http://{LOOPBACK}:{reserve_port()}"
    environ = {**home, **OPEN, "BAHI_BROKER_ADDRESSES": f"upstox.api={nowhere}"}
    with Server(environ) as server:
        key, ids = server.do(furnished)
        yield Served(server.url, key, ids, server.it.app.openapi())


def test_every_answer_is_as_documented(
    served: Served, home: Environment, rounds: Callable[[int], int]
) -> None:
    assert served.document["components"]["securitySchemes"]["key"]["name"] == "X-API-Key"
    assert "HTTPValidationError" not in served.document["components"]["schemas"]
    kind: Kind = "postgresql" if "DATABASE_URL" in home else "sqlite"
    schema = schemathesis.openapi.from_dict(served.document)
    asked: set[tuple[str, int]] = set()
    results: Iterator[Any] = schema.get_all_operations()
    every_operation = (found.ok() for found in results)
    for operation in sorted(every_operation, key=lambda it: it.label in LAST):
        if operation.label not in ENDLESS:
            for mode in MODES:
                asked |= ask(served, operation, mode, rounds(EXAMPLES[kind]))
    every = {
        f"{method.upper()} {path}"
        for path, operations in served.document["paths"].items()
        for method in operations
    }
    assert {label for label, _ in asked} == every - ENDLESS
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
            for given in (case.path_parameters, case.query, case.body):
                if isinstance(given, dict):
                    given |= {name: it for name, it in served.ids.items() if name in given}
            if operation.path.startswith("/v1/quotes/"):
                case.query["symbol"] = served.ids["which"]
        answer = case.call(base_url=served.url, headers={"X-API-Key": served.key})
        case.validate_response(answer, checks=CHECKS)
        asked.add((operation.label, answer.status_code))

    try:
        trial()
    except hypothesis.errors.Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # nothing that it takes could be wrong
    return asked
