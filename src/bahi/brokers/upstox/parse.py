"""Upstox's words: what an answer or its notifier says, and what each code means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final

from bahi.brokers.wire import Dialect, Refusal, Said, belongs_to, line, next_ist, part, token
from bahi.kernel.clock import from_micros
from bahi.kernel.errors import Invalid
from bahi.kernel.ports import Application, Grant, LoginFailed, Profile
from bahi.kernel.words import LoginFailure

DIES_AT: Final = time(3, 30)
ENDED: Final = "UDAPI100050"
NOTIFIES: Final = "access_token"
MAX_EPOCH_DIGITS: Final = 14

CREDENTIALS: Final = LoginFailure.INVALID_CREDENTIALS
CONSENT: Final = LoginFailure.CONSENT_FAILED

REFUSALS: Final[Mapping[str, Refusal]] = {
    "UDAPI10000": Refusal("{broker} does not know this request; this release may be out of date."),
    "UDAPI10005": Refusal(
        "{broker} counted too many requests; wait for the cooldown to end.",
        LoginFailure.RATE_LIMIT,
    ),
    "UDAPI100001": Refusal("{broker} wants a login before that; log in again.", CREDENTIALS),
    "UDAPI100015": Refusal("{broker} wants another version of its API; update this release."),
    "UDAPI100016": Refusal(
        "{broker} does not accept one of the credentials; check client id and secret.",
        CREDENTIALS,
    ),
    "UDAPI100036": Refusal("{broker} finds an input invalid; check how the app is registered."),
    "UDAPI100038": Refusal("{broker} cannot use what was passed to it; check the registration."),
    ENDED: Refusal("{broker} no longer accepts this token; log in again."),
    "UDAPI100057": Refusal(
        "{broker} does not accept this code: it was used once already, or is too old; log in again."
    ),
    "UDAPI100058": Refusal(
        "{broker} has no active segment for this user; the user reactivates the account first.",
        CREDENTIALS,
    ),
    "UDAPI100060": Refusal("{broker} finds no such resource; check the address and the client id."),
    "UDAPI100067": Refusal(
        "{broker} does not take the extended token for this; use the day's access token."
    ),
    "UDAPI100068": Refusal(
        "{broker} does not know this client id with this redirect address; compare both with the"
        " app on Upstox's developer page.",
        CREDENTIALS,
    ),
    "UDAPI100069": Refusal(
        "{broker} does not accept client id and client secret together; enter both again.",
        CREDENTIALS,
    ),
    "UDAPI100070": Refusal(
        "{broker} wants exactly the redirect address that the app was registered with.",
        CREDENTIALS,
    ),
    "UDAPI100072": Refusal(
        "{broker} keeps this service closed from midnight to 05:30; ask again after that.",
        LoginFailure.NETWORK_TIMEOUT,
    ),
    "UDAPI100073": Refusal(
        "{broker} has switched this client id off; ask Upstox to activate it.", CREDENTIALS
    ),
    "UDAPI100500": Refusal(
        "{broker} stumbled over itself; try again in a minute.", LoginFailure.NETWORK_TIMEOUT
    ),
    "UDAPI1123": Refusal(
        "{broker} does not know where to send the token: set the notifier address of the app.",
        CONSENT,
    ),
    "UDAPI1124": Refusal(
        "{broker} asks individual users alone for their approval, and this account is of another"
        " kind; log in by the code instead.",
        CONSENT,
    ),
    "UDAPI1155": Refusal(
        "{broker} is reviewing this app or has rejected it; see Upstox's developer page.", CONSENT
    ),
    "UDAPI1157": Refusal(
        "{broker} says that this app has expired; make a new one on its developer page.", CONSENT
    ),
}


def heard(answer: Mapping[str, Any]) -> Said | None:
    """Return the no in an answer; None for a yes. Both spellings of Upstox's fields are read."""
    errors = answer.get("errors")
    if answer.get("status", "success") == "success" and not errors:
        return None
    first = errors[0] if isinstance(errors, list) and errors else {}
    first = first if isinstance(first, Mapping) else {}
    code = first.get("errorCode") or first.get("error_code") or ""
    return Said(str(code), str(first.get("message") or ""))


DIALECT: Final = Dialect(broker="Upstox", heard=heard, refusals=REFUSALS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A request for a token that waits for its user in the Upstox app."""

    expires_at: datetime
    notifier_url: str


def grant(answer: Mapping[str, Any], application: Application, now: datetime) -> Grant:
    """Read the answer to a code; the token dies at 03:30, whenever it was made."""
    step = LoginFailure.TOKEN_EXCHANGE_FAILED
    user = belongs_to("Upstox", application.broker_user_id, str(answer.get("user_id") or ""))
    return Grant(
        tokens={"access": token("Upstox", answer, "access_token", step=step)},
        expires_at=next_ist(now, DIES_AT),
        broker_user_id=user,
        broker_user_name=line(answer.get("user_name")),
    )


def approval(answer: Mapping[str, Any], now: datetime) -> Approval:
    """Read the answer to a request for approval, which lapses at 03:30 at the latest."""
    data = part(answer, "data")
    lapses = next_ist(now, DIES_AT)
    said = _instant(data.get("authorization_expiry"))
    return Approval(
        expires_at=min(lapses, said) if said else lapses,
        notifier_url=str(data.get("notifier_url") or ""),
    )


def notified(payload: Mapping[str, Any], application: Application, now: datetime) -> Grant:
    """Read what Upstox posts to the notifier address once its user has approved.

    Nobody signs it and anybody can post it, so it counts for the application's own client and user
    alone; the caller asks Upstox whose token it is before it is used.
    """
    for name, ours in (
        ("client_id", application.client_id),
        ("user_id", application.broker_user_id),
    ):
        if not ours or str(payload.get(name) or "").casefold() != ours.casefold():
            raise LoginFailed(
                f"The notifier's {name} is not the one that this application is registered with;"
                " nothing was taken from it.",
                CONSENT,
                broker_code=f"another {name}",
            )
    if payload.get("message_type") != NOTIFIES:
        raise LoginFailed("The notifier brought no access token.", CONSENT)
    said, dies = _instant(payload.get("expires_at")), next_ist(now, DIES_AT)
    if said and said <= now:
        raise LoginFailed(
            "The notifier brought a token that is dead already; ask for a new one.", CONSENT
        )
    return Grant(
        tokens={"access": token("Upstox", payload, "access_token", step=CONSENT)},
        expires_at=min(said, dies) if said else dies,
        broker_user_id=application.broker_user_id,
        metadata={"issued_at": str(payload.get("issued_at") or "")[:MAX_EPOCH_DIGITS]},
    )


def profile(answer: Mapping[str, Any], expected_user: str) -> Profile:
    """Read whose token it is; a user whom Upstox calls inactive has none that is of use."""
    data = part(answer, "data")
    user = belongs_to("Upstox", expected_user, str(data.get("user_id") or ""))
    if data.get("is_active") is False:
        raise LoginFailed(
            f"Upstox calls the user {user} inactive; the user reactivates the account first.",
            LoginFailure.PROFILE_VERIFICATION_FAILED,
            broker_code="inactive",
        )
    return Profile(user_id=user, user_name=line(data.get("user_name")))


def _instant(said: Any) -> datetime | None:
    """Read milliseconds since 1970, as a number or as text; None for anything else."""
    digits = str(said) if isinstance(said, str | int) and not isinstance(said, bool) else ""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MAX_EPOCH_DIGITS):
        return None
    try:
        return from_micros(int(digits) * 1_000)
    except Invalid:
        return None
