"""From an empty folder to a first fill and its ledger entry, with nothing read but the screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsing import a_context, choose_password, chromium, faults_of, link_of, place
from tests.cli.processes import Service, environment
from tests.databases import KINDS, Kind, MakeDatabase
from tests.ports import release_port, reserve_port


@pytest.fixture(params=KINDS)
def env(
    request: pytest.FixtureRequest, tmp_path: Path, make_database: MakeDatabase
) -> dict[str, str]:
    """Lead to a house that nobody has opened yet, on either database."""
    kind: Kind = request.param
    more = {"BAHI_MARKET_ALWAYS_OPEN": "auto"}
    return environment(tmp_path / "home", make_database(kind), **more)


@pytest.fixture
def opened(env: dict[str, str]) -> Iterator[tuple[Service, Page]]:
    """Start it as a newcomer does, and a browser with it."""
    with (
        Service(env) as service,
        chromium() as browser,
        a_context(browser, service.url) as (context, _),
    ):
        yield service, context.new_page()


def test_a_newcomer_gets_from_the_link_to_a_first_fill(opened: tuple[Service, Page]) -> None:
    service, page = opened
    page.goto("/")
    expect(page.get_by_text("Nobody has signed in yet")).to_be_visible()
    choose_password(page, link_of(service))
    expect(page).to_have_title("Desk · Bahi")
    expect(page.get_by_text("1,00,00,000.00 free")).to_be_visible()
    page.get_by_role("button", name="Open a ticket").click()
    page.get_by_role("searchbox", name="Symbol", exact=True).fill("reliance")
    page.locator("#offers button").first.click()
    page.locator("#slip input[name=quantity]").fill("10")
    page.get_by_role("button", name=re.compile("^BUY 10 RELIANCE")).click()
    expect(page.locator("#placed-order")).to_have_attribute("data-status", "EXECUTED")
    page.get_by_role("button", name="Close", exact=True).click()
    row = page.get_by_role("row", name=re.compile("RELIANCE.*CNC"))
    expect(row).to_contain_text("+10")  # it came by itself
    page.get_by_role("link", name="Funds").click()
    expect(
        page.get_by_role("row", name=re.compile(r"BUY 10 RELIANCE \(CNC\) Trade"))
    ).to_be_visible()
    assert faults_of(page) == []


def test_the_page_says_that_the_service_is_away_and_goes_on_when_it_is_back(
    tmp_path: Path, env: dict[str, str]
) -> None:
    reserved = reserve_port()
    release_port(reserved)
    port = str(reserved)
    with chromium() as browser:
        first = Service(env, "--port", port)
        with first, a_context(browser, f"http://127.0.0.1:{port}") as (context, eyes):
            eyes.expected = ("net::ERR_", "Failed to fetch")
            page = context.new_page()
            choose_password(page, link_of(first))
            away = page.locator("#away")
            expect(away).to_be_hidden()
            first.stop()
            expect(away).to_contain_text("The service does not answer")
            expect(away).to_contain_text("IST")
            with Service(env, "--port", port):
                expect(away).to_be_hidden()
                expect(page.locator("body")).not_to_have_class(re.compile("old"))
                assert place(context.new_page(), "SBIN", 5) == "EXECUTED"
                row = page.get_by_role("row", name=re.compile("SBIN.*CNC"))
                expect(row).to_contain_text("+5")  # events come again, too
