"""Alerts on the desk: open first, counted, taken on by a person, and shown to whom they concern."""

from __future__ import annotations

import re
from html import unescape

from bahi.kernel.words import Role
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert
from tests.api.standing import Standing, standing
from tests.orders.desks import OPEN
from tests.web.seated import STORED, Trader, cost_of, trader

TAKE = re.compile(r'hx-post="(/alerts/\d+/take-on)"')


async def alarm(of: Trader, message: str, *, topic: str | None = None, store: str = "main") -> int:
    """Raise an alert on somebody's account."""
    cause = Cause(
        severity=Severity.CRITICAL,
        source="a test",
        message=message,
        topic=topic,
        user_id=of.user.id,
        account_id=of.account.id,
        details={"seen": "here"},
    )
    kept = of.it.house.stores[store]
    return await kept.write(raise_alert, cause, of.it.house.clock())


def test_an_alert_stands_first_until_somebody_takes_it_on(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        assert "Nothing is the matter" in await asha.get("/alerts")
        await alarm(asha, "The feed stood still.", topic="feed")
        await alarm(asha, "The feed stood still again.", topic="feed")
        await alarm(asha, STORED, store="sandbox")
        raw = (await asha.browser.get("/alerts")).text
        assert STORED not in raw
        page = unescape(raw)
        assert STORED in page
        assert re.search(r'data-l="times">2<', page)
        assert "asha's paper" in page
        assert "seen: here" in page
        first = TAKE.findall(page)
        assert len(first) == 2
        part = await asha.browser.post(
            first[0],
            data={"csrf": asha.csrf, "account": str(asha.account.id)},
            headers={"HX-Request": "true"},
        )
        assert part.status_code == 200
        assert part.text.lstrip().startswith("<tr")
        assert "asha" in part.text
        assert "I take it on" not in part.text
        assert len(TAKE.findall(await asha.get("/alerts?show=open"))) == 1
        taken = await asha.get("/alerts?show=taken")
        assert STORED in taken
        assert "The feed" not in taken
        assert await asha.said(await asha.post(first[1])) == "The alert is asha's now."
        assert "Nothing is open" in await asha.get("/alerts?show=open")
        assert len((await asha.get("/alerts.csv")).splitlines()) == 3

    standing(home | OPEN, story)


def test_many_alerts_are_paged_and_each_stands_once(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        for number in range(60):
            await alarm(asha, f"Matter {number}.", store=("main", "sandbox")[number % 2])
        seen, path = [], "/alerts"
        while path:
            headers = {"HX-Request": "true"} if "behind" in path else {}
            page = unescape((await asha.browser.get(path, headers=headers)).text)
            seen += re.findall(r"Matter \d+\.", page)
            more = re.search(r'<tr hx-get="(/alerts\?behind=[^"]+)"', page)
            path = more[1] if more else ""
        assert sorted(seen) == sorted(f"Matter {number}." for number in range(60))
        for wrong in ("/alerts?show=none", "/alerts?behind=2.5", "/alerts?behind=1.x"):
            assert (await asha.browser.get(wrong)).status_code == 400
        assert await cost_of(asha, "/alerts") <= 12

    standing(house | OPEN, story)


def test_alerts_are_taken_on_by_whom_they_concern(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha, bimal = await trader(it), await trader(it, "bimal")
        number = await alarm(asha, "Only Asha's.")
        assert "Only Asha's" not in await bimal.get("/alerts")
        assert (await bimal.post(f"/alerts/{number}/take-on")).status_code == 404
        form = {"account": str(asha.account.id)}
        bare = await asha.browser.post(f"/alerts/{number}/take-on", data=form)
        assert bare.status_code == 403
        vera = await trader(it, "vera", Role.VIEWER)
        own = await alarm(vera, "Vera's to see.")
        page = await vera.get("/alerts")
        assert "Vera's to see." in page
        assert "I take it on" not in page
        assert (await vera.post(f"/alerts/{own}/take-on")).status_code == 403

    standing(house | OPEN, story)
