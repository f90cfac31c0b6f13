"""The kill switch: a key, a second press, entries refused, exits passed, and the way back."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.browsing import faults_of, place


def test_a_key_and_a_press_stop_entries_and_a_person_lets_them_pass_again(page: Page) -> None:
    assert place(page, "SBIN", 10) == "EXECUTED"
    page.goto("/positions")
    page.keyboard.press("k")
    dialog = page.get_by_role("dialog", name="Kill switch")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")  # a key alone stops nobody
    expect(dialog).to_be_hidden()
    page.keyboard.press("k")
    dialog.get_by_label("Why").fill("the line is on fire")
    dialog.get_by_role("button", name="Stop Paper now").click()
    expect(page.locator(".said")).to_have_text("Entries of Paper are stopped; exits pass.")
    expect(page).to_have_url("/positions")
    expect(page.locator(".stopped")).to_contain_text("exits pass")

    page.goto("/ticket?segment=NSE_EQ&symbol=INFY&side=BUY")
    expect(page.locator("#preview .why")).to_contain_text("the line is on fire")
    expect(page.locator("#preview .send")).to_be_disabled()
    page.goto("/positions")
    page.get_by_role("row", name="SBIN").get_by_role("button", name="Sell 10 at market").click()
    page.get_by_role("button", name="SELL 10 SBIN at market").click()
    expect(page.locator(".said")).to_contain_text("SELL 10 SBIN at market is executed")

    page.get_by_role("link", name="Switches").click()
    row = page.get_by_role("row", name="Paper the line is on fire")
    expect(row).to_contain_text("admin")
    row.get_by_text("Resume…").click()
    assert faults_of(page) == []
    row.get_by_label("Why").fill("it was the toaster")
    row.get_by_role("button", name="Let Paper trade again").click()
    expect(page.locator(".said")).to_have_text("Entries of Paper pass again.")
    assert place(page, "INFY", 5) == "EXECUTED"


def test_a_limit_is_tightened_and_its_gauge_moves_by_itself(page: Page) -> None:
    page.goto("/risk/limits")
    assert faults_of(page) == []
    page.get_by_label("Orders a day").fill("50")
    page.get_by_role("button", name="Hold Paper to these").click()
    expect(page.locator(".said")).to_have_text("Paper: the limits hold now.")
    page.goto("/risk")
    row = page.get_by_role("row", name="orders today")
    expect(row).to_contain_text("50")
    before = row.inner_text()
    other = page.context.new_page()
    assert place(other, "TCS", 1) == "EXECUTED"
    expect(row).not_to_have_text(before)
