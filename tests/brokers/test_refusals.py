"""Every no of a broker has a sentence of its own, a reason, and the broker's own code beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.brokers.breeze import parse as breeze
from bahi.brokers.dhan import parse as dhan
from bahi.brokers.kite import parse as kite
from bahi.brokers.openalgo import parse as openalgo
from bahi.brokers.upstox import parse as upstox
from bahi.brokers.wire import Dialect, Reply
from bahi.brokers.wire.answers import MAX_CODE_CHARS, MAX_WORD_CHARS, STATUSES
from bahi.kernel.ports import LoginFailed
from bahi.kernel.words import LoginFailure

DIALECTS = (kite.DIALECT, upstox.DIALECT, dhan.DIALECT, breeze.DIALECT, openalgo.DIALECT)
EXCHANGE = LoginFailure.TOKEN_EXCHANGE_FAILED
VERIFY = LoginFailure.PROFILE_VERIFICATION_FAILED
RATE, NETWORK = LoginFailure.RATE_LIMIT, LoginFailure.NETWORK_TIMEOUT
KEYS = LoginFailure.INVALID_CREDENTIALS


def reply(body: Any, status: int = 200) -> Reply:
    """Make an answer, of an object or of text."""
    text = body if isinstance(body, str) else json.dumps(body)
    return Reply(
        status=status, text=text, is_json=text is not body, json=None if text is body else body
    )


def refused(dialect: Dialect, answer: Reply, step: LoginFailure = EXCHANGE) -> LoginFailed:
    """Return what a no becomes."""
    with pytest.raises(LoginFailed) as failed:
        dialect.yes(answer, step)
    return failed.value


def bodies(dialect: Dialect, code: str, word: str = "said so") -> list[tuple[Any, int]]:
    """Return how a broker writes a code, in each of the shapes that it is known to use."""
    snake = {"error_code": code, "message": word, "property_path": None, "invalid_value": None}
    camel = {"errorCode": code, "message": word, "propertyPath": None, "invalidValue": None}
    remarks = {"error_code": code, "error_type": "X", "error_message": word}
    shapes: Mapping[str, list[tuple[Any, int]]] = {
        "Kite": [({"status": "error", "message": word, "data": None, "error_type": code}, 403)],
        "Upstox": [
            ({"status": "error", "errors": [camel]}, 400),
            ({"status": "error", "errors": [snake]}, 401),
            ({"status": "error", "errors": [camel | snake]}, 400),
        ],
        "Dhan": [
            ({"errorType": "X", "errorCode": code, "errorMessage": word}, 400),
            ({"status": "failure", "remarks": remarks, "data": ""}, 200),
        ],
        "Breeze": [({"Success": None, "Status": int(code or 0), "Error": word}, 200)]
        if code.isdigit()
        else [],
    }
    return shapes[dialect.broker]


CODES = [(dialect, code) for dialect in DIALECTS for code in dialect.refusals]
WORDS = [(dialect, piece) for dialect in DIALECTS for piece in dialect.words]
PROMISED = {
    "Kite": "TokenException UserException InputException NetworkException DataException"
    " OrderException GeneralException",
    "Upstox": "UDAPI100050 UDAPI100057 UDAPI100060 UDAPI100068 UDAPI100069 UDAPI100070 UDAPI100072"
    " UDAPI10005 UDAPI1123 UDAPI1124 UDAPI1155 UDAPI1157",
    "Dhan": " ".join(f"DH-9{n:02}" for n in range(1, 12))
    + " 800 "
    + " ".join(map(str, range(804, 815))),
}


@pytest.mark.parametrize(("dialect", "code"), CODES, ids=lambda value: str(value)[:12])
def test_a_code_has_its_own_sentence(dialect: Dialect, code: str) -> None:
    shapes = bodies(dialect, code)
    assert shapes
    for body, status in shapes:
        said = refused(dialect, reply(body, status))
        assert str(said).startswith(dialect.refusals[code].sentence.format(broker=dialect.broker))
        assert said.broker_code == code
        assert said.reason is (dialect.refusals[code].reason or EXCHANGE)


def test_no_two_codes_share_a_sentence() -> None:
    sentences = [
        refusal.sentence.format(broker=dialect.broker)
        for dialect in DIALECTS
        for refusal in (*dialect.refusals.values(), *dialect.words.values(), *STATUSES.values())
    ]
    assert len(set(sentences)) == len(sentences)
    assert all(s.endswith(".") and "{" not in s for s in sentences)


@pytest.mark.parametrize("dialect", DIALECTS[:3], ids=lambda dialect: dialect.broker)
def test_every_documented_code_is_known(dialect: Dialect) -> None:
    assert set(PROMISED[dialect.broker].split()) <= set(dialect.refusals)


@pytest.mark.parametrize(
    ("dialect", "body", "status", "reason"),
    [
        (kite.DIALECT, {"status": "error", "error_type": "NetworkException"}, 429, RATE),
        (kite.DIALECT, {"status": "error", "error_type": "NetworkException"}, 503, NETWORK),
        (kite.DIALECT, {"status": "error", "error_type": "TokenException"}, 403, EXCHANGE),
        (kite.DIALECT, {"status": "error", "message": "Too many requests"}, 400, RATE),
        (upstox.DIALECT, {"status": "error", "errors": []}, 429, RATE),
        (dhan.DIALECT, {"status": "error", "message": "Invalid TOTP"}, 200, KEYS),
        (dhan.DIALECT, {"status": "error", "message": "Invalid Pin"}, 200, KEYS),
        (
            dhan.DIALECT,
            {"status": "error", "message": "Token can be generated once every 2 minutes."},
            200,
            RATE,
        ),
        (
            breeze.DIALECT,
            {"Success": None, "Status": 500, "Error": "Limit exceed: API call per minute:"},
            200,
            RATE,
        ),
        (
            breeze.DIALECT,
            {"Success": None, "Status": 500, "Error": "Session key is expired."},
            200,
            EXCHANGE,
        ),
        (
            breeze.DIALECT,
            {"Success": None, "Status": 500, "Error": "Resource not available."},
            200,
            NETWORK,
        ),
        (openalgo.DIALECT, {"status": "error", "message": "Invalid openalgo apikey"}, 403, KEYS),
        (
            openalgo.DIALECT,
            {"status": "error", "message": {"apikey": ["Missing data for required field."]}},
            400,
            KEYS,
        ),
        (
            openalgo.DIALECT,
            {"status": "error", "message": "Rate limit exceeded. Please try again later."},
            429,
            RATE,
        ),
    ],
)
def test_a_no_has_its_reason(
    dialect: Dialect, body: Any, status: int, reason: LoginFailure
) -> None:
    assert refused(dialect, reply(body, status)).reason is reason


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.broker)
@pytest.mark.parametrize("status", STATUSES)
def test_a_page_with_a_status_speaks_by_its_status(dialect: Dialect, status: int) -> None:
    said = refused(dialect, reply("<html>sorry</html>", status))
    assert str(said) == STATUSES[status].sentence.format(broker=dialect.broker)
    assert said.broker_code == f"HTTP {status}"
    assert (said.reason is RATE) == (status == 429)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.broker)
@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ("<html>be right back</html>", 200, "no JSON"),
        ("", 200, "nothing at all"),
        ('{"status": "succ', 200, "no JSON"),
        ("", 302, "redirect"),
        ("<html></html>", 418, "no JSON"),
        (["success"], 200, "shape"),
        (12, 200, "shape"),
        (None, 200, "shape"),
    ],
)
def test_nonsense_has_a_sentence_too(
    dialect: Dialect, body: Any, status: int, expected: str
) -> None:
    said = refused(dialect, reply(body, status))
    assert expected in str(said)
    assert said.reason is EXCHANGE


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.broker)
def test_an_unknown_code_keeps_the_brokers_word(dialect: Dialect) -> None:
    code = "999" if dialect is breeze.DIALECT else "NEW-CODE-1"
    if dialect is openalgo.DIALECT:
        said = refused(dialect, reply({"status": "error", "message": "the moon is wrong"}))
        assert said.broker_code == "the moon is wrong"
    else:
        body, _ = bodies(dialect, code, "the moon is wrong")[0]
        said = refused(dialect, reply(body, 200))
        assert said.broker_code == code
    assert "the moon is wrong" in str(said)
    assert said.reason is EXCHANGE


@pytest.mark.parametrize(
    ("dialect", "code", "reason"),
    [
        (kite.DIALECT, "TokenException", VERIFY),
        (kite.DIALECT, "NetworkException", NETWORK),
        (upstox.DIALECT, "UDAPI100050", VERIFY),
        (upstox.DIALECT, "UDAPI100069", VERIFY),
        (upstox.DIALECT, "UDAPI10005", RATE),
        (dhan.DIALECT, "DH-901", VERIFY),
        (dhan.DIALECT, "DH-904", RATE),
        (dhan.DIALECT, "DH-911", VERIFY),
    ],
)
def test_a_check_that_the_broker_refuses_says_that_the_check_failed(
    dialect: Dialect, code: str, reason: LoginFailure
) -> None:
    body, status = bodies(dialect, code)[0]
    assert refused(dialect, reply(body, status), VERIFY).reason is reason


def test_what_the_answer_repeats_of_the_request_is_not_shown() -> None:
    word = "Invalid pin 739154 for 739154; totp%2B1"
    body = {"status": "error", "message": word}
    with pytest.raises(LoginFailed) as failed:
        dhan.DIALECT.yes(reply(body), EXCHANGE, ("739154", "totp+1"))
    for shown in (str(failed.value), failed.value.broker_code):
        assert "739154" not in shown
        assert "totp%2B1" not in shown


FIELDS = (
    *("status", "errors", "message", "error_type", "errorCode", "remarks"),
    *("Status", "Success", "Error", "data"),
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.broker)
@given(body=ODD, status=st.integers(100, 599))
def test_whatever_is_answered_is_a_yes_or_a_bounded_no(
    dialect: Dialect, body: Any, status: int
) -> None:
    answer = Reply(status=status, text=json.dumps(body), is_json=True, json=body)
    said = LoginFailed("-", broker_code="-")
    try:
        assert isinstance(dialect.yes(answer, EXCHANGE), dict)
    except LoginFailed as no:
        said = no
    assert str(said)
    assert str(said).isprintable()
    assert len(str(said)) <= 250 + MAX_WORD_CHARS
    assert 0 < len(said.broker_code) <= MAX_CODE_CHARS
