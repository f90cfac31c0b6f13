"""Tries to get a token: why one failed, and what that means for what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bahi.kernel.words import LoginFailure

TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """What a failure means for what comes next."""

    retryable: bool = False
    quarantine: bool = False
    manual: bool = False
    advice: str = ""


RULES: Final[Mapping[LoginFailure, Rule]] = {
    LoginFailure.NETWORK_TIMEOUT: Rule(retryable=True, advice="It is tried again at once."),
    LoginFailure.BROWSER_CRASH: Rule(retryable=True, advice="It is tried again at once."),
    LoginFailure.INVALID_CREDENTIALS: Rule(
        quarantine=True,
        manual=True,
        advice="Correct the application's client id and secret, then run again.",
    ),
    LoginFailure.CAPTCHA: Rule(
        quarantine=True, manual=True, advice="A person has to log in; it is never bypassed."
    ),
    LoginFailure.RATE_LIMIT: Rule(
        quarantine=True, advice="The run goes on by itself after eleven minutes."
    ),
    LoginFailure.SELENIUM_DOM_CHANGE: Rule(manual=True, advice="A person has to log in."),
    LoginFailure.TOKEN_EXCHANGE_FAILED: Rule(
        manual=True, advice="Log in once more: what the broker handed out can be used only once."
    ),
    LoginFailure.PROFILE_VERIFICATION_FAILED: Rule(
        manual=True, advice="The broker does not know the new token; log in once more."
    ),
    LoginFailure.CONSENT_FAILED: Rule(
        manual=True, advice="Give the consent at the broker, then run again."
    ),
    LoginFailure.UNKNOWN: Rule(advice="Look at the broker's word, then run again."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to get one token."""

    id: int
    execution_id: str | None
    broker_api_id: int
    outcome: str
    reason: LoginFailure | None
    broker_code: str | None
    message: str | None
    started_at: datetime
    ended_at: datetime | None


def given_up(attempts: Sequence[Attempt]) -> bool:
    """Say whether an application is not tried again in this run."""
    failures = [a for a in attempts if a.outcome == "FAILED"]
    if not failures:
        return False
    newest = max(failures, key=lambda a: a.id)
    rule = RULES[newest.reason or LoginFailure.UNKNOWN]
    return not rule.retryable or len(failures) >= TRIES
