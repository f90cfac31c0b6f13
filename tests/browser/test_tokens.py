"""The morning run in a browser: registered by hand, logged in by a person, counted as it goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bahi.kernel.words import BrokerSlug
from tests.brokers.desks import SIMULATORS, addresses, an_application
from tests.brokers.simulators import Simulator
from tests.browser.browsing import faults_of
from tests.browser.conftest import _no_database
from tests.cli.processes import Environment, Service, environment
from tests.furnished import TODAY, Furnished

BROKER = BrokerSlug.UPSTOX
APPLICATION = an_application(BROKER)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Run a broker for the stories of this file."""
    with SIMULATORS[BROKER]([APPLICATION]) as found:
        yield found


@pytest.fixture(scope="module")
def env(
    tmp_path_factory: pytest.TempPathFactory, furnished: Furnished, simulator: Simulator
) -> Environment:
    """Lead to a house that calls its broker at the simulator."""
    home: Path = tmp_path_factory.mktemp("desk") / "home"
    furnished.copy("sqlite", home, _no_database, at=TODAY)
    known = addresses(BROKER, simulator).get(BROKER, {})
    at = " ".join(f"{BROKER}.{which}={address}" for which, address in known.items())
    return environment(home, BAHI_MARKET_ALWAYS_OPEN="yes", BAHI_BROKER_ADDRESSES=at)


def test_a_morning_run_from_the_account_to_its_tokens(
    page: Page, service: Service, simulator: Simulator
) -> None:
    back = f"{service.url}/auth/callback/{BROKER}"
    simulator.applications[APPLICATION.client_id] = replace(APPLICATION, redirect_uri=back)
    page.goto("/accounts/new")
    form = page.locator("form", has=page.get_by_role("button", name="Enter the live account"))
    form.locator("select[name=broker]").select_option(BROKER)
    form.get_by_label("Name", exact=True).fill("Asha at Upstox")
    form.get_by_label("Client id at the broker").fill(APPLICATION.broker_user_id)
    form.get_by_label("by name").fill("Asha Rao")
    assert faults_of(page) == []
    form.get_by_role("button", name="Enter the live account").click()
    expect(page.locator(".live-line")).to_contain_text("trades real money")
    page.get_by_label("Client id (API key)").fill(APPLICATION.client_id)
    page.get_by_label("Secret", exact=True).fill(APPLICATION.secret)
    page.get_by_label("Comes back to").fill(back)
    page.get_by_role("button", name="Register it with Asha at Upstox").click()
    expect(page.locator(".said")).to_contain_text("PRIMARY is registered")
    expect(page.locator("body")).not_to_contain_text(APPLICATION.secret)
    assert faults_of(page) == []

    page.goto("/tokens")
    expect(page.get_by_text("0 of 1 tokens are good")).to_be_visible()
    page.get_by_role("button", name="Begin the morning run", exact=True).click()
    link = page.get_by_label("The link to send").input_value()
    assert faults_of(page) == []
    watching = page.context.new_page()
    watching.goto("/tokens")
    expect(watching.get_by_text("waits for a person").first).to_be_visible()
    assert faults_of(watching) == []

    page.goto(link)
    page.get_by_role("button").click()  # to the broker's page, which leads back with a code
    expect(page.get_by_text("the token is stored")).to_be_visible()
    expect(watching.get_by_text("1 of 1 tokens are good")).to_be_visible()  # by itself
    watching.get_by_role("button", name="Ask upstox").click()
    expect(watching.locator(".said")).to_have_text("The brokers say: 1 of 1 tokens are good.")
    watching.goto("/accounts")
    expect(watching.get_by_role("row", name="Asha at Upstox")).to_contain_text("1 of 1")
    assert faults_of(watching) == []
