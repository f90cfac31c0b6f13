"""Audit: found by word, day and thing; before and after; and a verdict that finds a forgery."""

from __future__ import annotations

import asyncio
import re
from html import unescape

import httpx
import sqlalchemy as sa

from bahi.audit.service import note
from bahi.db.permits import permitted
from bahi.db.tx import Tx
from bahi.kernel.clock import exchange_day
from bahi.web.pages.audit import differences
from tests.api.standing import Standing, as_actor, standing
from tests.web.reading import cost_to, tables_of


async def _happened(it: Standing, actor: str, new: object, old: object = None) -> None:
    def write(tx: Tx) -> None:
        user = as_actor(who)
        note(tx, user, "update", ("thing", "<script>7"), it.house.clock(), old=old, new=new)

    who = await (it.admin() if actor == "admin" else it.user(actor))
    await it.main.write(write)


def test_the_trail_is_searched_and_says_what_changed(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, _ = await it.signed_in(await it.admin())
        await _happened(it, "admin", {"lots": 5, "name": "x"}, {"lots": 2, "name": "x"})
        await _happened(it, "admin", {"colour": "Vermilion"})
        page = await browser.get("/audit?kind=thing")
        shown = tables_of(page)
        assert "admin changed thing <script>7" in shown
        assert '<span title="&lt;script&gt;7">x</span>' in page.text  # its name, the id behind
        assert re.search(r"lots 2 5 name x x", shown)
        assert '<tr class="changed"><th scope="row">lots</th>' in page.text
        assert "<script>7" not in page.text
        assert "Vermilion" in tables_of(await browser.get("/audit?word=vermilion"))
        assert "lots" not in tables_of(await browser.get("/audit?word=vermilion"))
        today = exchange_day(it.house.clock())
        assert "Vermilion" in tables_of(await browser.get(f"/audit?word=vermilion&day={today}"))
        for empty in ("day=2020-01-01", "word=100%25", "action=nothing"):
            assert "Nothing like that was done" in (await browser.get(f"/audit?{empty}")).text
        sheet = (await browser.get("/audit.csv?kind=thing")).text
        assert "Vermilion" in sheet
        assert sheet.startswith("id,at,actor")
        for bad in ("day=yesterday", "behind=x", "store=archive", "user=me"):
            assert (await browser.get(f"/audit?{bad}")).status_code == 400, bad
        assert await cost_to(browser, "/audit?word=vermilion") <= 12

    standing(home, story)


def test_the_trail_goes_on_where_a_page_ends(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, _ = await it.signed_in(await it.admin())
        for number in range(60):
            await _happened(it, "admin", {"number": f"n{number}."})
        page = await browser.get("/audit?kind=thing")
        more = re.search(r'hx-get="(/audit\?[^"]*behind=[^"]*)"', page.text)
        assert more is not None
        rest = await browser.get(unescape(more[1]), headers={"HX-Request": "true"})
        numbers = re.findall(r"n(\d+)\.", page.text + rest.text)
        assert [int(it) for it in numbers] == list(range(59, -1, -1))

    standing(house, story)


def test_others_see_what_they_did_themselves(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, csrf = await it.signed_in(await it.user("asha"))
        await _happened(it, "admin", {"secret": "of the admin", "said": "Vermilion"})
        await _happened(it, "asha", {"said": "Cobalt"})
        page = await browser.get("/audit?kind=thing")
        assert "Cobalt" in page.text
        assert "Vermilion" not in page.text
        admin = await it.admin()
        assert (await browser.get(f"/audit?user={admin.id}")).status_code == 403
        assert "Verify every seal" not in page.text
        assert (await browser.post("/audit/verify", data={"csrf": csrf})).status_code == 403
        assert (await browser.get("/audit/verify")).status_code == 403

    standing(house, story)


async def _verdict(it: Standing, browser: httpx.AsyncClient, csrf: str) -> str:
    for sealer in it.house.sealers:
        await sealer.seal()
    asks = {"HX-Request": "true"}
    part = await browser.post("/audit/verify", data={"csrf": csrf}, headers=asks)
    while "<progress" in part.text:
        await asyncio.sleep(0.01)
        part = await browser.get("/audit/verify", headers=asks)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", unescape(part.text)))


def test_every_seal_is_verified_and_a_changed_row_is_named(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, csrf = await it.signed_in(await it.admin())
        assert (await browser.post("/audit/verify", data={})).status_code == 403
        await _happened(it, "admin", {"lots": 5})
        said = await _verdict(it, browser, csrf)
        assert re.search(r"The trail of the house: [\d,]+ rows under \d+ seals are as", said), said

        def forge(tx: Tx) -> None:
            with permitted(tx, "a forger who knows how"):
                tx.change(sa.text("UPDATE audit_trail SET action = 'x' WHERE action = 'update'"))

        await it.main.write(forge)
        said = await _verdict(it, browser, csrf)
        assert "is not as it was sealed" in said
        assert re.search(r"Row \d+ is not as seal \d+ covers it: it was changed", said), said
        assert "is not as it was sealed" in (await browser.get("/audit")).text

    standing(home, story)


def test_what_changed_comes_first_and_what_is_inside_is_named() -> None:
    found = list(differences({"a": 1, "b": {"c": [1]}}, {"a": 1, "b": {"c": [2]}, "d": None}))
    assert [(it.name, it.before, it.after) for it in found] == [
        ("b.c", "[1]", "[2]"),
        ("d", None, "null"),
        ("a", "1", "1"),
    ]
    assert [it.is_changed for it in found] == [True, True, False]
    assert list(differences(None, "said")) == [("value", None, "said")]
    assert list(differences(None, None)) == []
