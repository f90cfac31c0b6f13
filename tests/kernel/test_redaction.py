"""What redaction hides, and what it leaves to be read."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.redaction import (
    DEPTH_AT_MOST,
    HIDDEN,
    ITEMS_AT_MOST,
    TEXT_AT_MOST,
    names_a_secret,
    redact,
    redact_text,
)
from bahi.kernel.words import TokenState

CANARY = "canary-3f9c-sings"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLW9mLWEtY2FuYXJ5LXRoYXQtc2luZ3M"
SECRET_NAMES = (
    *("token", "access_token", "accessToken", "ACCESS-TOKEN", "request_token", "refreshToken"),
    *("secret", "api_secret", "clientSecret", "password", "user_password", "pin", "PIN", "tpin"),
    *("totp", "otp", "totp_secret", "api_key", "apikey", "api-key", "X-API-Key", "Authorization"),
    *("checksum", "X-Checksum", "cookie", "Set-Cookie", "session", "session_token", "apiSession"),
    *("code", "state", "auth_code", "pan", "PAN", "mobile", "mobile_no", "mobileNumber", "tokenId"),
    *("private_key", "passphrase", "feedToken", "webhook_secret", "credentials", "jwtToken"),
)
HARMLESS_NAMES = (
    *("status_code", "error_code", "token_type", "instrument_token", "exchange_token", "symbol"),
    *("session_timeout_minutes", "token_expires_at", "key", "cache_key", "broker_token", "company"),
    *("span_margin", "option_type", "description", "pinned", "author", "statement", "order_state"),
    *("spinner", "trading_session", "broker_code", "expand", "client_order_id", "category"),
)
MARKS = ("Bearer ", "Basic ", "***", "b'", "\n", *"=:\"'\\{}[] &,;")

names = st.sampled_from(SECRET_NAMES)
leaves = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=30)
shapes = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
plain_words = st.lists(
    st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12), max_size=30
).map(" ".join)


@st.composite
def with_a_secret_inside(draw: st.DrawFn) -> Any:
    secret: Any = draw(st.sampled_from([CANARY, [CANARY], {"it": CANARY}, CANARY.encode()]))
    name = draw(names)
    if isinstance(secret, dict) and name in {"code", "state"}:
        secret = CANARY  # a mapping under these two is judged by its own names
    value: Any = {**draw(st.dictionaries(st.text(max_size=8), shapes, max_size=3)), name: secret}
    for _ in range(draw(st.integers(0, 6))):
        value = [draw(shapes), value] if draw(st.booleans()) else {draw(st.text()): value}
    return value


@given(with_a_secret_inside())
def test_a_secret_under_its_name_never_survives(value: Any) -> None:
    said = json.dumps(redact(value))
    assert CANARY not in said
    assert base64.b64encode(CANARY.encode()).decode() not in said


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_secret_in_a_text_that_quotes_a_mapping_never_survives(name: str) -> None:
    flat = {"before": 1, name: CANARY, "after": [{"x": [name, CANARY]}]}
    assert CANARY not in redact_text(json.dumps(flat))
    assert CANARY not in redact_text(json.dumps(json.dumps(flat)))
    assert CANARY not in redact_text(repr(flat))


@given(shapes)
def test_redacting_twice_changes_nothing_more(value: Any) -> None:
    once = redact(value)
    assert redact(once) == once
    json.dumps(once, allow_nan=False)


@given(
    st.text(max_size=300)
    | st.lists(
        st.sampled_from([*SECRET_NAMES, *HARMLESS_NAMES, *MARKS, "https://a:b@c", JWT, "x1Y2"]),
        max_size=20,
    ).map("".join)
)
def test_a_text_redacted_twice_changes_nothing_more(text: str) -> None:
    once = redact_text(text)
    assert redact_text(once) == once


@given(st.integers(1, 3), plain_words)
def test_a_long_text_is_cut_once_and_not_through_a_secret(times: int, words: str) -> None:
    text = (
        words + " " + f"{words} pin=1 {'Ab1' * 20} " * (times * TEXT_AT_MOST // (len(words) + 70))
    )
    once = redact_text(text)
    assert redact_text(once) == once
    assert len(once) <= 2 * TEXT_AT_MOST
    assert "Ab1" not in once


@given(plain_words)
def test_plain_words_stay_as_they_are(words: str) -> None:
    assert redact_text(words) == words
    assert redact({"message": words, "list": [words, 5, None]}) == {
        "message": words,
        "list": [words, 5, None],
    }


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_these_names_hide_what_stands_under_them(name: str) -> None:
    assert redact({name: CANARY}) == {name: HIDDEN}
    assert redact({name: 918273}) == {name: HIDDEN}
    assert redact({name: [CANARY]}) in ({name: HIDDEN}, {name: [HIDDEN]})
    assert redact({name: None}) == {name: None}
    assert CANARY not in repr(redact([(name, CANARY), [name.encode(), CANARY.encode()]]))
    assert CANARY not in redact_text(repr([(name, CANARY)]) + json.dumps([[name, CANARY]]))
    for text in (f"https://host/x?a=1&{name}={CANARY}&z=2", f"{name}: {CANARY}, next"):
        assert CANARY not in redact_text(text)


@pytest.mark.parametrize("name", HARMLESS_NAMES)
def test_these_names_hide_nothing(name: str) -> None:
    assert not names_a_secret(name)
    assert redact({name: "plain"}) == {name: "plain"}
    assert redact_text(f"{name}=plain") == f"{name}=plain"


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ({"state": "COMPLETED"}, {"state": "COMPLETED"}),
        ({"state": TokenState.VALID}, {"state": "VALID"}),
        ({"state": "x7Gh2"}, {"state": HIDDEN}),
        ({"code": "not_found"}, {"code": "not_found"}),
        ({"code": 429}, {"code": 429}),
        ({"code": 123456}, {"code": HIDDEN}),
        ({"code": ["mk404x", "busy"]}, {"code": [HIDDEN, "busy"]}),
        ({"state": {"phase": "open", "pin": 1}}, {"state": {"phase": "open", "pin": HIDDEN}}),
        ([["pin", 1234], ["limit", 5]], [["pin", HIDDEN], ["limit", 5]]),
        ([(b"cookie", b"a=b")], [["cookie", HIDDEN]]),
        ([("state", "COMPLETED"), ("code", "x1")], [["state", "COMPLETED"], ["code", HIDDEN]]),
        ({"name": "X-API-Key", "value": "x"}, {"name": "X-API-Key", "value": HIDDEN}),
        ({"key": "max_positions", "value": 5}, {"key": "max_positions", "value": 5}),
        ({"symboltoken": "3045"}, {"symboltoken": "3045"}),
        ({"fingerprint": "ab" * 32}, {"fingerprint": "ab" * 32}),
        ({"digest": "ab" * 32}, {"digest": HIDDEN}),
        ({"at": datetime(2026, 11, 20, tzinfo=UTC)}, {"at": "2026-11-20 00:00:00+00:00"}),
        ({"price": Decimal("0.0025")}, {"price": "0.0025"}),
        ({"body": b"\x00\x01"}, {"body": "[2 bytes]"}),
        ({"it": object()}, {"it": "[object]"}),
        ({1: {2.5}}, {"1": [2.5]}),
        ([float("inf"), 10**30], ["inf", HIDDEN]),
        ("Bearer abc", "Bearer ***"),
    ],
)
def test_values_that_need_a_look(value: Any, seen: Any) -> None:
    assert redact(value) == seen


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("sent Bearer abc.def, refused", "sent Bearer ***, refused"),
        ("Authorization: token key1:tok2", "Authorization: ***"),
        ("header token key1:tok2 was refused", "header token *** was refused"),
        ("Basic dXNlcjpwYXNz sent", "Basic *** sent"),
        ("Cookie: a=b; c=d\nnext", "Cookie: ***\nnext"),
        (f"got {JWT} back", "got *** back"),
        ("at postgresql://desk:pa:ss@db/main", "at postgresql://desk:***@db/main"),
        ("key 0123456789abcdef0123456789abcdef0123", "key ***"),
        ("person ABCPE1234F signed", "person *** signed"),
        ("GET /x?access%5Ftoken=abc&limit=5", "GET /x?access%5Ftoken=***&limit=5"),
        ("password='two words' user='b'", "password='***' user='b'"),
        ('detail: {"pin": 1234}', 'detail: {"pin": ***}'),
        ("refused: access_token=abc", "refused: access_token=***"),
        ("a: b: pin: 12", "a: b: pin: ***"),
        ("sent [('pin', '12'), ('a', 'b')]", "sent [('pin', '***'), ('a', 'b')]"),
        ('sent [[\\"pin\\", \\"12\\"]]', 'sent [[\\"pin\\", \\"***\\"]]'),
        ("(b'authorization', b'k:v')", "(b'authorization', b'***')"),
        ("half \ud800 and \x00", "half \ufffd and \ufffd"),
    ],
)
def test_texts_lose_their_secrets(text: str, seen: str) -> None:
    assert redact_text(text) == seen


@pytest.mark.parametrize(
    "text",
    [
        "The token of account 17 has expired; run `bahi token run`.",
        "A bearer token is needed; basic checks passed.",
        "run 3f2b8c1e-9d4a-4c5b-8e6f-0a1b2c3d4e5f is COMPLETED",
        'File "/usr/lib/python3.11/site-packages/bahi/kernel/redaction.py", line 10, in redact',
        "order 7291046250013278208 BANKNIFTY24DEC24000CE qty=75 price=101.25 status=OPEN",
        "test_a_name_that_is_long_enough_to_be_looked_at_once",
        "2026-11-20T09:15:00+05:30 GET /jobs/recent?limit=10 took 12 ms",
        "state: RUNNING, code: busy, error_code=DH-901, token_type=Bearer",
    ],
)
def test_texts_that_say_nothing_secret_stay(text: str) -> None:
    assert redact_text(text) == text


def test_a_secret_after_any_words_and_marks_never_survives() -> None:
    for before in ("refused:", "a=b&", "x: 'y' ", '{"a": "b", ', "a=[", "é=", "--", "/p?q=1&", "("):
        for name in SECRET_NAMES:
            assert CANARY not in redact_text(f"{before} {name}={CANARY}")
            assert CANARY not in redact_text(f"{before}{name}: {CANARY}"), (before, name)


def test_a_text_made_to_be_slow_is_not() -> None:
    for made in ("a:" * 3900, "a=" * 3900, "'" * 7900, "a='" * 2600, "eyJ" * 2600):
        assert len(redact_text(made)) < 20_000
        assert redact_text(made + " pin=1").endswith("***")


def test_what_has_no_end_is_cut() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert str(redact(endless)).count("[") == DEPTH_AT_MOST + 1
    many = redact({str(n): n for n in range(1000)})
    assert len(many) == ITEMS_AT_MOST
    assert redact(many) == many
    wide = redact([[1] * 150 for _ in range(150)])
    assert redact(wide) == wide
    assert sum(len(row) for row in wide if isinstance(row, list)) < 10_000
    json.dumps(redact({"a" * 500: 1, "b" * 500: 2}))
