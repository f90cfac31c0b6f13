"""Settings in a browser: a key that is gone on reload, a sign-out that reaches far."""

from __future__ import annotations

import re

import httpx
from openalgo import api
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.browsing import PASSWORD, a_context, faults_of
from tests.cli.processes import Service

TABS = ("keys", "you", "webhooks", "calendar", "house", "users", "backups")


def test_no_tab_has_a_serious_fault(page: Page) -> None:
    for tab in TABS:
        page.goto(f"/settings/{tab}")
        assert faults_of(page) == [], tab


def test_a_key_is_shown_once_works_in_openalgos_client_and_is_gone_on_reload(
    page: Page, service: Service
) -> None:
    page.goto("/settings/keys")
    page.get_by_label("What it is for").fill("straddle")
    page.get_by_role("button", name="Issue a key and show it once").click()
    shown = page.get_by_label("The key", exact=True)
    key = shown.input_value()
    assert re.fullmatch(r"[0-9a-f]{64}", key)
    assert faults_of(page) == []
    lines = page.get_by_label("Lines for Python").inner_text()
    assert f'api(api_key="{key}", host="{service.url}")' in lines
    answer = api(api_key=key, host=service.url).placeorder(
        symbol="SBIN", action="BUY", exchange="NSE", quantity=10
    )
    assert answer["status"] == "success", answer
    expect(page.get_by_role("row", name=re.compile("straddle"))).to_contain_text("opens")
    assert key not in page.url
    assert not [it for it in page.context.cookies() if key in str(it)]
    page.reload()
    expect(page.get_by_role("row", name=re.compile("straddle"))).to_be_visible()
    assert key not in page.content()
    page.locator("details.asks summary").first.click()
    page.get_by_role("button", name="Revoke this key").click()
    expect(page.locator(".said")).to_contain_text("straddle is revoked")
    asked = {"X-API-Key": key}
    while httpx.get(f"{service.url}/v1/me", headers=asked).status_code != 401:
        pass  # within a second


def test_a_user_is_let_in_and_signing_out_everywhere_reaches_the_other_browser(
    page: Page, browser: Browser, service: Service, signed_in: StorageState
) -> None:
    del signed_in
    page.goto("/settings/users")
    page.get_by_label("Name they sign in with").fill("asha")
    page.get_by_role("button", name="Add them").click()
    link = page.get_by_label("The link", exact=True).input_value()
    expect(page.get_by_role("row", name=re.compile("asha"))).to_contain_text("none yet")
    with (
        a_context(browser, service.url) as (here, _),
        a_context(browser, service.url) as (there, eyes),
    ):
        eyes.expected = ("401",)
        first, second = here.new_page(), there.new_page()
        first.goto(link)
        first.get_by_label("Password").fill(PASSWORD)
        first.get_by_label("The same again").fill(PASSWORD)
        first.get_by_role("button").click()
        first.wait_for_url("**/")
        second.goto("/sign-in")
        second.locator("input[name=name]").fill("asha")
        second.locator("input[name=password]").fill(PASSWORD)
        second.get_by_role("button").click()
        second.wait_for_url("**/")
        first.goto("/settings/you")
        expect(first.get_by_role("button", name="Sign it out")).to_have_count(1)
        first.get_by_role("button", name="Sign out everywhere").click()
        first.wait_for_url("**/sign-in")
        expect(second.locator("#away")).to_contain_text("You are signed out")
        second.goto("/settings/you")
        second.wait_for_url("**/sign-in?next=*")


def test_a_setting_is_changed_and_says_what_it_was(page: Page) -> None:
    page.goto("/settings/house?word=price_band")
    page.get_by_role("link", name="price band percent").click()
    page.locator("input[name=value]").first.fill("25")
    page.get_by_role("button", name="Change risk.price_band_percent").click()
    expect(page.locator(".said")).to_have_text(re.compile("it was 20, it is 25 now"))
    assert faults_of(page) == []


def test_a_backup_is_made_while_one_looks_on(page: Page) -> None:
    page.goto("/settings/backups")
    page.get_by_role("combobox").select_option("logs")
    page.get_by_role("button", name="Make a backup now").click()
    expect(page.get_by_role("row", name=re.compile("logs_"))).to_be_visible()
