"""Every broker's login from end to end, against a broker that checks every proof."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bahi.brokers.breeze.login import BreezeLogin
from bahi.brokers.breeze.parse import Dies
from bahi.brokers.upstox.login import UpstoxLogin
from bahi.brokers.wire import Wires
from bahi.kernel.ports import Application, Grant, LoginFailed
from bahi.kernel.words import BrokerSlug, LoginFailure
from tests.brokers.desks import (
    BROKERS,
    BY_HAND,
    NOW,
    SECRET,
    SIMULATORS,
    STATE,
    Desk,
    a_desk,
    an_application,
)
from tests.brokers.simulators import (
    Behaviour,
    BreezeSimulator,
    KiteSimulator,
    UpstoxSimulator,
    person_logs_in,
)

UPSTOX, KITE, DHAN, BREEZE, OPENALGO = (
    BrokerSlug.UPSTOX,
    BrokerSlug.KITE,
    BrokerSlug.DHAN,
    BrokerSlug.BREEZE,
    BrokerSlug.OPENALGO,
)
MakeDesk = Callable[..., Desk]
DIES = {
    UPSTOX: datetime(2026, 11, 20, 22, 0, tzinfo=UTC),
    KITE: datetime(2026, 11, 21, 0, 30, tzinfo=UTC),
    DHAN: NOW + timedelta(hours=24),
    BREEZE: datetime(2026, 11, 20, 18, 30, tzinfo=UTC),
    OPENALGO: None,
}


@pytest.fixture(params=BROKERS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """Run the test at every broker."""
    with a_desk(request.param) as made:
        yield made


@pytest.fixture
def at() -> Iterator[MakeDesk]:
    """Make desks that end with the test."""
    with ExitStack() as made:

        def make(broker: BrokerSlug, **changed: Any) -> Desk:
            return made.enter_context(a_desk(broker, **changed))

        yield make


def failure(coroutine: Any) -> LoginFailed:
    """Run what must fail, and return how it does."""
    with pytest.raises(LoginFailed) as failed:
        asyncio.run(coroutine)
    return failed.value


def test_a_login_brings_a_token_that_the_broker_knows(desk: Desk) -> None:
    async def story() -> Grant:
        grant = await desk.come_in()
        assert (await desk.login.verify(desk.application, grant.tokens)).user_id == "USER1"
        return grant

    grant = asyncio.run(story())
    assert grant.expires_at == DIES[desk.broker]
    assert grant.broker_user_id == "USER1"
    if desk.broker is not OPENALGO:
        assert set(grant.tokens.values()) <= set(desk.simulator.tokens)


def test_a_token_that_died_is_found_out(desk: Desk) -> None:
    async def story() -> None:
        grant = await desk.come_in()
        desk.simulator.end_all()
        desk.simulator.applications.clear()
        await desk.login.verify(desk.application, grant.tokens)

    assert failure(story()).reason is LoginFailure.PROFILE_VERIFICATION_FAILED


REASONS = {
    Behaviour.THROTTLE: LoginFailure.RATE_LIMIT,
    Behaviour.HANG: LoginFailure.NETWORK_TIMEOUT,
    Behaviour.LATE: LoginFailure.NETWORK_TIMEOUT,
    Behaviour.RESET: LoginFailure.NETWORK_TIMEOUT,
    Behaviour.DROP_READ: LoginFailure.NETWORK_TIMEOUT,
    Behaviour.DROP_DONE: LoginFailure.NETWORK_TIMEOUT,
    Behaviour.TRUNCATED: LoginFailure.NETWORK_TIMEOUT,
    Behaviour.HUGE: LoginFailure.NETWORK_TIMEOUT,
    Behaviour.SERVER_ERROR: LoginFailure.NETWORK_TIMEOUT,
    Behaviour.HTML: LoginFailure.TOKEN_EXCHANGE_FAILED,
    Behaviour.EMPTY: LoginFailure.TOKEN_EXCHANGE_FAILED,
    Behaviour.HALF_JSON: LoginFailure.TOKEN_EXCHANGE_FAILED,
    Behaviour.WRONG_TYPE: LoginFailure.TOKEN_EXCHANGE_FAILED,
    Behaviour.REDIRECT: LoginFailure.TOKEN_EXCHANGE_FAILED,
}


@pytest.mark.parametrize("broker", BROKERS)
@pytest.mark.parametrize("how", Behaviour)
def test_however_a_broker_misbehaves_the_login_says_why(
    how: Behaviour, broker: BrokerSlug, at: MakeDesk
) -> None:
    desk = at(broker)
    login = desk.hasty if how in (Behaviour.HANG, Behaviour.LATE) else desk.login

    async def story() -> None:
        by_hand = not login.is_headless(desk.application)
        address = await desk.login.begin(desk.application, STATE) if by_hand else ""
        brought = person_logs_in(address) if by_hand else {}
        desk.simulator.behave(how, times=1)
        if by_hand:
            await login.complete(desk.application, brought, NOW)
        await login.log_in(desk.application, NOW)

    refused = failure(story())
    assert refused.reason is REASONS[how]
    assert refused.broker_code
    desk.simulator.behave_well()
    assert asyncio.run(desk.come_in()).tokens


def test_every_call_is_told_to_the_recorder(desk: Desk) -> None:
    asyncio.run(desk.come_in())
    seen = [asked for asked in desk.simulator.requests if "/login" not in asked.path.lower()]
    api = [asked for asked in desk.simulator.requests if asked.header("User-Agent")[:5] == "bahi/"]
    assert len(seen) <= len(desk.calls.all) == len(api)
    for call, asked in zip(desk.calls.all, api, strict=True):
        assert (call.method, call.path) == (asked.method, asked.path)
        assert (call.broker, call.account_id, call.http_status) == (desk.broker, 7, 200)
        assert call.started_at == NOW
        assert call.took_us > 0
        assert not call.failure


@pytest.mark.parametrize("broker", [KITE, UPSTOX])
def test_the_state_comes_back(broker: BrokerSlug, at: MakeDesk) -> None:
    desk = at(broker)
    address = asyncio.run(desk.login.begin(desk.application, STATE))
    assert person_logs_in(address)["state"] == STATE


def test_kites_page_is_told_the_state_as_redirect_params(at: MakeDesk) -> None:
    address = asyncio.run(at(KITE).login.begin(an_application(KITE), "a b&c=d"))
    asked = parse_qs(urlsplit(address).query)
    assert asked["redirect_params"] == ["state=a+b%26c%3Dd"]
    assert parse_qs(asked["redirect_params"][0])["state"] == ["a b&c=d"]


@pytest.mark.parametrize("broker", [KITE, UPSTOX, BREEZE, DHAN])
def test_a_code_can_be_used_once(broker: BrokerSlug, at: MakeDesk) -> None:
    desk = at(broker)

    async def story() -> None:
        brought = person_logs_in(await desk.login.begin(desk.application, STATE))
        await desk.login.complete(desk.application, brought, NOW)
        await desk.login.complete(desk.application, brought, NOW)

    refused = failure(story())
    assert refused.reason in (LoginFailure.TOKEN_EXCHANGE_FAILED, LoginFailure.CONSENT_FAILED)
    assert len(desk.simulator.logins) == 1


@pytest.mark.parametrize("broker", [KITE, UPSTOX, BREEZE, DHAN])
def test_a_redirect_that_brings_nothing_sends_nothing(broker: BrokerSlug, at: MakeDesk) -> None:
    desk = at(broker)
    refused = failure(desk.login.complete(desk.application, {"status": "success"}, NOW))
    throttles = broker is UPSTOX  # no code is one of the signs of source 000
    assert refused.reason is (LoginFailure.RATE_LIMIT if throttles else LoginFailure.CONSENT_FAILED)
    assert desk.simulator.requests == []


def test_a_login_that_was_cancelled_in_upstoxs_dialog_sends_nothing(at: MakeDesk) -> None:
    desk = at(UPSTOX)
    refused = failure(desk.login.complete(desk.application, {"error": "access_denied"}, NOW))
    assert (refused.reason, refused.broker_code) == (LoginFailure.CONSENT_FAILED, "access_denied")
    assert desk.simulator.requests == []


def test_a_login_that_was_cancelled_on_kites_page_sends_nothing(at: MakeDesk) -> None:
    desk = at(KITE)
    answer = {"status": "cancelled", "request_token": "x"}
    assert failure(desk.login.complete(desk.application, answer, NOW)).reason is (
        LoginFailure.CONSENT_FAILED
    )
    assert desk.simulator.requests == []


@pytest.mark.parametrize("broker", BROKERS)
def test_a_wrong_secret_is_refused(broker: BrokerSlug, at: MakeDesk) -> None:
    desk = at(broker)
    wrong = replace(desk.application, secret="not-the-secret", pin="not-the-pin")

    async def story() -> None:
        if desk.login.is_headless(wrong):
            await desk.login.log_in(wrong, NOW)
        brought = person_logs_in(await desk.login.begin(wrong, STATE))
        grant = await desk.login.complete(wrong, brought, NOW)
        await desk.login.verify(wrong, grant.tokens)  # Breeze asks for the secret here only

    refused = failure(story())
    assert refused.reason in (
        LoginFailure.INVALID_CREDENTIALS,
        LoginFailure.TOKEN_EXCHANGE_FAILED,
        LoginFailure.PROFILE_VERIFICATION_FAILED,
    )
    assert "not-the" not in f"{refused}{refused!r}{desk.calls.all!r}"


@pytest.mark.parametrize("broker", BROKERS)
def test_what_is_not_registered_is_named_before_anything_is_sent(
    broker: BrokerSlug, at: MakeDesk
) -> None:
    desk = at(broker)
    nothing = Application()

    async def story() -> None:
        await desk.login.begin(nothing, STATE)

    assert str(failure(story()))
    assert desk.simulator.requests == []


@pytest.mark.parametrize("broker", [KITE, UPSTOX, DHAN, BREEZE])
def test_the_login_of_another_user_is_refused(broker: BrokerSlug, at: MakeDesk) -> None:
    desk = at(broker)
    other = replace(desk.application, broker_user_id="SOMEBODY-ELSE")

    async def story() -> None:
        brought = person_logs_in(await desk.login.begin(desk.application, STATE))
        await desk.login.complete(other, brought, NOW)

    refused = failure(story())
    assert refused.reason is LoginFailure.PROFILE_VERIFICATION_FAILED
    assert "SOMEBODY-ELSE" in str(refused)


@pytest.mark.parametrize("broker", BY_HAND)
def test_what_needs_a_person_says_so(broker: BrokerSlug, at: MakeDesk) -> None:
    desk = at(broker)
    assert not desk.login.is_headless(desk.application)
    assert "without a person" in str(failure(desk.login.log_in(desk.application, NOW)))


def test_dhan_logs_in_alone_where_pin_and_totp_are_there(at: MakeDesk) -> None:
    desk = at(DHAN)
    assert desk.login.is_headless(desk.application)
    assert not desk.login.is_headless(replace(desk.application, totp=""))
    assert not desk.login.is_headless(replace(desk.application, pin=""))


def test_dhan_takes_the_code_of_the_houses_clock(at: MakeDesk) -> None:
    desk = at(DHAN)
    late = NOW + timedelta(minutes=5)
    refused = failure(desk.login.log_in(desk.application, late))
    assert refused.reason is LoginFailure.INVALID_CREDENTIALS
    assert "clock" in str(refused)


@pytest.mark.parametrize("totp", ["not base32!", "0189", "é"])
def test_a_totp_secret_that_is_none_is_not_shown(totp: str, at: MakeDesk) -> None:
    desk = at(DHAN)
    refused = failure(desk.login.log_in(replace(desk.application, totp=totp), NOW))
    assert refused.reason is LoginFailure.INVALID_CREDENTIALS
    assert totp not in str(refused)
    assert desk.simulator.requests == []


def test_dhan_by_consent_and_by_renewal(at: MakeDesk) -> None:
    desk = at(DHAN)

    async def story() -> tuple[Grant, Grant | None]:
        first = await desk.come_in_by_hand()
        desk.clock.advance(timedelta(hours=20))
        return first, await desk.login.renew(desk.application, first.tokens, desk.clock())

    first, renewed = asyncio.run(story())
    assert renewed is not None
    assert renewed.expires_at == NOW + timedelta(hours=44)
    assert list(desk.simulator.tokens) == [renewed.tokens["access"]]
    assert "DH-901" in failure(desk.login.renew(desk.application, first.tokens, NOW)).broker_code


def test_kite_renews_where_it_gave_a_refresh_token(at: MakeDesk) -> None:
    desk = at(KITE)
    kite = desk.simulator
    assert isinstance(kite, KiteSimulator)

    async def story() -> Grant | None:
        plain = await desk.come_in()
        assert await desk.login.renew(desk.application, plain.tokens, NOW) is None
        kite.refreshes = True
        approved = await desk.come_in()
        return await desk.login.renew(desk.application, approved.tokens, NOW)

    renewed = asyncio.run(story())
    assert renewed is not None
    assert renewed.tokens["access"] in desk.simulator.tokens


@pytest.mark.parametrize("broker", [UPSTOX, BREEZE, OPENALGO])
def test_what_cannot_be_renewed_is_none(broker: BrokerSlug, at: MakeDesk) -> None:
    desk = at(broker)
    assert asyncio.run(desk.login.renew(desk.application, {"access": "t"}, NOW)) is None


@pytest.mark.parametrize("broker", [KITE, UPSTOX])
def test_a_token_is_revoked_and_revoking_it_again_is_no_failure(
    broker: BrokerSlug, at: MakeDesk
) -> None:
    desk = at(broker)

    async def story() -> None:
        grant = await desk.come_in()
        await desk.login.revoke(desk.application, grant.tokens)
        assert not desk.simulator.tokens
        await desk.login.revoke(desk.application, grant.tokens)

    asyncio.run(story())


@pytest.mark.parametrize("broker", [DHAN, BREEZE, OPENALGO])
def test_where_there_is_no_way_to_revoke_nothing_is_sent(broker: BrokerSlug, at: MakeDesk) -> None:
    desk = at(broker)
    asyncio.run(desk.login.revoke(desk.application, {"access": "t", "session": "t"}))
    assert desk.simulator.requests == []


def test_breeze_writes_the_name_of_its_session_in_several_ways(at: MakeDesk) -> None:
    desk = at(BREEZE)

    async def story() -> None:
        for name in ("apisession", "API_Session", "api_session", "APISession"):
            address = await desk.login.begin(desk.application, STATE)
            code = person_logs_in(address)["apisession"]
            await desk.login.complete(desk.application, {name: code}, NOW)

    asyncio.run(story())
    assert len(desk.simulator.logins) == 4


def test_the_rule_of_a_breeze_session_can_be_chosen(at: MakeDesk) -> None:
    desk = at(BREEZE)
    assert isinstance(desk.simulator, BreezeSimulator)
    wires = Wires(broker=BREEZE, recorder=desk.calls, clock=desk.clock)
    login = BreezeLogin(wires, api=desk.simulator.url, dies=Dies.DAY)

    async def story() -> Grant:
        brought = person_logs_in(await login.begin(desk.application, STATE))
        return await login.complete(desk.application, brought, NOW)

    assert asyncio.run(story()).expires_at == NOW + timedelta(hours=24)


@pytest.fixture
def approval() -> Iterator[tuple[Desk, UpstoxSimulator, UpstoxLogin]]:
    """Have an Upstox whose user approves in the app."""
    with a_desk(UPSTOX) as desk:
        assert isinstance(desk.simulator, UpstoxSimulator)
        assert isinstance(desk.login, UpstoxLogin)
        yield desk, desk.simulator, desk.login


Approving = tuple[Desk, UpstoxSimulator, UpstoxLogin]


def test_upstox_by_the_users_approval(approval: Approving) -> None:
    desk, upstox, login = approval

    async def story() -> Grant:
        asked = await login.request_approval(desk.application, NOW)
        assert asked.expires_at == NOW + timedelta(hours=2)
        return await login.complete(desk.application, upstox.approve("client1"), NOW)

    grant = asyncio.run(story())
    assert grant.expires_at == NOW + timedelta(hours=1)  # Upstox's word, earlier than 03:30
    assert grant.tokens["access"] in upstox.tokens


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "client2"},
        {"user_id": "USER2"},
        {"user_id": ""},
        {"access_token": "planted"},
        {"access_token": "two words"},
        {"access_token": ""},
        {"expires_at": "1"},
    ],
)
def test_what_is_posted_to_the_notifier_is_not_believed(
    changed: dict[str, str], approval: Approving
) -> None:
    desk, upstox, login = approval
    payload = upstox.approve("client1") | changed
    refused = failure(login.complete(desk.application, payload, NOW))
    assert refused.reason in (
        LoginFailure.CONSENT_FAILED,
        LoginFailure.PROFILE_VERIFICATION_FAILED,
    )


def test_the_notifier_cannot_bring_another_users_living_token(approval: Approving) -> None:
    desk, upstox, login = approval
    theirs = upstox.approve("client2")
    planted = upstox.approve("client1") | {"access_token": theirs["access_token"]}
    refused = failure(login.complete(desk.application, planted, NOW))
    assert refused.reason is LoginFailure.PROFILE_VERIFICATION_FAILED


def test_without_a_known_user_the_notifier_brings_nothing(approval: Approving) -> None:
    desk, upstox, login = approval
    unknown = replace(desk.application, broker_user_id="")
    payload = upstox.approve("client1")
    assert failure(login.complete(unknown, payload, NOW)).reason is LoginFailure.CONSENT_FAILED


def test_each_application_of_a_person_has_its_own_token() -> None:
    names = ("PRIMARY", "WEBSOCKET1", "WEBSOCKET2", "WEBSOCKET3", "OPTIONCHAIN1", "OPTIONCHAIN2")
    six = [an_application(UPSTOX, 1, client_id=n, secret=f"{SECRET}-{n}") for n in names]
    with a_desk(UPSTOX) as desk, SIMULATORS[UPSTOX](six, desk.clock) as upstox:
        wires = Wires(broker=UPSTOX, recorder=desk.calls, clock=desk.clock)
        login = UpstoxLogin(wires, api=upstox.url)

        async def morning() -> None:
            for each in six:
                brought = person_logs_in(await login.begin(each, STATE))
                await login.complete(each, brought, NOW)

        asyncio.run(morning())
        assert upstox.logins == list(names)
        assert sorted(upstox.tokens.values()) == sorted(names)


@pytest.mark.parametrize("host", ["", "ftp://a", "http://example.com", "https://u:p@h", "host"])
def test_an_openalgo_host_must_be_an_address_that_may_hear_a_key(host: str, at: MakeDesk) -> None:
    desk = at(OPENALGO)
    wrong = replace(desk.application, host=host)
    refused = failure(desk.login.verify(wrong, {"access": "key"}))
    assert "https" in str(refused)
    assert desk.calls.all == []


def test_an_openalgo_key_may_be_copied_by_hand(at: MakeDesk) -> None:
    desk = at(OPENALGO)

    async def story() -> Grant:
        page = await desk.login.begin(desk.application, STATE)
        assert page == f"{desk.simulator.url}/apikey"
        answer = {"apikey": f" {SECRET}-1\n"}
        return await desk.login.complete(replace(desk.application, secret=""), answer, NOW)

    assert asyncio.run(story()).tokens == {"access": f"{SECRET}-1"}
    odd = failure(desk.login.complete(desk.application, {"apikey": "two words"}, NOW))
    assert odd.reason is LoginFailure.INVALID_CREDENTIALS
