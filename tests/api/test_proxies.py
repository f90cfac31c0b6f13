"""Behind a reverse proxy each caller is who they are, and nobody can say that they are another."""

from __future__ import annotations

import ipaddress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.api.proxies import HOPS_AT_MOST, address_of
from tests.api.standing import STRANGER, Standing, standing
from tests.cli.processes import Service

PROXIES = tuple(map(ipaddress.ip_network, ("10.0.0.5", "10.1.0.0/16", "fd00::/8")))
PROXY = "10.0.0.5"
ASHA, RAVI = "203.0.113.9", "198.51.100.7"


@pytest.mark.parametrize(
    ("said", "caller"),
    [
        ([ASHA], ASHA),
        ([f"{RAVI}, {ASHA}"], ASHA),  # the left part is what Asha said of herself
        ([RAVI, ASHA], ASHA),  # the same in two lines
        ([f"{RAVI},{ASHA},10.1.2.3"], ASHA),  # two proxies of ours
        ([f"{RAVI}, {ASHA} , fd00::1, 10.1.2.3 "], ASHA),
        ([f"{ASHA}:50123"], ASHA),
        (["2001:db8::7"], "2001:db8::7"),
        (["2001:DB8:0::7"], "2001:db8::7"),
        (["[2001:db8::7]"], "2001:db8::7"),
        (["[2001:db8::7]:443"], "2001:db8::7"),
        (["fe80::7%eth0"], "fe80::7"),
        ([f"::ffff:{ASHA}"], ASHA),
        ([f"{ASHA}, ::ffff:10.1.2.3"], ASHA),
        (["10.1.2.3"], "10.1.2.3"),  # a proxy asks for itself
        (["127.0.0.1"], "127.0.0.1"),
    ],
)
def test_a_trusted_proxy_says_who_calls(said: list[str], caller: str) -> None:
    assert address_of(PROXY, said, PROXIES) == caller


@pytest.mark.parametrize(
    "said",
    [[], [""], [","], ["unknown"], ["_hidden"], [f"{ASHA}, unknown"], ["999.1.1.1"], ["[unknown]"]],
)
def test_a_proxy_that_cannot_say_who_calls_speaks_for_itself(said: list[str]) -> None:
    assert address_of(PROXY, said, PROXIES) == PROXY
    assert address_of("10.1.0.1", said, PROXIES) == "10.1.0.1"


def test_garbage_stops_the_reading_where_it_stands() -> None:
    assert address_of(PROXY, [f"{ASHA}, garbage, 10.1.2.3"], PROXIES) == "10.1.2.3"


@pytest.mark.parametrize("peer", [PROXY, f"::ffff:{PROXY}", "10.1.255.255", "fd00::9"])
def test_a_proxy_is_known_by_address_and_by_network(peer: str) -> None:
    assert address_of(peer, [ASHA], PROXIES) == ASHA


@pytest.mark.parametrize("peer", [RAVI, "10.0.0.6", "fe80::1%eth0", "testclient", "", None])
def test_whoever_is_not_trusted_is_who_they_are_whatever_they_say(peer: str | None) -> None:
    assert address_of(peer, [ASHA], PROXIES) == peer
    assert address_of(peer, [ASHA], ()) == peer


@given(st.lists(st.text(alphabet="0123456789abcdef.:,[]% unkow", max_size=60), max_size=4))
def test_what_a_caller_writes_before_the_proxy_adds_its_line_changes_nothing(
    spoofed: list[str],
) -> None:
    assert address_of(PROXY, [*spoofed, ASHA], PROXIES) == ASHA
    assert address_of(RAVI, spoofed, PROXIES) == RAVI
    ipaddress.ip_address(address_of(PROXY, spoofed, PROXIES) or "")  # always an address


def test_no_chain_is_followed_without_end() -> None:
    chain = ",".join([ASHA, *["10.1.2.3"] * HOPS_AT_MOST])
    assert address_of(PROXY, [chain], PROXIES) == "10.1.2.3"


def test_strangers_behind_a_trusted_proxy_have_a_share_each(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 3)
        proxy = await it.client(peer=("10.1.0.1", 1))

        async def status(caller: str) -> int:
            asked = await proxy.get("/v1/me", headers={"X-Forwarded-For": f"1.1.1.1, {caller}"})
            return asked.status_code

        assert [await status(ASHA) for _ in range(4)][-1] == 429
        assert await status(RAVI) == 401
        other = await it.client(peer=STRANGER)  # Asha's own address, without the proxy
        assert (await other.get("/v1/me")).status_code == 429

    standing({**house, "BAHI_TRUSTED_PROXIES": "10.1.0.0/16"}, story)


def test_the_trail_names_the_caller_and_not_the_proxy(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        user = await it.user("asha")
        for peer, expected in (("10.1.0.1", "2001:db8::7"), (RAVI, RAVI)):
            client = await it.client(await it.key(user), peer=(peer, 1))
            client.headers["X-Forwarded-For"] = "2001:db8::7"
            made = await client.post(
                "/v1/accounts", json={"broker": "kite", "name": f"by {expected[:4]}"}
            )
            assert made.status_code == 201, made.text
            (newest, *_) = (await client.get("/audit/recent")).json()["items"]
            assert newest["ip_address"] == expected

    standing({**house, "BAHI_TRUSTED_PROXIES": "10.1.0.0/16"}, story)


def test_who_comes_through_a_proxy_is_never_taken_for_this_machine(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        proxy = await it.client()
        assert (await proxy.get("/metrics")).status_code == 200
        proxy.headers["X-Forwarded-For"] = "127.0.0.1"
        assert (await proxy.get("/metrics")).status_code == 401

    standing({**house, "BAHI_TRUSTED_PROXIES": "127.0.0.1"}, story)


@pytest.mark.parametrize(("trusted", "expected"), [("127.0.0.1", ASHA), ("", "127.0.0.1")])
def test_the_service_believes_its_proxy_and_nobody_else(
    house: dict[str, str], trusted: str, expected: str
) -> None:
    async def plant(it: Standing) -> str:
        return await it.key(await it.admin())

    headers = {"X-API-Key": standing(house, plant), "X-Forwarded-For": f"{RAVI}, {ASHA}"}
    with (
        Service({**house, "BAHI_TRUSTED_PROXIES": trusted}) as service,
        httpx.Client(base_url=service.url, headers=headers) as client,
    ):
        made = client.post("/v1/accounts", json={"broker": "kite", "name": "Proxied"})
        assert made.status_code == 201, made.text
        (newest, *_) = client.get("/audit/recent").json()["items"]
        assert newest["ip_address"] == expected
        service.stop()
