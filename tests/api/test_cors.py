"""Scripts of other pages: let in by exact origin where a setting says so, else not at all."""

from __future__ import annotations

from typing import Final

import pytest

from bahi.config import Settings
from bahi.kernel.errors import Misconfigured
from tests.api.standing import Standing, standing

DESK: Final = "https://desk.example"
ASKS: Final = {
    "Origin": DESK,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "x-api-key, idempotency-key",
}


def test_without_a_setting_no_other_page_is_let_in(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        client = await it.admin_client()
        answer = await client.get("/v1/me", headers={"Origin": DESK})
        assert not [name for name in answer.headers if name.startswith("access-control")]
        asked = await client.options("/v1/me", headers=ASKS)
        assert asked.status_code == 405

    standing(house, story)


def test_the_origins_that_are_named_are_let_in_and_no_others(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        client = await it.admin_client()
        answer = await client.get("/v1/me", headers={"Origin": DESK})
        assert answer.headers["access-control-allow-origin"] == DESK
        assert "ETag" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers["vary"]
        asked = await client.options("/v1/accounts", headers=ASKS)
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == DESK
        assert "access-control-allow-credentials" not in asked.headers
        assert asked.headers["x-content-type-options"] == "nosniff"
        assert "x-request-id" in asked.headers
        refused = await (await it.client()).get("/v1/me", headers={"Origin": DESK})
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == DESK
        key = await it.key(await it.admin())
        hot = await client.post("/api/v1/ping", json={"apikey": key}, headers={"Origin": DESK})
        assert hot.json()["status"] == "success"
        assert hot.headers["access-control-allow-origin"] == DESK
        for other in ("https://evil.example", "https://desk.example.evil", "null"):
            answer = await client.get("/v1/me", headers={"Origin": other})
            assert "access-control-allow-origin" not in answer.headers
            asked = await client.options("/v1/accounts", headers={**ASKS, "Origin": other})
            assert asked.status_code == 400
            assert "access-control-allow-origin" not in asked.headers
        cookie = await client.options(
            "/v1/accounts", headers={**ASKS, "Access-Control-Request-Headers": "x-csrf-token"}
        )
        assert cookie.status_code == 400

    standing({**house, "BAHI_CORS_ORIGINS": f"{DESK}, http://127.0.0.1:3000"}, story)


@pytest.mark.parametrize(
    "wrong", ["*", "https://*.example", "desk.example", "https://desk.example/", "ftp://x", "https://a@b"]
)  # fmt: skip
def test_an_origin_is_exact_or_the_start_is_refused(house: dict[str, str], wrong: str) -> None:
    with pytest.raises(Misconfigured, match="BAHI_CORS_ORIGINS"):
        Settings.from_environment({**house, "BAHI_CORS_ORIGINS": wrong})
