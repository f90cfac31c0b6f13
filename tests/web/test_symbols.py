"""Symbols: found by a part of a name, told with their terms and names, from a master of an age."""

from __future__ import annotations

import csv
import io
import re

from bahi.kernel.clock import exchange_day
from bahi.kernel.words import BrokerSlug, Segment
from tests.web.markets import AS_PART, SCRIPT, Trader, at_the_desk


def test_a_symbol_is_found_and_told_with_its_terms_and_names(home: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        page = await it.get("/symbols", q="relian")
        assert "Reliance Industries" in page
        catalogue = await it.it.house.instruments.catalogue()
        share = catalogue.get("RELIANCE", Segment.NSE_EQ)
        assert f"/symbols/terms?id={share.id}" in page
        one = await it.get("/symbols/terms", id=share.id)
        assert "0.10" in one
        assert 'data-ticket="BUY"' in one
        assert "/chart?segment=NSE_EQ&symbol=RELIANCE" in one
        names = await it.it.house.instruments.named_by(share.id)
        assert [broker for broker, _ in names] == [BrokerSlug.PAPER]
        assert names[0][1].security_id in one
        assert await it.it.house.instruments.named_by(1) == []
        today = exchange_day(it.it.house.clock())
        option = catalogue.search("nifty ce", today=today, segments=[Segment.NSE_FNO])[0]
        told = await it.get("/symbols/terms", id=option.id)
        assert re.search(rf"/options\?root={option.root}&segment=NSE_FNO&expiry=\d", told)
        assert "so one order asks for" in told
        index = catalogue.get("NIFTY", Segment.NSE_INDEX)
        looked_at = await it.get("/symbols/terms", id=index.id)
        assert "/options?root=NIFTY&segment=NSE_FNO" in looked_at
        assert 'data-ticket="BUY"' not in looked_at
        cells = (await it.browser.get("/symbols/figures", params={"id": str(share.id)})).json()
        assert cells["cells"]["last"][0] != "—"

    at_the_desk(home, story)


def test_what_is_in_force_is_told_with_its_age(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        page = await it.get("/symbols")
        assert "is found here by a part of its name" in page
        assert "the small master that comes with Bahi" in page
        for segment in ("NSE", "NFO", "MCX"):
            assert f"<td>{segment}</td>" in page

    at_the_desk(house, story)


def test_a_search_is_bounded_filtered_and_safe(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        many = await it.get("/symbols", q="nifty")
        assert many.count("<tr data-row") == 50
        assert "These are the first 50" in many
        only = await it.browser.get(
            "/symbols", params={"q": "nifty", "segment": "NSE_INDEX"}, headers=AS_PART
        )
        assert "<html" not in only.text
        assert "NIFTY" in only.text
        assert '<td class="big">NFO' not in only.text
        none = await it.browser.get("/symbols", params={"q": SCRIPT})
        assert "Nothing is like" in none.text
        assert "<script>alert" not in none.text
        await it.get("/symbols", 400, q="x", segment="NOWHERE")
        await it.get("/symbols", 400, q="x" * 61)
        await it.get("/symbols/terms", 400, id="x")
        await it.get("/symbols/terms", 404, id="7")
        assert "Reliance" in await it.get("/symbols/terms", segment="NSE_EQ", symbol="reliance")
        rows = list(csv.DictReader(io.StringIO(await it.get("/symbols.csv", q="nifty"))))
        assert len(rows) > 50
        assert {"symbol", "lot_size", "strike", "largest_order"} <= set(rows[0])

    at_the_desk(house, story)
