"""Settings: keys and links are shown once, what is changed says what it was, strangers see none."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import date
from html import unescape

import pytest
from httpx import Response

from bahi.audit.service import recent
from bahi.bootstrap.saving import list_backups
from bahi.calendar.service import days_as_entered
from bahi.identity.service.keys import list_keys
from bahi.kernel.words import BrokerSlug, Segment
from tests.api.standing import Standing, as_actor, standing
from tests.web.reading import cost_to, tables_of

KEY = re.compile(r"\b[0-9a-f]{64}\b")
TABS = ("keys", "you", "webhooks", "calendar", "house", "users", "backups")
FORMS = (
    "keys", "keys/1/revoke", "keys/1/turn", "you/password", "you/codes/begin", "you/codes",
    "you/codes/end", "you/sessions/1/end", "you/sign-out-everywhere", "webhooks", "webhooks/1",
    "webhooks/1/switch", "webhooks/1/remove", "house/one", "users", "users/1",
    "users/1/link", "users/1/remove", "users/1/restore", "users/1/no-codes", "backups",
    "calendar", "calendar/take-back",
)  # fmt: skip


def test_every_tab_opens_for_an_admin_with_few_statements_and_its_tables_as_files(
    home: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        browser, _ = await it.signed_in(await it.admin())
        assert (await browser.get("/settings")).status_code == 200
        for tab in TABS:
            page = await browser.get(f"/settings/{tab}")
            assert page.status_code == 200, page.text
            for file in re.findall(r'href="([^"]+\.csv[^"]*)"', page.text):
                sheet = await browser.get(unescape(file))
                assert sheet.status_code == 200, file
                assert sheet.headers["content-type"].startswith("text/csv")
        for tab in TABS:  # by now the house has begun its day, which is not theirs to pay
            assert await cost_to(browser, f"/settings/{tab}") <= 12, tab

    standing(home, story)


def test_a_key_is_shown_once_with_the_lines_that_use_it(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        await it.account(asha, BrokerSlug.PAPER, "Paper", is_primary=True)
        browser, csrf = await it.signed_in(asha)
        wish = {"csrf": csrf, "name": "<script>nifty", "scope": "paper", "days": "30"}
        made = await browser.post("/settings/keys", data=wish, headers={"HX-Request": "true"})
        assert made.status_code == 200, made.text
        assert made.headers["HX-Trigger"] == "keys-changed"
        assert made.headers["cache-control"] == "no-store"
        (key,) = set(KEY.findall(made.text)) - {csrf}
        assert f'api(api_key="{key}", host="http' in unescape(made.text)
        assert f"X-API-Key: {key}" in unescape(made.text)
        assert "<script>nifty" not in made.text
        assert key not in str(made.headers)
        listed = await browser.get("/settings/keys")
        assert "&lt;script&gt;nifty" in listed.text
        assert key not in listed.text
        assert key not in (await browser.get("/settings/keys.csv")).text
        program = await it.client(key)
        me = (await program.get("/v1/me")).json()
        assert me["user"]["username"] == "asha"
        assert me["scope"] == "paper"
        trail = await recent(it.main, as_actor(await it.admin()), limit=50)
        assert not [each for each in trail if key in repr(each)]
        revoked = await browser.post(f"/settings/keys/{me['key_id']}/revoke", data={"csrf": csrf})
        assert revoked.status_code == 303
        await it.house.revisions.look()
        assert (await program.get("/v1/me")).status_code == 401
        assert "revoked" in tables_of(await browser.get("/settings/keys"))

    standing(home, story)


def test_a_key_opens_the_accounts_that_were_ticked_and_is_turned_by_its_owner_alone(
    home: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        paper = await it.account(asha, BrokerSlug.PAPER, "Paper")
        live = await it.account(asha, BrokerSlug.UPSTOX, "Live")
        other = await it.account(asha, BrokerSlug.PAPER, "Second")
        browser, csrf = await it.signed_in(asha)
        mine = {"csrf": csrf, "account": str(paper.id)}
        wish = {**mine, "name": "both", "scope": "trade", "default-paper": str(paper.id)}
        ticked = {f"opens-{paper.id}": "1", f"opens-{live.id}": "1"}
        made = await browser.post("/settings/keys", data=wish | ticked)
        assert made.status_code == 200, made.text
        shown = tables_of(await browser.get("/settings/keys"))
        assert "Paper, Live" in shown
        assert other.name not in shown
        (key,) = await it.main.read(list_keys, as_actor(asha), fresh=True)
        where = f"/settings/keys/{key.id}/turn"
        stranger, theirs = await it.signed_in(await it.user("ravi"))
        denied = await stranger.post(where, data={"csrf": theirs, "live": "1"})
        assert denied.status_code == 404
        assert (await browser.post(where, data={**mine, "live": "1"})).status_code == 303
        (key,) = await it.main.read(list_keys, as_actor(asha), fresh=True)
        assert key.goes_live
        assert (await browser.post(where, data=mine)).status_code == 303
        (key,) = await it.main.read(list_keys, as_actor(asha), fresh=True)
        assert not key.goes_live
        reads = await it.key(asha)
        assert reads
        bad = await browser.post("/settings/keys", data={**mine, "name": "x", "days": "-1"})
        assert bad.status_code == 400
        assert "days: -1 is not 1 to" in unescape(bad.text)

    standing(home, story)


@pytest.mark.parametrize("who", ["nobody", "without a token"])
def test_every_form_refuses_what_our_page_did_not_send(house: dict[str, str], who: str) -> None:
    async def story(it: Standing) -> None:
        browser, _ = await it.signed_in(await it.admin())
        browser = await it.client() if who == "nobody" else browser
        for form in FORMS:
            answer = await browser.post(f"/settings/{form}", data={"csrf": "guessed"})
            assert answer.status_code == (401 if who == "nobody" else 403), form

    standing(house, story)


def test_a_webhook_is_made_shown_once_changed_and_tells_what_became_of_alerts(
    home: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        account = await it.account(asha, BrokerSlug.PAPER, "Paper")
        browser, csrf = await it.signed_in(asha)
        mine = {"csrf": csrf}
        wish = {**mine, "on": str(account.id), "name": "<b>TV", "word-symbol": "{{ticker}}"}
        bad = await browser.post("/settings/webhooks", data={**wish, "opens_at": "9 am"})
        assert bad.status_code == 400
        assert "opens_at" in bad.text
        made = await browser.post("/settings/webhooks", data={**wish, "word-quantity": "x" * 10})
        assert made.status_code == 200, made.text
        address = re.search(r"/hooks/alerts/\w+", made.text)
        assert address is not None
        listed = await browser.get("/settings/webhooks")
        assert "&lt;b&gt;TV" in listed.text
        assert address[0] not in listed.text
        hook = re.search(r"/settings/webhooks/\d+", listed.text)
        assert hook is not None
        sender = await it.client()
        sent = await sender.post(address[0], json={"ticker": "<script>", "action": "buy"})
        page = await browser.get(hook[0])
        assert page.status_code == 200
        assert "&lt;script&gt;" in page.text
        assert sent.json()["status"] == "error"
        assert "<script> refused:" in tables_of(page)
        assert (await browser.get(f"{hook[0]}/alerts.csv")).status_code == 200
        assert (await browser.post(f"{hook[0]}/switch", data=mine)).status_code == 303
        assert "switched off" in (await browser.get(hook[0])).text
        change = {**mine, "name": "renamed", "word-symbol": "SBIN", "repeats": "5"}
        assert (await browser.post(hook[0], data=change)).status_code == 303
        assert "renamed" in (await browser.get(hook[0])).text
        stranger, _ = await it.signed_in(await it.user("ravi"))
        assert (await stranger.get(hook[0])).status_code == 404
        assert (await browser.post(f"{hook[0]}/remove", data=mine)).status_code == 303
        assert (await browser.get(hook[0])).status_code == 404

    standing(home, story)


def test_a_setting_says_what_it_was_and_a_secret_one_is_sealed(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, csrf = await it.signed_in(await it.admin())
        where, band = "/settings/house/one", {"csrf": csrf, "name": "risk.price_band_percent"}
        done = await browser.post(where, data={**band, "value": "25"})
        assert done.status_code == 303
        page = await browser.get(done.headers["location"])
        assert "it was 20, it is 25 now" in unescape(page.text)
        assert "admin 20 25" in tables_of(page)
        wrong = await browser.post(where, data={**band, "value": "a fifth"})
        assert wrong.status_code == 400
        assert "whole number" in wrong.text
        await it.set("notify", "bot_token", "very-secret-1")
        for path in (
            "/settings/house",
            "/settings/house/one?name=notify.bot_token",
            "/settings/house.csv",
        ):
            assert "very-secret-1" not in (await browser.get(path)).text
        assert "sealed" in (await browser.get("/settings/house?word=bot_token")).text
        hidden = {"csrf": csrf, "name": "notify.bot_token", "value": "very-secret-2"}
        assert (await browser.post(where, data=hidden)).is_redirect
        page = await browser.get("/settings/house/one?name=notify.bot_token")
        assert "very-secret" not in page.text
        assert (await browser.get("/settings/house/one?name=no.such")).status_code == 404
        assert "No setting is like" in (await browser.get("/settings/house?word=zzz")).text

    standing(house, story)


def test_the_calendar_shows_a_year_and_says_what_is_missing(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, _ = await it.signed_in(await it.user("asha"))
        shown = tables_of(await browser.get("/settings/calendar?year=2026"))
        assert "Republic Day" in shown
        assert "open 09:15 to 15:30" in shown
        only = tables_of(await browser.get("/settings/calendar?year=2026&segment=MCX_COMM"))
        assert "MCX" in only
        later = (await browser.get("/settings/calendar?year=2033")).text
        assert "Not complete for NSE" in later
        assert "Nothing is entered of 2033" in later
        assert (await browser.get("/settings/calendar?year=19")).status_code == 400
        assert (await browser.get("/settings/calendar?segment=MOON")).status_code == 400

    standing(house, story)


def test_a_backup_is_made_by_a_job_whose_progress_stands_there(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, csrf = await it.signed_in(await it.admin())
        assert "No backup yet" in (await browser.get("/settings/backups")).text
        asked = await browser.post("/settings/backups", data={"csrf": csrf, "store": "logs"})
        assert asked.status_code == 303
        while "<progress" in (page := await browser.get("/settings/backups")).text:
            assert "stores" in page.text or "waits for a worker" in page.text
            await asyncio.sleep(0.02)
        (made,) = await list_backups(it.house)
        assert made.file.name in tables_of(page)
        nowhere = await browser.post("/settings/backups", data={"csrf": csrf, "store": "attic"})
        assert nowhere.status_code == 404

    standing(house, story, worker="inside")


def test_what_changed_is_json_safe(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, csrf = await it.signed_in(await it.admin())
        value = json.dumps({"a": "<script>"})
        await it.set("orders", "approved_strategies", value)
        page = await browser.get("/settings/house/one?name=orders.approved_strategies")
        assert "<script>" not in page.text.replace('<script src="/static/', "")
        assert csrf in page.text

    standing(house, story)


def test_an_admin_enters_a_market_day_and_takes_it_back(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, csrf = await it.signed_in(await it.admin())
        trader, theirs = await it.signed_in(await it.user("asha"))
        here = "/settings/calendar"
        form = {"day": "2026-12-03", "kind": "full_day", "why": "<i>Election", "source": "NSE"}
        assert "Enter or change a day" not in (await trader.get(here)).text
        no = await trader.post(here, data={"csrf": theirs, **form})
        assert no.status_code == 403
        entered = await browser.post(here, data={"csrf": csrf, **form})
        assert entered.status_code == 303, entered.text
        page = await browser.get(entered.headers["location"])
        assert "03 Dec 2026 is entered." in page.text
        assert "<i>Election" not in page.text
        row = re.search(r"Thu 03 Dec 2026 <i>Election full day (.*?) closed", tables_of(page))
        assert row is not None
        assert row[1] == "NSE, NFO, CDS, BSE, BFO, BCD, MCX"
        days = await days_as_entered(it.main)
        assert days.hours_on(Segment.NSE_EQ, date(2026, 12, 3)).is_trading_day is False
        open_ = {**form, "kind": "special", "hours": "18:15-19:15", "markets": "NSE_EQ"}
        changed = await browser.post(here, data={"csrf": csrf, **open_})
        assert "03 Dec 2026 is changed." in (await browser.get(changed.headers["location"])).text
        taken = take_back_form(await browser.get(f"{here}?year=2026"), "2026-12-03", "NSE_EQ")
        back = await browser.post(f"{here}/take-back", data=taken)
        assert "03 Dec 2026 has its weekday's hours for NSE." in said_on(
            await browser.get(back.headers["location"])
        )
        days = await days_as_entered(it.main)
        assert days.hours_on(Segment.NSE_EQ, date(2026, 12, 3)).is_trading_day
        for bad in (
            {**form, "day": ""}, {**form, "kind": "half"}, {**form, "markets": "MOON"},
            {**form, "kind": "special", "hours": "nonsense"}, {**form, "why": ""},
            {**form, "source": ""},
        ):  # fmt: skip
            assert (await browser.post(here, data={"csrf": csrf, **bad})).status_code == 400, bad
        nothing = await browser.post(f"{here}/take-back", data={**taken, "day": "2026-12-04"})
        assert nothing.status_code == 409
        assert "What is entered of 04 Dec 2026 has changed" in nothing.text

    standing(home, story)


def test_taking_back_what_was_entered_twice_leaves_what_came_with_bahi(
    home: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        browser, csrf = await it.signed_in(await it.admin())
        here, christmas = "/settings/calendar", "2026-12-25"
        page = await browser.get(f"{here}?year=2026")
        assert f'name="day" value="{christmas}"' not in page.text  # it came with Bahi
        form = {"csrf": csrf, "day": christmas, "kind": "ordinary", "why": "Typo", "source": "me"}
        await browser.post(here, data={**form, "markets": "NSE_EQ"})
        taken = take_back_form(await browser.get(f"{here}?year=2026"), christmas, "NSE_EQ")
        back = await browser.post(f"{here}/take-back", data=taken)
        said = said_on(await browser.get(back.headers["location"]))
        assert "25 Dec 2026 is again what came with Bahi (Christmas) for NSE." in said
        again = await browser.post(f"{here}/take-back", data=taken)
        assert again.status_code == 409
        assert "has changed since this page was drawn" in again.text
        days = await days_as_entered(it.main)
        assert days.hours_on(Segment.NSE_EQ, date(2026, 12, 25)).is_trading_day is False

    standing(home, story)


def test_a_day_that_is_over_is_taken_back_too(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, csrf = await it.signed_in(await it.admin())
        here = "/settings/calendar"
        form = {"csrf": csrf, "day": "2026-02-03", "kind": "full_day", "why": "A", "source": "B"}
        await browser.post(here, data={**form, "markets": "NSE_EQ"})
        taken = take_back_form(await browser.get(f"{here}?year=2026"), "2026-02-03", "NSE_EQ")
        assert (await browser.post(f"{here}/take-back", data=taken)).status_code == 303
        days = await days_as_entered(it.main)
        assert days.hours_on(Segment.NSE_EQ, date(2026, 2, 3)).is_trading_day

    standing(home, story)


def take_back_form(page: Response, day: str, markets: str) -> dict[str, str]:
    """Return the hidden fields of the form that takes a day back in some markets."""
    for form in re.findall(r"<form[^>]*take-back.*?</form>", page.text):
        named = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        if (named["day"], named["markets"]) == (day, markets):
            return named
    raise AssertionError(f"nothing of {day} is taken back in {markets}")


def said_on(page: Response) -> str:
    """Return the text of a page as it is read."""
    return unescape(page.text)
