"""The chart in a browser: it draws, it moves, and a ticket opens from it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.browsing import faults_of, place


def test_a_chart_draws_moves_and_opens_a_ticket(page: Page) -> None:
    assert place(page, "SBIN", 20) == "EXECUTED"
    page.goto("/chart?segment=NSE_EQ&symbol=SBIN&interval=1m")
    readout = page.locator("#readout")
    expect(readout).to_contain_text("close")
    expect(page.locator("#chart canvas").first).to_be_visible()
    drawn = page.evaluate(
        """() => {
          const every = [...document.querySelectorAll("#chart canvas")];
          const it = every.sort((a, b) => b.width * b.height - a.width * a.height)[0];
          const dots = it.getContext("2d").getImageData(0, 0, it.width, it.height).data;
          return new Set(new Uint32Array(dots.buffer)).size;
        }"""
    )
    assert drawn > 3  # a page, a gain, a loss
    before = readout.inner_text()
    expect(readout).not_to_have_text(before, timeout=20_000)
    expect(page.locator("main")).to_contain_text("+20")
    assert faults_of(page) == []
    page.get_by_role("button", name="Sell", exact=True).click()
    slip = page.locator("#ticket #slip")
    expect(slip.locator("input[name=symbol]")).to_have_value("SBIN")
    expect(slip.get_by_role("radio", name="Sell")).to_be_checked()


def test_a_pointed_candle_is_told_in_words(page: Page) -> None:
    page.goto("/chart?segment=NSE_INDEX&symbol=NIFTY&interval=D")
    readout = page.locator("#readout")
    expect(readout).to_contain_text("close", timeout=30_000)
    newest = readout.inner_text().partition("open")[0]
    page.locator("#chart").hover(position={"x": 300, "y": 200})
    expect(readout).not_to_contain_text(newest)
    expect(readout).to_contain_text(re.compile(r"\d{4}"))
    page.get_by_role("link", name="15 min").click()
    expect(readout).to_contain_text("close")


def test_a_symbol_is_searched_where_none_is_named(page: Page) -> None:
    page.goto("/chart")
    page.locator("main input[name=q]").press_sequentially("relian")
    page.locator("#offers a", has_text="RELIANCE").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="RELIANCE")).to_be_visible()
    expect(page.locator("#readout")).to_contain_text("close")
