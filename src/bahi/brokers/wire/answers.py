"""How a broker's no is heard: its code becomes a sentence of ours, a reason, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bahi.brokers.wire.http import Reply, Request, Wire
from bahi.brokers.wire.record import hide, spellings
from bahi.kernel.errors import NotSent, Silent
from bahi.kernel.ports import LoginFailed
from bahi.kernel.redaction import redact_text
from bahi.kernel.words import LoginFailure

MAX_WORD_CHARS: Final = 200
MAX_CODE_CHARS: Final = 64
MAX_NAME_CHARS: Final = 100
MAX_TOKEN_CHARS: Final = 8_192
TOO_MANY_REQUESTS: Final = 429


@dataclass(frozen=True, slots=True)
class Refusal:
    """What one of a broker's codes means here; without a reason it is that of the step."""

    sentence: str
    reason: LoginFailure | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A no, as the broker said it."""

    code: str = ""
    word: str = ""


STATUSES: Final[Mapping[int, Refusal]] = {
    400: Refusal("{broker} could not read the request; check what is registered for this account."),
    401: Refusal("{broker} does not know who asks; log in again."),
    403: Refusal("{broker} refuses the caller; check the keys, and that this address is allowed."),
    404: Refusal("{broker} has nothing at that address; check the host."),
    405: Refusal("{broker} does not take that kind of request; this release may be out of date."),
    410: Refusal("{broker} has removed what was asked for; this release may be out of date."),
    TOO_MANY_REQUESTS: Refusal(
        "{broker} was asked too often; wait for the cooldown to end.", LoginFailure.RATE_LIMIT
    ),
    500: Refusal(
        "{broker} failed inside; its word is no verdict on the keys, try again.",
        LoginFailure.NETWORK_TIMEOUT,
    ),
    502: Refusal(
        "{broker} cannot reach its own back office; try again.", LoginFailure.NETWORK_TIMEOUT
    ),
    503: Refusal(
        "{broker} is closed for the moment; try again later.", LoginFailure.NETWORK_TIMEOUT
    ),
    504: Refusal("{broker} waited too long for itself; try again.", LoginFailure.NETWORK_TIMEOUT),
}
"""What an HTTP status alone says, where the body says nothing we know."""

HASTE: Final = ("too many request", "rate limit", "limit exceeded", "access rate", "once every")
"""Words by which any broker says that it was asked too often."""

# A check of a token asks one thing; whatever is wrong with the keys answers it.
OF_THE_KEYS: Final = (
    LoginFailure.INVALID_CREDENTIALS,
    LoginFailure.TOKEN_EXCHANGE_FAILED,
    LoginFailure.CONSENT_FAILED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one broker says no: where its codes stand in an answer, and what each means.

    `heard` returns None for a yes. `refusals` are by code; `words` by a piece of what is said,
    for those who give no code, or (`words_first`) whose words tell more than their code.
    """

    broker: str
    heard: Callable[[Mapping[str, Any]], Said | None]
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    words: Mapping[str, Refusal] = field(default_factory=dict)
    words_first: bool = False

    async def ask(self, wire: Wire, request: Request, step: LoginFailure) -> Mapping[str, Any]:
        """Send a request and return the JSON object of a yes; anything else is a LoginFailed."""
        try:
            reply = await wire.send(request)
        except (NotSent, Silent) as lost:
            raise LoginFailed(
                f"{lost} Try again, with a fresh login where a code was used.",
                LoginFailure.NETWORK_TIMEOUT,
                broker_code=lost.code,
            ) from None
        return self.yes(reply, step, request.secrets)

    async def end(self, wire: Wire, request: Request, ended: str) -> None:
        """Have a session ended; one that is dead already, by the code for that, is as good."""
        try:
            await self.ask(wire, request, LoginFailure.UNKNOWN)
        except LoginFailed as refused:
            if refused.broker_code != ended:
                raise

    def yes(
        self, reply: Reply, step: LoginFailure, secrets: tuple[str, ...] = ()
    ) -> Mapping[str, Any]:
        """Return the object of a yes, or raise what the no means."""
        said = self.heard(reply.json) if isinstance(reply.json, dict) else None
        if isinstance(reply.json, dict) and said is None and 200 <= reply.status < 300:
            return reply.json
        refusal = self._refusal(reply, said or Said())
        hidden = spellings(secrets)
        word = line(redact_text(hide((said or Said()).word, hidden)), MAX_WORD_CHARS)
        code = line(hide((said or Said()).code, hidden), MAX_CODE_CHARS)
        sentence = refusal.sentence.format(broker=self.broker)
        reason = refusal.reason or step
        if step is LoginFailure.PROFILE_VERIFICATION_FAILED and reason in OF_THE_KEYS:
            reason = step
        raise LoginFailed(
            f"{sentence} {self.broker} said: {word}" if word else sentence,
            reason,
            broker_code=code or word[:MAX_CODE_CHARS] or f"HTTP {reply.status}",
        )

    def _refusal(self, reply: Reply, said: Said) -> Refusal:
        by_code, by_word = self.refusals.get(said.code), self._by_word(said)
        known = (by_word or by_code) if self.words_first else (by_code or by_word)
        if reply.status == TOO_MANY_REQUESTS and (
            known is None or known.reason is not LoginFailure.RATE_LIMIT
        ):
            return STATUSES[TOO_MANY_REQUESTS]
        return known or STATUSES.get(reply.status) or self._nonsense(reply, said)

    def _by_word(self, said: Said) -> Refusal | None:
        word = said.word.casefold()
        known = next((refusal for piece, refusal in self.words.items() if piece in word), None)
        if known is None and any(piece in word for piece in HASTE):
            return STATUSES[TOO_MANY_REQUESTS]
        return known

    def _nonsense(self, reply: Reply, said: Said) -> Refusal:
        if said.code or said.word:
            return Refusal("{broker} refused with a word that is not known here.")
        if 300 <= reply.status < 400:
            return Refusal(
                "{broker} answered with a redirect, which is never followed; check the host."
            )
        if not reply.text.strip():
            return Refusal("{broker} answered with nothing at all; try again.")
        if not reply.is_json:
            return Refusal("{broker} answered with something that is no JSON; check the host.")
        return Refusal("{broker} answered in a shape that is not known here; try again.")


def required(
    fields: Mapping[str, str], names: Mapping[str, str], step: LoginFailure, hint: str
) -> None:
    """Refuse, by name, what must be there for this step and is not."""
    missing = [shown for name, shown in names.items() if not fields.get(name)]
    if missing:
        raise LoginFailed(f"There is no {' and no '.join(missing)}: {hint}", step)


def part(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object that stands under a name; an empty one where none does."""
    found = answer.get(name)
    return found if isinstance(found, Mapping) else {}


def token(broker: str, answer: Mapping[str, Any], *names: str, step: LoginFailure) -> str:
    """Return the first of these fields that holds a token: text that can stand in a header."""
    for name in names:
        if is_token(found := answer.get(name)):
            return str(found)
    raise LoginFailed(
        f"{broker} said yes and gave no usable {names[0]}; log in again.",
        step,
        broker_code=f"no {names[0]}",
    )


def is_token(found: Any) -> bool:
    """Say whether this can be a token: short enough, and without a space or a line break."""
    return (
        isinstance(found, str)
        and 0 < len(found) <= MAX_TOKEN_CHARS
        and all("!" <= character <= "~" for character in found)
    )


def belongs_to(broker: str, expected: str, answered: str) -> str:
    """Return the user that a token belongs to; refuse one of another user than the account's."""
    user = line(answered, MAX_CODE_CHARS)
    if expected and user.casefold() != expected.casefold():
        raise LoginFailed(
            f"{broker} says that this token is of {user or 'nobody'}, and the account is"
            f" {expected}'s; log in as {expected}.",
            LoginFailure.PROFILE_VERIFICATION_FAILED,
            broker_code="another user",
        )
    return user


def line(said: Any, most: int = MAX_NAME_CHARS) -> str:
    """Return what a broker calls something as one line that can be shown and stored."""
    text = said if isinstance(said, str) else ""
    shown = "".join(c if c.isprintable() else " " for c in text[: most * 2])
    return " ".join(shown.split())[:most]
