"""Every request of a login is the one that the broker's own SDK sends; answers are as recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyotp
import pytest

from bahi.brokers import LOGINS
from bahi.brokers.breeze import parse as breeze
from bahi.brokers.breeze.login import BreezeLogin
from bahi.brokers.dhan import parse as dhan
from bahi.brokers.dhan.login import DhanLogin
from bahi.brokers.kite import parse as kite
from bahi.brokers.kite.login import KiteLogin
from bahi.brokers.openalgo import parse as openalgo
from bahi.brokers.openalgo.login import OpenAlgoLogin
from bahi.brokers.upstox import parse as upstox
from bahi.brokers.upstox.login import UpstoxLogin
from bahi.brokers.wire import Wires
from bahi.kernel.clock import StoppedClock
from bahi.kernel.ports import Application, Grant, Login, LoginFailed
from bahi.kernel.words import BrokerSlug
from tests.brokers.desks import NOW, Calls, an_application
from tests.brokers.simulators import Answer, Asked, KiteSimulator

# Whose SDK it is, and how it was built: not ours to claim.
THE_SDKS_OWN = ("user-agent", "x-upstox-sdk-language", "x-upstox-sdk-version")
ANY_CLIENTS = ("host", "content-length", "user-agent")

KITE = Application(client_id="apikey", secret="apisecret")
UPSTOX = Application(client_id="CID", secret="CS", redirect_uri="https://r")
DHAN = Application(client_id="APPID", secret="SECRET", broker_user_id="1000000001", pin="111111")
BREEZE = Application(client_id="APPKEY", secret="SECRET", broker_user_id="U1")
CAPTURED_AT = datetime(2026, 11, 21, 1, 44, 25, tzinfo=UTC)

Ask = Callable[[Any], Awaitable[object]]
KITE_TOKENS = {"access": "XXXXXX", "refresh": "rt"}

ASKED: Mapping[str, tuple[str, str, Ask]] = {
    "kite exchange": (
        "kiteconnect",
        "generate_session",
        lambda at: KiteLogin(at.wires, api=at.url).complete(KITE, {"request_token": "reqtok"}, NOW),
    ),
    "kite renewal": (
        "kiteconnect",
        "renew_access_token",
        lambda at: KiteLogin(at.wires, api=at.url).renew(KITE, KITE_TOKENS, NOW),
    ),
    "kite profile": (
        "kiteconnect",
        "profile",
        lambda at: KiteLogin(at.wires, api=at.url).verify(KITE, KITE_TOKENS),
    ),
    "kite logout": (
        "kiteconnect",
        "invalidate_access_token",
        lambda at: KiteLogin(at.wires, api=at.url).revoke(KITE, KITE_TOKENS),
    ),
    "upstox exchange": (
        "upstox-python-sdk",
        "LoginApi.token",
        lambda at: UpstoxLogin(at.wires, api=at.url).complete(UPSTOX, {"code": "CODE"}, NOW),
    ),
    "upstox approval": (
        "upstox-python-sdk",
        "LoginApi.init_token_request_for_indie_user",
        lambda at: UpstoxLogin(at.wires, api=at.url).request_approval(UPSTOX, NOW),
    ),
    "upstox profile": (
        "upstox-python-sdk",
        "UserApi.get_profile",
        lambda at: UpstoxLogin(at.wires, api=at.url).verify(UPSTOX, {"access": "AT"}),
    ),
    "upstox logout": (
        "upstox-python-sdk",
        "LoginApi.logout",
        lambda at: UpstoxLogin(at.wires, api=at.url).revoke(UPSTOX, {"access": "AT"}),
    ),
    "dhan consent": (
        "dhanhq",
        "login.generate_login_session",
        lambda at: DhanLogin(at.wires, api=at.url, auth=at.url).begin(DHAN, "state"),
    ),
    "dhan exchange": (
        "dhanhq",
        "login.consume_token_id",
        lambda at: DhanLogin(at.wires, api=at.url, auth=at.url).complete(
            DHAN, {"tokenId": "tokid"}, NOW
        ),
    ),
    "dhan renewal": (
        "dhanhq",
        "login.renew_token",
        lambda at: DhanLogin(at.wires, api=at.api, auth=at.url).renew(
            DHAN, {"access": "TOKEN"}, NOW
        ),
    ),
    "dhan profile": (
        "dhanhq",
        "login.user_profile",
        lambda at: DhanLogin(at.wires, api=at.url, auth=at.url).verify(DHAN, {"access": "TOKEN"}),
    ),
    "breeze exchange": (
        "breeze-connect",
        "generate_session",
        lambda at: BreezeLogin(at.wires, api=at.url).complete(BREEZE, {"API_Session": "9999"}, NOW),
    ),
    "breeze signed call": (
        "breeze-connect",
        "get_funds",
        lambda at: BreezeLogin(at.wires, api=at.url).verify(BREEZE, {"session": "VTE6MjkyOTI="}),
    ),
}


class Place:
    """Where a Login of a captured call finds its broker."""

    def __init__(self, url: str) -> None:
        self.url = self.api = url
        self.wires = Wires(
            broker=BrokerSlug.KITE, recorder=Calls(), clock=StoppedClock(CAPTURED_AT)
        )


def captured(shared_data: Path, sdk: str, call: str) -> dict[str, Any]:
    """Return the first request that an SDK sent for a call."""
    recorded = json.loads((shared_data / "captures" / f"{sdk}.json").read_text("utf-8"))
    calls = recorded["calls"] if isinstance(recorded, dict) else recorded
    return dict(next(c for c in calls if c["call"] == call)["requests"][0])


def sent(ask: Ask) -> Asked:
    """Return what a Login sends; what it makes of a plain yes does not matter here."""

    async def send(url: str) -> None:
        try:
            await ask(Place(url))
        except LoginFailed:
            return

    with KiteSimulator([]) as anybody:
        anybody.answer(Answer(body={"status": "success", "Status": 200, "Success": {}}))
        asyncio.run(send(anybody.url))
        (asked,) = anybody.requests
        return asked


@pytest.mark.parametrize("name", ASKED)
def test_a_request_is_the_one_that_the_official_sdk_sends(name: str, shared_data: Path) -> None:
    sdk, call, ask = ASKED[name]
    theirs, ours = captured(shared_data, sdk, call), sent(ask)
    assert (ours.method, ours.path) == (theirs["method"], theirs["path"])
    assert [list(pair) for pair in ours.query] == theirs["query"]
    assert ours.body.decode() == theirs["raw"]
    for header, value in theirs["headers"].items():
        if header.lower() not in THE_SDKS_OWN:
            assert ours.header(header) == value, header
    known = {header.lower() for header in theirs["headers"]} | set(ANY_CLIENTS)
    assert {header.lower() for header, _ in ours.headers} <= known
    assert ours.header("User-Agent").startswith("bahi/")


def test_dhan_is_asked_with_pin_and_code_as_its_sdk_asks(shared_data: Path) -> None:
    theirs = captured(shared_data, "dhanhq", "login.generate_token(pin,totp)")
    secret = pyotp.random_base32()
    application = Application(broker_user_id="1000000001", pin="111111", totp=secret)
    ours = sent(lambda at: DhanLogin(at.wires, api=at.url, auth=at.url).log_in(application, NOW))
    assert (ours.method, ours.path) == (theirs["method"], theirs["path"])
    assert ours.body == b""
    code = ("totp", pyotp.TOTP(secret).at(NOW))
    assert list(ours.query) == [*(tuple(pair) for pair in theirs["query"][:2]), code]


def test_an_openalgo_host_is_asked_as_its_client_asks(shared_data: Path) -> None:
    theirs = captured(shared_data, "openalgo-2.0.5", "funds")
    ours = sent(
        lambda at: OpenAlgoLogin(at.wires).verify(Application(host=at.url), {"access": "KEY"})
    )
    assert (ours.method, ours.path) == (theirs["method"], theirs["path"])
    assert ours.json() == theirs["body"]
    assert ours.header("Content-Type") == theirs["headers"]["Content-Type"]


def mock(shared_data: Path, path: str) -> Any:
    """Read a recorded answer."""
    return json.loads((shared_data / "mocks" / path).read_text("utf-8"))


def documented(shared_data: Path, path: str, field: str) -> dict[str, Any]:
    """Return the documented answer that has this field."""
    blocks = (block.get("json") for block in mock(shared_data, path))
    return next(
        b for b in blocks if isinstance(b, dict) and (field in b or field in (b.get("data") or {}))
    )


def test_a_recorded_session_of_kite_is_read(shared_data: Path) -> None:
    grant = kite.grant(mock(shared_data, "kite/generate_session.json"), "", NOW)
    assert grant.tokens == {"access": "XXXXXX"}
    assert (grant.broker_user_id, grant.broker_user_name) == ("XX0000", "Kite Connect")


@pytest.mark.parametrize("file", ["profile", "full_profile"])
def test_a_recorded_profile_of_kite_is_read(file: str, shared_data: Path) -> None:
    answer = mock(shared_data, f"kite/{file}.json")
    assert kite.heard(answer) is None
    assert kite.profile(answer, "ab1234").user_id == "AB1234"


def test_documented_answers_of_upstox_are_read(shared_data: Path) -> None:
    profile = documented(shared_data, "upstox/docs/10a-user-get-profile.json", "is_active")
    assert upstox.heard(profile) is None
    assert upstox.profile(profile, "").user_id == "******"
    request = documented(
        shared_data, "upstox/docs/09d-login-access-token-request.json", "authorization_expiry"
    )
    approval = upstox.approval(request, datetime(2024, 11, 21, 20, tzinfo=UTC))
    assert approval.expires_at == datetime(2024, 11, 21, 22, tzinfo=UTC)  # 03:30 in India
    error = documented(shared_data, "upstox/docs/03a-response-structure.json", "errors")
    assert upstox.heard(error) is not None


def test_the_documented_notifier_payload_has_the_fields_that_are_read(shared_data: Path) -> None:
    payload = documented(
        shared_data, "upstox/docs/09d-login-access-token-request.json", "message_type"
    )
    application = Application(client_id="string", broker_user_id="string")
    grant = upstox.notified(payload, application, NOW)
    assert grant.tokens == {"access": "string"}


def test_documented_answers_of_dhan_are_read(shared_data: Path) -> None:
    path = "dhan/docs/02-authentication.json"
    token = documented(shared_data, path, "accessToken")
    grant = dhan.grant(token, "1000000401", datetime(2025, 12, 31, tzinfo=UTC))
    assert grant.expires_at == datetime(2025, 12, 31, 18, 30, tzinfo=UTC)
    assert grant.broker_user_name == "JOHN DOE"
    assert dhan.consent(documented(shared_data, path, "consentAppId")).startswith("940b0ca1")
    profile = documented(shared_data, path, "tokenValidity")
    assert dhan.heard(profile) is None
    assert dhan.profile(profile, "").user_id == "1100003626"


def test_a_recorded_customer_of_breeze_is_read(shared_data: Path) -> None:
    examples = mock(shared_data, "breeze/readme-examples.json")
    answers = [e["json"] for e in examples if e["id"] == "customer_detail" and "json" in e]
    (details,) = [a for a in answers if "session_token" in (a.get("Success") or {})]
    assert breeze.heard(details) is None
    grant = breeze.grant(details, "XY604721", NOW, breeze.Dies.EARLIER)
    assert grant.broker_user_name == "JOHN SMITH"
    assert list(grant.tokens) == ["session"]


def test_recorded_answers_of_an_openalgo_host_are_read(shared_data: Path) -> None:
    assert openalgo.heard(mock(shared_data, "openalgo/account-services__funds.json")[1]) is None
    (limited,) = mock(shared_data, "openalgo/rate-limiting.json")
    assert openalgo.heard(limited) is not None


def test_what_grants_hold_is_not_shown() -> None:
    grant = Grant(tokens={"access": "canary"}, expires_at=None)
    assert "canary" not in repr(grant)
    assert "secret" not in repr(an_application(BrokerSlug.KITE)).replace("secret=", "")


def test_every_broker_that_can_log_in_fulfils_the_port() -> None:
    promised = [name for name in vars(Login) if not name.startswith("_")]
    for made in LOGINS.values():
        assert all(callable(getattr(made, name, None)) for name in promised)
