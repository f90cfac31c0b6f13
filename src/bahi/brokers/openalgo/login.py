"""How an account gets its token from an OpenAlgo host: the API key that its page shows is it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bahi.brokers.openalgo import parse
from bahi.brokers.wire import Request, Wire, Wires, is_token, required, secrets_of
from bahi.kernel.errors import Invalid
from bahi.kernel.ports import Application, Grant, LoginFailed, Profile
from bahi.kernel.words import LoginFailure

KEY_PAGE: Final = "/apikey"


class OpenAlgoLogin:
    """Fulfils Login for any OpenAlgo host; the host is the application's own."""

    def __init__(self, wires: Wires) -> None:
        self._wires = wires

    def is_headless(self, application: Application) -> bool:
        """Say whether the key is there."""
        return bool(application.host and application.secret)

    async def begin(self, application: Application, state: str) -> str:
        """Return the page of the host that shows its API key."""
        del state  # a key is copied by hand
        self._to(application, LoginFailure.CONSENT_FAILED)
        return application.host.strip().rstrip("/") + KEY_PAGE

    async def complete(
        self, application: Application, answer: Mapping[str, str], now: datetime
    ) -> Grant:
        """Take the key that a person copied, once the host has accepted it."""
        del now  # a key lives until it is rotated
        return await self._granted(application, answer.get("apikey", ""))

    async def log_in(self, application: Application, now: datetime) -> Grant:
        """Take the key that is registered, once the host has accepted it."""
        del now
        return await self._granted(application, application.secret)

    async def ask(self, application: Application, now: datetime) -> datetime | None:
        """Return None: nobody is asked but by a link."""
        del application, now
        return None

    async def renew(
        self, application: Application, tokens: Mapping[str, str], now: datetime
    ) -> Grant | None:
        """Return None: a key lives until it is rotated."""
        del application, tokens, now
        return None

    async def verify(self, application: Application, tokens: Mapping[str, str]) -> Profile:
        """Ask for the funds: that takes the key and the host's own session at its broker."""
        await self._funds(
            application, tokens.get("access", ""), LoginFailure.PROFILE_VERIFICATION_FAILED
        )
        return Profile(user_id=application.broker_user_id)

    async def revoke(self, application: Application, tokens: Mapping[str, str]) -> None:
        """Do nothing: a key ends when its owner rotates it on the host."""

    async def _granted(self, application: Application, given: str) -> Grant:
        key = given.strip()
        await self._funds(application, key, LoginFailure.TOKEN_EXCHANGE_FAILED)
        return Grant(
            tokens={"access": key},
            expires_at=None,
            broker_user_id=application.broker_user_id,
            token_type="apikey",  # noqa: S106 - the field that carries it
        )

    async def _funds(self, application: Application, key: str, step: LoginFailure) -> None:
        required({"key": key}, {"key": "API key"}, step, "copy the one that the host's page shows.")
        if not is_token(key):
            raise LoginFailed(
                "That is no API key: it holds a space or a character that none has; copy it again.",
                LoginFailure.INVALID_CREDENTIALS,
            )
        asked = Request(
            operation="funds",
            method="POST",
            path="/api/v1/funds",
            secrets=secrets_of(application, key),
        )
        wire = self._to(application, step)
        await parse.DIALECT.ask(wire, asked.with_json({"apikey": key}, compact=True), step)

    def _to(self, application: Application, step: LoginFailure) -> Wire:
        try:
            return self._wires.to(application.host)
        except Invalid as wrong:
            raise LoginFailed(f"{wrong} Set the account's host.", step) from None
