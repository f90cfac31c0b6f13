"""Accounts on the desk: the matrix of all of them, and one as it is entered and changed."""

from __future__ import annotations

import re
from html import unescape

import httpx

from bahi.accounts.service.accounts import list_accounts
from bahi.accounts.service.addresses import add_egress
from bahi.bootstrap.looking import look_at
from bahi.kernel.actor import the_house
from bahi.kernel.words import BrokerSlug, Role, Side
from bahi.portfolio.service.books import page_of
from tests.api.standing import Standing, as_actor, standing
from tests.orders.desks import OPEN
from tests.web.seated import STORED, Trader, cost_of, trader

SECRET = "the-secret-of-an-application"
ROW = re.compile(
    r'<tr data-row.*?<a href="/accounts/\d+\?account=\d+">(.*?)</a>(.*?)</tr>', re.DOTALL
)


def page_at(answer: httpx.Response) -> str:
    """Return where a form led to."""
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def enter(it: Trader, broker: str, name: str, **more: str) -> str:
    """Enter an account by the page; return the page of it."""
    return page_at(await it.post("/accounts/new", broker=broker, name=name, **more))


def test_the_matrix_shows_each_account_under_its_person(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        await asha.order(Side.BUY, 10)
        await asha.order(rests=True)
        await enter(asha, "paper", "The options", cash="5,00,000", new_person="Asha Rao")
        people = re.search(r'<option value="(\d+)">Asha Rao', await asha.get("/accounts/new"))
        assert people is not None
        await enter(asha, "paper", STORED, person=people[1])
        live = await enter(asha, "upstox", "At Upstox", person=people[1])
        limits = live.rpartition("=")[2]
        await asha.get(f"/risk/limits?account={limits}")  # which begins its page, without money
        await asha.post("/risk/kill", reason="enough for today")
        raw = (await asha.browser.get("/accounts/matrix")).text
        assert STORED not in raw
        page = unescape(raw)
        assert "Accounts of asha" in page
        assert STORED in page
        rows = dict(ROW.findall(page))
        first = rows["asha's paper"]
        assert "stopped: the account" in first
        assert "enough for today" in first
        assert re.search(r'attention" data-l="unprotected">1<', first)
        assert ">5,00,000.00<" in rows["The options"]
        assert "LIVE" in rows["At Upstox"]
        assert "live brokers are not connected" in rows["At Upstox"]  # unknown says why
        assert "Asha Rao, paper" in page
        assert ">1,05,00,000.00<" in page  # her two paper accounts, without the live one
        assert "Asha Rao, live" not in page  # one account is its own sum
        assert "All of asha, paper" in page
        sheet = await asha.get("/accounts.csv")
        assert len(sheet.splitlines()) == 5
        assert "asha,Asha Rao," in sheet

    standing(home | OPEN, story)


def test_what_moves_is_what_the_books_say(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        await asha.order(Side.BUY, 10)
        cells = (await asha.browser.get("/accounts/figures")).json()["cells"]
        number = asha.account.id
        kept = await look_at(it.house, as_actor(asha.user), number)
        book = await kept.store.read(page_of, number, fresh=True)
        assert cells[f"free-{number}"][0].replace(",", "") == f"{book.available / 10_000:.2f}"
        assert cells[f"open-{number}"][0] == "1"
        assert cells[f"free-family-paper-{asha.user.id}-0"] == cells[f"free-{number}"]

    standing(home | OPEN, story)


def test_an_account_is_renamed_switched_off_and_removed(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        here = f"/accounts/{asha.account.id}"
        said = await asha.said(await asha.post(here, name="Swing", is_primary="1"))
        assert said == "Swing is changed."
        assert "Swing" in await asha.get(here)
        off = await asha.said(await asha.post(here, is_active="0"))
        assert "switched off; its books stay" in off
        page = await asha.get(here)
        assert "switched off" in page
        assert "Switch Swing on" in page
        assert "is switched on" in await asha.said(await asha.post(here, is_active="1"))
        taken = await asha.post("/accounts/new", broker="paper", name="Swing")
        assert taken.status_code == 409
        gone = await asha.post(f"{here}/remove")
        assert page_at(gone) == "/accounts"
        assert "You have no account yet" in await asha.get("/accounts")
        assert (await asha.browser.get(here)).status_code == 404
        again = await enter(asha, "paper", "Swing again", cash="100", account="")
        assert "100.00" in await asha.get(again)

    standing(home | OPEN, story)


def test_an_application_is_registered_and_its_secrets_stay_in(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        here = await enter(asha, "upstox", "At Upstox", broker_user_id="AB1234")
        path = here.partition("?")[0]
        number = path.rpartition("/")[2]
        page = await asha.get(here)
        assert "None is registered" in page
        assert "/auth/callback/upstox" in page
        form = {"account": number, "api_name": "PRIMARY", "client_id": "cid-1", "secret": SECRET}
        made = await asha.post(f"{path}/applications", **form)
        assert "PRIMARY is registered" in await asha.said(made)
        page = await asha.get(here)
        assert "cid-1" in page
        assert SECRET not in page
        found = re.search(rf'action="({path}/applications/\d+)"', page)
        assert found is not None
        left = await asha.post(found[1], account=number, enabled="0", pin="1234")
        assert await asha.said(left) == "PRIMARY is changed."
        assert "left out" in await asha.get(here)
        assert (await asha.post(f"{path}/applications", **form)).status_code == 409
        bimal = await trader(it, "bimal")
        stolen = f"/accounts/{bimal.account.id}/applications/{found[1].rpartition('/')[2]}"
        assert (await bimal.post(stolen, secret="x")).status_code == 404
        assert (await bimal.post(f"{stolen}/remove")).status_code == 404
        gone = await asha.post(f"{found[1]}/remove", account=number)
        assert "PRIMARY is removed" in await asha.said(gone)
        egress = await it.main.write(add_egress, the_house("test"), "10.0.0.9", it.house.clock())
        bound = await asha.post(f"{path}/address", account=number, egress=str(egress.id))
        assert (await asha.said(bound)).startswith("The address is bound.")
        assert "10.0.0.9" in await asha.get(here)
        assert "10.0.0.9" in await asha.get("/accounts/matrix")

    standing(home | OPEN, story)


def test_an_admin_enters_accounts_for_others_and_nobody_else_does(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        bimal = await it.user("bimal")
        no = await asha.post("/accounts/new", broker="paper", name="Not mine", owner=str(bimal.id))
        assert no.status_code == 403
        browser, csrf = await it.signed_in(await it.admin())
        assert "bimal" in (await browser.get("/accounts/new")).text
        form = {"csrf": csrf, "account": str(asha.account.id), "owner": str(bimal.id)}
        made = await browser.post(
            "/accounts/new", data={**form, "broker": "paper", "name": "For Bimal"}
        )
        assert made.status_code == 303, made.text
        own = await it.main.read(list_accounts, as_actor(bimal), fresh=True)
        assert [each.name for each in own] == ["For Bimal"]
        matrix = unescape((await browser.get("/accounts/matrix")).text)
        assert "Accounts of asha" in matrix
        assert "Accounts of bimal" in matrix

    standing(home | OPEN, story)


def test_a_removed_account_is_brought_back_by_its_owner_and_by_nobody_else(
    home: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        asha, bimal = await trader(it), await trader(it, "bimal")
        guest = await trader(it, "guest", Role.VIEWER)
        here = await enter(asha, "paper", "Swing")
        number = here.rpartition("=")[2]
        assert "removed account" not in await asha.get("/accounts")
        gone = await asha.post(f"/accounts/{number}/remove", account=number)
        assert "Swing is removed" in await asha.said(gone)
        assert "Bring Swing back" in await asha.get("/accounts")
        back = f"/accounts/{number}/restore"
        for other, status in ((bimal, 404), (guest, 403)):
            assert "Swing" not in await other.get("/accounts")
            assert (await other.post(back)).status_code == status
        assert (await asha.browser.post(back, data={})).status_code == 403  # not from our page
        assert "Swing is back" in await asha.said(await asha.post(back))
        assert "removed account" not in await asha.get("/accounts")

    standing(home | OPEN, story)


REFUSED = (
    ({"broker": "paper", "name": "x"}, "name"),
    ({"broker": "paper", "name": "Good name", "cash": "a crore"}, "cash"),
    ({"broker": "paper", "name": "Good name", "cash": "-5"}, "less than nothing"),
    ({"broker": "nowhere", "name": "Good name"}, "broker"),
    ({"broker": "kite", "name": "Good name", "cash": "5"}, "live account starts with"),
    ({"broker": "paper", "name": "Good name", "person": "99"}, "no person"),
)


def test_what_cannot_be_entered_is_refused_in_a_sentence(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        for form, says in REFUSED:
            answer = await asha.post("/accounts/new", **form)
            assert 400 <= answer.status_code < 500, form
            assert says in unescape(answer.text), form

    standing(house | OPEN, story)


def test_accounts_are_seen_and_changed_by_whose_they_are(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha, bimal = await trader(it), await trader(it, "bimal")
        here = f"/accounts/{asha.account.id}"
        assert "asha" not in await bimal.get("/accounts/matrix")
        assert (await bimal.browser.get(here)).status_code == 404
        assert (await bimal.post(here, name="Mine now")).status_code == 404
        paths = (here, f"{here}/remove", f"{here}/applications", f"{here}/address", "/accounts/new")
        for path in paths:
            form = {"account": str(asha.account.id), "name": "No token"}
            assert (await asha.browser.post(path, data=form)).status_code == 403, path
        vera = await trader(it, "vera", Role.VIEWER)
        own = f"/accounts/{vera.account.id}"
        assert f'action="{own}' not in await vera.get(own)
        assert "A viewer may look" in await vera.get("/accounts/new")
        assert (await vera.post(own, name="Renamed")).status_code == 403

    standing(house | OPEN, story)


def test_the_pages_cost_no_more_than_a_dozen_statements(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await trader(it)
        await asha.order()
        for name in ("One more", "And one"):
            await it.account(asha.user, BrokerSlug.PAPER, name)
        await asha.get("/accounts/matrix")
        here = f"/accounts/{asha.account.id}"
        for path in ("/accounts", "/accounts/matrix", "/accounts/figures", "/accounts/new", here):
            assert await cost_of(asha, path) <= 12, path

    standing(house | OPEN, story)
