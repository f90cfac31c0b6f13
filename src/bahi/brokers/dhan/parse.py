"""Dhan's words: what an answer says, when its token dies, and what each code means."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bahi.brokers.wire import Dialect, Refusal, Said, belongs_to, line, part, token
from bahi.kernel.clock import IST
from bahi.kernel.ports import Grant, LoginFailed, Profile
from bahi.kernel.words import LoginFailure

LIVES: Final = timedelta(hours=24)
CREDENTIALS: Final = LoginFailure.INVALID_CREDENTIALS
TROUBLE: Final = LoginFailure.NETWORK_TIMEOUT
THROTTLE: Final = LoginFailure.RATE_LIMIT

REFUSALS: Final[Mapping[str, Refusal]] = {
    "DH-901": Refusal(
        "{broker} does not accept this client id or token, or it died; log in again."
    ),
    "DH-902": Refusal(
        "{broker} has not given this user the trading or data API; subscribe on Dhan's page.",
        CREDENTIALS,
    ),
    "DH-903": Refusal(
        "{broker} has not finished setting this account up; see which segments are active.",
        CREDENTIALS,
    ),
    "DH-904": Refusal(
        "{broker} was called more often than it allows; wait for the cooldown to end.", THROTTLE
    ),
    "DH-905": Refusal("{broker} misses a field or finds one wrong; check the registration."),
    "DH-906": Refusal("{broker} speaks of an order where a login was asked; try again."),
    "DH-907": Refusal("{broker} has no data for what was asked; check client id and keys."),
    "DH-908": Refusal("{broker} broke down over this request; try again.", TROUBLE),
    "DH-909": Refusal("{broker} lost its own back end; try again in a minute.", TROUBLE),
    "DH-910": Refusal(
        "{broker} refused for a reason that it has no name for.", LoginFailure.UNKNOWN
    ),
    "DH-911": Refusal(
        "{broker} does not take calls from this address; register the account's egress address"
        " with Dhan.",
        CREDENTIALS,
    ),
    "800": Refusal("{broker} has an error in its data service; try again.", TROUBLE),
    "804": Refusal("{broker} was asked for more instruments than it gives at once."),
    "805": Refusal(
        "{broker} counts too many requests or connections; wait for the cooldown to end.", THROTTLE
    ),
    "806": Refusal(
        "{broker} has no data subscription for this user; subscribe first.", CREDENTIALS
    ),
    "807": Refusal("{broker} says that this token's day is over; log in again."),
    "808": Refusal("{broker} could not tell who this is from client id and token; log in again."),
    "809": Refusal("{broker} does not recognise this token; log in again."),
    "810": Refusal("{broker} does not recognise this client id; check the account.", CREDENTIALS),
    "811": Refusal("{broker} finds an expiry date wrong, where none was sent."),
    "812": Refusal("{broker} finds a date badly written, where none was sent."),
    "813": Refusal("{broker} finds a security id wrong, where none was sent."),
    "814": Refusal("{broker} calls the request invalid and does not say where."),
}

WORDS: Final[Mapping[str, Refusal]] = {
    "once every": Refusal(
        "{broker} makes one token in two minutes; wait for the cooldown to end.", THROTTLE
    ),
    "totp": Refusal(
        "{broker} does not accept the TOTP code; check the TOTP secret and this machine's clock.",
        CREDENTIALS,
    ),
    "pin": Refusal("{broker} does not accept the PIN; enter it again.", CREDENTIALS),
    "consent": Refusal(
        "{broker} does not know this consent, or it was used; begin the login anew.",
        LoginFailure.CONSENT_FAILED,
    ),
}
"""Its login service gives no codes; a piece of what it says must do."""


def heard(answer: Mapping[str, Any]) -> Said | None:
    """Return the no in an answer; None for a yes. A no may come with status 200."""
    for place in (answer, part(answer, "remarks")):
        code = place.get("errorCode") or place.get("error_code") or ""
        word = place.get("errorMessage") or place.get("error_message") or ""
        if code or word:
            return Said(str(code), str(word))
    if str(answer.get("status", "success")).casefold() in ("success", "200"):
        return None
    return Said("", str(answer.get("message") or answer.get("remarks") or answer.get("status")))


DIALECT: Final = Dialect(broker="Dhan", heard=heard, refusals=REFUSALS, words=WORDS)


def grant(answer: Mapping[str, Any], expected_user: str, now: datetime) -> Grant:
    """Read a token; it dies when Dhan says, and after 24 hours where Dhan does not say."""
    step = LoginFailure.TOKEN_EXCHANGE_FAILED
    access = token("Dhan", answer, "accessToken", "token", step=step)
    expires_at = expiry(answer.get("expiryTime")) or now + LIVES
    if expires_at <= now:
        raise LoginFailed(
            f"Dhan gave a token that died at {answer.get('expiryTime')!s:.32} in India; check this"
            " machine's clock and log in again.",
            step,
            broker_code="dead on arrival",
        )
    return Grant(
        tokens={"access": access},
        expires_at=expires_at,
        broker_user_id=belongs_to(
            "Dhan", expected_user, str(answer.get("dhanClientId") or expected_user)
        ),
        broker_user_name=line(answer.get("dhanClientName")),
    )


def consent(answer: Mapping[str, Any]) -> str:
    """Read the consent that a person is to give on Dhan's page."""
    return token("Dhan", answer, "consentAppId", step=LoginFailure.CONSENT_FAILED)


def profile(answer: Mapping[str, Any], expected_user: str) -> Profile:
    """Read whose token it is."""
    return Profile(
        user_id=belongs_to("Dhan", expected_user, str(answer.get("dhanClientId") or "")),
        user_name=line(answer.get("dhanClientName")),
    )


def expiry(said: Any) -> datetime | None:
    """Read `2026-01-01T00:00:00`, which is Indian time and does not say so; None if it is none."""
    if not isinstance(said, str):
        return None
    with suppress(ValueError, OverflowError):
        read = datetime.fromisoformat(said)
        return (read if read.tzinfo else read.replace(tzinfo=IST)).astimezone(UTC)
    return None
