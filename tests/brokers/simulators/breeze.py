"""Breeze on loopback."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from tests.brokers.simulators.server import Answer, Asked, Route, Simulator

SERVICE = "/breezeapi/api/v1"


class BreezeSimulator(Simulator):
    """Every answer comes with HTTP 200; the Status inside the body is what counts."""

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {
            ("GET", "/apiuser/login"): self._page,
            ("GET", f"{SERVICE}/customerdetails"): self._details,
            ("GET", f"{SERVICE}/funds"): self._funds,
        }

    def throttled(self) -> Answer:
        return _said(429, None, "Limit exceed: API call per minute:")

    def _page(self, asked: Asked) -> Answer:
        application = self.applications.get(dict(asked.query).get("api_key", ""))
        if application is None:
            return Answer(body="<p>Public Key does not exist</p>")
        brought = {"apisession": self.hand_code(application.client_id)}
        return Answer.redirect(application.redirect_uri, brought)

    def _details(self, asked: Asked) -> Answer:
        said = asked.json()
        application = self.applications.get(said.get("AppKey", ""))
        if application is None:
            return _said(401, None, "Public Key does not exist.")
        if self.codes.pop(said.get("SessionToken", ""), None) != application.client_id:
            return _said(500, None, "Session key is expired.")
        key = f"{application.broker_user_id}:{secrets.randbelow(10**8):08d}"
        session = self.issue(application.client_id, base64.b64encode(key.encode()).decode())
        details = {
            "idirect_userid": application.broker_user_id,
            "idirect_user_name": "A PERSON",
            "session_token": session,
        }
        return _said(200, details, None)

    def _funds(self, asked: Asked) -> Answer:
        application = self.application_of(asked.header("X-SessionToken"))
        if application is None or asked.header("X-AppKey") != application.client_id:
            return _said(401, None, "Session key is expired.")
        signed = asked.header("X-Timestamp").encode() + asked.body + application.secret.encode()
        if asked.header("X-Checksum") != f"token {hashlib.sha256(signed).hexdigest()}":
            return _said(403, None, "Invalid checksum.")
        return _said(200, {"total_bank_balance": 1000.5}, None)


def _said(status: int, success: Any, error: str | None) -> Answer:
    return Answer(body={"Success": success, "Status": status, "Error": error})
