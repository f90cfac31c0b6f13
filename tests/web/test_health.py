"""Health: the words are for admins, the state of a part for everybody who signed in."""

from __future__ import annotations

import re

from bahi.health.model import Looked, Report
from bahi.health.service import keep
from bahi.kernel.words import Health
from tests.api.standing import Standing, standing
from tests.web.reading import cost_to, tables_of


def _a_look(status: Health, words: str) -> Report:
    disk = Looked(component="disk", status=status, details=words, response_time_ms=7)
    clock = Looked(component="clock", status=Health.HEALTHY, details="on time", response_time_ms=1)
    return Report(parts=(clock, disk))


def test_what_is_worst_stands_first_with_its_sentence_and_its_age(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, _ = await it.signed_in(await it.admin())
        assert "No part was asked yet" in (await browser.get("/health")).text
        said = "<script> room is short"
        await it.main.write(keep, _a_look(Health.HEALTHY, "room"), it.house.clock())
        await it.main.write(keep, _a_look(Health.UNHEALTHY, said), it.house.clock())
        page = await browser.get("/health")
        assert await cost_to(browser, "/health") <= 12
        shown = tables_of(page)
        assert shown.index("Disk broken <script> room is short 7 ms") < shown.index("Clock well")
        assert re.search(r" now\b| ago\b", shown)
        assert "<script> room" not in page.text
        assert "Something that is needed is broken" in page.text
        past = await browser.get("/health/history?part=disk")
        assert "broken" in tables_of(past)
        assert "Clock" not in tables_of(past)
        sheet = (await browser.get("/health/history.csv?part=disk")).text
        assert sheet.count("disk") == 2

    standing(home, story)


def test_asked_anew_every_part_answers_once_for_all_who_ask(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, _ = await it.signed_in(await it.admin())
        part = await browser.get("/health/now", headers={"HX-Request": "true"})
        shown = tables_of(part)
        assert "Store main" in shown
        assert "free where the data lies" in shown
        assert "<html" not in part.text
        assert await cost_to(browser, "/health/now") <= 12

    standing(house, story)


def test_sizes_and_places_and_words_are_for_admins(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        admin, _ = await it.signed_in(await it.admin())
        trader, _ = await it.signed_in(await it.user("asha"))
        for path in ("/health/stores", "/health/stores.csv", "/health/history"):
            assert (await admin.get(path)).status_code == 200, path
            assert (await trader.get(path)).status_code == 403, path
        whole = tables_of(await admin.get("/health/stores"))
        assert "Sandbox" in whole
        tables = tables_of(await admin.get("/health/stores?tables=1"))
        assert "audit_trail" in tables
        await it.main.write(keep, _a_look(Health.DEGRADED, "at /a/place"), it.house.clock())
        seen = await trader.get("/health")
        assert "Disk not well" in tables_of(seen)
        assert "/a/place" not in seen.text
        now = await trader.get("/health/now", headers={"HX-Request": "true"})
        assert "free where the data lies" not in now.text
        assert (await admin.get("/health/history?behind=x")).status_code == 400

    standing(home, story)
