"""The frame round every page: whose account it is, the way back from signing in, how it looks."""

from __future__ import annotations

import re
from html import unescape

import httpx

from bahi.kernel.words import AccountMode, BrokerSlug
from tests.api.standing import PASSWORD, Standing, standing
from tests.web.test_signing import hidden

MARKET = {"BAHI_MARKET": "simulated", "BAHI_MARKET_ALWAYS_OPEN": "yes"}


def main_of(page: httpx.Response) -> str:
    """Return what a page says in its middle, as text."""
    found = re.search(r"<main.*?</main>", page.text, re.DOTALL)
    assert found is not None
    return unescape(re.sub(r"<[^>]+>", " ", found[0]))


def test_a_live_account_is_unmistakable_even_where_nothing_can_be_shown(
    home: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        live = await it.account(
            asha, BrokerSlug.KITE, "Asha at Kite", mode=AccountMode.LIVE, broker_user_id="AB1234"
        )
        paper = await it.account(asha, BrokerSlug.PAPER, "Asha tries")
        browser, _ = await it.signed_in(asha)
        page = await browser.get(f"/?account={live.id}")
        assert page.status_code == 503
        assert 'class="desk live"' in page.text
        assert "trades real money" in page.text
        assert "asha" in page.text
        assert "live brokers are not connected yet" in main_of(page)
        assert f'href="/?account={paper.id}"' in page.text  # the way to what can be shown
        page = await browser.get(f"/?account={paper.id}")
        assert page.status_code == 200
        assert 'class="desk live"' not in page.text
        assert "trades real money" not in page.text

    standing({**home, **MARKET}, story)


def test_the_account_in_view_stays_the_one_until_another_is_named(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        accounts = [await it.account(asha, BrokerSlug.PAPER, name) for name in ("First", "Second")]
        browser, csrf = await it.signed_in(asha)
        for account in accounts[::-1]:
            assert account.name in main_of(await browser.get(f"/holdings?account={account.id}"))
            assert account.name in main_of(await browser.get("/holdings"))
        unsaid = await browser.post("/orders/cancel-all", data={"csrf": csrf})
        assert unsaid.status_code == 400  # which of the two?
        assert "account" in main_of(unsaid)

    standing({**house, **MARKET}, story)


def test_who_has_to_sign_in_first_comes_where_they_wanted_and_nowhere_else(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        await it.signed_in(asha)  # which sets the password
        browser = await it.client()
        door = await browser.get("/orders?status=working", follow_redirects=False)
        assert door.status_code == 303
        assert door.headers["location"] == "/sign-in?next=%2Forders%3Fstatus%3Dworking"
        for wanted, comes in (
            ("/orders?status=working", "/orders?status=working"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
        ):
            form = hidden(await browser.get("/sign-in", params={"next": wanted}))
            sent = {**form, "name": "asha", "password": PASSWORD}
            answer = await browser.post("/sign-in", params={"next": wanted}, data=sent)
            assert answer.status_code == 303, answer.text
            assert answer.headers["location"] == comes

    standing(house, story)


def test_what_was_done_is_said_once_on_the_next_page(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        account = await it.account(asha, BrokerSlug.PAPER, "Asha tries")
        browser, csrf = await it.signed_in(asha)
        form = {"csrf": csrf, "account": str(account.id)}
        answer = await browser.post("/orders/cancel-all", data=form)
        assert answer.status_code == 303
        assert "0 orders are being cancelled" in (await browser.get("/orders")).text
        assert "0 orders are being cancelled" not in (await browser.get("/orders")).text

    standing({**house, **MARKET}, story)


def test_how_a_person_likes_pages_is_remembered_and_leads_nowhere_else(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        browser, csrf = await it.signed_in(await it.admin())
        wish = {"csrf": csrf, "bahi_theme": "dark", "back": "//evil.example"}
        answer = await browser.post("/look", data=wish)
        assert answer.headers["location"] == "/"
        assert 'data-theme="dark"' in (await browser.get("/orders")).text
        await browser.post("/look", data={"csrf": csrf, "bahi_theme": '"><script>', "back": "/"})
        assert 'data-theme="dark"' in (await browser.get("/orders")).text

    standing({**house, **MARKET}, story)


def test_a_form_that_was_sent_by_script_is_led_on_by_a_header(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        account = await it.account(asha, BrokerSlug.PAPER, "Asha tries")
        browser, csrf = await it.signed_in(asha)
        by_script = {"HX-Request": "true", "HX-Boosted": "true"}
        form = {"csrf": csrf, "account": str(account.id)}
        done = await browser.post("/orders/cancel-all", data=form, headers=by_script)
        assert done.status_code == 204
        assert done.headers["hx-redirect"] == "/orders?status=working"
        assert "bahi_said" in done.headers["set-cookie"]
        wish = {**form, "cash": "a lot"}
        refused = await browser.post("/funds/begin-anew", data=wish, headers=by_script)
        assert refused.status_code == 400
        assert refused.text.startswith('<p class="why"')

    standing({**house, **MARKET}, story)


def test_an_address_that_is_none_is_a_page_for_people_and_json_for_programs(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        asked = await it.client()
        page = await asked.get("/pozitions", headers={"Accept": "text/html,*/*;q=0.8"})
        assert page.status_code == 404
        assert page.headers["content-type"].startswith("text/html")
        assert "no page at this address" in main_of(page)
        assert 'href="/"' in page.text
        form = await asked.get("/ticket/preview", headers={"Accept": "text/html"})
        assert form.status_code == 405
        assert "no page to open here" in main_of(form)
        for path, accept in (
            ("/v1/pozitions", "text/html"),
            ("/pozitions", "*/*"),
            ("/pozitions", "application/json, text/html;q=0"),
        ):
            answer = await asked.get(path, headers={"Accept": accept})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path

    standing({**house, **MARKET}, story)
