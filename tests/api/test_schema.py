"""What the OpenAPI document promises is kept: whatever is sent, no 500 and no unknown answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
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
from tests.api.doors import ENDLESS, NOT_AVAILABLE
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
EXAMPLES: Final[dict[Kind, int]] = {"sqlite": 3, "postgresql": 2}
OF_CLIENTS: Final[dict[Kind, int]] = {"sqlite": 2, "postgresql": 1}
LAST: Final = {"DELETE /v1/accounts/{account_id}", "DELETE /v1/users/{user_id}"}
"""What leaves nothing behind for others to ask for."""
OPENALGO: Final = "openalgo"
EMPTY: Final = {f"/api/v1/{path}" for path in NOT_AVAILABLE.split()}
FEW: Final = 1
"""Of what is not available, in all the ways of asking for it."""
WORDS: Final[dict[str, Any]] = {
    "symbol": "SBIN",
    "exchange": "NSE",
    "action": "BUY",
    "product": "MIS",
    "pricetype": "MARKET",
    "quantity": 1,
    "price": "800",
    "trigger_price": None,
    "disclosed_quantity": None,
    "account": None,
    "interval": "5m",
    "start_date": "2026-11-23",
    "end_date": "2026-11-24",
    "underlying": "NIFTY",
    "expiry_date": "01DEC26",
    "offset": "ATM",
    "option_type": "CE",
    "format": "csv",
}
"""What OpenAlgo's clients say, for words that the document leaves open."""
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
    asked = ask_all(served, rounds(EXAMPLES[kind_of(home)]), of_clients=False)
    refused = {pair for pair in asked if pair[1] in {401, 429}}
    assert not refused  # else it would be the refusals that were tried


def test_every_answer_to_openalgos_clients_is_as_documented(
    served: Served, home: Environment, rounds: Callable[[int], int]
) -> None:
    asked = ask_all(served, rounds(OF_CLIENTS[kind_of(home)]), of_clients=True)
    good = {label for label, status in asked if status == 200}
    assert {"POST /api/v1/placeorder", "POST /api/v1/funds", "GET /api/v1/instruments"} <= good
    assert ("POST /api/v1/strategy/list", 501) in asked


def kind_of(home: Environment) -> Kind:
    return "postgresql" if "DATABASE_URL" in home else "sqlite"


def ask_all(served: Served, many: int, *, of_clients: bool) -> set[tuple[str, int]]:
    """Ask every operation of one of the two APIs; return which was answered with what."""
    schema = schemathesis.openapi.from_dict(served.document)
    asked: set[tuple[str, int]] = set()
    results: Iterator[Any] = schema.get_all_operations()
    every = [
        it
        for it in (found.ok() for found in results)
        if (OPENALGO in (it.tags or ())) is of_clients and it.label not in ENDLESS
    ]
    for operation in sorted(every, key=lambda it: it.label in LAST):
        few = operation.label.removeprefix("GET ").removeprefix("POST ") in EMPTY
        for mode in MODES:
            asked |= ask(served, operation, mode, FEW if few else many)
    assert {label for label, _ in asked} == {it.label for it in every}
    return asked


def ask(served: Served, operation: Any, mode: GenerationMode, many: int) -> set[tuple[str, int]]:
    """Ask one operation in many ways; the first good one, and half of them, name what is there."""
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
        parts = [it for it in (case.path_parameters, case.query, case.body) if type(it) is dict]
        if mode is GenerationMode.POSITIVE and data.draw(st.sampled_from((True, False))):
            known = served.ids | (WORDS if OPENALGO in (operation.tags or ()) else {})
            for given in parts:
                given |= {name: it for name, it in known.items() if name in given}
            if operation.path.startswith("/v1/quotes/"):
                case.query["symbol"] = served.ids["which"]
        for given in parts:
            if "apikey" in given:
                given["apikey"] = served.key
        answer = case.call(base_url=served.url, headers={"X-API-Key": served.key})
        is_fault = answer.status_code != HTTPStatus.NOT_IMPLEMENTED  # which is said on purpose
        case.validate_response(answer, checks=CHECKS if is_fault else CHECKS[1:])
        asked.add((operation.label, answer.status_code))

    try:
        trial()
    except hypothesis.errors.Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # nothing that it takes could be wrong
    return asked
