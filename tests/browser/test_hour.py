"""A page that stays open: prices tick, the service goes and comes back, memory does not grow."""

from __future__ import annotations

import os
import re
import time
from typing import Any, Final

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.browsing import a_context, choose_password, chromium, link_of, place
from tests.cli.processes import Environment, Service
from tests.ports import release_port, reserve_port

ROUND_S: Final = 36
"""A hundred rounds are an hour."""
SHORT_S: Final = 8
WARM_S: Final = 4
AWAY_EVERY: Final = 20
MAY_GROW: Final = 1.5
SYMBOLS: Final = ("RELIANCE", "SBIN", "INFY", "HDFCBANK", "TCS")


@pytest.mark.torture
def test_an_open_desk_ticks_on_and_does_not_grow(env: Environment) -> None:
    rounds = int(os.environ.get("BAHI_ROUNDS", "1"))
    each_s = ROUND_S if rounds > 1 else SHORT_S
    reserved = reserve_port()
    release_port(reserved)
    port = str(reserved)
    service = Service(env, "--port", port)
    service.__enter__()
    try:
        with chromium() as browser, a_context(browser, service.url) as (context, eyes):
            eyes.expected = ("net::ERR_", "Failed to fetch", "htmx:sendError")  # while it is away
            page = context.new_page()
            choose_password(page, link_of(service))
            for symbol in SYMBOLS:
                assert place(page, symbol, 3) == "EXECUTED"
            page.goto("/")
            watch = Watch(page)
            watch.until_it_ticked(WARM_S)
            begun = watch.heap()
            for done in range(rounds):
                watch.until_it_ticked(each_s)
                if done % AWAY_EVERY == AWAY_EVERY - 1 or rounds == 1:
                    service.stop()
                    expect(page.locator("#away")).to_contain_text("The service does not answer")
                    service = Service(env, "--port", port)
                    service.__enter__()
                    expect(page.locator("#away")).to_be_hidden()
            ended = watch.heap()
            print(f"its scripts kept {begun:,.0f} bytes, and {ended:,.0f} after {rounds} rounds")
            assert ended <= begun * MAY_GROW
    finally:
        service.__exit__()


class Watch:
    """What a page does while nobody touches it."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._inside: CDPSession = page.context.new_cdp_session(page)
        self._inside.send("HeapProfiler.enable")

    def until_it_ticked(self, seconds: float) -> None:
        """Look on for a while, in which a price has to move at least once."""
        last = self._page.locator("[data-f^=last-]").first
        until = time.monotonic() + seconds
        while True:
            seen = last.inner_text()
            expect(last).not_to_have_text(re.compile(f"^{re.escape(seen)}$"), timeout=60_000)
            if time.monotonic() > until:
                return

    def heap(self) -> float:
        """Return how much its scripts keep, once what is over is collected."""
        self._inside.send("HeapProfiler.collectGarbage")
        found: Any = self._inside.send("Runtime.getHeapUsage")
        return float(found["usedSize"])
