"""An OpenAlgo host's list of holidays (`POST /api/v1/market/holidays`, of the year asked for)."""

from __future__ import annotations

from typing import Any

from bahi.brokers.wire import document_of_holidays


def market_days(answer: Any, *, complete: int | None = None) -> dict[str, Any]:
    """Turn the answer into a document for the calendar; `complete` is a year that it lists whole.

    The host names the year it answers for, which is no promise that its list is right: releases
    of it were seen with another year's hours, whose days become days of unknown hours here.
    """
    return document_of_holidays("OpenAlgo", answer, complete=complete)
