"""Every page with something on it, in light, dark and on a phone: axe-core and the browser's eyes.

A page that joins the list of places is looked at too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, StorageState

from bahi.web.nav import GROUPS
from bahi.web.pages.settings.tabs import TABS
from tests.browser.browsing import DESKTOP, PHONE, a_context, faults_of, place, send_at_once
from tests.cli.processes import Service

PLACES: Final = [it.path for _, places in GROUPS for it in places]
BEYOND: Final = [
    *(it.path for it in TABS if it.path not in PLACES),
    "/ticket",
    "/ticket?segment=NSE_EQ&symbol=RELIANCE&side=SELL",
    "/chart?segment=NSE_EQ&symbol=RELIANCE",
    "/symbols?q=nifty",
    "/symbols/terms?segment=NSE_EQ&symbol=RELIANCE",
    "/orders?status=rejected",
    "/accounts/new",
    "/risk/limits",
    "/nowhere-at-all",
]
TABLETS: Final = (1024, 768)
SIDEWAYS: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def furnished_page(
    browser: Browser, service: Service, signed_in: StorageState
) -> Iterator[tuple[Page, str]]:
    """Give a page of a house in which something was done, and the address of an order's story."""
    with a_context(browser, service.url, signed_in) as (context, eyes):
        eyes.expected = ("404",)  # one of the pages looked at is none
        page = context.new_page()
        assert place(page, "RELIANCE", 20) == "EXECUTED"
        assert place(page, "SBIN", 10, product="INTRADAY") == "EXECUTED"
        send_at_once(page, "INFY", order_type="LIMIT", price="1")  # which is refused
        page.goto("/orders?status=rejected")
        page.get_by_role("link", name="INFY").click()
        page.wait_for_url("**/orders/*")
        yield page, page.url
        eyes.check()


@pytest.mark.parametrize("path", [*PLACES, *BEYOND, "an order"])
def test_a_page_reads_well_in_light_and_dark_and_on_a_phone(
    furnished_page: tuple[Page, str], path: str
) -> None:
    page, story = furnished_page
    page.set_viewport_size(DESKTOP)
    page.goto(story if path == "an order" else path)
    page.wait_for_load_state("load")
    found: dict[str, list[str]] = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found[scheme] = faults_of(page)
    for width in TABLETS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(SIDEWAYS) <= 0, width
    page.set_viewport_size(PHONE)
    found["phone"] = faults_of(page)
    assert page.evaluate(SIDEWAYS) <= 0
    assert not any(found.values()), found
