"""How much one may ask in a minute: each key its share, each address of strangers its own."""

from __future__ import annotations

import pytest

from bahi.api.callers import home_of
from bahi.api.limits import SUBJECTS_AT_MOST, Limits
from bahi.identity.service.keys import UNKNOWN_PER_ADDRESS, new_key
from tests.api.standing import STRANGER, Seconds, Standing, standing


def test_a_share_is_counted_in_minutes_and_each_subject_has_its_own() -> None:
    clock = Seconds()
    limits = Limits(clock)
    assert [limits.count("a", 2).asked for _ in range(3)] == [1, 2, 3]
    assert limits.count("b", 2).asked == 1
    clock.now = 59.0
    assert limits.look("a", 2).asked == 3
    assert limits.look("a", 2).resets_in_s == 1
    clock.now = 60.0
    assert limits.count("a", 2).asked == 1


def test_strangers_without_end_are_remembered_up_to_a_bound() -> None:
    limits = Limits(Seconds())
    for number in range(SUBJECTS_AT_MOST + 10):
        limits.count(f"address:{number}", 1)
    assert limits.look("address:0", 1).asked == 0
    assert limits.look(f"address:{SUBJECTS_AT_MOST}", 1).asked == 1


def test_a_key_has_its_share_and_is_told_what_is_left(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "key_requests_per_minute", 3)
        admin = await it.admin()
        one, other = await it.client(await it.key(admin)), await it.client(await it.key(admin))
        answers = [await one.get("/v1/me") for _ in range(5)]
        assert 429 in {answer.status_code for answer in answers}
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["code"] == "too_soon"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.headers["x-ratelimit-limit"] == "3"
        assert refused.headers["x-ratelimit-remaining"] == "0"
        assert answers[0].headers["x-ratelimit-limit"] == "3"
        assert (await other.get("/v1/me")).status_code == 200

    standing(house, story, seconds=Seconds())


def test_an_address_of_strangers_has_its_share_and_others_are_not_touched(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 4)
        stranger, other = await it.client(peer=STRANGER), await it.client(peer=("198.51.100.7", 1))
        stranger.headers["X-Forwarded-For"] = "198.51.100.9"  # whatever it says, it is who it is
        statuses = []
        for number in range(10):
            stranger.headers["X-Forwarded-For"] = f"198.51.100.{number}"
            statuses.append((await stranger.get("/v1/me")).status_code)
        assert set(statuses) == {401, 429}
        assert statuses[-1] == 429
        assert (await stranger.get("/sign-in")).status_code == 429
        assert (await other.get("/v1/me")).status_code == 401
        for path in ("/healthz", "/readyz", "/static/bahi.css"):
            assert (await stranger.get(path)).status_code == 200

    standing(house, story, seconds=Seconds())


def test_numbers_are_for_who_is_near_or_an_admin(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        near, far = await it.client(), await it.client(peer=STRANGER)
        behind = await it.client()
        behind.headers["X-Forwarded-For"] = "203.0.113.9"
        assert "bahi_requests" in (await near.get("/metrics")).text
        assert (await far.get("/metrics")).status_code == 401
        assert (await behind.get("/metrics")).status_code == 401
        admin = await it.client(await it.key(await it.admin()), peer=STRANGER)
        trader = await it.client(await it.key(await it.user("asha")), peer=STRANGER)
        assert (await admin.get("/metrics")).status_code == 200
        assert (await trader.get("/metrics")).status_code == 403

    standing(house, story, seconds=Seconds())


def test_strangers_at_an_address_lock_out_nobody_who_is_known_there(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        admin = await it.admin()
        good = await it.client(await it.key(admin), peer=STRANGER)
        person, _ = await it.signed_in(admin)
        here = await it.client(cookies=person.cookies, peer=STRANGER)
        assert (await good.get("/v1/me")).status_code == 200
        assert (await here.get("/v1/me")).status_code == 200
        stranger = await it.client(peer=STRANGER)
        for attempt in range(70):
            await stranger.get("/v1/me", headers={"X-API-Key": new_key()})
            await stranger.get("/v1/me")
            await stranger.get("/v1/me", headers={"Cookie": f"bahi_session=guess{attempt}"})
        assert (await stranger.get("/v1/me")).status_code == 429
        guess = await stranger.get("/v1/me", headers={"Cookie": "bahi_session=one-more"})
        assert guess.status_code == 429
        unknown = await stranger.get("/v1/me", headers={"X-API-Key": new_key()})
        assert unknown.status_code == 429
        assert it.house.keys.looked_up <= UNKNOWN_PER_ADDRESS + 1
        await it.user("asha")  # a change, after which every key is looked up again
        await it.house.revisions.look()
        for known in (good, here):
            assert (await known.get("/v1/me")).status_code == 200
        assert (await here.get("/auth/go/unknown")).status_code == 401

    standing(house, story, seconds=Seconds())


@pytest.mark.parametrize(
    ("address", "home"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, ""),
        ("testclient", "testclient"),
    ],
)
def test_an_address_is_at_home_somewhere(address: str | None, home: str) -> None:
    assert home_of(address) == home


def test_a_household_of_ipv6_has_one_share_however_many_addresses_it_takes(
    house: dict[str, str],
) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 4)
        statuses = []
        for number in range(12):
            stranger = await it.client(peer=(f"2001:db8::{number:x}", 1))
            statuses.append((await stranger.get("/v1/me")).status_code)
        assert set(statuses) == {401, 429}
        neighbour = await it.client(peer=("2001:db8:0:1::1", 1))
        assert (await neighbour.get("/v1/me")).status_code == 401

    standing(house, story, seconds=Seconds())
