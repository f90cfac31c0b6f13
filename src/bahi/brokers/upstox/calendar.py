"""Upstox's list of holidays (`GET /v2/market/holidays`: the whole of this year, no token)."""

from __future__ import annotations

from typing import Any

from bahi.brokers.wire import Request, document_of_holidays


def asked() -> Request:
    """Return what to ask: it takes no token, and answers with this year."""
    return Request(
        operation="holidays",
        method="GET",
        path="/v2/market/holidays",
        headers={"Accept": "application/json"},
    )


def market_days(answer: Any, *, complete: int | None = None) -> dict[str, Any]:
    """Turn the answer into a document for the calendar; `complete` is a year that it lists whole.

    What is asked for one date tells nothing of the year: leave `complete` out.
    """
    return document_of_holidays("Upstox", answer, complete=complete)
