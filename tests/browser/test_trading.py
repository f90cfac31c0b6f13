"""Trading by hand: a ticket, its fill, the position that moves, and the way out."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.browsing import PHONE, place


def test_an_order_is_placed_by_keys_alone_and_seen_through(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("b")
    page.locator("#ticket input[name=q]").press_sequentially("RELIAN")
    page.locator("#offers button", has_text="RELIANCE").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    quantity = page.locator("#slip input[name=quantity]")
    expect(quantity).to_be_focused()
    quantity.fill("15")
    send = page.get_by_role("button", name=re.compile("^BUY 15 RELIANCE at market ≈ ₹"))
    expect(send).to_be_enabled()
    quantity.press("Enter")
    placed = page.locator("#placed-order")
    expect(placed).to_have_attribute("data-status", "EXECUTED")
    page.get_by_role("link", name="Timeline").click()
    line = page.get_by_role("img", name="life as a line of time")
    for tick in ("intent", "risk", "wire", "acknowledged", "fill", "end"):
        expect(line.get_by_text(tick, exact=True)).to_be_visible()
    page.goto("/positions")
    row = page.get_by_role("row", name=re.compile("RELIANCE"))
    expect(row).to_contain_text("+15")


def test_enter_takes_the_first_offer_and_sends_no_order(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("b")
    search = page.locator("#ticket input[name=q]")
    search.press_sequentially("relia")
    page.locator("#offers button", has_text="RELIANCE").first.wait_for()
    search.press("Enter")
    expect(page.locator("#slip .chosen")).to_contain_text("RELIANCE")
    expect(page.locator("#slip input[name=quantity]")).to_be_focused()
    expect(page.locator("#placed-order")).to_have_count(0)


def test_enter_before_the_offers_came_takes_the_first_all_the_same(page: Page) -> None:
    page.goto("/ticket")
    page.route("**/ticket/symbols*", lambda _: None)  # no answer comes
    page.locator("#slip input[name=q]").fill("relia")
    page.locator("#slip input[name=q]").press("Enter")
    expect(page.locator("#slip .chosen")).to_contain_text("RELIANCE")
    page.goto("/ticket")
    page.locator("#slip input[name=q]").fill("no such thing")
    page.locator("#slip input[name=q]").press("Enter")
    expect(page.locator("#slip .why")).to_contain_text("NO SUCH THING")


def test_a_price_ticks_on_the_page(page: Page) -> None:
    assert place(page, "SBIN", 20) == "EXECUTED"
    page.goto("/positions")
    last = page.get_by_role("row", name=re.compile("SBIN")).locator("[data-f^=last-]")
    before = last.inner_text()
    expect(last).not_to_have_text(before, timeout=30_000)


def test_a_position_is_closed_from_its_row(page: Page) -> None:
    assert place(page, "INFY", 7, product="INTRADAY") == "EXECUTED"
    page.goto("/positions")
    row = page.get_by_role("row", name=re.compile("INFY"))
    row.get_by_role("button", name="Sell 7 at market").click()
    expect(row).to_contain_text("+7")  # nothing is sent by the first press
    page.get_by_role("button", name=re.compile("^SELL 7 INFY at market ≈ ₹")).click()
    expect(page.locator(".said")).to_contain_text("SELL 7 INFY")
    expect(page.get_by_role("row", name=re.compile("INFY"))).not_to_contain_text("+7")


def test_a_way_out_says_what_it_cancels_and_one_key_held_down_sends_nothing(page: Page) -> None:
    assert place(page, "ITC", 6, product="INTRADAY") == "EXECUTED"
    page.goto("/positions")
    row = page.get_by_role("row", name=re.compile("ITC"))
    at = float(row.locator("[data-f^=last-]").inner_text().replace(",", ""))
    far = f"{at * 1.05:.1f}"
    place(page, "ITC", 6, "SELL", product="INTRADAY", order_type="LIMIT", price=far)
    page.goto("/positions")
    button = row.get_by_role("button", name="Sell 6 at market")
    button.focus()
    page.keyboard.down("Enter")
    send = page.get_by_role("button", name=re.compile("^SELL 6 ITC at market"))
    expect(send).to_be_focused()
    page.keyboard.down("Enter")  # again without a release: it is held
    page.keyboard.up("Enter")
    expect(page.locator("#ticket")).to_contain_text("It cancels 1 resting order.")
    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_contain_text("SELL 6 ITC at market is executed.")
    expect(page.locator(".said")).to_contain_text("1 resting order was cancelled.")


def test_squaring_off_says_how_much_goes_before_and_what_is_closed_after(page: Page) -> None:
    assert place(page, "SBIN", 3, product="INTRADAY") == "EXECUTED"
    page.goto("/positions")
    page.get_by_role("button", name="Square off everything").click()
    page.get_by_role("button", name=re.compile(r"^Square off \d+ positions? ≈ ₹")).click()
    expect(page.locator(".said")).to_contain_text("closed.", timeout=30_000)
    expect(page.get_by_role("row", name=re.compile("SBIN.*MIS"))).not_to_contain_text("+3")


def test_a_part_of_a_position_is_held_as_another_product(page: Page) -> None:
    assert place(page, "TCS", 8, product="INTRADAY") == "EXECUTED"
    page.goto("/positions")
    row = page.get_by_role("row", name=re.compile("TCS.*MIS"))
    row.get_by_text("Convert", exact=True).click()
    row.get_by_label("How many").fill("3")
    row.get_by_label("Hold as").select_option("CNC")
    row.get_by_role("button", name="Convert TCS").click()
    expect(page.locator(".said")).to_contain_text("3 TCS are held as CNC now")
    expect(page.get_by_role("row", name=re.compile("TCS.*MIS"))).to_contain_text("+5")
    expect(page.get_by_role("row", name=re.compile("TCS.*CNC"))).to_contain_text("+3")


def test_a_form_that_is_refused_stays_as_it_was_typed_with_the_reason_in_it(page: Page) -> None:
    page.goto("/funds")
    page.get_by_text("Reset this paper account").click()
    field = page.get_by_label("Cash in rupees")
    field.fill("a lot")
    page.get_by_role("button", name="Reset Paper").click()
    expect(page.locator("form .here .why")).to_contain_text("'a lot' is not an amount")
    expect(field).to_have_value("a lot")
    assert page.url.endswith("/funds")


def test_a_refusal_is_a_sentence_before_anything_is_sent(page: Page) -> None:
    page.goto("/ticket?segment=NSE_EQ&symbol=RELIANCE&side=BUY")
    page.locator("#slip input[name=quantity]").fill("10000000")
    expect(page.locator("#preview .why")).to_contain_text("have the limit raised")
    expect(page.locator("#preview .send")).to_be_disabled()


def test_a_press_is_not_lost_when_the_ticket_looks_again_meanwhile(page: Page) -> None:
    page.goto("/ticket?segment=NSE_EQ&symbol=ITC&side=BUY")
    page.locator("#slip input[name=quantity]").fill("14")
    send = page.get_by_role("button", name=re.compile("^BUY 14 ITC at market"))
    send.hover()
    with page.expect_response("**/ticket/preview"):  # it asks anew every five seconds
        page.mouse.down()
    page.evaluate("() => new Promise((done) => setTimeout(done, 100))")  # a hand takes as long
    page.mouse.up()
    expect(page.locator("#placed-order")).to_contain_text("BUY 14 ITC")


def test_an_open_ticket_follows_the_price_and_leaves_what_is_typed_alone(page: Page) -> None:
    page.goto("/ticket?segment=NSE_EQ&symbol=RELIANCE&side=BUY")
    quantity = page.locator("#slip input[name=quantity]")
    quantity.fill("12")
    send = page.get_by_role("button", name=re.compile("^BUY 12 RELIANCE at market"))
    before = send.inner_text()
    send.focus()
    expect(page.locator("#send-order")).not_to_have_text(before, timeout=30_000)
    expect(page.locator("#send-order")).to_be_focused()
    expect(quantity).to_have_value("12")


def test_a_ticket_that_is_closed_asks_for_nothing_more(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("b")
    page.locator("#ticket input[name=q]").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#ticket")).to_be_hidden()
    expect(page.locator("#slip")).to_have_count(0)


def test_an_order_that_works_says_for_how_long_and_on_a_phone_what_it_waits_for(
    page: Page,
) -> None:
    assert place(page, "TCS", 4, product="INTRADAY") == "EXECUTED"
    page.goto("/positions")
    row = page.get_by_role("row", name=re.compile("TCS.*MIS"))
    at = float(row.locator("[data-f^=last-]").inner_text().replace(",", ""))
    trigger, limit = f"{at * 0.97:.0f}", f"{at * 0.96:.0f}"
    stop = {"product": "INTRADAY", "trigger_price": trigger}
    place(page, "TCS", 2, "SELL", order_type="STOP_LOSS", price=limit, **stop)
    place(page, "TCS", 2, "SELL", order_type="STOP_LOSS_MARKET", **stop)
    page.set_viewport_size(PHONE)
    page.goto("/orders?symbol=TCS&status=working")
    rows = page.locator("main [data-row]")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("SL-M")
    expect(rows.nth(1)).to_contain_text(f"{float(limit):,.2f} trg {float(trigger):,.2f}")
    for each in (rows.nth(0).get_by_text("SL-M"), rows.nth(1).get_by_text(f"{float(limit):,.2f}")):
        expect(each).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    rows.nth(1).get_by_role("link").first.click()
    expect(page.get_by_role("main")).to_contain_text("working for")
