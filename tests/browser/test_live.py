"""What happens shows on open pages by itself, whenever they began to listen."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from tests.browser.browsing import place

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


def test_a_page_whose_stream_breaks_off_is_told_of_the_rest(page: Page) -> None:
    page.goto("/orders")
    page.context.set_offline(True)
    page.context.set_offline(False)
    assert place(page.context.new_page(), "WIPRO", 4) == "EXECUTED"
    expect(page.get_by_role("row", name=re.compile("WIPRO"))).to_contain_text("executed")
