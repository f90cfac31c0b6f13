"""Upstox on loopback."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bahi.kernel.clock import to_micros
from tests.brokers.simulators.server import Answer, Asked, Route, Simulator

REQUEST = "/v3/login/auth/token/request/"


class UpstoxSimulator(Simulator):
    """Its dialog hands out codes, each good for one exchange, whether that succeeds or fails."""

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {
            ("GET", "/v2/login/authorization/dialog"): self._dialog,
            ("POST", "/v2/login/authorization/token"): self._token,
            ("POST", f"{REQUEST}*"): self._ask_user,
            ("GET", "/v2/user/profile"): self._profile,
            ("DELETE", "/v2/logout"): self._logout,
        }

    def throttled(self) -> Answer:
        return _error(429, "UDAPI10005", "Too Many Request Sent")

    def approve(self, client_id: str) -> dict[str, str]:
        """Have the user approve in the app, and return what Upstox posts to the notifier."""
        now = self.clock()
        return {
            "client_id": client_id,
            "user_id": self.applications[client_id].broker_user_id,
            "access_token": self.issue(client_id),
            "token_type": "Bearer",
            "expires_at": str(to_micros(now + timedelta(hours=1)) // 1_000),
            "issued_at": str(to_micros(now) // 1_000),
            "message_type": "access_token",
        }

    def _dialog(self, asked: Asked) -> Answer:
        query = dict(asked.query)
        application = self.applications.get(query.get("client_id", ""))
        fits = application and application.redirect_uri == query.get("redirect_uri")
        if application is None or not fits or query.get("response_type") != "code":
            return _error(400, "UDAPI100068", "Check your 'client_id' and 'redirect_uri'")
        brought = {"code": self.hand_code(application.client_id)}
        if state := query.get("state"):
            brought["state"] = state
        return Answer.redirect(application.redirect_uri, brought)

    def _token(self, asked: Asked) -> Answer:
        form = asked.form()
        owner = self.codes.pop(form.get("code", ""), None)
        application = self.applications.get(form.get("client_id", ""))
        if application is None or form.get("client_secret") != application.secret:
            return _error(401, "UDAPI100069", "Check your 'client_id' and 'client_secret'")
        if form.get("redirect_uri") != application.redirect_uri:
            return _error(400, "UDAPI100070", "The 'redirect_uri' is invalid")
        if owner != application.client_id:
            return _error(400, "UDAPI100057", "Invalid Auth code")
        return Answer(
            body={
                "email": "a@person.example",
                "user_id": application.broker_user_id,
                "user_name": "A Person",
                "is_active": True,
                "access_token": self.issue(application.client_id),
                "extended_token": "extended-" + self.hand_code(application.client_id),
            }
        )

    def _ask_user(self, asked: Asked) -> Answer:
        application = self.applications.get(asked.path.removeprefix(REQUEST))
        if application is None or asked.json().get("client_secret") != application.secret:
            return _error(401, "UDAPI100069", "Check your 'client_id' and 'client_secret'")
        expiry = to_micros(self.clock() + timedelta(hours=2)) // 1_000
        data = {"authorization_expiry": str(expiry), "notifier_url": "https://desk.example/n"}
        return Answer(body={"status": "success", "data": data})

    def _profile(self, asked: Asked) -> Answer:
        application = self.application_of(_bearer(asked))
        if application is None:
            return _error(401, "UDAPI100050", "Invalid token used to access API")
        data = {
            "user_id": application.broker_user_id,
            "user_name": "A Person",
            "is_active": True,
        }
        return Answer(body={"status": "success", "data": data})

    def _logout(self, asked: Asked) -> Answer:
        if _bearer(asked) not in self.tokens:
            return _error(401, "UDAPI100050", "Invalid token used to access API")
        self.end(_bearer(asked))
        return Answer(body={"status": "success", "data": True})


def _bearer(asked: Asked) -> str:
    return asked.header("Authorization").removeprefix("Bearer ")


def _error(status: int, code: str, message: str) -> Answer:
    one = {"errorCode": code, "message": message, "propertyPath": None, "invalidValue": None}
    return Answer(status=status, body={"status": "error", "errors": [one]})
