"""A login in a person's hands: the link, the broker's page, the way back, what came of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

import httpx
import pytest

from bahi.accounts.model import Account
from bahi.identity.model import User
from bahi.kernel.words import BrokerSlug
from tests.api.standing import Standing, standing
from tests.brokers.desks import PIN, SIMULATORS, TOTP, addresses, an_application
from tests.brokers.simulators import Behaviour, Simulator, person_logs_in
from tests.web.test_signing import hidden

BY_HAND = (BrokerSlug.KITE, BrokerSlug.UPSTOX, BrokerSlug.BREEZE, BrokerSlug.DHAN)
HERE = "https://desk.example"


@contextmanager
def broker_at(
    broker: BrokerSlug, house: dict[str, str]
) -> Iterator[tuple[Simulator, dict[str, str]]]:
    """Run a broker, and return the environment of a house that calls it there."""
    application = an_application(broker, redirect_uri=f"{HERE}/auth/callback/{broker}")
    with SIMULATORS[broker]([application]) as simulator:
        known = addresses(broker, simulator).get(broker, {})
        at = " ".join(f"{broker}.{which}={address}" for which, address in known.items())
        yield simulator, {**house, "BAHI_BROKER_ADDRESSES": at, "BAHI_PUBLIC_URL": HERE}


async def registered(
    it: Standing, broker: BrokerSlug, *, alone: bool = False
) -> tuple[User, Account, httpx.AsyncClient]:
    """Enter a user with an account and its application; return their client too."""
    asha = await it.user("asha")
    application = an_application(broker)
    account = await it.account(
        asha, broker, f"Asha's {broker}", broker_user_id=application.broker_user_id
    )
    more = {"pin": PIN, "totp": TOTP} if alone else {}
    await it.application(
        asha, account, client_id=application.client_id, secret=application.secret, **more
    )
    return asha, account, await it.client(await it.key(asha))


async def handed(client: httpx.AsyncClient, broker: BrokerSlug) -> str:
    """Ask for a login, and return the path of the link to hand on."""
    answer = await client.post(f"/auth/db/{broker}/login")
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "person_needed", answer.text
    link: str = answer.json()["open"]
    assert link.startswith(f"{HERE}/auth/go/")
    return link.removeprefix(HERE)


async def at_broker(browser: httpx.AsyncClient, link: str) -> dict[str, str]:
    """Follow a link, log in at the broker, and return what its redirect brings."""
    page = await browser.get(link)
    assert page.status_code == 200, page.text
    leaving = await browser.post(link)
    assert leaving.status_code == 200, leaving.text
    found = re.search(r'id="onward" rel="noreferrer" href="([^"]*)"', leaving.text)
    assert found is not None
    cookie = leaving.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/auth/callback/" in cookie
    return person_logs_in(unescape(found[1]))


async def secure(it: Standing) -> httpx.AsyncClient:
    """Return a browser that came by https, as the public address wants it."""
    browser = await it.client()
    browser.base_url = httpx.URL(HERE)
    return browser


@pytest.mark.parametrize("broker", BY_HAND)
def test_a_family_member_logs_in_by_a_link(house: dict[str, str], broker: BrokerSlug) -> None:
    with broker_at(broker, house) as (_, environ):

        async def story(it: Standing) -> None:
            _, account, own = await registered(it, broker)
            link = await handed(own, broker)
            browser = await secure(it)
            page = await browser.get(link)
            assert account.name in unescape(page.text)
            assert "PRIMARY" in page.text
            brought = await at_broker(browser, link)
            came = await browser.get(f"/auth/callback/{broker}", params=brought)
            assert came.status_code == 200, came.text
            assert "the token is stored" in came.text
            assert not [
                value for value in brought.values() if len(value) > 8 and value in came.text
            ]
            status = (await own.get("/auth/db/status")).json()
            assert status[broker]["connected"], status[broker]
            assert status["database_backed"] is True
            assert (await browser.get(link)).status_code == 401  # it opens once
            again = await browser.get(f"/auth/callback/{broker}", params=brought)
            assert again.status_code == 401
            ended = await own.post(f"/auth/db/disconnect/{broker}")
            assert ended.json()["disconnected"] == ["PRIMARY"]
            assert not (await own.get("/auth/db/status")).json()[broker]["connected"]

        standing(environ, story)


def test_a_post_from_the_brokers_site_needs_one_press_more(home: dict[str, str]) -> None:
    broker = BrokerSlug.BREEZE
    with broker_at(broker, home) as (_, environ):

        async def story(it: Standing) -> None:
            _, _, own = await registered(it, broker)
            browser = await secure(it)
            brought = await at_broker(browser, await handed(own, broker))
            cross_site = await it.client()  # a browser sends no Lax cookie with a form from afar
            page = await cross_site.post(f"/auth/callback/{broker}", data=brought)
            assert page.status_code == 200
            fields = hidden(page)
            assert brought.items() <= fields.items()
            lost = await cross_site.post(f"/auth/callback/{broker}", data=fields)
            assert lost.status_code == 401
            assert not hidden(lost)
            came = await browser.post(f"/auth/callback/{broker}", data=fields)
            assert came.status_code == 200, came.text
            assert "the token is stored" in came.text

        standing(environ, story)


def test_a_login_that_was_not_begun_here_is_refused(house: dict[str, str]) -> None:
    with broker_at(BrokerSlug.KITE, house) as (simulator, environ):

        async def story(it: Standing) -> None:
            await registered(it, BrokerSlug.KITE)
            browser = await secure(it)
            for state in ("", "guessed"):
                fields = {"request_token": "stolen", "status": "success", "state": state}
                answer = await browser.get("/auth/callback/kite", params=fields)
                assert answer.status_code == 401
                assert "stolen" not in answer.text
            assert (await browser.get("/auth/callback/paper")).status_code == 400

        standing(environ, story)
        assert not simulator.requests


@pytest.mark.parametrize("broker", [BrokerSlug.KITE, BrokerSlug.UPSTOX])
def test_a_cookie_alone_does_not_take_somebody_elses_login(
    house: dict[str, str], broker: BrokerSlug
) -> None:
    with broker_at(broker, house) as (_, environ):

        async def story(it: Standing) -> None:
            _, _, own = await registered(it, broker)
            browser, callback = await secure(it), f"/auth/callback/{broker}"
            brought = await at_broker(browser, await handed(own, broker))
            states = {"state", "redirect_params"}
            stripped = {name: it for name, it in brought.items() if name not in states}
            assert stripped != brought
            assert (await browser.get(callback, params=stripped)).status_code == 401
            posted = await browser.post(callback, data=stripped)
            assert posted.status_code == 401
            for other in ({"state": "another"}, {"redirect_params": "state=another"}):
                sent = {**stripped, **other}
                assert (await browser.get(callback, params=sent)).status_code == 401
            came = await browser.get(callback, params=brought)
            assert came.status_code == 200, came.text  # and none of that used the login up
            assert "the token is stored" in came.text

        standing(environ, story)


def test_two_states_that_differ_are_refused_though_one_is_good(house: dict[str, str]) -> None:
    with broker_at(BrokerSlug.KITE, house) as (_, environ):

        async def story(it: Standing) -> None:
            _, _, own = await registered(it, BrokerSlug.KITE)
            browser, callback = await secure(it), "/auth/callback/kite"
            brought = await at_broker(browser, await handed(own, BrokerSlug.KITE))
            twice = {**brought, "redirect_params": "state=another"}
            assert (await browser.get(callback, params=twice)).status_code == 401
            elsewhere = await secure(it)
            elsewhere.cookies.set("bahi_login_kite", "of another login", path="/auth/callback/")
            assert (await elsewhere.get(callback, params=brought)).status_code == 401
            state = brought.pop("state")
            inside = {**brought, "redirect_params": f"state={state}"}
            assert (await browser.get(callback, params=inside)).status_code == 200

        standing(environ, story)


@pytest.mark.parametrize("broker", BY_HAND)
def test_a_look_at_the_callback_uses_no_login_up(house: dict[str, str], broker: BrokerSlug) -> None:
    with broker_at(broker, house) as (_, environ):

        async def story(it: Standing) -> None:
            _, _, own = await registered(it, broker)
            browser, callback = await secure(it), f"/auth/callback/{broker}"
            brought = await at_broker(browser, await handed(own, broker))
            assert (await browser.get(callback)).status_code in {400, 401}
            only = {name: value for name, value in brought.items() if name == "state"}
            assert (await browser.get(callback, params=only)).status_code in {400, 401}
            came = await browser.get(callback, params=brought)
            assert came.status_code == 200, came.text
            assert "the token is stored" in came.text

        standing(environ, story)


def test_a_brokers_no_is_a_sentence_on_the_page(house: dict[str, str]) -> None:
    with broker_at(BrokerSlug.KITE, house) as (simulator, environ):

        async def story(it: Standing) -> None:
            _, _, own = await registered(it, BrokerSlug.KITE)
            browser = await secure(it)
            brought = await at_broker(browser, await handed(own, BrokerSlug.KITE))
            simulator.behave(Behaviour.SERVER_ERROR, times=5)
            answer = await browser.get("/auth/callback/kite", params=brought)
            assert answer.status_code in {422, 502, 504}
            assert "That did not work" in answer.text
            assert brought["request_token"] not in answer.text

        standing(environ, story)


def test_who_is_signed_in_goes_from_one_login_to_the_next(house: dict[str, str]) -> None:
    broker = BrokerSlug.UPSTOX
    with broker_at(broker, house) as (_, environ):

        async def story(it: Standing) -> None:
            asha, account, _ = await registered(it, broker)
            second = an_application(broker)
            await it.application(
                asha,
                account,
                "WEBSOCKET1",
                client_id=second.client_id,
                secret=second.secret,
            )
            browser, csrf = await it.signed_in(asha)
            browser.base_url = httpx.URL(HERE)
            first = await browser.get("/tokens")
            assert "Log in for PRIMARY" in first.text
            begin = f"/auth/begin/{account.id}"
            assert (await browser.post(begin)).status_code == 403
            for name in ("PRIMARY", "WEBSOCKET1"):
                leaving = await browser.post(begin, data={"csrf": csrf})
                assert leaving.status_code == 200, leaving.text
                assert name in leaving.text
                found = re.search(r'id="onward"[^>]*href="([^"]*)"', leaving.text)
                assert found is not None
                brought = person_logs_in(unescape(found[1]))
                came = await browser.get(f"/auth/callback/{broker}", params=brought)
                assert came.status_code == 200, came.text
            assert "Nothing else is needed" in came.text
            assert "2 of 2" in (await browser.get("/tokens")).text
            over = await browser.post(begin, data={"csrf": csrf})
            assert "Nothing is left to do" in over.text

        async def passing(seconds: float) -> None:
            await asyncio.sleep(seconds)

        standing(environ, story, pause=passing)


def test_what_needs_nobody_is_done_by_the_worker(home: dict[str, str]) -> None:
    broker = BrokerSlug.DHAN
    with broker_at(broker, home) as (_, environ):

        async def story(it: Standing) -> None:
            _, _, own = await registered(it, broker, alone=True)
            answer = await own.post(f"/auth/db/{broker}/login")
            assert answer.status_code == 202
            said = answer.json()
            assert said["status"] == "triggered"
            job = await _ended(own, said["look_at"])
            assert job["status"] == "completed", job
            assert (await own.get("/auth/db/status")).json()[broker]["connected"]
            assert (await own.get("/jobs/recent")).json()["items"][0]["job_id"] == said["job_id"]

        standing(environ, story, worker="inside")


async def _ended(client: httpx.AsyncClient, at: str) -> dict[str, Any]:
    for _ in range(600):
        job: dict[str, Any] = (await client.get(at)).json()
        if job.get("completed_at"):
            return job
        await asyncio.sleep(0.05)
    raise AssertionError(job)


def test_upstox_posts_its_token_to_a_secret_address(house: dict[str, str]) -> None:
    broker = BrokerSlug.UPSTOX
    with broker_at(broker, house) as (simulator, environ):

        async def story(it: Standing) -> None:
            _, account, own = await registered(it, broker)
            listed = (await own.get(f"/v1/accounts/{account.id}/applications")).json()["items"]
            made = await own.post(f"/v1/applications/{listed[0]['id']}/notifier")
            path = made.json()["url"].removeprefix(HERE)
            stranger = await it.client()
            unknown = await stranger.post("/auth/notify/upstox/unknown", json={"a": 1})
            assert unknown.status_code == 404
            told = {
                "client_id": listed[0]["client_id"],
                "user_id": "USER1",
                "access_token": simulator.issue(listed[0]["client_id"]),
                "token_type": "Bearer",
                "expires_at": "4102444800000",
                "issued_at": "1700000000000",
                "message_type": "access_token",
            }
            forged = await stranger.post(path, json={**told, "access_token": "forged"})
            assert forged.status_code == 422, forged.text
            assert (await stranger.post(path, json=told)).json() == {"status": "success"}
            assert (await own.get("/auth/db/status")).json()[broker]["connected"]

        standing(environ, story)


def test_after_a_posted_token_the_run_goes_on_with_what_is_left(house: dict[str, str]) -> None:
    broker = BrokerSlug.UPSTOX
    with broker_at(broker, house) as (simulator, environ):

        async def story(it: Standing) -> None:
            asha, account, own = await registered(it, broker)
            second = an_application(broker)
            more = {"client_id": second.client_id, "secret": second.secret}
            await it.application(asha, account, "WEBSOCKET1", **more)
            await handed(own, broker)  # the run waits for PRIMARY
            listed = (await own.get(f"/v1/accounts/{account.id}/applications")).json()["items"]
            first = next(each for each in listed if each["api_name"] == "PRIMARY")
            made = await own.post(f"/v1/applications/{first['id']}/notifier")
            told = {
                "client_id": first["client_id"],
                "user_id": "USER1",
                "access_token": simulator.issue(first["client_id"]),
                "token_type": "Bearer",
                "expires_at": "4102444800000",
                "issued_at": "1700000000000",
                "message_type": "access_token",
            }
            stranger = await it.client()
            took = await stranger.post(made.json()["url"].removeprefix(HERE), json=told)
            assert took.status_code == 200, took.text
            jobs = (await own.get("/jobs/recent")).json()["items"]
            assert [job["job_type"] for job in jobs] == ["token_run"]

        standing(environ, story)
