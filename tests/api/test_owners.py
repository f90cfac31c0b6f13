"""What is another user's is, at every door, as if it were not there."""

from __future__ import annotations

import re
from typing import Any, Final

import httpx

from bahi.kernel.words import BrokerSlug
from tests.api.doors import BODIES, FOR_PERSONS
from tests.api.standing import Standing, standing
from tests.api.test_every_route import doors_of
from tests.orders.desks import OPEN

BY_PERSONS: Final = ("/approve", "/decline", "/conclude")
"""What no key may ask, whosever it is."""


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
        assert await nothing_is_there(it, await it.client(await it.key(ravi)), ids) >= 50

    standing(home, story)


def test_the_books_of_a_paper_account_are_as_if_they_were_not_there(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 100_000)
        asha, ravi = await it.user("asha"), await it.user("ravi")
        paper = await it.account(asha, BrokerSlug.PAPER, "Asha's paper")
        theirs = await it.account(ravi, BrokerSlug.PAPER, "Ravi's paper")
        own = await it.client(await it.key(asha))
        order = {
            "segment": "NSE_EQ",
            "symbol": "SBIN",
            "side": "BUY",
            "quantity": 1,
            "product": "CNC",
            "order_type": "MARKET",
        }
        placed = await own.post(f"/v1/accounts/{paper.id}/orders", json=order)
        assert placed.status_code == 201, placed.text
        waiting = BODIES["POST /v1/accounts/{account_id}/forever"]
        forever = await own.post(f"/v1/accounts/{paper.id}/forever", json=waiting)
        leave = {"isin": "INE062A01020", "quantity": 1}
        request = await own.post(f"/v1/accounts/{paper.id}/edis", json=leave)
        ids = {
            "order_id": placed.json()["id"],
            "forever_id": forever.json()["items"][0]["id"],
            "request_id": request.json()["id"],
        }
        other = await it.client(await it.key(ravi))
        assert await nothing_is_there(it, other, {"account_id": paper.id}) >= 50
        # an account of one's own opens nothing of another's
        for door in doors_of(it.app):
            if any(door.names(name) for name in ids) and not door.path.endswith(BY_PERSONS):
                answer = await door.ask(other, account_id=theirs.id, **ids)
                assert answer.status_code == 404, (door.name, answer.text)

    standing({**home, **OPEN}, story)


async def nothing_is_there(it: Standing, other: httpx.AsyncClient, ids: dict[str, Any]) -> int:
    """Ask for what is another's at every door that names it; return how many doors that were."""
    found = 0
    for door in doors_of(it.app):
        wanted = [name for name in ids if door.names(name)]
        if not wanted:
            continue
        found += 1
        theirs = await door.ask(other, **ids)
        missing = await door.ask(other, **dict.fromkeys(ids, "777"))
        refused = {403, 404} if door.name in FOR_PERSONS else {404}
        assert theirs.status_code in refused, (door.name, theirs.text)
        assert theirs.status_code == missing.status_code, (door.name, missing.text)
        said = [
            re.sub(rf"{ids[wanted[0]]}|777", "#", answer.json()["message"])
            for answer in (theirs, missing)
        ]
        assert said[0] == said[1], door.name
    return found
