"""Approvals in a browser: an order comes by itself, what it needs is told, and it is answered."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.browsing import faults_of, place
from tests.cli.processes import eventually

BY_A_PROGRAM = """async ([account, csrf, strategy]) => {
  const body = JSON.stringify({segment: "NSE_EQ", symbol: "SBIN", side: "BUY", quantity: 3,
    product: "INTRADAY", order_type: "MARKET", strategy});
  const headers = {"Content-Type": "application/json", "X-CSRF-Token": csrf};
  const answer = await fetch(`/v1/accounts/${account}/orders`, {method: "POST", headers, body});
  return (await answer.json()).status === "PENDING";
}"""


def holds(page: Page, strategy: str) -> None:
    """Have a strategy's orders wait for a person."""
    token = page.locator("input[name=csrf]").first.input_value()
    answer = page.request.post(
        "/config/orders/approved_strategies",
        data={"value": strategy},
        headers={"X-CSRF-Token": token},
    )
    assert answer.ok, answer.text()


def test_an_order_waits_is_let_go_and_another_is_declined(page: Page) -> None:
    page.goto("/approvals")
    expect(page.locator("main")).to_contain_text("Nothing waits for a person")
    assert faults_of(page) == []
    holds(page, "waits")
    account = page.locator("body").get_attribute("data-account")
    token = page.locator("input[name=csrf]").first.input_value()
    given = [account, token, "waits"]
    # Each process hears of a setting within a second; what is asked before goes out.
    eventually(lambda: page.evaluate(BY_A_PROGRAM, given), wanted=True)
    row = page.get_by_role("row", name=re.compile("BUY 3 SBIN"))
    expect(row).to_have_count(1)  # it came by itself
    expect(row).to_contain_text("needs")
    left = row.locator("[data-f^=left-]")
    before = left.inner_text()
    expect(left).not_to_have_text(before)
    assert faults_of(page) == []
    row.get_by_role("button", name=re.compile("^Approve")).click()
    expect(page.locator(".said")).to_contain_text("is executed now")
    assert page.evaluate(BY_A_PROGRAM, given)
    row.get_by_text("Decline", exact=True).click()
    row.get_by_label("Why").fill("not today")
    row.get_by_role("button", name="Decline it for good").click()
    expect(page.locator(".said")).to_contain_text("was declined")
    expect(page.locator("main")).to_contain_text("Nothing waits for a person")


def test_the_ticket_says_that_an_order_waits(page: Page) -> None:
    page.goto("/approvals")
    holds(page, "careful")
    # A setting is known within a second: an order that comes sooner may go by the one before.
    eventually(lambda: place(page, "INFY", 2, strategy="careful"), "PENDING")
    page.goto("/approvals")
    row = page.get_by_role("row", name=re.compile("BUY 2 INFY"))
    expect(row).to_contain_text("careful")
    expect(row).to_contain_text("needs")
