"""How an application gets its token from Upstox: by a code, or by the user's approval."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from bahi.brokers.upstox import parse
from bahi.brokers.wire import ByHand, Request, Wires, line, required, secrets_of
from bahi.kernel.ports import Application, Grant, LoginFailed, Profile
from bahi.kernel.words import LoginFailure

API: Final = "https://api.upstox.com"
DIALOG: Final = "/v2/login/authorization/dialog"
MAX_ERROR_CHARS: Final = 64
JSON: Final = {"Accept": "application/json", "Content-Type": "application/json"}
VERSION_2: Final = {"Api-Version": "2.0", "Accept": "application/json"}


class UpstoxLogin(ByHand):
    """Fulfils Login for Upstox."""

    BROKER = "Upstox"

    def __init__(self, wires: Wires, *, api: str = API) -> None:
        self._wire = wires.to(api)
        self._api = api

    async def begin(self, application: Application, state: str) -> str:
        """Return the address of Upstox's dialog, which brings the state back."""
        _registered(application, LoginFailure.CONSENT_FAILED)
        asked = {
            "response_type": "code",
            "client_id": application.client_id,
            "redirect_uri": application.redirect_uri,
            "state": state,
        }
        return f"{self._api}{DIALOG}?{urlencode(asked)}"

    async def complete(
        self, application: Application, answer: Mapping[str, str], now: datetime
    ) -> Grant:
        """Exchange the code of a redirect, or take the token that the notifier was posted."""
        if answer.get("message_type") == parse.NOTIFIES:
            grant = parse.notified(answer, application, now)
            await self.verify(application, grant.tokens)  # anybody can post to the notifier
            return grant
        step = LoginFailure.TOKEN_EXCHANGE_FAILED
        _registered(application, step)
        code = answer.get("code", "")
        if not code and answer.get("error"):
            raise LoginFailed(
                "Upstox's dialog sent the person back with a refusal: the login was cancelled; log"
                " in again.",
                LoginFailure.CONSENT_FAILED,
                broker_code=line(answer.get("error"), MAX_ERROR_CHARS),
            )
        if not code:
            raise LoginFailed(
                "Upstox's dialog sent the person back without a code, which is how it slows down"
                " who logs in too often; wait for the cooldown to end.",
                LoginFailure.RATE_LIMIT,
                broker_code="no code",
            )
        asked = Request(
            operation="login.token",
            method="POST",
            path="/v2/login/authorization/token",
            headers=VERSION_2,
            secrets=secrets_of(application, code),
        ).with_form(
            {
                "code": code,
                "client_id": application.client_id,
                "client_secret": application.secret,
                "redirect_uri": application.redirect_uri,
                "grant_type": "authorization_code",
            }
        )
        said = await parse.DIALECT.ask(self._wire, asked, step)
        return parse.grant(said, application, now)

    async def ask(self, application: Application, now: datetime) -> datetime | None:
        """Have Upstox ask its user in the app; the token goes to the notifier address."""
        return (await self.request_approval(application, now)).expires_at

    async def request_approval(self, application: Application, now: datetime) -> parse.Approval:
        """Have Upstox ask its user in the app; the token goes to the notifier address."""
        required(
            {"client": application.client_id, "secret": application.secret},
            {"client": "client id", "secret": "client secret"},
            LoginFailure.CONSENT_FAILED,
            "register the application with what Upstox's developer page shows.",
        )
        asked = Request(
            operation="login.token_request",
            method="POST",
            path=f"/v3/login/auth/token/request/{quote(application.client_id, safe='')}",
            headers={"Accept": "application/json"},
            secrets=secrets_of(application),
        ).with_json({"client_secret": application.secret})
        said = await parse.DIALECT.ask(self._wire, asked, LoginFailure.CONSENT_FAILED)
        return parse.approval(said, now)

    async def verify(self, application: Application, tokens: Mapping[str, str]) -> Profile:
        """Ask for the profile."""
        access = tokens.get("access", "")
        asked = Request(
            operation="user.profile",
            method="GET",
            path="/v2/user/profile",
            headers={**VERSION_2, **JSON, "Authorization": f"Bearer {access}"},
            secrets=secrets_of(application, access),
        )
        said = await parse.DIALECT.ask(self._wire, asked, LoginFailure.PROFILE_VERIFICATION_FAILED)
        return parse.profile(said, application.broker_user_id)

    async def revoke(self, application: Application, tokens: Mapping[str, str]) -> None:
        """Log the token out; one that is dead already is as good as ended."""
        access = tokens.get("access", "")
        asked = Request(
            operation="login.logout",
            method="DELETE",
            path="/v2/logout",
            headers={**VERSION_2, "Authorization": f"Bearer {access}"},
            secrets=secrets_of(application, access),
        ).with_json({})
        await parse.DIALECT.end(self._wire, asked, parse.ENDED)


def _registered(application: Application, step: LoginFailure) -> None:
    required(
        {
            "client": application.client_id,
            "secret": application.secret,
            "redirect": application.redirect_uri,
        },
        {"client": "client id", "secret": "client secret", "redirect": "redirect address"},
        step,
        "register the app with what Upstox's developer page shows.",
    )
