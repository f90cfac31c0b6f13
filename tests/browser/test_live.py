"""What happens shows on open pages by itself, whenever they began to listen."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, Route, StorageState, expect

from tests.browser.browsing import a_context, place, send_at_once
from tests.cli.processes import Service

EVENTS = "**/v1/events*"


def test_what_happens_between_a_page_and_its_events_is_not_missed(page: Page) -> None:
    held: list[Route] = []
    page.route(EVENTS, lambda it: held.append(it))  # noqa: PLW0108 - it marks what it is given
    with page.expect_request(EVENTS):  # it is on its way, and stays there
        page.goto("/orders")
    assert place(page.context.new_page(), "HCLTECH", 3) == "EXECUTED"
    row = page.get_by_role("row", name=re.compile("HCLTECH"))
    expect(row).to_be_hidden()
    held[-1].continue_()
    expect(row).to_contain_text("executed")


def test_a_page_whose_stream_breaks_off_is_told_of_the_rest(
    browser: Browser, service: Service, signed_in: StorageState
) -> None:
    with a_context(browser, service.url, signed_in) as (context, eyes):
        eyes.expected = ("net::ERR_",)  # what was asked for while it was off
        page = context.new_page()
        page.goto("/orders")
        context.set_offline(True)
        context.set_offline(False)
        assert place(context.new_page(), "HINDUNILVR", 4) == "EXECUTED"
        row = page.get_by_role("row", name=re.compile("HINDUNILVR"))
        expect(row).to_contain_text("executed")


def test_who_reads_older_orders_stays_there_and_is_told_of_newer_ones(page: Page) -> None:
    for _ in range(51):  # one more than a page shows
        send_at_once(page, "ITC")
    page.goto("/orders")
    rows = page.locator("#rows [data-row]")
    expect(rows).to_have_count(50)
    first = rows.first.get_attribute("id")
    page.keyboard.press("End")
    expect(rows.nth(50)).to_be_visible()
    expect(page.locator("#newest")).to_be_empty()
    shown = rows.count()
    _executed(page.context.new_page(), "NTPC")
    told = page.get_by_role("link", name="There are newer ones")
    expect(told).to_be_in_viewport()
    assert (rows.count(), rows.first.get_attribute("id")) == (shown, first)
    told.click()
    expect(rows.first).to_contain_text("NTPC")
    expect(rows).to_have_count(50)
    _executed(page.context.new_page(), "WIPRO")
    expect(rows.first).to_contain_text("WIPRO")  # the newest page is looked at again by itself


def _executed(page: Page, symbol: str) -> None:
    """Place an order, again where so many went before it that it came too soon."""
    assert any(place(page, symbol, 5) == "EXECUTED" for _ in range(5))
