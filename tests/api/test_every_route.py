"""Every door refuses who is not known and what they may not; the doors are read from OpenAPI."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx
from starlette.routing import Route, WebSocketRoute

from bahi.kernel.clock import StoppedClock
from bahi.kernel.words import KeyScope, Role
from tests.api.doors import BODIES, LISTED, OF_CLIENTS, OPEN, QUESTIONS, UNDESCRIBED
from tests.api.standing import Standing, standing
from tests.living import MORNING

TAG: Final = "openalgo"
PLACES: Final = {
    "which": "NSE:SBIN",
    "service": "kite",
    "broker": "kite",
    "api_name": "PRIMARY",
    "config_type": "api",
}


@dataclass(frozen=True)
class Door:
    """One operation of the OpenAPI document."""

    method: str
    path: str
    operation: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def changes(self) -> bool:
        return self.method != "GET"

    @property
    def needs(self) -> str | None:
        needs: str | None = self.operation.get("x-needs")
        return needs

    @property
    def is_of_clients(self) -> bool:
        return TAG in self.operation.get("tags", ())

    def at(self, **ids: Any) -> str:
        """Return an address of it."""
        known = {**PLACES, **ids}
        return re.sub(r"\{(\w+)\}", lambda found: str(known.get(found[1], "1")), self.path)

    async def ask(self, client: httpx.AsyncClient, **ids: Any) -> httpx.Response:
        body, question = BODIES.get(self.name), QUESTIONS.get(self.name, {})
        return await client.request(
            self.method, self.at(**ids), json=_with(body, ids), params=_with(question, ids)
        )

    def names(self, name: str) -> bool:
        """Say whether it is asked of one thing, by a name of its."""
        asked = (BODIES.get(self.name, {}), QUESTIONS.get(self.name, {}))
        return f"{{{name}}}" in self.path or any(name in _names(it) for it in asked)


def _with(said: Any, ids: dict[str, Any]) -> Any:
    """Put ids where a body or a question has them."""
    if not isinstance(said, dict):
        return said
    return {name: str(ids[name]) if name in ids else _with(it, ids) for name, it in said.items()}


def _names(said: Any) -> set[str]:
    if not isinstance(said, dict):
        return set()
    return set(said).union(*(_names(it) for it in said.values()))


def described(app: Any) -> Iterator[Door]:
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            yield Door(method.upper(), path, operation)


def doors_of(app: Any) -> Iterator[Door]:
    """Return the doors that ask for their key in a header: all but those of OpenAlgo's clients."""
    return (door for door in described(app) if not door.is_of_clients)


def doors_of_clients(app: Any) -> Iterator[Door]:
    """Return the doors of OpenAlgo's clients."""
    return (door for door in described(app) if door.is_of_clients)


def plain_doors(app: Any) -> Iterator[str]:
    """Name the routes that the framework of our own API knows nothing of."""
    for route in app.routes:
        endpoint = getattr(route, "endpoint", None)
        if endpoint is not None and endpoint.__module__.startswith("bahi.web"):
            continue  # pages are for people, and swept in tests/web/test_every_page.py
        if isinstance(route, WebSocketRoute):
            yield f"WEBSOCKET {route.path}"
        elif isinstance(route, Route):
            yield from (f"{it} {route.path}" for it in (route.methods or set()) - {"HEAD"})


def is_problem(answer: httpx.Response) -> bool:
    return set(answer.json()) == {"status", "code", "message", "request_id"}


def test_every_door_is_listed_with_what_it_needs(house: dict[str, str]) -> None:
    async def story(it: Standing) -> dict[str, str | None]:
        return {door.name: door.needs for door in doors_of(it.app)}

    assert standing(house, story) == {**LISTED, **dict.fromkeys(OPEN)}


def test_every_door_of_openalgos_clients_is_listed_with_what_it_needs(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> dict[str, str | None]:
        return {door.name: door.needs for door in doors_of_clients(it.app)}

    assert standing(house, story) == OF_CLIENTS


def test_what_the_document_leaves_out_is_listed_too(house: dict[str, str]) -> None:
    async def story(it: Standing) -> set[str]:
        return set(plain_doors(it.app)) - {door.name for door in described(it.app)}

    assert standing(house, story) == UNDESCRIBED


def test_every_door_says_in_words_what_it_does_and_answers(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        for door in described(it.app):
            if door.name in OPEN:
                continue
            said = door.operation
            assert len(said["summary"].split()) > 1, door.name
            assert said["summary"][0].isupper(), door.name
            unknown = "403" if door.is_of_clients else "401"
            assert {"400", unknown, "403", "404", "429"} <= set(said["responses"]), door.name
            for parameter in said.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"].endswith("_id"):
                    assert parameter["schema"].get("pattern"), (door.name, parameter["name"])

    standing(house, story)


def test_everything_that_the_document_names_is_in_it(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        document = it.app.openapi()
        named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
        assert "Problem" in named
        assert named <= set(document["components"]["schemas"])

    standing(house, story)


def test_the_doors_of_openalgo_refuse_strangers_too(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 100_000)
        for number, door in enumerate(doors_of_clients(it.app)):
            stranger = await it.client(peer=(f"203.0.113.{number}", 1))
            how = "json" if door.method == "POST" else "params"
            for said in ({"apikey": "no key of ours"}, {}):
                answer = await stranger.request(
                    door.method, door.at(symbol="NSE:SBIN"), **{how: said}
                )
                assert answer.status_code == 403, (door.name, answer.text)
                assert is_problem(answer)

    standing(house, story)


def test_only_known_doors_ask_for_no_key(house: dict[str, str]) -> None:
    async def story(it: Standing) -> set[str]:
        return {door.name for door in doors_of(it.app) if "security" not in door.operation}

    assert standing(house, story) == OPEN


def test_no_key_a_wrong_one_an_ended_one_and_one_in_the_address_open_nothing(
    house: dict[str, str],
) -> None:
    clock = StoppedClock(MORNING)

    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 100_000)
        admin = await it.admin()
        revoked, living = await it.key(admin), await it.key(admin)
        boss = await it.admin_client()
        listed = (await boss.get("/v1/keys")).json()["items"]
        await boss.delete(f"/v1/keys/{listed[0]['id']}")
        await it.house.revisions.look()
        bodies = set()
        for number, door in enumerate(doors_of(it.app)):
            if door.name in OPEN:
                continue
            peer = (f"203.0.113.{number}", 1)
            for key in (None, "", "no key of ours", "0" * 64, revoked):
                client = await it.client(key, peer=peer)
                answer = await door.ask(client)
                assert answer.status_code == 401, (door.name, key, answer.text)
                assert answer.headers["www-authenticate"].startswith("ApiKey")
                assert is_problem(answer)
                bodies.add((answer.json()["code"], answer.json()["message"]))
            stranger = await it.client(peer=peer)
            for name in ("api_key", "apikey", "X-API-Key", "key"):
                answer = await stranger.request(door.method, door.at(), params={name: living})
                assert answer.status_code == 401, door.name
        assert len(bodies) == 1  # nothing tells one from another

    standing(house, story, clock=clock)


def test_a_key_that_expired_opens_nothing(house: dict[str, str]) -> None:
    clock = StoppedClock(MORNING)

    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 100_000)
        browser, csrf = await it.signed_in(await it.admin())
        wish = {"name": "for a day", "expires_at": "2036-11-25T08:30:00+05:30"}
        issued = await browser.post("/v1/keys", json=wish, headers={"X-CSRF-Token": csrf})
        assert issued.status_code == 201, issued.text
        client = await it.client(issued.json()["api_key"])
        assert (await client.get("/v1/me")).status_code == 200
        clock.advance(timedelta(days=2))
        for door in doors_of(it.app):
            if door.name not in OPEN:
                assert (await door.ask(client)).status_code == 401, door.name

    standing(house, story, clock=clock)


def test_a_key_that_only_reads_changes_nothing(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 100_000)
        reading = await it.admin_client(KeyScope.READ)
        for door in doors_of(it.app):
            if door.changes and door.name not in OPEN:
                answer = await door.ask(reading)
                assert answer.status_code == 403, (door.name, answer.text)
                assert is_problem(answer)

    standing(house, story)


def test_a_trader_stands_before_the_doors_of_admins(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 100_000)
        trader = await it.client(await it.key(await it.user("asha")))
        closed = [door for door in doors_of(it.app) if door.needs == "admin"]
        assert {door.name for door in closed} >= {
            "GET /v1/users",
            "POST /config/{config_type}/{key}",
            "POST /jobs/cleanup",
            "POST /auth/db/cleanup",
            "GET /v1/health/history",
            "POST /v1/backups",
            "POST /v1/risk/lists",
        }
        for door in closed:
            assert (await door.ask(trader)).status_code == 403, door.name

    standing(house, story)


def test_a_viewer_changes_nothing_but_their_own_sessions(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 100_000)
        viewer, csrf = await it.signed_in(await it.user("nani", Role.VIEWER))
        for door in doors_of(it.app):
            if door.changes and door.name not in OPEN and door.needs != "own":
                viewer.headers["X-CSRF-Token"] = csrf
                assert (await door.ask(viewer)).status_code == 403, door.name
        mine = (await viewer.get("/v1/sessions")).json()["items"]
        ended = await viewer.delete(f"/v1/sessions/{mine[0]['id']}")
        assert ended.status_code == 204
        assert (await viewer.get("/v1/me")).status_code == 401

    standing(house, story)
