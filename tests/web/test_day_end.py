"""The day's end on the desk: the list, when it can be signed, and who signed what."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape

from bahi.kernel.clock import exchange_day
from bahi.kernel.words import Role
from tests.api.standing import Standing, standing
from tests.orders.desks import OPEN
from tests.web.seated import STORED, cost_of, trader

DAY = timedelta(days=1)


def days_of(page: str) -> list[date]:
    """Return the days that may be signed."""
    return [date.fromisoformat(it) for it in re.findall(r'<option value="([\d-]+)">', page)]


def test_a_day_that_is_over_is_signed_with_what_is_not_good(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        today = exchange_day(it.house.clock())
        assert "No day was signed yet" in await asha.get("/day-end")
        await asha.order()  # meant for today, and left open
        page = await asha.get("/day-end/list")
        assert "is not over; sign it when its markets have closed" in page
        assert days_of(page) == [today - DAY * back for back in range(1, 8)]
        assert re.search(r'<li class="NEEDS_A_PERSON">.*?Intraday left', page)
        early = await asha.post("/day-end/sign", day=today.isoformat())
        assert early.status_code == 409
        yesterday = (today - DAY).isoformat()
        signed = await asha.post("/day-end/sign", day=yesterday, note=STORED)
        assert re.match(r"You signed .*, with \d+ findings?\.", await asha.said(signed))
        raw = (await asha.browser.get("/day-end")).text
        assert STORED not in raw
        page = unescape(raw)
        assert STORED in page
        assert "Intraday left" in page
        assert (await asha.post("/day-end/sign", day=yesterday, note=STORED)).status_code == 409
        sheet = await asha.get("/day-end.csv")
        assert sheet.splitlines()[0] == "day,actor,signed_at,note,not_good"
        assert "intraday left: " in sheet

    standing(home | OPEN, story)


def test_a_day_is_signed_by_a_person_who_may(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha, bimal = await trader(it), await trader(it, "bimal")
        yesterday = (exchange_day(it.house.clock()) - DAY).isoformat()
        form = {"account": str(asha.account.id), "day": yesterday}
        assert (await asha.browser.post("/day-end/sign", data=form)).status_code == 403
        await asha.said(await asha.post("/day-end/sign", day=yesterday, note="Asha's own"))
        assert "Asha's own" not in await bimal.get("/day-end")
        admin, _ = await it.signed_in(await it.admin())
        assert "Asha's own" in unescape((await admin.get("/day-end")).text)
        vera = await trader(it, "vera", Role.VIEWER)
        page = await vera.get("/day-end/list")
        assert "/day-end/sign" not in page
        assert (await vera.post("/day-end/sign", day=yesterday)).status_code == 403
        for wrong in ("", "yesterday", "2026-02-30"):
            assert (await asha.post("/day-end/sign", day=wrong)).status_code == 400, wrong
        long = await asha.post("/day-end/sign", day=yesterday, note="x" * 1_001)
        assert long.status_code == 400
        for path in ("/day-end", "/day-end/list"):
            assert await cost_of(asha, path) <= 12, path

    standing(house | OPEN, story)
