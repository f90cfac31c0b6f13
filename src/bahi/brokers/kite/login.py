"""How an application gets its tokens from Kite: a person logs in there, then a checksum."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from bahi.brokers.kite import parse
from bahi.brokers.wire import ByHand, Request, Wires, required, secrets_of
from bahi.kernel.ports import Application, Grant, LoginFailed, Profile
from bahi.kernel.words import LoginFailure

API: Final = "https://api.kite.trade"
PAGE: Final = "https://kite.zerodha.com/connect/login"
VERSION: Final = {"X-Kite-Version": "3"}


class KiteLogin(ByHand):
    """Fulfils Login for Kite Connect."""

    BROKER = "Kite"

    def __init__(self, wires: Wires, *, api: str = API, page: str = PAGE) -> None:
        self._wire = wires.to(api)
        self._page = page

    async def begin(self, application: Application, state: str) -> str:
        """Return the address of Kite's page; Kite appends `redirect_params` to its redirect."""
        _registered(application, LoginFailure.CONSENT_FAILED)
        asked = {
            "v": "3",
            "api_key": application.client_id,
            "redirect_params": urlencode({"state": state}),
        }
        return f"{self._page}?{urlencode(asked)}"

    async def complete(
        self, application: Application, answer: Mapping[str, str], now: datetime
    ) -> Grant:
        """Exchange the request token, which can be used once."""
        step = LoginFailure.TOKEN_EXCHANGE_FAILED
        _registered(application, step)
        given = answer.get("request_token", "")
        if not given or answer.get("status", "success") != "success":
            raise LoginFailed(
                "Kite's page sent the person back without a request token: the login was"
                " cancelled or failed; log in again.",
                LoginFailure.CONSENT_FAILED,
                broker_code="no request_token",
            )
        asked = self._exchange(application, "/session/token", "request_token", given)
        said = await parse.DIALECT.ask(self._wire, asked, step)
        return parse.grant(said, application.broker_user_id, now)

    async def renew(
        self, application: Application, tokens: Mapping[str, str], now: datetime
    ) -> Grant | None:
        """Exchange the refresh token that Kite gives to approved applications alone."""
        if not tokens.get("refresh"):
            return None
        step = LoginFailure.TOKEN_EXCHANGE_FAILED
        _registered(application, step)
        asked = self._exchange(
            application,
            "/session/refresh_token",
            "refresh_token",
            tokens["refresh"],
            access=tokens.get("access", ""),
        )
        said = await parse.DIALECT.ask(self._wire, asked, step)
        return parse.grant(said, application.broker_user_id, now)

    async def verify(self, application: Application, tokens: Mapping[str, str]) -> Profile:
        """Ask for the profile."""
        access = tokens.get("access", "")
        asked = Request(
            operation="user.profile",
            method="GET",
            path="/user/profile",
            headers={**VERSION, **_authorization(application, access)},
            secrets=secrets_of(application, access),
        )
        said = await parse.DIALECT.ask(self._wire, asked, LoginFailure.PROFILE_VERIFICATION_FAILED)
        return parse.profile(said, application.broker_user_id)

    async def revoke(self, application: Application, tokens: Mapping[str, str]) -> None:
        """Log the session out; one that is dead already is as good as ended."""
        access = tokens.get("access", "")
        asked = Request(
            operation="session.invalidate",
            method="DELETE",
            path="/session/token",
            query=(("api_key", application.client_id), ("access_token", access)),
            headers={**VERSION, **_authorization(application, access)},
            secrets=secrets_of(application, access),
        )
        await parse.DIALECT.end(self._wire, asked, parse.ENDED)

    def _exchange(
        self, application: Application, path: str, name: str, given: str, access: str = ""
    ) -> Request:
        proof = parse.checksum(application.client_id, given, application.secret)
        return Request(
            operation=path.strip("/").replace("/", "."),
            method="POST",
            path=path,
            headers={**VERSION, **(_authorization(application, access) if access else {})},
            secrets=secrets_of(application, given, proof, access),
        ).with_form({"api_key": application.client_id, name: given, "checksum": proof})


def _authorization(application: Application, access: str) -> Mapping[str, str]:
    return {"Authorization": f"token {application.client_id}:{access}"}


def _registered(application: Application, step: LoginFailure) -> None:
    required(
        {"key": application.client_id, "secret": application.secret},
        {"key": "API key", "secret": "API secret"},
        step,
        "register the application with what Kite's developer page shows.",
    )
