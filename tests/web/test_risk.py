"""Risk on the desk: gauges, limits that change, switches that stop and let go."""

from __future__ import annotations

import re
from html import unescape

from bahi.accounts.model import Account
from bahi.bootstrap.risks import held, hold
from bahi.kernel.money import SCALE, Money
from bahi.kernel.words import OrderStatus, Role, Side
from bahi.risk.model.control import Scope, Whom
from bahi.risk.model.limits import Limits
from tests.api.standing import Standing, as_actor, standing
from tests.orders.desks import OPEN
from tests.web.seated import STORED, Trader, cost_of, trader


def whom(of: Account) -> Whom:
    """Name an account as limits do."""
    return Whom(scope=Scope.ACCOUNT, account_id=of.id)


async def hold_to(it: Trader, **limits: object) -> None:
    """Hold a trader's account to limits at once."""
    by = as_actor(await it.it.admin())
    wanted = Limits(**limits)  # type: ignore[arg-type] # a test's own
    await hold(it.it.house, by, whom(it.account), wanted, at_once="a test")


def test_limits_stand_as_gauges_with_their_use_and_who_set_them(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        await hold_to(asha, orders_a_day=2, order_value=Money(50_000 * SCALE))
        await asha.order()
        page = await asha.get("/risk")
        assert 'aria-label="1 used of 2"' in page
        assert "50 %" in page
        assert "50,000.00" in page
        assert "It binds each order by itself" in page  # unknown says why
        assert "a test" in page
        await asha.order()
        assert 'class="gauge broken"' in await asha.get("/risk/gauges")
        assert (await asha.order()).status is OrderStatus.REJECTED
        page = await asha.get("/risk")
        assert "Orders per day" in page
        assert "1 used of 2" not in page
        sheet = await asha.get("/risk.csv")
        assert sheet.splitlines()[0].startswith("id,at,kind,limit_text,actual_text")
        assert len(sheet.splitlines()) == 2
        assert "Orders today,2,2,100" in await asha.get("/risk/gauges.csv")

    standing(home | OPEN, story)


def test_the_kill_switch_of_the_bar_refuses_entries_until_somebody_resumes(
    home: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        await asha.order()
        answer = await asha.post("/risk/kill", reason=STORED, back="/orders")
        assert answer.headers["location"].startswith("/orders")
        assert await asha.said(answer) == "Entries of asha's paper are stopped; exits pass."
        assert (await asha.order()).status is OrderStatus.REJECTED
        assert (await asha.order(Side.SELL)).status is OrderStatus.EXECUTED
        raw = (await asha.browser.get("/risk")).text
        assert STORED not in raw
        assert STORED in unescape(raw)
        assert "STOPPED" in raw
        bimal = await trader(it, "bimal")
        assert "Nobody is stopped" in await bimal.get("/risk")
        form = {"whom": f"account:{asha.account.id}", "reason": "mine"}
        assert (await bimal.post("/risk/resume", **form)).status_code == 404
        resumed = await asha.post("/risk/resume", **form)
        assert await asha.said(resumed) == "Entries of asha's paper pass again."
        assert (await asha.order()).status is OrderStatus.EXECUTED

    standing(home | OPEN, story)


def test_stopping_takes_back_what_works_and_closes_what_is_open_where_that_is_ticked(
    home: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        await asha.order(quantity=7)
        await asha.order(rests=True)
        answer = await asha.post("/risk/kill", reason="out", cancel="1", flatten="1", back="//evil")
        assert answer.headers["location"].startswith("/risk")
        said = await asha.said(answer)
        assert said.endswith("Asked back: 1 order; closed: 1 position."), said

    standing(home | OPEN, story)


def test_wider_switches_are_for_whom_they_are(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        wide = await asha.post("/risk/kill", reason="x", whom="everybody")
        assert wide.status_code == 403
        other = await asha.post("/risk/kill", reason="x", whom=f"user:{(await it.admin()).id}")
        assert other.status_code == 403
        own = await asha.post("/risk/kill", reason="my day off", whom="user")
        assert "every account of asha" in await asha.said(own)
        one = await asha.post("/risk/kill", reason="it runs wild", whom="strategy", strategy="rsi")
        assert "strategy rsi of asha" in await asha.said(one)
        browser, csrf = await it.signed_in(await it.admin())
        page = unescape((await browser.get("/risk")).text)
        assert "every account of asha" in page
        form = {"csrf": csrf, "account": str(asha.account.id), "reason": "a holiday"}
        stopped = await browser.post("/risk/kill", data={**form, "whom": "everybody"})
        assert stopped.status_code == 303
        page = await asha.get("/risk")
        assert "everybody" in page
        assert "admin or an admin resumes it" in page
        no = await asha.post("/risk/resume", reason="x", whom="everybody")
        assert no.status_code == 403
        kind = await asha.post("/risk/kill", reason="x", whom="nobody")
        assert kind.status_code == 400
        assert (await asha.post("/risk/kill", reason=" ")).status_code == 400

    standing(home | OPEN, story)


def test_what_is_tighter_holds_at_once_and_what_is_looser_waits(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        page = await asha.get("/risk/limits")
        assert "Held now" in page
        form = _form_of(page)
        tight = await asha.post(
            "/risk/limits",
            **{**form, "orders_a_day": "3", "segment-NSE_EQ": "1", "rates": "10/1, 5/60"},
        )
        assert "the limits hold now" in await asha.said(tight)
        page = await asha.get("/risk/limits")
        assert "NSE_EQ" in page
        old = await asha.post("/risk/limits", **form)
        assert old.status_code == 412
        form = _form_of(page)
        loose = await asha.post("/risk/limits", **{**form, "orders_a_day": "400"})
        assert "what is looser from" in await asha.said(loose)
        many = (await held(it.house, as_actor(asha.user)))[whom(asha.account)]
        assert sorted(one.limits.orders_a_day or 0 for one in many) == [3, 400]
        page = await asha.get("/risk/limits")
        assert "Held now" in page
        assert re.search(r"From \d\d \w{3} 00:00:00 on|From \d\d \w{3} \d\d:\d\d:\d\d on", page)
        wild = await asha.post("/risk/limits", **_form_of(page), at_once="I want it")
        assert wild.status_code == 403

    standing(home | OPEN, story)


def _form_of(page: str) -> dict[str, str]:
    """Return what the form of limits holds, but for who sends it."""
    form = page[page.index('action="/risk/limits"') :]
    found = dict(re.findall(r'<input[^>]* name="([\w-]+)"[^>]* value="([^"]*)"[^>]*>', form))
    ticks = dict(re.findall(r'type="checkbox" name="([\w-]+)" value="(1)" checked', form))
    boxes = {name for name in found if name.startswith(("segment-", "product-"))}
    kept = {name: value for name, value in found.items() if name not in boxes | {"csrf", "account"}}
    return kept | ticks


REFUSED = (
    ("daily_loss", "a lot", "daily_loss"),
    ("orders_a_day", "-3", "below zero"),
    ("rates", "ten", "orders/seconds"),
    ("begins", "09:15", "both"),
    ("begins", "25:00", "no hour"),
    ("seen", "x", "no id"),
)


def test_what_is_no_limit_is_refused_in_a_sentence(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        for field, value, says in REFUSED:
            answer = await asha.post("/risk/limits", **{"seen": "1", field: value})
            assert answer.status_code == 400, field
            assert says in unescape(answer.text), field

    standing(house | OPEN, story)


def test_forms_of_risk_come_from_our_own_pages_and_from_who_may(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        for path in ("/risk/kill", "/risk/resume", "/risk/limits"):
            form = {"account": str(asha.account.id), "reason": "x"}
            assert (await asha.browser.post(path, data=form)).status_code == 403
        bimal = await trader(it, "bimal")
        assert (await bimal.browser.get(f"/risk?account={asha.account.id}")).status_code == 404
        stolen = await bimal.post("/risk/kill", account=str(asha.account.id), reason="x")
        assert stolen.status_code == 404
        lent = await bimal.post("/risk/kill", whom=f"account:{asha.account.id}", reason="x")
        assert lent.status_code == 404
        vera = await trader(it, "vera", Role.VIEWER)
        page = await vera.get("/risk")
        assert '<form method="post" action="/risk' not in page
        assert "Hold " not in await vera.get("/risk/limits")
        assert (await vera.post("/risk/kill", reason="x")).status_code == 403
        assert (await (await it.client()).get("/risk")).status_code == 303

    standing(house | OPEN, story)


def test_the_page_costs_no_more_than_a_dozen_statements(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        await asha.order()
        await asha.post("/risk/kill", reason="x")
        for path in ("/risk", "/risk/limits"):
            assert await cost_of(asha, path) <= 12, path

    standing(house | OPEN, story)
