"""The file in which days are brought in: JSON, or CSV with the same names as its columns.

    date, segments, kind, description, sessions, pre_open, closing_auction, post_close,
    settlement_holiday, source, unverified

`kind` is full_day (closed), muhurat or special (open in its own sessions; none: not known),
ordinary (the hours of the weekday), or year: then `date` is a year, and its list is complete.
Hours are written 09:15-10:00, several parted by spaces in CSV, a list in JSON. `segments` is `all`
or names, parted by spaces in CSV, a list in JSON. JSON is a list of such entries, or an object
with the list as `days` and a `source` for all of them.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from bahi.calendar.model.facts import (
    CALENDARS,
    TEXT_AT_MOST,
    YEARS,
    DayFact,
    Hours,
    Kind,
    Phase,
    YearFact,
    calendar_of,
    hhmm,
    parse_hour,
)
from bahi.kernel.errors import Invalid
from bahi.kernel.words import Segment, parse

BYTES_AT_MOST: Final = 2_000_000
DAYS_AT_MOST: Final = 5_000
"""One transaction takes them all: of seven markets, some thirty years."""
NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")
"""What no database keeps as text."""
YEAR: Final = "year"

SESSIONS: Final = {
    "pre_open": Phase.PRE_OPEN,
    "sessions": Phase.OPEN,
    "closing_auction": Phase.CLOSING_AUCTION,
    "post_close": Phase.POST_CLOSE,
}
COLUMNS: Final = (
    "date",
    "segments",
    "kind",
    "description",
    *SESSIONS,
    "settlement_holiday",
    "source",
    "unverified",
)
ANSWERS: Final = {"": False, "no": False, "false": False, "0": False} | {
    "yes": True,
    "true": True,
    "1": True,
}

Given = Mapping[str, Any]


class BadFile(Invalid):
    """The file cannot be used, and nothing of it was."""

    code = "bad_file"


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says: days, and years whose list it completes."""

    days: tuple[DayFact, ...]
    years: tuple[YearFact, ...]


def read_document(text: str, *, name: str = "") -> Document:
    """Read a file, JSON or CSV by how it begins; what cannot be right is named by its place."""
    if len(text) > BYTES_AT_MOST:
        raise BadFile(f"{_of(name)}it is larger than {BYTES_AT_MOST:,} characters.")
    text = text.removeprefix("\ufeff")
    begins = text.lstrip()[:1]
    if not begins:
        raise BadFile(f"{_of(name)}it is empty; it has to be JSON, or CSV with a line of names.")
    try:
        return _document(_of_json(text) if begins in "[{" else _of_csv(text))
    except BadFile as fault:
        raise BadFile(f"{_of(name)}{fault}") from None


def document_of(
    entries: Sequence[Given], *, source: str = "", place: str = "days[{n}]."
) -> Document:
    """Take entries as a JSON file has them, from who read them elsewhere."""
    return _document(_placed(entries, source, place))


def _of(name: str) -> str:
    return f"{name}: " if name else ""


def _of_json(text: str) -> Iterator[tuple[str, Given]]:
    try:
        said = json.loads(text)
    except json.JSONDecodeError as fault:
        raise BadFile(
            f"line {fault.lineno}, column {fault.colno}: this is no JSON: {fault.msg}."
        ) from None
    except ValueError:  # a number of some thousand digits
        raise BadFile("a number in it is too long to be read; a year has four digits.") from None
    except RecursionError:
        raise BadFile("it is nested too deeply; it has to be a list of days.") from None
    source = ""
    if isinstance(said, dict):
        if unknown := said.keys() - {"days", "source"}:
            raise BadFile(f"{min(unknown)[:40]!r} is not known; write `days` and `source`.")
        source, said = _text(said.get("source", ""), "source"), said.get("days")
    if not isinstance(said, list):
        raise BadFile("`days` is missing; it has to be a list of days.")
    yield from _placed(said, source)


def _placed(
    entries: Sequence[Any], source: str, place: str = "days[{n}]."
) -> Iterator[tuple[str, Given]]:
    for n, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise BadFile(f"days[{n}]: it has to be an object with a date.")
        yield place.format(n=n), {"source": source, **entry}


def _of_csv(text: str) -> Iterator[tuple[str, Given]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = [it.strip().lower() for it in next(reader)]
        if "date" not in names or "kind" not in names:
            raise BadFile(
                f"line 1: the first line has to name the columns: {', '.join(COLUMNS)};"
                " date, segments and kind at least."
            )
        if len(set(names)) < len(names):
            raise BadFile("line 1: a column is named twice.")
        for row in reader:
            if not any(it.strip() for it in row):
                continue
            if len(row) != len(names):
                raise BadFile(
                    f"line {reader.line_num}: it has {len(row)} columns, and the first line names"
                    f" {len(names)}."
                )
            yield f"line {reader.line_num}, column ", dict(zip(names, row, strict=True))
    except csv.Error as fault:
        raise BadFile(f"line {reader.line_num}: this is no CSV: {fault}.") from None


def _document(entries: Iterator[tuple[str, Given]]) -> Document:
    days: dict[tuple[Segment, date], DayFact] = {}
    years: dict[tuple[Segment, int], YearFact] = {}
    for place, entry in entries:
        if unknown := entry.keys() - set(COLUMNS):
            right = ", ".join(COLUMNS)
            raise BadFile(f"{place}{min(unknown)[:40]}: no such name; there are {right}.")
        for it in _entry(place, entry):
            if isinstance(it, YearFact):
                years[it.segment, it.year] = it
            elif (it.segment, it.day) in days:
                raise BadFile(f"{place}date: {it.day} of {it.segment} is there twice.")
            else:
                days[it.segment, it.day] = it
        if len(days) > DAYS_AT_MOST:
            raise BadFile(f"it has more than {DAYS_AT_MOST:,} days; bring in a few years at once.")
    if not days and not years:
        raise BadFile("there is no day in it.")
    return Document(tuple(days.values()), tuple(years.values()))


def _entry(place: str, entry: Given) -> Iterator[DayFact | YearFact]:
    segments = _segments(entry.get("segments", ""), f"{place}segments")
    said = _text(entry.get("kind", ""), f"{place}kind").lower()
    source = _text(entry.get("source", ""), f"{place}source")
    verified = not _answer(entry.get("unverified", ""), f"{place}unverified")
    if said == YEAR:
        year = _year(entry.get("date", ""), f"{place}date")
        for segment in segments:
            yield YearFact(segment=segment, year=year, source=source, is_verified=verified)
        return
    if said not in list(Kind):
        right = ", ".join([*Kind, YEAR])
        raise BadFile(f"{place}kind: {said[:40]!r} is not known here; it is one of {right}.")
    kind = Kind(said)
    description = _text(entry.get("description", ""), f"{place}description")
    if not description:
        raise BadFile(f"{place}description: it is empty; say why the day is not as others.")
    sessions = _sessions(place, entry)
    if sessions and not kind.has_own_hours:
        raise BadFile(f"{place}sessions: a day of kind {kind} has none of its own; leave it empty.")
    for segment in segments:
        yield DayFact(
            segment=segment,
            day=_day(entry.get("date", ""), f"{place}date"),
            kind=kind,
            description=description,
            sessions=sessions,
            is_settlement_holiday=_answer(
                entry.get("settlement_holiday", ""), f"{place}settlement_holiday"
            ),
            source=source,
            is_verified=verified,
        )


def _sessions(place: str, entry: Given) -> tuple[Hours, ...]:
    sessions = [
        it
        for name, phase in SESSIONS.items()
        for it in spans_of(_words(entry.get(name, ""), f"{place}{name}"), phase, f"{place}{name}")
    ]
    sessions.sort(key=lambda it: it.starts)
    if sessions and not any(it.phase is Phase.OPEN for it in sessions):
        raise BadFile(f"{place}sessions: there is no hour of trading among the hours of the day.")
    apart = [it for it in sessions if it.phase is not Phase.CLOSING_AUCTION]  # it lies over trading
    for one, after in itertools.pairwise(apart):
        if after.starts < one.ends:
            raise BadFile(
                f"{place}sessions: {hhmm(after.starts)}-{hhmm(after.ends)} begins before"
                f" {hhmm(one.starts)}-{hhmm(one.ends)} ends."
            )
    _check_auction(sessions, f"{place}closing_auction")
    return tuple(sessions)


def _check_auction(sessions: Sequence[Hours], place: str) -> None:
    """Refuse an auction that does not take over from the last trading of its day."""
    auctions = [it for it in sessions if it.phase is Phase.CLOSING_AUCTION]
    if not auctions:
        return
    if len(auctions) > 1:
        raise BadFile(f"{place}: there are {len(auctions)}; a day has one closing auction.")
    auction = auctions[0]
    said = f"{hhmm(auction.starts)}-{hhmm(auction.ends)}"
    last = max((it for it in sessions if it.phase is Phase.OPEN), key=lambda it: it.starts)
    if not last.starts <= auction.starts <= last.ends <= auction.ends:
        raise BadFile(
            f"{place}: {said} does not follow the last trading: it has to begin in"
            f" {hhmm(last.starts)}-{hhmm(last.ends)}, or when that ends, and not to end before it."
        )
    others = (it for it in sessions if it.phase not in {Phase.OPEN, Phase.CLOSING_AUCTION})
    for it in others:
        if it.starts < auction.ends and auction.starts < it.ends:
            raise BadFile(
                f"{place}: {said} lies over {hhmm(it.starts)}-{hhmm(it.ends)}, another session."
            )


def hours_of(entry: Given) -> tuple[Hours, ...]:
    """Read the hours of a day as an entry has them, under the names in SESSIONS."""
    return _sessions("", entry)


def spans_of(words: Sequence[str], phase: Phase, place: str) -> list[Hours]:
    """Read hours of one kind: `09:15-10:00`."""
    spans = []
    for word in words:
        starts, dash, ends = word.partition("-")
        if not dash:
            raise BadFile(f"{place}: {word[:40]!r} is no while; write it as 09:15-10:00.")
        try:
            span = Hours(phase, parse_hour(starts, place), parse_hour(ends, place))
        except Invalid as fault:
            raise BadFile(str(fault)) from None
        if span.starts >= span.ends:
            raise BadFile(f"{place}: {word[:40]!r} ends before it begins.")
        spans.append(span)
    return spans


def _segments(said: Any, place: str) -> tuple[Segment, ...]:
    words = _words(said, place)
    if not words:
        raise BadFile(f"{place}: it is empty; name segments, or write `all`.")
    if words == ["all"]:
        return CALENDARS
    try:
        found = [calendar_of(parse(Segment, it, field=place)) for it in words]
    except Invalid as fault:
        raise BadFile(str(fault)) from None
    return tuple(dict.fromkeys(found))


def _words(said: Any, place: str) -> list[str]:
    if isinstance(said, list):
        return [_text(it, place) for it in said]
    return _text(said, place).replace(";", " ").split()


def _text(said: Any, place: str) -> str:
    if said is None:
        return ""
    if isinstance(said, int) and not isinstance(said, bool):
        said = str(said)  # a year
    if not isinstance(said, str) or len(said) > TEXT_AT_MOST or NO_TEXT.search(said):
        raise BadFile(f"{place}: it has to be a text of up to {TEXT_AT_MOST} characters.")
    return said.strip()


def _answer(said: Any, place: str) -> bool:
    if isinstance(said, bool):
        return said
    word = _text(said, place).lower()
    if word not in ANSWERS:
        raise BadFile(f"{place}: {word[:40]!r} is neither yes nor no.")
    return ANSWERS[word]


def _day(said: Any, place: str) -> date:
    text = _text(said, place)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text or day.year not in YEARS:
        raise BadFile(f"{place}: {text[:40]!r} is no day; write it as 2027-01-26.")
    return day


def _year(said: Any, place: str) -> int:
    text = _text(said, place)
    if not (text.isascii() and text.isdigit() and int(text) in YEARS):
        raise BadFile(f"{place}: {text[:40]!r} is no year; write it as 2027.")
    return int(text)
