"""An OpenAlgo host on loopback; an application's secret is its API key."""

from __future__ import annotations

from collections.abc import Mapping

from tests.brokers.simulators.server import Answer, Asked, Route, Simulator


class OpenAlgoSimulator(Simulator):
    """Knows the keys of its applications; take one out of `applications` to have it rotated."""

    def routes(self) -> Mapping[tuple[str, str], Route]:
        return {("POST", "/api/v1/funds"): self._funds}

    def throttled(self) -> Answer:
        message = "Rate limit exceeded. Please try again later."
        return Answer(status=429, body={"status": "error", "message": message})

    def _funds(self, asked: Asked) -> Answer:
        key = asked.json().get("apikey")
        if not key:
            missing = {"apikey": ["Missing data for required field."]}
            return Answer(status=400, body={"status": "error", "message": missing})
        known = {application.secret for application in self.applications.values()}
        if key not in known:
            return Answer(
                status=403, body={"status": "error", "message": "Invalid openalgo apikey"}
            )
        return Answer(body={"status": "success", "data": {"availablecash": "320.66"}})
