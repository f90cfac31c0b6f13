"""Kite on loopback."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl

from tests.brokers.simulators.server import Answer, Asked, Route, Simulator


class KiteSimulator(Simulator):
    """Its page hands out request tokens; its API wants checksums and `X-Kite-Version`."""

    refreshes = False
    """Whether it gives refresh tokens, as Kite does to approved applications alone."""

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {
            ("GET", "/connect/login"): self._page,
            ("POST", "/session/token"): self._session,
            ("POST", "/session/refresh_token"): self._refresh,
            ("GET", "/user/profile"): self._profile,
            ("DELETE", "/session/token"): self._logout,
        }

    def throttled(self) -> Answer:
        return _error(429, "NetworkException", "Too many requests")

    @property
    def page(self) -> str:
        """Where people log in."""
        return f"{self.url}/connect/login"

    def _page(self, asked: Asked) -> Answer:
        query = dict(asked.query)
        application = self.applications.get(query.get("api_key", ""))
        if application is None or query.get("v") != "3":
            return _error(400, "InputException", "Invalid `api_key`.")
        brought = {
            "action": "login",
            "status": "success",
            "request_token": self.hand_code(application.client_id),
            **dict(parse_qsl(query.get("redirect_params", ""))),
        }
        return Answer.redirect(application.redirect_uri or "https://desk.example/", brought)

    def _session(self, asked: Asked) -> Answer:
        return self._exchange(asked, "request_token")

    def _refresh(self, asked: Asked) -> Answer:
        return self._exchange(asked, "refresh_token")

    def _exchange(self, asked: Asked, name: str) -> Answer:
        form = asked.form()
        application = self.applications.get(form.get("api_key", ""))
        client_id = self.codes.pop(form.get(name, ""), None)
        if asked.header("X-Kite-Version") != "3" or application is None:
            return _error(400, "InputException", "Missing or empty field `api_key`")
        if client_id != application.client_id:
            return _error(403, "TokenException", "Token is invalid or has expired.")
        proof = f"{form['api_key']}{form[name]}{application.secret}"
        if form.get("checksum") != hashlib.sha256(proof.encode()).hexdigest():
            return _error(403, "TokenException", "Invalid `checksum`.")
        data = {
            "user_id": application.broker_user_id,
            "user_name": "A Person",
            "access_token": self.issue(application.client_id),
            "public_token": secrets.token_hex(16),
            "refresh_token": self.hand_code(application.client_id) if self.refreshes else "",
            "login_time": "2026-11-20 09:00:00",
        }
        return Answer(body={"status": "success", "data": data})

    def _token(self, asked: Asked) -> str:
        client_id, _, token = asked.header("Authorization").removeprefix("token ").partition(":")
        return token if client_id and self.tokens.get(token) == client_id else ""

    def _profile(self, asked: Asked) -> Answer:
        application = self.application_of(self._token(asked))
        if application is None:
            return _error(403, "TokenException", "Incorrect `api_key` or `access_token`.")
        data = {"user_id": application.broker_user_id, "user_name": "A Person"}
        return Answer(body={"status": "success", "data": data})

    def _logout(self, asked: Asked) -> Answer:
        token = dict(asked.query).get("access_token", "")
        if token not in self.tokens:
            return _error(403, "TokenException", "Invalid session.")
        self.end(token)
        return Answer(body={"status": "success", "data": True})


def _error(status: int, error_type: str, message: str) -> Answer:
    body = {"status": "error", "message": message, "data": None, "error_type": error_type}
    return Answer(status=status, body=body)
