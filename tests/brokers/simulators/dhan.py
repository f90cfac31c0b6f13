"""Dhan on loopback; its login service and its API listen at the same address here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pyotp

from bahi.kernel.clock import IST
from bahi.kernel.ports import Application
from tests.brokers.simulators.server import Answer, Asked, Route, Simulator


class DhanSimulator(Simulator):
    """One living token a client; consents and token ids are good for one use."""

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {
            ("POST", "/app/generate-consent"): self._consent,
            ("GET", "/login/consentApp-login"): self._page,
            ("GET", "/app/consumeApp-consent"): self._consume,
            ("POST", "/app/generateAccessToken"): self._generate,
            ("GET", "/v2/RenewToken"): self._renew,
            ("GET", "/v2/profile"): self._profile,
        }

    def throttled(self) -> Answer:
        message = "Token can be generated once every 2 minutes."
        return Answer(body={"status": "error", "message": message})

    def _consent(self, asked: Asked) -> Answer:
        application = self._app(asked)
        user = dict(asked.query).get("client_id")
        if application is None or user != application.broker_user_id:
            return _error(401, "DH-901", "Invalid Authentication")
        consent = self.hand_code(application.client_id)
        return Answer(
            body={
                "consentAppId": consent,
                "consentAppStatus": "GENERATED",
                "status": "success",
            }
        )

    def _page(self, asked: Asked) -> Answer:
        client_id = self.codes.pop(dict(asked.query).get("consentAppId", ""), None)
        if client_id is None:
            return Answer(status=400, body="<h1>This consent is not known</h1>")
        brought = {"tokenId": self.hand_code(client_id)}
        return Answer.redirect(self.applications[client_id].redirect_uri, brought)

    def _consume(self, asked: Asked) -> Answer:
        application = self._app(asked)
        owner = self.codes.pop(dict(asked.query).get("tokenId", ""), None)
        if application is None or owner != application.client_id:
            return Answer(status=400, body={"status": "error", "message": "Invalid consent"})
        return self._granted(application)

    def _generate(self, asked: Asked) -> Answer:
        query = dict(asked.query)
        application = self._of_user(query.get("dhanClientId", ""))
        if application is None or query.get("pin") != application.pin:
            return Answer(body={"status": "error", "message": "Invalid Pin"})
        if query.get("totp") != pyotp.TOTP(application.totp).at(self.clock()):
            return Answer(body={"status": "error", "message": "Invalid TOTP"})
        return self._granted(application)

    def _renew(self, asked: Asked) -> Answer:
        application = self._whose(asked)
        if application is None:
            return _error(401, "DH-901", "Invalid Authentication")
        self.end(asked.header("access-token"))
        return self._granted(application)

    def _profile(self, asked: Asked) -> Answer:
        application = self._whose(asked)
        if application is None:
            return _error(401, "DH-901", "Invalid Authentication")
        return Answer(
            body={"dhanClientId": application.broker_user_id, "tokenValidity": "30/03/2025 15:37"}
        )

    def _granted(self, application: Application) -> Answer:
        for token in [t for t, c in self.tokens.items() if c == application.client_id]:
            self.end(token)
        dies = (self.clock() + timedelta(hours=24)).astimezone(IST).replace(tzinfo=None)
        return Answer(
            body={
                "dhanClientId": application.broker_user_id,
                "dhanClientName": "A PERSON",
                "givenPowerOfAttorney": False,
                "accessToken": self.issue(application.client_id),
                "expiryTime": dies.isoformat(timespec="milliseconds"),
            }
        )

    def _app(self, asked: Asked) -> Application | None:
        application = self.applications.get(asked.header("app_id"))
        right = application and application.secret == asked.header("app_secret")
        return application if right else None

    def _of_user(self, user: str) -> Application | None:
        mine = (a for a in self.applications.values() if a.broker_user_id == user)
        return next(mine, None)

    def _whose(self, asked: Asked) -> Application | None:
        application = self.application_of(asked.header("access-token"))
        same = application and application.broker_user_id == asked.header("dhanClientId")
        return application if same else None


def _error(status: int, code: str, message: str) -> Answer:
    body = {"errorType": "Invalid_Authentication", "errorCode": code, "errorMessage": message}
    return Answer(status=status, body=body)
