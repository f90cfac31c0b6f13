"""The list of holidays that Upstox answers, and an OpenAlgo host in the same form.

It becomes the document that `bahi calendar load` takes: plain entries, and nothing guessed. Hours
that cannot be those of their day make the day one whose hours are not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, Final

from bahi.brokers.wire.answers import line
from bahi.brokers.wire.http import Request, Wire
from bahi.kernel.clock import IST, from_micros
from bahi.kernel.errors import Invalid, Unavailable

MARKETS: Final[Mapping[str, str]] = {
    "NSE": "NSE_EQ",
    "NFO": "NSE_FNO",
    "CDS": "NSE_CURRENCY",
    "BSE": "BSE_EQ",
    "BFO": "BSE_FNO",
    "BCD": "BSE_CURRENCY",
    "MCX": "MCX_COMM",
}
"""The exchanges of these answers that have a home here; others are left out."""

ORDINARY: Final = "ordinary"
SETTLEMENT: Final = "SETTLEMENT_HOLIDAY"
MINUTE_MS: Final = 60_000
MAX_DIGITS: Final = 14
KINDS: Final = frozenset({"TRADING_HOLIDAY", SETTLEMENT, "SPECIAL_TIMING"})

Entry = dict[str, Any]


def document_of_holidays(
    broker: str, answer: Any, *, complete: int | None = None
) -> dict[str, Any]:
    """Turn an answer into a document; `complete` is a year whose whole list it is.

    The list is complete for the markets that it names in that year: one of which it says nothing
    is not one that never closes.
    """
    listed = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(listed, list) or answer.get("status") != "success":
        raise Invalid(f"This is no list of holidays of {broker}: it has no `data`.")
    days = [entry for n, it in enumerate(listed) for entry in _entries(broker, n, it)]
    if complete is not None:
        days.append(
            {"date": str(complete), "kind": "year", "segments": _listed(broker, days, complete)}
        )
    return {"source": f"{broker}'s list", "days": [{**it, "unverified": True} for it in days]}


def document_of_timings(broker: str, answer: Any, day: date) -> dict[str, Any]:
    """Turn an answer that tells the hours of one day into a document.

    A market that it does not name has no trading then; an answer that names none at all says
    nothing, as a host that knows nothing of a day answers so too.
    """
    listed = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(listed, list) or answer.get("status") != "success":
        raise Invalid(f"This is no answer of {broker} to the hours of a day: it has no `data`.")
    opened = _opened(listed)
    if not opened.keys() & MARKETS.keys():
        raise Invalid(f"{broker} names no market for {day}: whether they are shut, nobody knows.")
    days: list[Entry] = []
    about = {"date": day.isoformat(), "description": f"the hours of {day:%A}, as {broker} has them"}
    for exchange, market in MARKETS.items():
        named = {**about, "segments": [market], "unverified": True}
        if exchange in opened:
            days.append({**named, **_hours(day, opened[exchange], about)})
        else:
            days.append({**named, "kind": "full_day"})
    return {"source": f"{broker}'s hours of a day", "days": days}


async def ask_for_days(wire: Wire, request: Request) -> Any:
    """Ask a broker for its list, and return what it answers."""
    reply = await wire.send(request)
    if not reply.is_json or reply.status != HTTPStatus.OK:
        raise Unavailable(f"Asked for its holidays, it answered with status {reply.status}.")
    return reply.json


def _listed(broker: str, days: list[Entry], year: int) -> list[str]:
    """Return the markets that are closed or have other hours on some day of a year."""
    of_year = [it for it in days if it["date"].startswith(f"{year:04}-")]
    named = {market for it in of_year if it["kind"] != ORDINARY for market in it["segments"]}
    if not named:
        raise Invalid(f"{broker}'s list of holidays has no day of {year}, so it is not its list.")
    return [it for it in MARKETS.values() if it in named]


def _entries(broker: str, n: int, said: Any) -> Iterator[Entry]:
    """Yield what one line of the list means, market by market."""
    place = f"{broker}'s list of holidays, data[{n}]"
    if not isinstance(said, Mapping) or said.get("holiday_type") not in KINDS:
        raise Invalid(f"{place}: it is not one of {', '.join(sorted(KINDS))}.")
    text = said.get("date")
    try:
        day = date.fromisoformat(text if isinstance(text, str) else "")
    except ValueError:
        raise Invalid(f"{place}: it has no date.") from None
    settles = said["holiday_type"] != SETTLEMENT
    about = {
        "date": day.isoformat(),
        "description": line(said.get("description"), 200) or "holiday",
        "settlement_holiday": not settles,
    }
    closed, opened = _named(said.get("closed_exchanges")), _opened(said.get("open_exchanges"))
    for exchange, market in MARKETS.items():
        if exchange in opened and settles:
            yield {**about, "segments": [market], **_hours(day, opened[exchange], about)}
        elif exchange in closed and exchange not in opened:
            yield {**about, "segments": [market], "kind": "full_day"}
        elif not settles:
            yield {**about, "segments": [market], "kind": ORDINARY}


def _named(said: Any) -> set[str]:
    return {it for it in said if isinstance(it, str)} if isinstance(said, list) else set()


def _opened(said: Any) -> dict[str, list[tuple[Any, Any]]]:
    found: dict[str, list[tuple[Any, Any]]] = {}
    for it in said if isinstance(said, list) else ():
        if isinstance(it, Mapping) and isinstance(it.get("exchange"), str):
            span = (it.get("start_time"), it.get("end_time"))
            found.setdefault(it["exchange"], []).append(span)
    return found


def _hours(day: date, spans: list[tuple[Any, Any]], about: Mapping[str, Any]) -> Entry:
    """Return a special day's hours; none where one of them belongs to another day."""
    said = str(about["description"])
    kind = "muhurat" if "muhurat" in said.lower() else "special"
    sessions = []
    for span in spans:
        starts, ends = _local(span[0]), _local(span[1])
        if starts is None or ends is None or not _is_while_of(day, starts, ends):
            return {"kind": kind, "sessions": [], "description": f"{said} (hours unusable)"}
        sessions.append(f"{starts:%H:%M}-{ends:%H:%M}")
    return {"kind": kind, "sessions": sessions}


def _is_while_of(day: date, starts: datetime, ends: datetime) -> bool:
    return day == starts.date() == ends.date() and starts < ends


def _local(ms: Any) -> datetime | None:
    """Read milliseconds since 1970, whole minutes, as a time of the exchange."""
    if isinstance(ms, str) and ms.isascii() and ms.isdigit() and len(ms) <= MAX_DIGITS:
        ms = int(ms)
    if not isinstance(ms, int) or isinstance(ms, bool) or not 0 < ms < 10**MAX_DIGITS:
        return None
    return None if ms % MINUTE_MS else from_micros(ms * 1000).astimezone(IST)
