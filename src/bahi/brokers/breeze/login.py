"""How an application gets its session from Breeze: a person logs in, the API session is exchanged.

Breeze wants a JSON body with GET too, written without spaces, since its signature covers the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from bahi.brokers.breeze import parse
from bahi.brokers.wire import ByHand, Request, Wires, required, secrets_of
from bahi.kernel.ports import Application, Grant, LoginFailed, Profile
from bahi.kernel.words import LoginFailure

API: Final = "https://api.icicidirect.com"
PAGE: Final = "/apiuser/login"
SERVICE: Final = "/breezeapi/api/v1"
BROUGHT: Final = ("apisession", "api_session")


class BreezeLogin(ByHand):
    """Fulfils Login for Breeze. Its redirect brings no state back: who began must know."""

    BROKER = "Breeze"

    def __init__(
        self, wires: Wires, *, api: str = API, dies: parse.Dies = parse.Dies.EARLIER
    ) -> None:
        self._wire = wires.to(api)
        self._clock = wires.clock
        self._page = f"{api}{PAGE}"
        self._dies = dies

    async def begin(self, application: Application, state: str) -> str:
        """Return the address of ICICI's page; an app key has characters that must be escaped."""
        del state  # ICICI's page brings none back
        _registered(application, LoginFailure.CONSENT_FAILED)
        return f"{self._page}?{urlencode({'api_key': application.client_id})}"

    async def complete(
        self, application: Application, answer: Mapping[str, str], now: datetime
    ) -> Grant:
        """Exchange the API session; Breeze writes its name in more than one case."""
        given = next((v for k, v in answer.items() if k.casefold() in BROUGHT and v), "")
        if not given:
            raise LoginFailed(
                "ICICI's page sent the person back without an API session: the login was not"
                " finished; log in again.",
                LoginFailure.CONSENT_FAILED,
                broker_code="no API_Session",
            )
        step = LoginFailure.TOKEN_EXCHANGE_FAILED
        _registered(application, step)
        asked = Request(
            operation="customer.details",
            method="GET",
            path=f"{SERVICE}/customerdetails",
            secrets=secrets_of(application, given),
        ).with_json({"SessionToken": given, "AppKey": application.client_id}, compact=True)
        said = await parse.DIALECT.ask(self._wire, asked, step)
        rule = application.expiry_rule
        dies = parse.Dies(rule) if rule else self._dies
        return parse.grant(said, application.broker_user_id, now, dies)

    async def verify(self, application: Application, tokens: Mapping[str, str]) -> Profile:
        """Make a signed call: Breeze takes the signature only while the session lives."""
        session = tokens.get("session", "")
        asked = Request(
            operation="funds",
            method="GET",
            path=f"{SERVICE}/funds",
            secrets=secrets_of(application, session),
        ).with_json({}, compact=True)
        signed = self._signed(asked, application, session)
        await parse.DIALECT.ask(self._wire, signed, LoginFailure.PROFILE_VERIFICATION_FAILED)
        return Profile(user_id=parse.whose(session, application.broker_user_id))

    async def revoke(self, application: Application, tokens: Mapping[str, str]) -> None:
        """Do nothing: Breeze has no way; its session dies with the day."""

    def _signed(self, asked: Request, application: Application, session: str) -> Request:
        at = parse.timestamp(self._clock())
        proof = parse.checksum(at, asked.body or b"", application.secret)
        return replace(
            asked,
            headers={
                **asked.headers,
                "X-Checksum": f"token {proof}",
                "X-Timestamp": at,
                "X-AppKey": application.client_id,
                "X-SessionToken": session,
            },
            secrets=(*asked.secrets, proof),
        )


def _registered(application: Application, step: LoginFailure) -> None:
    required(
        {"key": application.client_id, "secret": application.secret},
        {"key": "app key", "secret": "secret key"},
        step,
        "register the application with what ICICI's API page shows.",
    )
