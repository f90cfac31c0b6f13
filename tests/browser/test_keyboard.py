"""By keys alone: stopping, finding, taking an alert on; and a form that is refused in place."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

from playwright.sync_api import Browser, Page, StorageState, expect

from bahi.bootstrap import build
from bahi.config import Settings
from bahi.db.tx import Tx
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert
from tests.browser.browsing import PASSWORD, a_context, faults_of
from tests.cli.processes import Environment, Service

NO = re.compile("Stop|Resume|Enter an account|Run it|Pause|Sign as|Make|Change|I take it on")

AT_ONCE = """() => {
  document.querySelector("dialog[open]").close();
  const pressed = new KeyboardEvent("keydown", { key: "k", bubbles: true });
  document.activeElement.dispatchEvent(pressed);
}"""


def focused(page: Page) -> str:
    """Return what has the focus, as it says of itself."""
    said = page.evaluate(
        "(document.activeElement.innerText || document.activeElement.name || '').trim()"
    )
    return str(said)


def test_the_kill_switch_is_pressed_by_keys_alone(page: Page) -> None:
    page.goto("/risk")
    page.keyboard.press("k")
    dialog = page.get_by_role("dialog", name="Kill switch")
    expect(dialog).to_be_visible()
    assert faults_of(page) == []
    assert focused(page) == "reason"
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("k")
    page.keyboard.type("by keys alone")
    for expected in ("cancel", "flatten", "Stop Paper now"):
        page.keyboard.press("Tab")
        assert focused(page) == expected
    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_have_text("Entries of Paper are stopped; exits pass.")
    expect(page.get_by_role("row", name="Paper by keys alone")).to_have_count(1)
    page.keyboard.press("K")
    expect(dialog).to_contain_text("Paper is stopped")  # by whom and why, and not asked again
    expect(dialog).to_contain_text("by keys alone")
    page.keyboard.press("Enter")  # the way to where it is resumed
    expect(dialog).to_be_hidden()
    rows = page.get_by_role("row", name="Paper by keys alone")
    page.wait_for_load_state("networkidle")
    expect(rows).to_have_count(1)
    page.keyboard.press("j")
    assert "by keys alone" in focused(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    rows.get_by_role("button", name="Let Paper trade again").click()
    expect(page.locator(".said")).to_have_text("Entries of Paper pass again.")


def test_a_key_counts_in_the_very_moment_in_which_a_dialog_closes(page: Page) -> None:
    page.goto("/risk")
    page.keyboard.press("k")
    dialog = page.get_by_role("dialog", name="Kill switch")
    expect(dialog).to_be_visible()
    page.evaluate(AT_ONCE)  # until the next frame the focus stays where nobody sees it
    expect(dialog).to_be_visible()


def test_anything_is_found_by_arrows_and_opened(page: Page) -> None:
    page.goto("/risk")
    page.keyboard.press("/")
    page.keyboard.type("latency")
    found = page.locator("#found a")
    expect(found.first).to_contain_text("Latency")
    page.keyboard.press("ArrowDown")
    assert focused(page).startswith("Latency")
    page.keyboard.press("Enter")
    page.wait_for_url("**/latency*")
    page.go_back()
    page.wait_for_url("**/risk*")


def test_an_alert_is_taken_on_by_a_click_and_by_keys(page: Page, env: Environment) -> None:
    with ThreadPoolExecutor(1) as beside:  # the browser's own loop runs in this thread
        for message in ("The feed stood still.", "The books differ."):
            beside.submit(asyncio.run, _alarm(env, message)).result()
    page.goto("/alerts")
    assert faults_of(page) == []
    mine = page.get_by_role("row", name="The books differ")
    mine.get_by_role("button", name="I take it on").click()
    expect(mine).to_contain_text("admin")
    expect(mine.get_by_role("button")).to_have_count(0)
    page.goto("/alerts?show=open")
    page.keyboard.press("j")
    assert "The feed stood still." in focused(page)
    page.keyboard.press("Tab")
    assert focused(page) == "I take it on"
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="The feed stood still")).to_contain_text("admin")
    page.goto("/alerts?show=taken")
    page.get_by_label("Show").select_option("open")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("main")).to_contain_text("Nothing is open")
    page.go_back()
    expect(page.get_by_role("row", name="The books differ")).to_be_visible()


def test_a_code_that_does_not_fit_is_refused_where_it_was_typed(page: Page) -> None:
    page.goto("/settings/you")
    page.get_by_role("button", name="Set up one-time codes").click()
    square = page.get_by_role("img", name="The secret, for a camera")
    expect(square).to_be_visible()
    assert faults_of(page) == []
    page.get_by_label("The code that it shows").fill("12")
    page.get_by_role("button", name="Ask me for a code from now on").click()
    expect(page.locator("#set-up .why")).to_contain_text("does not fit")
    expect(square).to_be_visible()  # shown once: it must not be lost by a slip
    expect(page.get_by_label("The code that it shows")).to_have_value("12")


def test_who_signed_out_in_another_tab_is_told_so(
    browser: Browser, service: Service, signed_in: StorageState
) -> None:
    del signed_in
    with a_context(browser, service.url) as (context, _):
        page = context.new_page()
        page.goto("/sign-in?next=%2Fjobs")
        page.get_by_label("Name").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/jobs*")
        other = context.new_page()
        other.goto("/risk")
        other.locator("details.who summary").click()
        other.get_by_role("button", name="Sign out").click()
        expect(other.get_by_role("link", name="Sign in")).to_be_visible()
        page.bring_to_front()
        expect(page.locator("#away")).to_contain_text("You are signed out.")
        page.locator("#away").get_by_role("link", name="Sign in").click()
        page.wait_for_url("**/sign-in*")


def test_a_viewer_is_offered_nothing_that_would_be_refused(
    page: Page, browser: Browser, service: Service
) -> None:
    page.goto("/settings/users")
    page.get_by_label("Name they sign in with").fill("guest")
    page.get_by_label("Role").last.select_option("viewer")
    page.get_by_role("button", name="Add them").click()
    link = page.get_by_label("The link", exact=True).input_value()
    with a_context(browser, service.url) as (context, _):
        guest = context.new_page()
        guest.goto(link)
        guest.get_by_label("Password").fill(PASSWORD)
        guest.get_by_label("The same again").fill(PASSWORD)
        guest.get_by_role("button").click()
        guest.wait_for_url("**/")
        for path in (
            "/accounts", "/tokens", "/alerts", "/day-end", "/jobs", "/audit", "/health",
            "/settings/keys", "/settings/webhooks", "/settings/calendar", "/settings/house",
        ):  # fmt: skip
            guest.goto(path)
            guest.wait_for_load_state("networkidle")
            offered = guest.locator("main").get_by_role("button", name=NO)
            assert offered.all_inner_texts() == [], path
            assert guest.locator("button.kill").count() == 0


async def _alarm(env: Environment, message: str) -> None:
    """Raise an alert in the house beside the service that has it open."""
    house = build(Settings.from_environment(env))

    def write(tx: Tx) -> None:
        cause = Cause(severity=Severity.CRITICAL, source="a test", message=message, topic=message)
        raise_alert(tx, cause, house.clock())

    try:
        await house.stores["main"].write(write)
    finally:
        await house.close()
