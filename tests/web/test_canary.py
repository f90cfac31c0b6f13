"""Secrets that a person types into pages, or is shown there once, stand nowhere afterwards."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import sqlalchemy as sa

from bahi.bootstrap.session_lists import session_list
from bahi.db.schema import STORES
from bahi.db.tx import Tx
from bahi.kernel.totp import code_of, step_at
from bahi.kernel.words import BrokerSlug
from tests.api.standing import Standing, as_actor, standing
from tests.api.test_canary import everything_logged
from tests.db.good_rows import schema_of

TYPED: Final = {
    "password": "Kx9vQ2 password of a canary",
    "new": "Wm7tR4 another of a canary",
    "secret": "pL8sZ1nB6cD3fG5hJ0aYuV4xT2",
    "pin": "83046219",
    "totp": "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U",
    "signing": "a-signature-of-a-canary",
}
PAGES: Final = (
    "/accounts", "/tokens", "/jobs", "/audit", "/audit.csv", "/logs", "/logs.csv", "/latency",
    "/health", "/alerts", "/settings", "/settings/you", "/settings/users", "/settings/users.csv",
    "/settings/webhooks", "/settings/house", "/find?q=canary",
)  # fmt: skip


class Walk:
    """One person going through the pages where secrets are typed and shown."""

    def __init__(self, it: Standing, browser: httpx.AsyncClient, csrf: str) -> None:
        self.it, self._browser, self._csrf = it, browser, csrf
        self.answers: list[httpx.Response] = []
        self.shown: dict[str, str] = {}
        self.before = ""

    async def get(self, path: str) -> httpx.Response:
        """Open a page."""
        self.answers.append(await self._browser.get(path))
        return self.answers[-1]

    async def send(self, path: str, *, status: int = 303, **form: str) -> httpx.Response:
        """Send a form; its answer may not repeat what was typed."""
        answer = await self._browser.post(
            path, data={"csrf": self._csrf, "account": self.before, **form}
        )
        assert answer.status_code == status, (path, re.findall("<p.*?</p>", answer.text))
        self.answers.append(answer)
        return answer

    async def once(self, what: str, pattern: str, path: str, **form: str) -> str:
        """Have something shown: this once, in this answer, and nowhere else."""
        answer = await self.send(path, status=200, **form)
        found = re.search(pattern, answer.text)
        assert found is not None, answer.text
        self.answers.remove(answer)
        self.shown[what] = found[1]
        return found[1]


async def _of_oneself(walk: Walk) -> None:
    """Change a password, wrongly and rightly; ask for codes, with a wrong one first."""
    new = TYPED["new"]
    for present, again, status in (
        ("a guess", new, 400),
        (TYPED["password"], "another", 400),
        (TYPED["password"], new, 303),
    ):
        fields = {"present": present, "new": new, "again": again}
        await walk.send("/settings/you/password", status=status, **fields)
    codes = r'name="codes" value="([A-Z2-7]+)"'
    totp = await walk.once("codes", codes, "/settings/you/codes/begin")
    await walk.send("/settings/you/codes", status=400, codes="short", code="000000")
    right = code_of(totp, step_at(walk.it.house.clock()))
    await walk.send("/settings/you/codes", codes=totp, code=right)


async def _of_the_house(walk: Walk) -> None:
    """Let somebody in, issue a key, enter what a broker gave, make a webhook."""
    user = {"username": "meera", "role": "trader"}
    await walk.once("link", r"/welcome/([\w-]{20,})", "/settings/users", **user)
    key = {"name": "a canary's", "scope": "paper"}
    await walk.once("key", r'api_key="([0-9a-f]{64})"', "/settings/keys", **key)
    owner = await walk.it.admin()
    account = await walk.it.account(owner, BrokerSlug.DHAN, "Dhan")
    walk.before = str(account.id)
    application = {it: TYPED[it] for it in ("secret", "pin", "totp")}
    there = f"/accounts/{account.id}/applications"
    await walk.send(there, api_name="X" * 400, client_id="c", status=400, **application)
    await walk.send(there, api_name="PRIMARY", client_id="c", **application)
    paper = await walk.it.account(owner, BrokerSlug.PAPER, "Paper too")
    walk.before = str(paper.id)
    hook = {"on": str(paper.id), "name": "tv", "signing": TYPED["signing"], "word-quantity": "1"}
    await walk.once("webhook", r"/hooks/alerts/([0-9a-f]{32,})", "/settings/webhooks", **hook)


async def _at_the_door(walk: Walk) -> None:
    """Come as a stranger who guesses, with what was typed elsewhere."""
    stranger = await walk.it.client()
    page = await stranger.get("/sign-in")
    form = re.search(r'name="form" value="([^"]+)"', page.text)
    for password in (TYPED["password"], TYPED["new"]):
        fields = {"name": "nobody", "password": password, "code": TYPED["pin"]}
        fields |= {"form": form[1]} if form else {}
        walk.answers.append(await stranger.post("/sign-in", data=fields))
    walk.answers.append(await stranger.get(f"/welcome/{walk.shown['link']}x"))


@contextmanager
def _quiet_clients() -> Iterator[None]:
    """Leave out what the test's own client logs of its requests."""
    own = [logging.getLogger(name) for name in ("httpx", "httpcore")]
    for it in own:
        it.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for it in own:
            it.setLevel(logging.NOTSET)


def _rows(tx: Tx, store: str) -> list[str]:
    tables = [it.name for it in schema_of(store).metadata.sorted_tables]
    return [f"{it}: {row}" for it in tables for row in tx.rows(sa.text(f"SELECT * FROM {it}"))]


async def _every_row(it: Standing) -> list[str]:
    found: list[str] = []
    for name in STORES:
        await it.house.stores[name].write(lambda tx: None)  # behind what was offered before
        found += await it.house.stores[name].read(_rows, name, fresh=True)
    return found


def test_what_is_typed_or_shown_once_stands_nowhere(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 10_000)
        with everything_logged() as (chain, said), _quiet_clients():
            chain.keep_in(it.house.stores["logs"])
            walk = await _signed_in(it)
            await _of_oneself(walk)
            await _of_the_house(walk)
            await _at_the_door(walk)
            await session_list(it.house, as_actor(await it.admin()))
            for path in (f"/?account={walk.before}", *PAGES):
                assert (await walk.get(path)).status_code == 200, path
            chain.keep_in(None)
        secrets = {**TYPED, **walk.shown}
        places: dict[str, Any] = {f"{at.request.url.path}": at.text for at in walk.answers}
        places |= {f"line {n}": line for n, line in enumerate(said.getvalue().splitlines())}
        places |= {f"row {n}": row for n, row in enumerate(await _every_row(it))}
        assert len(places) > 60
        loud = [(name, at) for at, text in places.items() for name in _sings(secrets, text)]
        assert not loud

    standing(home, story)


async def _signed_in(it: Standing) -> Walk:
    """Choose the canary for a password by a link, as a newcomer does."""
    admin = await it.admin()
    token = await it.house.sign_in.make_link(as_actor(admin), admin.id)
    browser = await it.client()
    page = await browser.get(f"/welcome/{token}")
    form = re.search(r'name="form" value="([^"]+)"', page.text)
    fields = {"password": TYPED["password"], "again": TYPED["password"]}
    fields |= {"form": form[1]} if form else {}
    answer = await browser.post(f"/welcome/{token}", data=fields)
    assert answer.status_code == 303, answer.text
    csrf = it.house.sign_in.csrf_of(browser.cookies["bahi_session"])
    walk = Walk(it, browser, csrf)
    walk.shown["first link"] = token
    walk.answers.append(answer)
    return walk


def _sings(secrets: dict[str, str], text: str) -> list[str]:
    return [name for name, secret in secrets.items() if secret in text]
