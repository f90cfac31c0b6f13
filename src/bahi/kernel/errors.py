"""Failures, each a class with one sentence and a code that never changes.

A door turns the class into its status and shows the sentence; programs compare the code.
"""

from __future__ import annotations


class BahiError(Exception):
    """Something went wrong."""

    code = "error"

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or (type(self).__doc__ or "").split("\n", 1)[0])


class Invalid(BahiError):
    """That value cannot be used."""

    code = "invalid"


class NotFound(BahiError):
    """There is no such thing."""

    code = "not_found"


class Conflict(BahiError):
    """Somebody else changed or took it first."""

    code = "conflict"


class Outdated(Conflict):
    """It has changed since you looked at it; look again, and then decide."""

    code = "outdated"


class Forbidden(BahiError):
    """You may not do that."""

    code = "forbidden"


class Unauthenticated(BahiError):
    """Who you are is not known here: give a valid API key, or sign in."""

    code = "unauthenticated"


class TooSoon(BahiError):
    """There were too many attempts; wait a while and try again."""

    code = "too_soon"

    def __init__(self, sentence: str = "", retry_after_s: int = 1) -> None:
        super().__init__(sentence)
        self.retry_after_s = max(1, retry_after_s)


class Misconfigured(BahiError):
    """A setting is missing or wrong."""

    code = "misconfigured"


class Busy(BahiError):
    """Too much is waiting already; nothing happened, try again shortly."""

    code = "busy"


class NotCommitted(BahiError):
    """The transaction did not happen."""

    code = "not_committed"


class InDoubt(BahiError):
    """The answer to COMMIT was lost: the transaction may or may not have happened."""

    code = "in_doubt"


class Unavailable(BahiError):
    """A service that is needed does not answer."""

    code = "unavailable"


class TooMuch(BahiError):
    """The answer is larger than its bound."""

    code = "too_much"


class ClockWrong(BahiError):
    """The machine's clock cannot be right."""

    code = "clock_wrong"


class KeyMissing(BahiError):
    """The key that sealed this secret is not in the keyring."""

    code = "key_missing"


class SealBroken(BahiError):
    """This secret was changed, or moved from the place it was sealed for."""

    code = "seal_broken"


class Rejected(BahiError):
    """The broker said no, definitely."""

    code = "rejected"


class NotSent(BahiError):
    """The broker was never reached: nothing was sent."""

    code = "not_sent"


class Silent(BahiError):
    """The broker gave no definite answer: it may or may not have happened."""

    code = "silent"
