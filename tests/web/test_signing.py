"""The way in and out for people: a link, a password, a session, and forms of our own alone."""

from __future__ import annotations

import re

import httpx
import pytest

from bahi.kernel.actor import the_house
from bahi.kernel.words import BrokerSlug
from tests.api.standing import PASSWORD, STRANGER, Standing, standing
from tests.orders.desks import OPEN

HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


def hidden(page: httpx.Response) -> dict[str, str]:
    """Return what a form brings along by itself."""
    return dict(HIDDEN.findall(page.text))


async def sign_in(
    browser: httpx.AsyncClient, name: str, password: str, **more: str
) -> httpx.Response:
    form = hidden(await browser.get("/sign-in"))
    return await browser.post("/sign-in", data={**form, "name": name, "password": password, **more})


def test_a_link_makes_a_password_and_opens_a_session_once(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        admin = await it.admin()
        token = await it.house.sign_in.make_link(the_house("first start"), admin.id)
        browser = await it.client()
        page = await browser.get(f"/welcome/{token}")
        assert page.status_code == 200
        assert "Welcome, admin" in page.text
        form = hidden(page)
        short = await browser.post(
            f"/welcome/{token}", data={**form, "password": "short", "again": "short"}
        )
        assert short.status_code == 400
        assert "at least 10 characters" in short.text
        differ = await browser.post(
            f"/welcome/{token}", data={**form, "password": PASSWORD, "again": "something else"}
        )
        assert differ.status_code == 400
        entered = await browser.post(
            f"/welcome/{token}", data={**form, "password": PASSWORD, "again": PASSWORD}
        )
        assert entered.status_code == 303
        assert entered.headers["location"] == "/"
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie  # nobody said https
        first = await browser.get("/")
        assert "admin, admin" in first.text
        assert "Sign out" in first.text
        assert (await browser.get(f"/welcome/{token}")).status_code == 401

    standing(house, story)


def test_one_signs_in_and_out_again(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        await it.signed_in(await it.user("asha"))  # with a password from now on
        browser = await it.client()
        wrong = await sign_in(browser, "asha", "wrong password")
        nobody = await sign_in(browser, "nobody", PASSWORD)
        assert wrong.status_code == nobody.status_code == 401
        said = [re.sub(r'value="[^"]*"', "", page.text) for page in (wrong, nobody)]
        assert said[0] == said[1]
        assert "wrong password" not in wrong.text
        assert (await sign_in(browser, "Asha", PASSWORD)).status_code == 303
        first = await browser.get("/")
        assert "asha, trader" in first.text
        csrf = hidden(first)["csrf"]
        me = (await browser.get("/v1/me")).json()
        assert me["csrf_token"] == csrf
        assert (await browser.post("/sign-out")).status_code == 403
        assert (await browser.post("/sign-out", data={"csrf": csrf})).status_code == 303
        assert (await browser.get("/v1/me")).status_code == 401
        assert "Sign in" in (await browser.get("/")).text

    standing(home, story)


def test_who_fails_often_waits(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        await it.signed_in(await it.user("asha"))
        browser = await it.client()
        statuses = [
            (await sign_in(browser, "asha", f"wrong password {n}")).status_code for n in range(7)
        ]
        assert statuses[:5] == [401] * 5
        last = await sign_in(browser, "asha", PASSWORD)
        assert last.status_code == 429
        assert int(last.headers["retry-after"]) >= 1

    standing(house, story)


@pytest.mark.parametrize("path", ["/sign-in", "/welcome/some-link"])
def test_a_form_that_another_site_sends_is_refused(house: dict[str, str], path: str) -> None:
    async def story(it: Standing) -> None:
        fields = {"name": "admin", "password": PASSWORD, "again": PASSWORD, "form": "guessed"}
        bare = await it.client()
        assert (await bare.post(path, data=fields)).status_code == 403
        browser = await it.client()
        await browser.get("/sign-in")  # it has the cookie now, and the other site cannot read it
        assert (await browser.post(path, data=fields)).status_code == 403

    standing(house, story)


def test_a_session_changes_nothing_without_its_token(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, csrf = await it.signed_in(await it.admin())
        wish = {"username": "asha"}
        assert (await browser.post("/v1/users", json=wish)).status_code == 403
        for wrong in ("", "x" * len(csrf)):
            headers = {"X-CSRF-Token": wrong}
            answer = await browser.post("/v1/users", json=wish, headers=headers)
            assert answer.status_code == 403
        made = await browser.post("/v1/users", json=wish, headers={"X-CSRF-Token": csrf})
        assert made.status_code == 201

    standing(house, story)


def test_a_cookie_is_for_https_alone_where_the_public_address_is(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser = await it.client()
        browser.base_url = httpx.URL("https://desk.example")
        assert "Secure" in (await browser.get("/sign-in")).headers["set-cookie"]
        admin = await it.admin()
        token = await it.house.sign_in.make_link(the_house("first start"), admin.id)
        form = hidden(await browser.get(f"/welcome/{token}"))
        entered = await browser.post(
            f"/welcome/{token}", data={**form, "password": PASSWORD, "again": PASSWORD}
        )
        assert _cookie(entered, "bahi_session").endswith("Secure")
        desk, csrf = await it.signed_in(admin)
        desk.base_url = browser.base_url
        said = await desk.post(
            "/risk/kill", data={"csrf": csrf, "reason": "x", "whom": "everybody"}
        )
        assert said.status_code == 303, said.text
        assert _cookie(said, "bahi_said").endswith("Secure")

    standing({**house, **OPEN, "BAHI_PUBLIC_URL": "https://desk.example"}, story)


def _cookie(answer: httpx.Response, name: str) -> str:
    """Return how a cookie was set."""
    return next(it for it in answer.headers.get_list("set-cookie") if it.startswith(f"{name}="))


def test_a_file_is_kept_for_good_by_the_address_that_changes_with_it(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser = await it.client()
        page = (await browser.get("/sign-in")).text
        address = re.search(r'href="(/static/bahi\.css\?\w+)"', page)
        assert address is not None
        named = await browser.get(address[1])
        assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
        for old in ("/static/bahi.css", "/static/bahi.css?of-yesterday"):
            assert (await browser.get(old)).headers["cache-control"] == "no-cache"
        assert (await browser.get("/static/../config.py")).status_code == 404

    standing(house, story)


def test_a_stranger_learns_nothing_of_where_the_data_lies(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        where = str(it.house.settings.home)
        near, far = await it.client(), await it.client(peer=STRANGER)
        behind = await it.client()
        behind.headers["X-Forwarded-For"] = "203.0.113.9"
        assert where not in (await near.get("/")).text  # nobody has signed in yet
        assert where not in (await far.get("/")).text
        assert where not in (await behind.get("/")).text
        admin, _ = await it.signed_in(await it.admin())
        trader, _ = await it.signed_in(await it.user("asha"))
        assert where in (await admin.get("/health")).text
        assert where not in (await trader.get("/health")).text
        assert where not in (await near.get("/")).text

    standing(house, story)


def test_pages_load_nothing_from_elsewhere_and_run_nothing_but_our_own_files(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        browser, _ = await it.signed_in(await it.admin())
        for path in ("/", "/sign-in", "/auth/go/nothing", "/auth/callback/kite"):
            page = await browser.get(path)
            policy = page.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self';" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
            assert not re.search(r'<script(?! src="/static/)', page.text)
            assert not re.search(r"\son\w+=", page.text)
            assert "style=" not in page.text
            assert page.headers["cache-control"] == "no-store"
        style = re.search(r'href="(/static/bahi.css[^"]*)"', page.text)
        assert style is not None
        sheet = await browser.get(style[1])
        assert sheet.headers["content-type"].startswith("text/css")
        assert len(sheet.content) < 25_000

    standing(house, story)


def test_what_a_stranger_gives_is_shown_as_text(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        account = await it.account(asha, BrokerSlug.UPSTOX, "<b>Asha</b> & Co")
        await it.application(asha, account, client_id="c")
        browser, _ = await it.signed_in(asha)
        page = (await browser.get("/")).text
        assert "&lt;b&gt;Asha&lt;/b&gt; &amp; Co" in page
        assert "<b>" not in page

    standing(house, story)
