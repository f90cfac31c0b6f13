"""The engine room in a browser: a trail that is verified, jobs that are run, no page at fault."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.browsing import PHONE, faults_of, place

PAGES = ("/audit", "/jobs", "/latency", "/logs", "/health", "/health/history")


def test_the_pages_of_the_engine_room_have_no_serious_fault_and_fit_a_phone(page: Page) -> None:
    assert place(page, "SBIN", 20) == "EXECUTED"
    for path in PAGES:
        page.goto(path)
        page.wait_for_load_state("networkidle") if path == "/health" else None
        assert faults_of(page) == [], path
    page.set_viewport_size(PHONE)
    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_every_seal_is_verified_while_one_looks_on(page: Page) -> None:
    page.goto("/audit")
    page.get_by_role("button", name="Verify every seal").click()
    expect(page.locator("#verdict")).to_contain_text(re.compile(r"rows under \d+ seals are as"))
    page.get_by_label("Any word").fill("paper")
    page.get_by_role("button", name="Show").click()
    page.locator("tbody details summary").first.click()
    expect(page.locator("table.differences").first).to_be_visible()
    assert faults_of(page) == []


def test_a_schedule_is_run_now_and_its_job_appears(page: Page) -> None:
    page.goto("/jobs")
    page.get_by_text("more that keep the house").click()
    row = page.get_by_role("row", name=re.compile("End what has expired"))
    expect(row).to_contain_text("every hour at :07")
    row.get_by_text("Run or pause").click()
    row.get_by_role("button", name="Run it now").click()
    expect(page.locator(".said")).to_contain_text("sessions_cleanup is asked for now")
    page.get_by_label("Which").select_option("every")
    page.get_by_role("button", name="Show").click()
    done = page.get_by_role("row", name=re.compile("Sessions cleanup.*the schedule"))
    expect(done.first).to_contain_text("completed")


def test_an_orders_way_is_drawn_with_its_percentiles(page: Page) -> None:
    assert place(page, "INFY", 3) == "EXECUTED"
    page.goto("/latency")
    picture = page.get_by_role("img", name=re.compile("intent to first fill: .*p99"))
    for percentile in ("p50", "p90", "p99"):
        expect(picture.get_by_text(re.compile(f"^{percentile} "))).to_be_visible()
    page.get_by_role("link", name="intent to wire").click()
    expect(page.get_by_role("img", name=re.compile("intent to wire"))).to_be_visible()
