"""Bodies: whole or not at all, JSON that can be read, and sentences for what cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import Message

from bahi.api.bodies import DEEPEST, is_too_deep
from bahi.api.errors import RIGHT
from tests.api.standing import Standing, standing

JSON = {"Content-Type": "application/json"}


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("body", "too_deep"),
    [
        (nested(DEEPEST), False),
        (nested(DEEPEST + 1), True),
        (b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), True),
        (b"[" + b"[],{}," * 1000 + b"1]", False),
        (b'["' + b"[" * 1000 + b'"]', False),
        (rb'["\"' + b"[" * 1000 + b'"]', False),
        (rb'["\\"' + b"[" * 1000, True),
        (rb"\"" * 30_000 + b"[" * 51, False),
    ],
)
def test_depth_is_that_of_lists_and_objects_and_not_of_letters(body: bytes, too_deep: bool) -> None:
    assert is_too_deep(body) is too_deep


def test_half_a_body_is_not_done_though_it_reads_like_a_whole_one(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        admin = await it.admin()
        key = await it.key(admin)
        sent: list[Message] = []
        parts: Iterator[Message] = iter(
            [
                {"type": "http.request", "body": b'{"username":"half"}', "more_body": True},
                {"type": "http.disconnect"},
            ]
        )

        async def receive() -> Message:
            return next(parts)

        async def send(message: Message) -> None:
            sent.append(message)

        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/v1/users",
            "raw_path": b"/v1/users",
            "query_string": b"",
            "root_path": "",
            "headers": [
                (b"x-api-key", key.encode()),
                (b"content-type", b"application/json"),
                (b"content-length", b"60000"),
            ],
            "client": ("127.0.0.1", 50_000),
            "server": ("bahi.test", 80),
        }
        await it.app(scope, receive, send)
        assert sent == []
        client = await it.client(key)
        names = [each["username"] for each in (await client.get("/v1/users")).json()["items"]]
        assert names == [admin.username]

    standing(house, story)


def test_what_cannot_be_read_is_told_in_a_sentence(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        admin, stranger = await it.admin_client(), await it.client()

        async def told(path: str, body: bytes) -> str:
            for client in (admin, stranger) if path.startswith("/auth/notify") else (admin,):
                answer = await client.post(path, content=body, headers=JSON)
                assert answer.status_code == 400, answer.text
                assert answer.json()["code"] == "invalid"
            message: str = answer.json()["message"]
            return message

        for path in ("/v1/users", "/jobs/cleanup", "/auth/notify/upstox/unknown"):
            said = await told(path, b'{"username": asha}')
            assert said == "body: this is no JSON; it cannot be read from character 13 on."
            for depth in (DEEPEST + 1, 900, 30_000):
                assert "nested 50 deep" in await told(path, nested(depth))
            for body in (b"\xff\xfe{}", '{"days":1}'.encode("utf-16-le")):
                assert "no JSON in UTF-8" in await told(path, body)

    standing(house, story)


def test_a_sentence_has_a_bound_and_no_pattern_in_it(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        admin = await it.admin_client()
        long = await admin.post("/v1/users", json={"username": "asha", "x" * 5000: {"y" * 500: 1}})
        assert long.status_code == 400
        assert len(long.json()["message"]) < 200
        deep: Any = "x"
        for _ in range(40):
            deep = {"z" * 50: deep}
        assert len((await admin.post("/v1/users", json=deep)).json()["message"]) < 200
        answer = await admin.get("/v1/users/one")
        assert answer.status_code == 400
        said = answer.json()["message"]
        assert said.endswith(": write an id in up to 19 decimal digits.")

    standing(house, story)


def test_each_pattern_that_a_door_asks_for_has_its_words(house: dict[str, str]) -> None:
    def patterns(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            if isinstance(found := part.get("pattern"), str):
                yield found
            for each in part.values():
                yield from patterns(each)
        elif isinstance(part, list):
            for each in part:
                yield from patterns(each)

    async def story(it: Standing) -> None:
        assert set(patterns(it.app.openapi())) == set(RIGHT)

    standing(house, story)


def test_who_had_the_old_taken_away_is_in_the_trail(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        admin = await it.admin_client()
        cleaned = await admin.post("/auth/db/cleanup")
        assert cleaned.status_code == 200
        trail = (await admin.get("/audit/recent")).json()
        rows = trail["items"] if isinstance(trail, dict) else trail
        row = next(each for each in rows if each["action"] == "cleanup")
        assert row["entity_type"] == "auth"
        assert (await it.admin()).username in str(row)

    standing(house, story)
