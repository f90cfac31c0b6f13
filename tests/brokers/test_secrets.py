"""Canary secrets through every login, good and bad: in no exception, record or log."""

from __future__ import annotations

import asyncio
import base64
import logging
import traceback
from urllib.parse import quote, quote_plus

import pytest

from bahi.kernel.errors import BahiError
from bahi.kernel.ports import Grant, LoginFailed
from bahi.kernel.words import BrokerSlug
from tests.brokers.desks import (
    BROKERS,
    NOW,
    PIN,
    SECRET,
    STATE,
    TOTP,
    Desk,
    a_desk,
    code_at,
)
from tests.brokers.simulators import Answer, Behaviour, person_logs_in

MANNERS = (None, *Behaviour)
ODD_SECRET = f"{SECRET}/+&="
WAITS = (Behaviour.HANG, Behaviour.LATE)


class Told:
    """Everything that anybody could read of a login."""

    def __init__(self) -> None:
        self.secrets: set[str] = {PIN, TOTP}
        self.texts: list[str] = []
        self.refused = 0

    def failed(self, error: BaseException) -> None:
        """Keep all that an exception shows, and all that it carries along."""
        self.refused += 1
        self.texts += [str(error), repr(error), *traceback.format_exception(error)]
        assert error.__cause__ is None
        while error.__context__ is not None:
            error = error.__context__
            assert isinstance(error, BahiError)  # httpx's own would hold the request
            self.texts += [str(error), repr(vars(error))]

    def leaked(self) -> list[str]:
        """Return the texts in which a secret stands, in any spelling."""
        forms = set()
        for secret in filter(None, self.secrets):
            coded = base64.b64encode(secret.encode()).decode().rstrip("=")
            forms |= {secret, quote(secret, safe=""), quote_plus(secret), coded, repr(secret)[1:-1]}
        return [text for text in self.texts if any(form in text for form in forms)]


async def whole_life(desk: Desk, told: Told, how: Behaviour | Answer | None) -> None:
    """Log in well, then do everything that a login can do while the broker misbehaves."""
    good = await desk.come_in()
    codes = [person_logs_in(await address_of(desk)) for _ in range(2)] if by_hand(desk) else [{}]
    told.secrets |= set(good.tokens.values()) | set(desk.simulator.codes)
    if isinstance(how, Answer):
        desk.simulator.answer(how)
    elif how is not None:
        desk.simulator.behave(how)
    login = desk.hasty if how in WAITS else desk.login
    steps = [
        login.complete(desk.application, codes[0], NOW),
        login.log_in(desk.application, NOW),
        login.renew(desk.application, good.tokens, NOW),
        login.verify(desk.application, good.tokens),
        login.revoke(desk.application, good.tokens),
        login.begin(desk.application, STATE),
    ]
    for step in steps:
        try:
            result = await step
        except BahiError as error:
            told.failed(error)
        else:
            told.texts.append("" if isinstance(result, str) else repr(result))
            if isinstance(result, Grant):
                told.secrets |= set(result.tokens.values())


def by_hand(desk: Desk) -> bool:
    """Say whether a person can log in by a page that redirects."""
    return desk.broker is not BrokerSlug.OPENALGO


async def address_of(desk: Desk) -> str:
    """Begin a login."""
    return await desk.login.begin(desk.application, STATE)


def witness(
    broker: BrokerSlug, how: Behaviour | Answer | None, log: pytest.LogCaptureFixture
) -> Told:
    """Return all that could be read of a login's whole life."""
    told = Told()
    with (
        log.at_level(logging.DEBUG),
        a_desk(broker, secret=ODD_SECRET) as desk,
    ):
        told.secrets.add(desk.application.secret)
        asyncio.run(whole_life(desk, told, how))
        calls = desk.calls.all
    told.texts += [repr(call) for call in calls]
    told.texts += [log.text, *(repr(vars(record)) for record in log.records)]
    code = code_at(desk.clock)
    said = [f"{call.path}{call.request!r}{call.response!r}{call.failure}" for call in calls]
    assert not [text for text in said if code in text]
    assert calls
    return told


@pytest.mark.parametrize("broker", BROKERS)
@pytest.mark.parametrize("how", MANNERS)
def test_no_secret_is_told(
    how: Behaviour | None, broker: BrokerSlug, caplog: pytest.LogCaptureFixture
) -> None:
    told = witness(broker, how, caplog)
    assert told.leaked() == []


ECHO = {"status": "error", "Status": 500, "error_type": "InputException"}


@pytest.mark.parametrize("broker", BROKERS)
def test_a_broker_that_repeats_every_secret_is_not_repeated(
    broker: BrokerSlug, caplog: pytest.LogCaptureFixture
) -> None:
    all_of_it = f"bad {ODD_SECRET} {quote(ODD_SECRET, safe='')} {PIN} {TOTP}"
    body = ECHO | {"message": all_of_it, "Error": all_of_it, "Success": None}
    told = witness(broker, Answer(status=400, body=body), caplog)
    assert told.refused
    assert told.leaked() == []


def test_the_witness_would_see_a_leak() -> None:
    told = Told()
    told.failed(LoginFailed(f"the pin is {PIN}"))
    assert told.leaked()
