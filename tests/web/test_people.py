"""Users and oneself: let in by a link, a password of one's own, codes, and the way out."""

from __future__ import annotations

import re

from bahi.identity.service.users import get_user
from bahi.kernel.totp import code_of, step_at
from bahi.kernel.words import Role
from tests.api.standing import PASSWORD, Standing, as_actor, standing
from tests.web.reading import tables_of


def test_users_and_backups_are_for_admins_and_anothers_things_are_not_there(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        browser, csrf = await it.signed_in(await it.user("asha"))
        admin, _ = await it.signed_in(await it.admin())
        for tab in ("users", "users.csv", "backups", "backups.csv"):
            assert (await browser.get(f"/settings/{tab}")).status_code == 403
        for form in ("users", "users/1", "users/1/link", "users/1/remove", "backups"):
            answer = await browser.post(f"/settings/{form}", data={"csrf": csrf})
            assert answer.status_code == 403, form
        assert "/settings/users" not in (await browser.get("/settings")).text
        changed = await browser.post(
            "/settings/house/one",
            data={"csrf": csrf, "name": "risk.price_band_percent", "value": "1"},
        )
        assert changed.status_code == 403
        sessions = tables_of(await admin.get("/settings/you"))
        assert sessions.count("this one") == 1
        assert (await browser.get("/settings/webhooks/1")).status_code == 404
        assert (await browser.get("/settings/webhooks/x")).status_code == 400
        assert (
            await browser.post("/settings/keys/1/revoke", data={"csrf": csrf})
        ).status_code == 404

    standing(house, story)


def test_a_user_is_added_let_in_changed_removed_and_brought_back(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        admin, csrf = await it.signed_in(await it.admin())
        mine = {"csrf": csrf}
        made = await admin.post(
            "/settings/users", data={**mine, "username": "Asha", "role": "viewer"}
        )
        assert made.status_code == 200, made.text
        link = re.search(r"/welcome/[\w-]+", made.text)
        assert link is not None
        asked = await it.client()
        assert "Welcome, asha" in (await asked.get(link[0])).text
        listed = await admin.get("/settings/users")
        assert link[0] not in listed.text
        asha = re.search(r"/settings/users/(\d+)/remove", listed.text)
        assert asha is not None
        who = f"/settings/users/{asha[1]}"
        change = {**mine, "switches": "1", "role": "trader", "email": "a@b.example", "active": "1"}
        assert (await admin.post(who, data=change)).status_code == 303
        user = await it.main.read(get_user, int(asha[1]), fresh=True)
        assert (user.role, user.email, user.is_active) == (Role.TRADER, "a@b.example", True)
        assert (await admin.post(f"{who}/remove", data=mine)).status_code == 303
        assert "removed" in tables_of(await admin.get("/settings/users"))
        assert (await asked.get(link[0])).status_code == 401
        assert (await admin.post(f"{who}/restore", data=mine)).status_code == 303
        last = await it.admin()
        alone = await admin.post(f"/settings/users/{last.id}/remove", data=mine)
        assert alone.status_code == 409
        assert "last admin" in alone.text

    standing(house, story)


def test_a_password_is_changed_by_who_knows_it_and_signs_the_others_out(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        await it.signed_in(asha)
        here, elsewhere = await it.client(), await it.client()
        for browser in (here, elsewhere):
            opened = await it.house.sign_in.sign_in("asha", PASSWORD, "", as_actor(asha))
            browser.cookies.set("bahi_session", opened.token)
            csrf = it.house.sign_in.csrf_of(opened.token)
        csrf = it.house.sign_in.csrf_of(here.cookies["bahi_session"])
        new = {"csrf": csrf, "new": "another long one", "again": "another long one"}
        wrong = await here.post("/settings/you/password", data={**new, "present": "guessed it"})
        assert wrong.status_code == 400
        assert "not the one that you sign in with" in wrong.text
        assert (await elsewhere.get("/v1/me")).status_code == 200
        differ = {**new, "present": PASSWORD, "again": "another"}
        assert (await here.post("/settings/you/password", data=differ)).status_code == 400
        done = await here.post("/settings/you/password", data={**new, "present": PASSWORD})
        assert done.status_code == 303, done.text
        assert (await here.get("/v1/me")).status_code == 200
        assert (await elsewhere.get("/v1/me")).status_code == 401
        await it.house.sign_in.sign_in("asha", "another long one", "", as_actor(asha))

    standing(house, story)


def test_guesses_at_a_password_from_an_open_session_have_to_wait(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, csrf = await it.signed_in(await it.user("asha"))
        new = {"csrf": csrf, "new": "another long one", "again": "another long one"}
        found = [
            await browser.post("/settings/you/password", data={**new, "present": f"guess {n}"})
            for n in range(7)
        ]
        assert [each.status_code for each in found[:5]] == [400] * 5
        assert found[-1].status_code == 429

    standing(house, story)


def test_one_time_codes_are_asked_for_once_the_device_makes_the_right_one(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        browser, csrf = await it.signed_in(asha)
        shown = await browser.post("/settings/you/codes/begin", data={"csrf": csrf})
        secret = re.search(r'name="codes" value="([A-Z2-7]+)"', shown.text)
        assert secret is not None
        form = {"csrf": csrf, "codes": secret[1]}
        wrong = await browser.post("/settings/you/codes", data={**form, "code": "000000x"})
        assert wrong.status_code == 400
        assert not (await it.main.read(get_user, asha.id, fresh=True)).has_totp
        code = code_of(secret[1], step_at(it.house.clock()))
        right = await browser.post("/settings/you/codes", data={**form, "code": code})
        assert right.status_code == 303, right.text
        assert (await it.main.read(get_user, asha.id, fresh=True)).has_totp
        assert secret[1] not in (await browser.get("/settings/you")).text
        admin, theirs = await it.signed_in(await it.admin())
        reset = await admin.post(f"/settings/users/{asha.id}/no-codes", data={"csrf": theirs})
        assert reset.status_code == 303
        assert not (await it.main.read(get_user, asha.id, fresh=True)).has_totp

    standing(house, story)


def test_signed_out_everywhere_is_signed_out_there_too(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha = await it.user("asha")
        here, csrf = await it.signed_in(asha)
        opened = await it.house.sign_in.sign_in("asha", PASSWORD, "", as_actor(asha))
        there = await it.client(cookies={"bahi_session": opened.token})
        other, _ = await it.signed_in(await it.admin())
        assert (await there.get("/v1/me")).status_code == 200
        left = await here.post("/settings/you/sign-out-everywhere", data={"csrf": csrf})
        assert left.headers["location"] == "/sign-in"
        assert (await there.get("/v1/me")).status_code == 401
        assert (await here.get("/v1/me")).status_code == 401
        assert (await other.get("/v1/me")).status_code == 200

    standing(house, story)
