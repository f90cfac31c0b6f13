"""A real browser before a real service: Debian's Chromium, driven from here, on loopback."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright

from tests.cli.processes import Service

PASSWORD: Final = "correct horse battery"
PATIENCE_MS: Final = 15_000
LINK: Final = re.compile(r"/welcome/\S+")
DESKTOP: Final = {"width": 1360, "height": 860}
PHONE: Final = {"width": 390, "height": 844}
ANSWERS: Final = (
    "Failed to load resource: the server responded",
    "Response Status Error Code 4",
    "htmx:sendAbort",  # whoever goes to another page waits for nothing on this one
    "htmx:afterRequest",
)
SEND: Final = """async (typed) => {
  const form = new FormData(document.querySelector("#slip"));
  for (const [name, value] of Object.entries(typed)) form.set(name, value);
  form.set("name", `at-once-${crypto.randomUUID()}`);
  const sent = await fetch("/ticket/place", {
    method: "POST", body: new URLSearchParams(form), headers: { "HX-Request": "true" },
  });
  return sent.status;
}"""
AXE: Final = Path(__file__).parent / "axe-core-4.14.1.min.js"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium without a screen for the length of a story."""
    found = shutil.which("chromium")
    if found is None and "CI" not in os.environ:
        pytest.skip("there is no browser here: apt install chromium")
    assert found, "CI installs chromium"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Eyes:
    """What a browser complained of: scripts that failed, what the policy refused, pages of 500."""

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        self.expected: tuple[str, ...] = ()
        context.on("console", self._console)
        context.on("weberror", lambda it: self.complaints.append(f"script: {it.error}"))
        context.on("response", self._response)

    def _console(self, said: Any) -> None:
        is_answer = said.text.startswith(ANSWERS)  # a refusal is one, and is looked at below
        if said.type in {"error", "warning"} and not is_answer:
            self.complaints.append(f"{said.type}: {said.text}")

    def _response(self, answer: Any) -> None:
        is_file = answer.request.resource_type in {"script", "stylesheet", "image"}
        if answer.status >= (400 if is_file else 500):
            self.complaints.append(f"{answer.status}: {answer.url}")

    def check(self) -> None:
        """Fail where there was anything to complain of that nobody expected."""
        left = [it for it in self.complaints if not any(word in it for word in self.expected)]
        assert not left, left


@contextmanager
def a_context(
    browser: Browser, url: str, state: StorageState | None = None, **more: Any
) -> Iterator[tuple[BrowserContext, Eyes]]:
    """Open a browser of one's own at a house; in the end it has nothing to complain of."""
    wishes = {"viewport": DESKTOP, "base_url": url, "storage_state": state, **more}
    context = browser.new_context(**wishes)
    context.set_default_timeout(PATIENCE_MS)
    eyes = Eyes(context)
    try:
        yield context, eyes
        eyes.check()
    finally:
        context.close()


def link_of(service: Service) -> str:
    """Return the link of the first start, which a service says once it is open."""
    out = service.process.stdout
    assert out is not None
    for line in out:
        if found := LINK.search(line):
            return found[0]
    raise AssertionError("the service said no link")


def choose_password(page: Page, link: str) -> None:
    """Follow the first link, as a newcomer does."""
    page.goto(link)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button").click()
    page.wait_for_url("**/")


def place(page: Page, symbol: str, quantity: int, side: str = "BUY", **more: str) -> str:
    """Place an order by the ticket's own page; return its status."""
    segment = more.pop("segment", "NSE_EQ")
    page.goto(f"/ticket?segment={segment}&symbol={symbol}&side={side}")
    page.locator("#slip input[name=quantity]").fill(str(quantity))
    for name, value in more.items():
        field = page.locator(f"#slip [name={name}]")
        if name in {"product", "order_type", "validity"}:
            field.select_option(value)
        else:
            field.fill(value)
    button = page.get_by_role("button", name=f"{side} {quantity}")
    button.click()
    placed = page.locator("#placed-order")
    placed.wait_for()
    return placed.get_attribute("data-status") or ""


def send_at_once(page: Page, symbol: str, **typed: str) -> None:
    """Send a ticket as its form is sent, whatever the ticket says of it before."""
    if f"&symbol={symbol}&" not in page.url:
        page.goto(f"/ticket?segment=NSE_EQ&symbol={symbol}&side=BUY")
    assert page.evaluate(SEND, typed) == 200


def faults_of(page: Page) -> list[str]:
    """Return what axe-core finds serious on a page; what flashes is at rest meanwhile."""
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(AXE.read_text("utf-8"))  # by the debugger: no policy of a page binds it
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    page.emulate_media(reduced_motion="no-preference")
    return [
        f"{it['id']} ({it['impact']}): {it['help']}: {[node['html'][:200] for node in it['nodes']]}"
        for it in found["violations"]
        if it["impact"] in {"serious", "critical"}
    ]
