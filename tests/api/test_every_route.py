"""Every door refuses who is not known and what they may not; the doors are read from OpenAPI."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx

from bahi.kernel.clock import StoppedClock
from bahi.kernel.words import BrokerSlug, KeyScope, Role
from tests.api.standing import Standing, standing
from tests.living import MORNING

OPEN: Final = {
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "POST /auth/notify/upstox/{secret}",
}
"""Doors that ask for no key: monitors, and a broker that was told a secret path."""

BODIES: Final[dict[str, dict[str, Any]]] = {
    "POST /api/auth/upstox/tokens/generate": {"mode": "ALL"},
    "POST /config/{config_type}/{key}": {"value": 1},
    "POST /v1/users": {"username": "somebody"},
    "PATCH /v1/users/{user_id}": {"role": "viewer"},
    "POST /v1/keys": {"name": "a key"},
    "POST /v1/persons": {"name": "Somebody"},
    "POST /v1/accounts": {"name": "Account", "broker": "paper"},
    "PATCH /v1/accounts/{account_id}": {"name": "Another name"},
    "POST /v1/accounts/{account_id}/applications": {"client_id": "c", "secret": "s"},
    "PATCH /v1/applications/{api_id}": {"enabled": False},
    "POST /v1/tokens/runs": {"account_id": "1"},
    "POST /v1/tokens/resume": {"account_id": "1"},
    "POST /v1/tokens/stop": {"account_id": "1"},
    "POST /v1/tokens/revoke": {"api_id": "1"},
}
"""A body that is understood, for each door that cannot do without one."""

PLACES: Final = {"service": "kite", "broker": "kite", "api_name": "PRIMARY", "config_type": "api"}


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

    def at(self, **ids: Any) -> str:
        """Return an address of it."""
        known = {**PLACES, **ids}
        return re.sub(r"\{(\w+)\}", lambda found: str(known.get(found[1], "1")), self.path)

    async def ask(self, client: httpx.AsyncClient, **ids: Any) -> httpx.Response:
        body = BODIES.get(self.name)
        if body is not None:
            body = {name: str(ids.get(name, said)) if name in ids else said for name, said in
                    body.items()}  # fmt: skip
        return await client.request(self.method, self.at(**ids), json=body)


def doors_of(app: Any) -> Iterator[Door]:
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            yield Door(method.upper(), path, operation)


def is_problem(answer: httpx.Response) -> bool:
    return set(answer.json()) == {"status", "code", "message", "request_id"}


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


def test_what_is_anothers_is_as_if_it_were_not_there(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 100_000)
        asha, ravi = await it.user("asha"), await it.user("ravi")
        account = await it.account(asha, BrokerSlug.UPSTOX, "Asha's Upstox")
        api_id = await it.application(asha, account, client_id="client")
        own = await it.client(await it.key(asha))
        run = await own.post("/v1/tokens/runs", json={"account_id": str(account.id), "mode": "ALL"})
        assert run.status_code == 202, run.text
        key_id = (await own.get("/v1/keys")).json()["items"][0]["id"]
        sign_in, _ = await it.signed_in(asha)
        session_id = (await sign_in.get("/v1/sessions")).json()["items"][0]["id"]
        ids = {
            "account_id": account.id,
            "api_id": api_id,
            "key_id": key_id,
            "session_id": session_id,
            "execution_id": run.json()["execution_id"],
        }
        other = await it.client(await it.key(ravi))
        found = 0
        for door in doors_of(it.app):
            wanted = [name for name in ids if f"{{{name}}}" in door.path]
            wanted += [name for name in ids if name in BODIES.get(door.name, {})]
            if not wanted:
                continue
            found += 1
            theirs = await door.ask(other, **ids)
            missing = await door.ask(other, **dict.fromkeys(ids, "777"))
            assert theirs.status_code == missing.status_code == 404, (door.name, theirs.text)
            said = [
                re.sub(rf"{ids[wanted[0]]}|777", "#", answer.json()["message"])
                for answer in (theirs, missing)
            ]
            assert said[0] == said[1], door.name
        assert found >= 14

    standing(home, story)
