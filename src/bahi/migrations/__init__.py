"""The steps that bring each store to the present, and the list of every context's tables."""

from __future__ import annotations

from pathlib import Path

from bahi.accounts import tables as accounts
from bahi.audit import tables as audit
from bahi.calendar import tables as calendar
from bahi.copying import tables as copying
from bahi.db import tables as db
from bahi.db.migrate import History
from bahi.db.schema import HOUSE
from bahi.exchange import tables as exchange
from bahi.health import tables as health
from bahi.identity import tables as identity
from bahi.instruments import tables as instruments
from bahi.jobs import tables as jobs
from bahi.moving import tables as moving
from bahi.notify import tables as notify
from bahi.orders import tables as orders
from bahi.portfolio import tables as portfolio
from bahi.risk import tables as risk
from bahi.settings import tables as settings
from bahi.strategies import tables as strategies
from bahi.streams import tables as streams
from bahi.telemetry import tables as telemetry
from bahi.tokens import tables as tokens

__all__ = ["CONTEXTS", "HOUSE"]

CONTEXTS = {
    "db": db,
    "identity": identity,
    "accounts": accounts,
    "tokens": tokens,
    "instruments": instruments,
    "calendar": calendar,
    "portfolio": portfolio,
    "orders": orders,
    "risk": risk,
    "exchange": exchange,
    "copying": copying,
    "strategies": strategies,
    "streams": streams,
    "jobs": jobs,
    "audit": audit,
    "health": health,
    "settings": settings,
    "notify": notify,
    "telemetry": telemetry,
    "moving": moving,
}
"""Everything that keeps tables: with this module imported, `bahi.db.schema.HOUSE` is complete."""


def history(store: str) -> History:
    """Return the steps of one store."""
    return History(Path(__file__).parent / store / "versions")
