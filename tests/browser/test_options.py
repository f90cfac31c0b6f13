"""The chain in a browser: it ticks, a basket is clicked together, seen as a picture, and placed."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.browsing import faults_of


def test_a_basket_is_clicked_together_seen_and_placed(page: Page) -> None:
    page.goto("/options?root=NIFTY&segment=NSE_FNO")
    assert faults_of(page) == []
    rows = page.locator(".chain tbody tr")
    money = page.locator(".chain tr.money")
    expect(money).to_have_count(1)
    rows.nth(11).get_by_role("button", name=re.compile("^Buy .*CE")).click()
    legs = page.locator(".legs tbody tr")
    expect(legs).to_have_count(1)
    rows.nth(13).get_by_role("button", name=re.compile("^Sell .*CE")).click()
    expect(legs).to_have_count(2)
    picture = page.get_by_role("img", name=re.compile("What the basket makes"))
    expect(picture).to_be_visible()
    assert faults_of(page) == []
    page.get_by_label(re.compile("^Lots of")).first.fill("2")
    page.keyboard.press("Tab")
    expect(page.locator("#outlook")).to_contain_text("no bound")
    page.reload()  # the address has the basket
    expect(legs).to_have_count(2)
    expect(page.get_by_label(re.compile("^Lots of")).first).to_have_value("2")
    page.get_by_role("button", name=re.compile("^BUY .*turn it round")).click()
    expect(page.get_by_role("button", name=re.compile("^SELL .*turn it round"))).to_have_count(2)
    page.get_by_role("button", name=re.compile("^Take .* out")).first.click()
    expect(legs).to_have_count(1)
    page.get_by_role("button", name=re.compile("^SELL .*turn it round")).click()
    send = page.get_by_role("button", name=re.compile("^Place 1 order: BUY"))
    expect(send).to_be_enabled()
    send.click()
    placed = page.locator("#placed-basket")
    expect(placed).to_contain_text("executed")
    page.get_by_role("button", name="Another basket").click()
    expect(page.locator("#basket")).to_contain_text("Click a price")
    page.goto("/positions")
    expect(page.get_by_role("row", name=re.compile("NIFTY"))).to_be_visible()


def test_the_chain_ticks_and_the_next_expiry_keeps_the_basket(page: Page) -> None:
    page.goto("/options?root=NIFTY&segment=NSE_FNO")
    last = page.locator(".chain tr.money [data-f^=last-]").first
    before = last.inner_text()
    expect(last).not_to_have_text(before, timeout=20_000)
    page.locator(".chain tr.money").get_by_role("button", name=re.compile("^Buy .*PE")).click()
    legs = page.locator(".legs tbody tr")
    expect(legs).to_have_count(1)
    page.locator("#ends a:not([aria-current])").first.click()
    expect(page).to_have_url(re.compile("expiry=.*basket=B1"))
    expect(legs).to_have_count(1)
    page.locator("#chooser input[name=root]").fill("BANKNIFTY")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("heading", name="BANKNIFTY options")).to_be_visible()
    expect(legs).to_have_count(1)


def test_a_refusal_stands_where_the_leg_is(page: Page) -> None:
    page.goto("/options?root=NIFTY&segment=NSE_FNO")
    page.locator(".chain tr.money").get_by_role("button", name=re.compile("^Buy .*CE")).click()
    page.get_by_label(re.compile("^Limit for")).fill("0.03")
    page.keyboard.press("Tab")
    expect(page.locator(".legs .broken")).to_contain_text("is not on the tick")
    expect(page.locator("#send")).to_be_disabled()
    page.get_by_label(re.compile("^Limit for")).fill("cheap")
    page.keyboard.press("Tab")
    expect(page.locator("#notice .why")).to_contain_text("'cheap' is not an amount")
