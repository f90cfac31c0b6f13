"""Breeze's words: its signature, what an answer says, when a session dies, what a no means."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from bahi.brokers.wire import Dialect, Refusal, Said, belongs_to, line, next_ist, part, token
from bahi.kernel.clock import in_utc
from bahi.kernel.ports import Grant, LoginFailed
from bahi.kernel.words import LoginFailure

OK: Final = 200
MIDNIGHT: Final = time(0)
A_DAY: Final = timedelta(hours=24)
CREDENTIALS: Final = LoginFailure.INVALID_CREDENTIALS


class Dies(StrEnum):
    """When a session dies; ICICI states no rule, so a desk that knows better may choose."""

    EARLIER = "earlier"
    MIDNIGHT = "midnight"
    DAY = "24h"


WORDS: Final[Mapping[str, Refusal]] = {
    "limit exceed": Refusal(
        "{broker} allows a hundred calls in a minute, and that was more; wait for the cooldown.",
        LoginFailure.RATE_LIMIT,
    ),
    "public key": Refusal("{broker} does not know this app key; check it.", CREDENTIALS),
    "session key is expired": Refusal("{broker} says that this session is over; log in again."),
    "session": Refusal("{broker} does not accept this API session; log in again."),
    "checksum": Refusal(
        "{broker} does not accept the signature; check the secret and this machine's clock.",
        CREDENTIALS,
    ),
    "authenticat": Refusal(
        "{broker} cannot authenticate these keys; check app key and secret.", CREDENTIALS
    ),
    "retrieve customer details": Refusal(
        "{broker} cannot find its customer's details at the moment; try again later.",
        LoginFailure.NETWORK_TIMEOUT,
    ),
    "not available": Refusal(
        "{broker} says that this is not available, which it also says when it is overloaded; try"
        " again later.",
        LoginFailure.NETWORK_TIMEOUT,
    ),
}
"""Breeze gives no codes: a piece of its Error must do, the first that fits."""

REFUSALS: Final[Mapping[str, Refusal]] = {
    "400": Refusal("{broker} finds the request wrong; check app key and API session.", CREDENTIALS),
    "401": Refusal("{broker} does not accept who asks; log in again."),
    "403": Refusal("{broker} forbids this; check that the egress address is registered."),
    "404": Refusal("{broker} finds no such customer; check app key and API session."),
    "429": Refusal(
        "{broker} counts too many calls; wait for the cooldown to end.", LoginFailure.RATE_LIMIT
    ),
    "500": Refusal("{broker} failed at its end; log in again if it stays so."),
    "503": Refusal("{broker} is under maintenance; try again later.", LoginFailure.NETWORK_TIMEOUT),
}
"""The Status inside its body, where the Error says nothing that is known."""


def heard(answer: Mapping[str, Any]) -> Said | None:
    """Return the no in an answer; None for a yes. The body's Status judges, not HTTP's."""
    if answer.get("Status") == OK and answer.get("Success") is not None:
        return None
    return Said(str(answer.get("Status") or ""), str(answer.get("Error") or ""))


DIALECT: Final = Dialect(
    broker="Breeze", heard=heard, refusals=REFUSALS, words=WORDS, words_first=True
)


def timestamp(now: datetime) -> str:
    """Write an instant as the signature wants it: UTC, whole seconds."""
    return in_utc(now).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def checksum(at: str, body: bytes, secret: str) -> str:
    """Return the signature over the exact bytes of a body."""
    return hashlib.sha256(at.encode() + body + secret.encode()).hexdigest()


def expiry(now: datetime, rule: Dies) -> datetime:
    """Return when a session that is made now dies."""
    ends = {
        Dies.MIDNIGHT: next_ist(now, MIDNIGHT),
        Dies.DAY: in_utc(now).astimezone(UTC) + A_DAY,
    }
    return ends.get(rule) or min(ends.values())


def grant(answer: Mapping[str, Any], expected_user: str, now: datetime, rule: Dies) -> Grant:
    """Read the session: base64 of the user and of the key that signs."""
    details = part(answer, "Success")
    step = LoginFailure.TOKEN_EXCHANGE_FAILED
    session = token("Breeze", details, "session_token", step=step)
    said = str(details.get("idirect_userid") or "") or user_of(session)
    return Grant(
        tokens={"session": session},
        expires_at=expiry(now, rule),
        broker_user_id=belongs_to("Breeze", expected_user, said),
        broker_user_name=line(details.get("idirect_user_name")),
    )


def user_of(session: str) -> str:
    """Return the user whose name stands in a session token; nothing where none does."""
    try:
        user, colon, _key = base64.b64decode(session, validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        return ""
    return user if colon else ""


def whose(session: str, expected_user: str) -> str:
    """Return whose session it is, once Breeze has taken its signature."""
    user = user_of(session) or expected_user
    if not user:
        raise LoginFailed(
            "Breeze takes this session, and it names no user; set the account's user id.",
            LoginFailure.PROFILE_VERIFICATION_FAILED,
        )
    return belongs_to("Breeze", expected_user, user)
