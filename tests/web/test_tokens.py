"""Tokens on the desk: the run of a morning, who is needed, the cooldown, the brokers' word."""

from __future__ import annotations

import re
from html import unescape

import httpx

from bahi.accounts.model import Account
from bahi.identity.model import User
from bahi.kernel.words import BrokerSlug, Role
from tests.api.standing import Standing, as_actor, standing
from tests.brokers.desks import PIN, TOTP, an_application
from tests.brokers.simulators import Behaviour
from tests.statements import counted
from tests.web.test_logins import HERE, at_broker, broker_at, secure

BROKER = BrokerSlug.UPSTOX
SAID = re.compile(r'<p class="said" role="status">(.*?)</p>', re.DOTALL)


class AtHome:
    """Somebody with an account at a broker, signed in."""

    def __init__(self, user: User, account: Account, browser: httpx.AsyncClient, csrf: str) -> None:
        self.user, self.account, self.browser, self.csrf = user, account, browser, csrf

    async def get(self, path: str) -> str:
        """Return the text of a page."""
        answer = await self.browser.get(path)
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    async def post(self, path: str, **form: str) -> httpx.Response:
        """Send a form of our own."""
        fields = {"csrf": self.csrf, "account": str(self.account.id), "of": str(self.account.id)}
        return await self.browser.post(path, data={**fields, **form})

    async def said(self, answer: httpx.Response) -> str:
        """Return what the next page says was done."""
        assert answer.status_code == 303, answer.text
        found = SAID.search(await self.get(answer.headers["location"]))
        assert found is not None
        return found[1]


async def at_home(it: Standing, broker: BrokerSlug, *names: str, alone: bool = False) -> AtHome:
    """Enter somebody with an account and its applications."""
    asha = await it.user("asha")
    known = an_application(broker)
    account = await it.account(
        asha, broker, "Asha's <b>own</b>", broker_user_id=known.broker_user_id
    )
    more = {"pin": PIN, "totp": TOTP} if alone else {}
    for name in names or ("PRIMARY",):
        await it.application(
            asha, account, name, client_id=known.client_id, secret=known.secret, **more
        )
    browser, csrf = await it.signed_in(asha)
    browser.base_url = httpx.URL(HERE)
    return AtHome(asha, account, browser, csrf)


def test_a_run_that_needs_a_person_gives_a_link_to_hand_over_once(home: dict[str, str]) -> None:
    with broker_at(BROKER, home) as (_, environ):

        async def story(it: Standing) -> None:
            asha = await at_home(it, BROKER, "PRIMARY", "WEBSOCKET1")
            page = await asha.get("/tokens")
            assert "0 of 2 tokens are good" in page
            assert page.count(">missing<") == 2
            handed = await asha.post("/tokens/run")
            assert handed.status_code == 200
            found = re.search(rf'readonly value="{HERE}(/auth/go/[^"]+)"', handed.text)
            assert found is not None
            page = await asha.get("/tokens")
            assert found[1] not in page  # it was shown that once
            assert "waits for a person" in page
            assert "is needed for PRIMARY" in page
            family = await secure(it)
            brought = await at_broker(family, found[1])
            came = await family.get(f"/auth/callback/{BROKER}", params=brought)
            assert came.status_code == 200, came.text
            page = await asha.get(f"/tokens/of/{asha.account.id}")
            assert "1 of 2 tokens are good" in page
            assert "The run is running" in page
            asked = await asha.said(await asha.post("/tokens/ask"))
            assert asked.startswith("The brokers say: 1 of 2 tokens are good. Not WEBSOCKET1")
            stopped = await asha.said(await asha.post("/tokens/stop"))
            assert "is stopped" in stopped
            assert "Begin the morning run" in await asha.get("/tokens")
            sheet = await asha.get("/tokens.csv")
            assert "PRIMARY,1,VALID" in sheet.replace("True", "1")
            assert len(sheet.splitlines()) == 3
            raw = (await asha.browser.get("/tokens")).text
            assert "<b>own</b>" not in raw

        standing(environ, story)


def test_a_run_for_every_account_says_what_became_of_each(home: dict[str, str]) -> None:
    with broker_at(BrokerSlug.DHAN, home) as (_, environ):

        async def story(it: Standing) -> None:
            asha = await at_home(it, BrokerSlug.DHAN, alone=True)
            other = await it.account(asha.user, BrokerSlug.KITE, "By hand")
            await it.application(asha.user, other, client_id="cid")
            await it.account(asha.user, BrokerSlug.KITE, "Without any")
            said = unescape(await asha.said(await asha.post("/tokens/run", of="all")))
            assert "own</b>: the run is under way." in said, said
            assert "By hand: PRIMARY needs a person." in said
            assert "Without any: " in said

        standing(environ, story)


def test_a_cooldown_is_a_ring_that_runs_out(home: dict[str, str]) -> None:
    with broker_at(BrokerSlug.DHAN, home) as (simulator, environ):

        async def story(it: Standing) -> None:
            asha = await at_home(it, BrokerSlug.DHAN, alone=True)
            simulator.behave(Behaviour.THROTTLE, times=5)
            run = await it.house.runs.resume(as_actor(asha.user), asha.account.id)
            await it.house.runs.advance(run.execution_id)
            page = await asha.get("/tokens")
            assert "cooling down" in page
            ring = re.search(r'hx-get="(/tokens/ring\?until=\d+)"', page)
            assert ring is not None
            part = await asha.browser.get(ring[1])
            assert part.status_code == 200
            drawn = re.search(r'stroke-dasharray="([\d.]+) 94.2"', part.text)
            assert drawn is not None
            assert 80 < float(drawn[1]) <= 94.2
            over = await asha.browser.get("/tokens/ring?until=1")
            assert over.status_code == 286
            assert (await asha.browser.get("/tokens/ring?until=x")).status_code == 400

        standing(environ, story)


def test_logins_are_begun_by_whose_they_are_from_our_own_pages(house: dict[str, str]) -> None:
    with broker_at(BROKER, house) as (_, environ):

        async def story(it: Standing) -> None:
            asha = await at_home(it, BROKER)
            for path in ("/tokens/run", "/tokens/link", "/tokens/stop", "/tokens/ask"):
                form = {"of": str(asha.account.id)}
                assert (await asha.browser.post(path, data=form)).status_code == 403
            bimal = await it.user("bimal")
            browser, csrf = await it.signed_in(bimal)
            form = {"csrf": csrf, "of": str(asha.account.id)}
            for path in ("/tokens/run", "/tokens/link", "/tokens/stop", "/tokens/ask"):
                assert (await browser.post(path, data=form)).status_code == 404, path
            assert (await browser.get(f"/tokens/of/{asha.account.id}")).status_code == 404
            page = (await browser.get("/tokens")).text
            assert "No account at a broker is entered yet" in page
            assert (await asha.post("/tokens/run", of="somebody")).status_code == 400
            vera = await it.user("vera", Role.VIEWER)
            looking, _ = await it.signed_in(vera)
            assert 'action="/tokens' not in (await looking.get("/tokens")).text

        standing(environ, story)


def test_the_page_costs_no_more_than_a_dozen_statements(house: dict[str, str]) -> None:
    with broker_at(BROKER, house) as (_, environ):

        async def story(it: Standing) -> None:
            asha = await at_home(it, BROKER, "PRIMARY", "WEBSOCKET1", "WEBSOCKET2")
            await it.house.runs.resume(as_actor(asha.user), asha.account.id)
            for path in ("/tokens", f"/tokens/of/{asha.account.id}"):
                costs = []
                for _ in range(4):
                    with counted() as statements:
                        await asha.get(path)
                    costs.append(statements.number)
                # one of them is the record of the broker's or our own call before
                assert min(costs) <= 13, (path, costs)

        standing(environ, story)
