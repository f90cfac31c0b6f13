"""Trading by hand: a ticket, its fill, the position that moves, and the way out."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.browsing import place


def test_an_order_is_placed_by_keys_alone_and_seen_through(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("b")
    page.locator("#ticket input[name=q]").press_sequentially("RELIAN")
    page.locator("#offers button", has_text="RELIANCE").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    quantity = page.locator("#slip input[name=quantity]")
    expect(quantity).to_be_focused()
    quantity.fill("15")
    send = page.get_by_role("button", name=re.compile("^BUY 15 RELIANCE at market ≈ ₹"))
    expect(send).to_be_enabled()
    quantity.press("Enter")
    placed = page.locator("#placed-order")
    expect(placed).to_have_attribute("data-status", "EXECUTED")
    page.get_by_role("link", name="Timeline").click()
    line = page.get_by_role("img", name="life as a line of time")
    for tick in ("intent", "risk", "wire", "acknowledged", "fill", "end"):
        expect(line.get_by_text(tick, exact=True)).to_be_visible()
    page.goto("/positions")
    row = page.get_by_role("row", name=re.compile("RELIANCE"))
    expect(row).to_contain_text("+15")


def test_enter_takes_the_first_offer_and_sends_no_order(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("b")
    search = page.locator("#ticket input[name=q]")
    search.press_sequentially("relia")
    page.locator("#offers button", has_text="RELIANCE").first.wait_for()
    search.press("Enter")
    expect(page.locator("#slip .chosen")).to_contain_text("RELIANCE")
    expect(page.locator("#slip input[name=quantity]")).to_be_focused()
    expect(page.locator("#placed-order")).to_have_count(0)


def test_enter_before_the_offers_came_takes_the_first_all_the_same(page: Page) -> None:
    page.goto("/ticket")
    page.route("**/ticket/symbols*", lambda _: None)  # no answer comes
    page.locator("#slip input[name=q]").fill("relia")
    page.locator("#slip input[name=q]").press("Enter")
    expect(page.locator("#slip .chosen")).to_contain_text("RELIANCE")
    page.goto("/ticket")
    page.locator("#slip input[name=q]").fill("no such thing")
    page.locator("#slip input[name=q]").press("Enter")
    expect(page.locator("#slip .why")).to_contain_text("NO SUCH THING")


def test_a_price_ticks_on_the_page(page: Page) -> None:
    assert place(page, "SBIN", 20) == "EXECUTED"
    page.goto("/positions")
    last = page.get_by_role("row", name=re.compile("SBIN")).locator("[data-f^=last-]")
    before = last.inner_text()
    expect(last).not_to_have_text(before, timeout=30_000)


def test_a_position_is_closed_from_its_row(page: Page) -> None:
    assert place(page, "INFY", 7, product="INTRADAY") == "EXECUTED"
    page.goto("/positions")
    row = page.get_by_role("row", name=re.compile("INFY"))
    row.get_by_role("button", name="Sell 7 at market").click()
    expect(page.locator(".said")).to_contain_text("SELL 7 INFY")
    expect(page.get_by_role("row", name=re.compile("INFY"))).not_to_contain_text("+7")


def test_a_part_of_a_position_is_held_as_another_product(page: Page) -> None:
    assert place(page, "TCS", 8, product="INTRADAY") == "EXECUTED"
    page.goto("/positions")
    row = page.get_by_role("row", name=re.compile("TCS.*MIS"))
    row.get_by_text("Convert", exact=True).click()
    row.get_by_label("How many").fill("3")
    row.get_by_label("Hold as").select_option("CNC")
    row.get_by_role("button", name="Convert TCS").click()
    expect(page.locator(".said")).to_contain_text("3 TCS are held as CNC now")
    expect(page.get_by_role("row", name=re.compile("TCS.*MIS"))).to_contain_text("+5")
    expect(page.get_by_role("row", name=re.compile("TCS.*CNC"))).to_contain_text("+3")


def test_a_form_that_is_refused_stays_as_it_was_typed_with_the_reason_in_it(page: Page) -> None:
    page.goto("/funds")
    page.get_by_text("Reset this paper account").click()
    field = page.get_by_label("Cash in rupees")
    field.fill("a lot")
    page.get_by_role("button", name="Reset Paper").click()
    expect(page.locator("form .here .why")).to_contain_text("'a lot' is not an amount")
    expect(field).to_have_value("a lot")
    assert page.url.endswith("/funds")


def test_a_refusal_is_a_sentence_before_anything_is_sent(page: Page) -> None:
    page.goto("/ticket?segment=NSE_EQ&symbol=RELIANCE&side=BUY")
    page.locator("#slip input[name=quantity]").fill("10000000")
    expect(page.locator("#preview .why")).to_contain_text("missing")
    expect(page.locator("#preview .send")).to_be_disabled()
