"""What things are called on pages: brokers, who did something, browsers, sizes, how long ago."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from bahi.kernel.names import BROKER_NAMES
from bahi.kernel.words import BrokerSlug
from bahi.web.written import UNKNOWN, lasted

A_SECOND: Final = timedelta(seconds=1)
UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")
EACH: Final = 1_000
BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"), ("curl/", "curl"),
)  # fmt: skip
"""By what they say of themselves; many name Chrome and Safari too, so the order counts."""
MACHINES: Final = (
    ("Android", "Android"), ("iPhone", "an iPhone"), ("iPad", "an iPad"), ("Windows", "Windows"),
    ("Mac OS", "a Mac"), ("Linux", "Linux"),
)  # fmt: skip
LONGEST: Final = 60


def broker(slug: str) -> str:
    """Name a broker as people do: `Kite (Zerodha)`."""
    known = next((it for it in BrokerSlug if it == slug), None)
    return slug if known is None else BROKER_NAMES[known]


def who(name: str | None) -> str:
    """Name who asked or did something: a user, `the schedule`, or what of Bahi did it by itself."""
    kind, _, of = (name or UNKNOWN).partition(":")
    if not of:
        return kind
    return "the schedule" if kind == "schedule" else f"Bahi, {of}" if kind == "bahi" else name or ""


def browser(said: str | None) -> str:
    """Name a browser and its machine by what it says of itself: `Chrome on Windows`."""
    known = next((name for sign, name in BROWSERS if sign in (said or "")), None)
    on = next((name for sign, name in MACHINES if sign in (said or "")), None)
    if known is None or on is None:
        return (said or "not known")[:LONGEST]
    return f"{known} on {on}"


def size(many: int | None) -> str:
    """Write how large something is: `3.8 MB`."""
    if many is None:
        return UNKNOWN
    left, unit = float(many), 0
    while left >= EACH and unit < len(UNITS) - 1:
        left, unit = left / EACH, unit + 1
    return f"{many} bytes" if unit == 0 else f"{left:.{1 if left < 100 else 0}f} {UNITS[unit]}"


def ago(span: timedelta | None) -> str:
    """Write how long ago something was: `now`, `4.2 s ago`."""
    if span is None:
        return UNKNOWN
    return "now" if span < A_SECOND else f"{lasted(span)} ago"


CALLED: Final[Mapping[str, Any]] = {it.__name__: it for it in (broker, who, browser, size, ago)}
