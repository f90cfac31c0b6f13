"""How an account gets its token from Dhan: by a person's consent, by PIN and TOTP, by renewal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from bahi.brokers.dhan import parse
from bahi.brokers.wire import Request, Wires, required, secrets_of
from bahi.kernel.errors import Invalid
from bahi.kernel.ports import Application, Grant, LoginFailed, Profile
from bahi.kernel.totp import code_of, step_at
from bahi.kernel.words import LoginFailure

API: Final = "https://api.dhan.co"
AUTH: Final = "https://auth.dhan.co"
PAGE: Final = "/login/consentApp-login"
REGISTER: Final = "register the application with what Dhan's page shows."


class DhanLogin:
    """Fulfils Login for Dhan. Its redirect brings no state back: the page that began must know."""

    def __init__(self, wires: Wires, *, api: str = API, auth: str = AUTH) -> None:
        self._api = wires.to(api)
        self._auth = wires.to(auth)
        self._page = f"{auth}{PAGE}"

    def is_headless(self, application: Application) -> bool:
        """Say whether PIN and TOTP secret are there."""
        return bool(application.broker_user_id and application.pin and application.totp)

    async def begin(self, application: Application, state: str) -> str:
        """Have Dhan open a consent, and return the address at which a person gives it."""
        del state  # Dhan's page brings none back
        step = LoginFailure.CONSENT_FAILED
        required(
            {"user": application.broker_user_id, "key": application.client_id}
            | {"secret": application.secret},
            {"user": "Dhan client id", "key": "API key", "secret": "API secret"},
            step,
            REGISTER,
        )
        asked = Request(
            operation="login.generate_consent",
            method="POST",
            path="/app/generate-consent",
            query=(("client_id", application.broker_user_id),),
            headers=_of_app(application),
            secrets=secrets_of(application),
        )
        said = await parse.DIALECT.ask(self._auth, asked, step)
        return f"{self._page}?{urlencode({'consentAppId': parse.consent(said)})}"

    async def complete(
        self, application: Application, answer: Mapping[str, str], now: datetime
    ) -> Grant:
        """Exchange the token id of the redirect."""
        given = answer.get("tokenId", "")
        if not given:
            raise LoginFailed(
                "Dhan's page sent the person back without a token id: the consent was not given;"
                " log in again.",
                LoginFailure.CONSENT_FAILED,
                broker_code="no tokenId",
            )
        step = LoginFailure.TOKEN_EXCHANGE_FAILED
        keys = {"key": application.client_id, "secret": application.secret}
        required(keys, {"key": "API key", "secret": "API secret"}, step, REGISTER)
        asked = Request(
            operation="login.consume_consent",
            method="GET",
            path="/app/consumeApp-consent",
            query=(("tokenId", given),),
            headers=_of_app(application),
            secrets=secrets_of(application, given),
        )
        said = await parse.DIALECT.ask(self._auth, asked, step)
        return parse.grant(said, application.broker_user_id, now)

    async def log_in(self, application: Application, now: datetime) -> Grant:
        """Make a token with the PIN and the TOTP code of this half minute."""
        step = LoginFailure.INVALID_CREDENTIALS
        required(
            {"user": application.broker_user_id, "pin": application.pin}
            | {"totp": application.totp},
            {"user": "Dhan client id", "pin": "PIN", "totp": "TOTP secret"},
            step,
            "enter it, or log in on Dhan's page.",
        )
        code = totp_code(application.totp, now)
        asked = Request(
            operation="login.generate_token",
            method="POST",
            path="/app/generateAccessToken",
            query=(
                ("dhanClientId", application.broker_user_id),
                ("pin", application.pin),
                ("totp", code),
            ),
            secrets=secrets_of(application, code),
        )
        said = await parse.DIALECT.ask(self._auth, asked, LoginFailure.TOKEN_EXCHANGE_FAILED)
        return parse.grant(said, application.broker_user_id, now)

    async def ask(self, application: Application, now: datetime) -> datetime | None:
        """Return None: nobody is asked but by a link."""
        del application, now
        return None

    async def renew(
        self, application: Application, tokens: Mapping[str, str], now: datetime
    ) -> Grant | None:
        """Exchange a living token for one of a further day; the old one dies."""
        asked = self._of_token("login.renew", "/v2/RenewToken", application, tokens)
        said = await parse.DIALECT.ask(self._api, asked, LoginFailure.TOKEN_EXCHANGE_FAILED)
        return parse.grant(said, application.broker_user_id, now)

    async def verify(self, application: Application, tokens: Mapping[str, str]) -> Profile:
        """Ask for the profile."""
        asked = self._of_token("user.profile", "/v2/profile", application, tokens)
        said = await parse.DIALECT.ask(self._api, asked, LoginFailure.PROFILE_VERIFICATION_FAILED)
        return parse.profile(said, application.broker_user_id)

    async def revoke(self, application: Application, tokens: Mapping[str, str]) -> None:
        """Do nothing: Dhan has no way; its token dies with the day, or with the next one made."""

    def _of_token(
        self, operation: str, path: str, application: Application, tokens: Mapping[str, str]
    ) -> Request:
        access = tokens.get("access", "")
        return Request(
            operation=operation,
            method="GET",
            path=path,
            headers={"access-token": access, "dhanClientId": application.broker_user_id},
            secrets=secrets_of(application, access),
        )


def totp_code(secret: str, now: datetime) -> str:
    """Return the six digits of this half minute."""
    try:
        return code_of(secret, step_at(now))
    except Invalid:
        raise LoginFailed(
            "The TOTP secret is no base32 text; enter the one that Dhan showed beside its QR code.",
            LoginFailure.INVALID_CREDENTIALS,
        ) from None


def _of_app(application: Application) -> Mapping[str, str]:
    return {"app_id": application.client_id, "app_secret": application.secret}
