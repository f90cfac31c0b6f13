"""Kite's words: what proves the secret, what an answer says, what each refusal means."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, Final

from bahi.brokers.wire import Dialect, Refusal, Said, belongs_to, line, next_ist, part, token
from bahi.kernel.ports import Grant, Profile
from bahi.kernel.words import LoginFailure

DIES_AT: Final = time(6)
ENDED: Final = "TokenException"

REFUSALS: Final[Mapping[str, Refusal]] = {
    ENDED: Refusal(
        "{broker} no longer knows this session or request token: it died, was used, or was made"
        " with another API secret; log in again."
    ),
    "UserException": Refusal(
        "{broker} refuses this user's account; the user settles it with Zerodha.",
        LoginFailure.INVALID_CREDENTIALS,
    ),
    "TwoFAException": Refusal(
        "{broker} wants the second factor again; log in on Kite's own page.",
        LoginFailure.INVALID_CREDENTIALS,
    ),
    "PermissionException": Refusal(
        "{broker} does not let this application do that; check its subscription and the user.",
        LoginFailure.INVALID_CREDENTIALS,
    ),
    "InputException": Refusal(
        "{broker} finds a field missing or wrong; check the API key and the API secret.",
        LoginFailure.INVALID_CREDENTIALS,
    ),
    "OrderException": Refusal("{broker} speaks of an order where a login was asked; try again."),
    "MarginException": Refusal("{broker} speaks of money where a login was asked; try again."),
    "HoldingException": Refusal("{broker} speaks of holdings where a login was asked; try again."),
    "NetworkException": Refusal(
        "{broker} cannot reach its order system; try again in a minute.",
        LoginFailure.NETWORK_TIMEOUT,
    ),
    "DataException": Refusal(
        "{broker} did not understand its own back office; try again.",
        LoginFailure.NETWORK_TIMEOUT,
    ),
    "GeneralException": Refusal(
        "{broker} failed and does not say why; try again, then ask Zerodha.",
        LoginFailure.UNKNOWN,
    ),
}


def heard(answer: Mapping[str, Any]) -> Said | None:
    """Return the no in an answer; None for a yes."""
    if answer.get("status") == "success":
        return None
    return Said(str(answer.get("error_type") or ""), str(answer.get("message") or ""))


DIALECT: Final = Dialect(broker="Kite", heard=heard, refusals=REFUSALS)


def checksum(api_key: str, token_given: str, secret: str) -> str:
    """Return what shows Kite that we know the secret, without sending it."""
    return hashlib.sha256(f"{api_key}{token_given}{secret}".encode()).hexdigest()


def grant(answer: Mapping[str, Any], expected_user: str, now: datetime) -> Grant:
    """Read the tokens of a session; they die at 06:00, whenever they were made."""
    data = part(answer, "data")
    step = LoginFailure.TOKEN_EXCHANGE_FAILED
    tokens = {"access": token("Kite", data, "access_token", step=step)}
    if data.get("refresh_token"):
        tokens["refresh"] = token("Kite", data, "refresh_token", step=step)
    return Grant(
        tokens=tokens,
        expires_at=next_ist(now, DIES_AT),
        broker_user_id=belongs_to("Kite", expected_user, str(data.get("user_id") or "")),
        broker_user_name=line(data.get("user_name")),
        token_type="token",  # noqa: S106 - the word before it in the header
        metadata={"login_time": line(data.get("login_time"))},
    )


def profile(answer: Mapping[str, Any], expected_user: str) -> Profile:
    """Read whose token it is."""
    data = part(answer, "data")
    user = belongs_to("Kite", expected_user, str(data.get("user_id") or ""))
    return Profile(user_id=user, user_name=line(data.get("user_name")))
