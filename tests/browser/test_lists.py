"""Lists by hand and by key: walked, opened, closed once, and each tab before its own account."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from bahi.kernel.symbols import spaced
from tests.browser.browsing import PHONE, faults_of, place

LISTS = ("/", "/orders", "/trades", "/positions", "/symbols?q=NIFTY")


@pytest.fixture
def furnished_page(page: Page) -> Page:
    """Give a page of an account that has something in every list."""
    assert place(page, "INFY", 3, product="INTRADAY") == "EXECUTED"
    assert place(page, "ITC", 2) == "EXECUTED"
    return page


def test_every_list_is_walked_and_opened_by_keys(furnished_page: Page) -> None:
    page = furnished_page
    for path in LISTS:
        page.goto(path)
        rows = page.locator("main [data-row]")
        rows.nth(1).wait_for()
        page.keyboard.press("j")
        expect(rows.nth(0)).to_be_focused()
        page.keyboard.press("j")
        expect(rows.nth(1)).to_be_focused()
        page.keyboard.press("k")
        expect(rows.nth(0)).to_be_focused()
        leads_to = rows.nth(0).locator("a").first.get_attribute("href") or ""
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{leads_to}")


def test_pages_go_back_and_forward_through_what_was_chosen(furnished_page: Page) -> None:
    page = furnished_page
    page.goto("/orders")
    page.locator("main input[name=symbol]").fill("INFY")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url("**symbol=INFY**")
    page.locator("main [data-row] a").first.click()
    expect(page.get_by_role("heading", name=re.compile("INFY"))).to_be_visible()
    page.go_back()
    expect(page.locator("main input[name=symbol]")).to_have_value("INFY")
    expect(page.locator("main [data-row]", has_text="ITC")).to_have_count(0)
    page.go_back()
    expect(page.locator("main input[name=symbol]")).to_have_value("")
    page.go_forward()
    expect(page.locator("main input[name=symbol]")).to_have_value("INFY")


def test_two_clicks_close_a_position_once(page: Page) -> None:
    assert place(page, "SBIN", 9, product="INTRADAY") == "EXECUTED"
    page.goto("/positions")
    page.get_by_role("button", name="Sell 9 at market").click()
    page.get_by_role("button", name="SELL 9 SBIN at market").dblclick()
    expect(page.locator(".said")).to_contain_text("SELL 9 SBIN")
    page.goto("/orders?symbol=SBIN")
    expect(page.locator("main [data-row]", has_text="SELL")).to_have_count(1)


def test_what_is_refused_in_a_row_says_so_in_it(page: Page) -> None:
    assert place(page, "TCS", 4, product="INTRADAY") == "EXECUTED"
    page.goto("/positions")
    row = page.get_by_role("row", name=re.compile("TCS.*MIS"))
    row.get_by_text("Convert", exact=True).click()
    row.get_by_label("How many").fill("400")
    row.get_by_role("button", name="Convert TCS").click()
    expect(row.locator(".here .why")).to_contain_text("There are 4 TCS (MIS) open")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_totals_of_positions_move_with_them(furnished_page: Page) -> None:
    page = furnished_page
    page.goto("/positions")
    total = page.locator("tfoot [data-f=total-all]")
    expect(total).not_to_have_text(total.inner_text(), timeout=30_000)


def test_on_a_phone_a_position_is_two_lines_and_its_way_out_is_at_hand(page: Page) -> None:
    assert place(page, "INFY", 2, product="INTRADAY") == "EXECUTED"
    page.set_viewport_size(PHONE)
    for path in ("/", "/positions"):
        page.goto(path)
        row = page.locator("main [data-row]", has_text="INFY").first
        way_out = row.get_by_role("button", name=re.compile("at market"))
        last = row.locator("[data-f^=last-]")
        edges = way_out.bounding_box(), last.bounding_box()
        assert edges[0] is not None
        assert edges[1] is not None
        assert abs(_middle(edges[0]) - _middle(edges[1])) < 12, path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults_of(page) == []


def test_on_a_phone_the_basket_is_one_touch_away(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.goto("/options?root=NIFTY&segment=NSE_FNO")
    page.locator(".chain tr.money").get_by_role("button", name=re.compile("^Buy .*CE")).click()
    line = page.get_by_role("link", name=re.compile("^Basket: 1 leg, to place"))
    expect(line).to_be_in_viewport()
    line.click()
    expect(page.locator(".legs")).to_be_in_viewport()


def _middle(box: object) -> float:
    assert isinstance(box, dict)
    return float(box["y"]) + float(box["height"]) / 2


def test_two_legs_go_from_clicks_to_positions(page: Page) -> None:
    page.goto("/options?root=NIFTY&segment=NSE_FNO")
    rows = page.locator(".chain tbody tr")
    rows.nth(10).get_by_role("button", name=re.compile("^Buy .*PE")).click()
    rows.nth(8).get_by_role("button", name=re.compile("^Sell .*PE")).click()
    expect(page.locator(".legs tbody tr")).to_have_count(2)
    legs = page.locator(".legs th[title]").evaluate_all("all => all.map((it) => it.title)")
    page.get_by_role("button", name=re.compile("^Place 2 orders")).click()
    expect(page.locator("#placed-basket")).to_contain_text("executed")
    expect(page.locator(".to-basket")).to_have_count(0)
    page.goto("/positions")
    for leg in legs:
        expect(page.get_by_role("row", name=re.compile(f"{spaced(leg)}.*NRML"))).to_be_visible()


def test_each_tab_trades_on_its_own_account(page: Page) -> None:
    first = page
    first.goto("/accounts/new")
    form = first.locator("main form", has=first.locator("input[name=broker][value=paper]"))
    form.get_by_label("Name", exact=True).fill("Second")
    form.get_by_role("button").click()
    expect(first.locator(".said")).to_be_visible()
    first.goto("/ticket")
    other = _account_named(first, "Second")
    own = _account_named(first, "Paper")
    second = first.context.new_page()
    first.goto(f"/ticket?account={own}&segment=NSE_EQ&symbol=ITC&side=BUY")
    second.goto(f"/ticket?account={other}&segment=NSE_EQ&symbol=ITC&side=BUY")
    first.locator("#slip input[name=quantity]").fill("17")
    first.get_by_role("button", name=re.compile("^BUY 17")).click()
    expect(first.locator("#placed-order")).to_be_visible()
    second.goto("/orders")
    expect(second.locator("main [data-row]", has_text="17 / 17")).to_have_count(0)
    first.goto(f"/orders?account={own}")
    expect(first.locator("main [data-row]", has_text="17 / 17")).to_have_count(1)


def _account_named(page: Page, name: str) -> str:
    link = page.locator(".menu.who .sheet a", has_text=re.compile(f"^{name} "))
    return (link.get_attribute("href") or "").partition("account=")[2]
