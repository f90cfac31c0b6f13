"""Logs: by level, word and request; a stack on demand; for admins."""

from __future__ import annotations

import re
from html import unescape

from bahi.kernel.words import LogLevel
from bahi.telemetry.model import LogEntry
from bahi.telemetry.repository import add_log
from tests.api.standing import Standing, standing
from tests.web.reading import cost_to, tables_of


async def _said(
    it: Standing, message: str, level: LogLevel = LogLevel.INFO, **more: object
) -> None:
    entry = LogEntry(at=it.house.clock(), level=level, logger="a.test", message=message, **more)  # type: ignore[arg-type]
    await it.house.stores["logs"].write(add_log, entry)


def test_records_are_found_and_a_stack_is_shown_on_demand(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, _ = await it.signed_in(await it.admin())
        await _said(it, "<script>all is well")
        await _said(
            it,
            "the wheel came off",
            LogLevel.ERROR,
            error_type="WheelFell",
            stack_trace="Traceback <b>of it",
            context={"request_id": "abc-123-def"},
        )
        page = await browser.get("/logs")
        assert await cost_to(browser, "/logs") <= 12
        assert "&lt;script&gt;all is well" in page.text
        assert "WheelFell: show the stack" in page.text
        assert "Traceback &lt;b&gt;of it" in page.text
        errors = tables_of(await browser.get("/logs?level=errors"))
        assert "the wheel came off" in errors
        assert "all is well" not in errors
        for asked in ("word=WHEEL", "request=abc-123-def"):
            found = tables_of(await browser.get(f"/logs?{asked}"))
            assert "the wheel came off" in found
            assert "all is well" not in found
        assert "Nothing like that" in (await browser.get("/logs?word=zebra")).text
        assert "the wheel came off" in (await browser.get("/logs.csv?level=errors")).text
        for bad in ("level=loud", "behind=x", f"word={'x' * 201}"):
            assert (await browser.get(f"/logs?{bad}")).status_code == 400, bad

    standing(home, story)


def test_the_log_goes_on_where_a_page_ends(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, _ = await it.signed_in(await it.admin())
        for number in range(130):
            await _said(it, f"number {number}.")
        page = await browser.get("/logs?word=number")
        more = re.search(r'hx-get="(/logs\?[^"]*behind=[^"]*)"', page.text)
        assert more is not None
        rest = await browser.get(unescape(more[1]), headers={"HX-Request": "true"})
        found = [int(it) for it in re.findall(r"number (\d+)\.", page.text + rest.text)]
        assert found == list(range(129, -1, -1))

    standing(house, story)


def test_the_log_is_for_admins(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, _ = await it.signed_in(await it.user("asha"))
        for path in ("/logs", "/logs.csv"):
            assert (await browser.get(path)).status_code == 403

    standing(house, story)
