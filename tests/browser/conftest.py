"""One open house with a paper account of one crore, and one browser, for the stories of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState

from tests.browser.browsing import a_context, choose_password, chromium, link_of
from tests.cli.processes import Environment, Service, environment
from tests.databases import Database, Kind
from tests.furnished import TODAY, Furnished


@pytest.fixture(scope="module")
def browser(service: Service) -> Iterator[Browser]:
    """Give the stories of a file a browser; it has a loop of its own, so the house comes first."""
    del service
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory, furnished: Furnished) -> Environment:
    """Lead to a house on SQLite whose market never closes; its first start was today."""
    home: Path = tmp_path_factory.mktemp("desk") / "home"
    furnished.copy("sqlite", home, _no_database, at=TODAY)
    return environment(home, BAHI_MARKET_ALWAYS_OPEN="yes")


@pytest.fixture(scope="module")
def service(env: Environment) -> Iterator[Service]:
    """Open that house."""
    with Service(env) as found:
        yield found


@pytest.fixture(scope="module")
def signed_in(browser: Browser, service: Service) -> StorageState:
    """Choose the admin's password by the first link; return the session that it opened."""
    with a_context(browser, service.url) as (context, _):
        choose_password(context.new_page(), link_of(service))
        return context.storage_state()


@pytest.fixture
def page(browser: Browser, service: Service, signed_in: StorageState) -> Iterator[Page]:
    """Give one story a page; what its console complained of fails it."""
    with a_context(browser, service.url, signed_in) as (context, _):
        yield context.new_page()


def _no_database(kind: Kind, template: Database | None = None) -> Database:
    """A house on SQLite has none elsewhere."""
    raise AssertionError(kind)
