"""An OpenAlgo host's list of holidays of a year (`POST /api/v1/market/holidays`), and the hours of
a day (`POST /api/v1/market/timings`)."""

from __future__ import annotations

from datetime import date
from typing import Any

from bahi.brokers.wire import Request, document_of_holidays, document_of_timings


def asked(year: int, key: str) -> Request:
    """Return what to ask a host for the list of a year."""
    request = Request(
        operation="holidays", method="POST", path="/api/v1/market/holidays", secrets=(key,)
    )
    return request.with_json({"apikey": key, "year": year}, compact=True)


def market_days(answer: Any, *, complete: int | None = None) -> dict[str, Any]:
    """Turn the answer into a document for the calendar; `complete` is a year that it lists whole.

    The host names the year it answers for, which is no promise that its list is right: releases
    of it were seen with another year's hours, whose days become days of unknown hours here.
    """
    return document_of_holidays("OpenAlgo", answer, complete=complete)


def day_hours(answer: Any, day: date) -> dict[str, Any]:
    """Turn a host's hours of one day into a document for the calendar."""
    return document_of_timings("OpenAlgo", answer, day)
