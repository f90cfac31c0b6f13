"""The words of an OpenAlgo host: what an answer says, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bahi.brokers.wire import Dialect, Refusal, Said
from bahi.kernel.words import LoginFailure

CREDENTIALS: Final = LoginFailure.INVALID_CREDENTIALS

WORDS: Final[Mapping[str, Refusal]] = {
    "rate limit": Refusal(
        "{broker} counted too many calls with this key; wait for the cooldown to end.",
        LoginFailure.RATE_LIMIT,
    ),
    "apikey": Refusal(
        "{broker} does not know this API key, or it was rotated; copy the one that its page shows.",
        CREDENTIALS,
    ),
    "session expired": Refusal(
        "{broker} knows the key, and its own session at the broker is over; log in there."
    ),
    "broker": Refusal(
        "{broker} cannot use its own broker; log in to it there, and ask again.",
    ),
}
"""Pieces of its message; it gives no codes."""


def heard(answer: Mapping[str, Any]) -> Said | None:
    """Return the no in an answer; None for a yes. The message is a text, or a map of fields."""
    if answer.get("status") == "success":
        return None
    message = answer.get("message")
    if isinstance(message, Mapping):
        return Said("", "; ".join(f"{name}: {_line(what)}" for name, what in message.items()))
    return Said("", str(message or ""))


DIALECT: Final = Dialect(broker="The OpenAlgo host", heard=heard, words=WORDS)


def _line(what: Any) -> str:
    return ", ".join(str(item) for item in what) if isinstance(what, list) else str(what)
