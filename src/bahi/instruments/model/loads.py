"""A load of a broker's instrument file: what it held, and whether it may come into force.

Nothing here is certain of a file; each rule catches one way in which files have gone wrong: cut
off, of another day, in other units, of half the segments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from bahi.kernel.errors import BahiError
from bahi.kernel.listings import BadLine, Disagreement, Listing, Skipped
from bahi.kernel.money import Price, plain
from bahi.kernel.words import BrokerSlug, InstrumentType, Segment

SHOWN_AT_MOST: Final = 50  # bad lines and disagreements of each kind that a report names
LEAST_SHARE: Final = 0.7  # of the listings that were in force before
MOST_SHARE: Final = 2.0
COMPARED_FROM: Final = 200  # smaller segments come and go as they like
ANCHORED_FROM: Final = 500
INDICES_ANCHORED_FROM: Final = 50
BAD_SHARE: Final = 0.01
BAD_ALLOWED: Final = 20
ENDED_SHARE: Final = 0.5
HANDED_ON_SHARE: Final = 0.05  # more symbols than these never pass from contract to contract


class LoadStatus(StrEnum):
    """What became of a load."""

    READING = "READING"
    IN_FORCE = "IN_FORCE"
    REPLACED = "REPLACED"
    REFUSED = "REFUSED"


class MasterRefused(BahiError):
    """This file cannot become the master."""

    code = "master_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be loaded, and what a person vouches for."""

    broker: BrokerSlug
    source: str
    sha256: str = ""
    day: date | None = None
    is_part: bool = False
    is_checked: bool = False
    is_all: bool = False  # a segment that it does not hold is gone, as ours is where a broker's is


@dataclass(frozen=True, slots=True)
class Load:
    """One reading of a file, as it is remembered."""

    id: int
    broker: BrokerSlug
    source: str
    status: LoadStatus
    trading_day: date
    lines: int
    report: Mapping[str, Any]
    reason: str | None
    started_by: str
    started_at: datetime
    ended_at: datetime | None


class InForce(NamedTuple):
    """The load that is in force for a broker and segment."""

    broker: BrokerSlug
    segment: Segment
    load_id: int
    listings: int
    since: datetime


@dataclass
class Findings:
    """What is found while a file is read."""

    listed: Counter[Segment] = field(default_factory=Counter)
    contracts: int = 0
    ended: Counter[Segment] = field(default_factory=Counter)
    handed_on: Counter[Segment] = field(default_factory=Counter)
    moved: Counter[Segment] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    bad_lines: int = 0
    bad: list[BadLine] = field(default_factory=list)
    arrived: int = 0
    revived: int = 0
    left: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    disagreed: Counter[str] = field(default_factory=Counter)
    disagreements: list[dict[str, str]] = field(default_factory=list)
    anchors: dict[str, Listing] = field(default_factory=dict)

    @property
    def lines(self) -> int:
        """How many listings there were."""
        return self.listed.total()

    def skip(self, line: Skipped) -> None:
        """Count a line that has no home here, by name."""
        says_where = line.reason.startswith(line.segment)
        self.skipped[line.reason if says_where else f"{line.segment}: {line.reason}"] += 1

    def reject(self, line: BadLine) -> None:
        """Count a line that cannot be right, and keep the first of them."""
        self.bad_lines += 1
        if len(self.bad) < SHOWN_AT_MOST:
            self.bad.append(line)

    def take(self, listing: Listing) -> None:
        """Count a listing, and keep it where it is one that a master is judged by."""
        self.listed[listing.segment] += 1
        self.contracts += listing.expiry is not None
        if (name := _anchor(listing)) is not None:
            self.anchors.setdefault(name, listing)

    def disagree(self, listing: Listing, found: Disagreement, other: str, field_of: str) -> None:
        """Count what another broker says otherwise of the same contract."""
        self.disagreed[found.kind] += 1
        if self.disagreed[found.kind] <= SHOWN_AT_MOST:
            named = {"symbol": listing.symbol, "kind": found.kind, "with": other}
            self.disagreements.append({**named, "fields": ", ".join(found.fields), "is": field_of})

    def report(self) -> dict[str, Any]:
        """Return all of it for people and programs."""
        return {
            "listed": dict(sorted(self.listed.items())),
            "ended": dict(sorted(self.ended.items())),
            "skipped": dict(self.skipped.most_common()),
            "bad_lines": self.bad_lines,
            "bad": [{"line": it.line, "reason": it.reason} for it in self.bad],
            "arrived": self.arrived,
            "revived": self.revived,
            "left": self.left,
            "handed_on": dict(sorted(self.handed_on.items())),
            "moved": dict(sorted(self.moved.items())),
            "changed": dict(sorted(self.changed.items())),
            "disagreed": dict(sorted(self.disagreed.items())),
            "disagreements": self.disagreements,
        }


def objections(
    found: Findings, before: Mapping[Segment, int], *, is_part: bool, is_checked: bool
) -> Iterator[str]:
    """Yield why what was read cannot come into force; nothing where it can.

    `before` says how many listings are in force, by segment. `is_part` says that the file is meant
    to hold some segments only; `is_checked` that a person looked at the counts and wants them.
    """
    if not found.lines:
        first = f" The first line that was refused: {_named(found.bad[0])}." if found.bad else ""
        yield f"The file lists nothing that can be traded here.{first}"
        return
    if found.bad_lines > max(BAD_ALLOWED, BAD_SHARE * found.lines):
        yield (
            f"{found.bad_lines:,} of its lines cannot be right; "
            f"the first is {_named(found.bad[0])}."
        )
    yield from _anchors_missing(found)
    yield from _too_old(found)
    yield from _tokens_strange(found)
    if not is_part:
        yield from _segments_missing(found, before)
    if not is_checked:
        yield from _counts_off(found, before)


def _named(bad: BadLine) -> str:
    return f"line {bad.line:,}: {bad.reason.rstrip('.')}"


def _tokens_strange(found: Findings) -> Iterator[str]:
    strange = found.handed_on + found.moved
    for segment, count in sorted(strange.items()):
        if count > max(BAD_ALLOWED, HANDED_ON_SHARE * found.listed[segment]):
            yield (
                f"Of its contracts in {segment}, {count:,} have other exchange tokens than those "
                "that are known; it is of another day, or its tokens are not the exchange's."
            )


def _segments_missing(found: Findings, before: Mapping[Segment, int]) -> Iterator[str]:
    for segment, count in sorted(before.items()):
        if count and not found.listed[segment]:
            yield (
                f"It has no {segment}, of which {count:,} listings are in force; where it is meant "
                "to hold some segments only, say --part."
            )


def _counts_off(found: Findings, before: Mapping[Segment, int]) -> Iterator[str]:
    for segment, count in sorted(before.items()):
        now = found.listed[segment]
        if not now or max(count, now) < COMPARED_FROM:
            continue
        if not LEAST_SHARE * count <= now <= max(MOST_SHARE * count, COMPARED_FROM):
            yield (
                f"It has {now:,} listings in {segment}, and {count:,} are in force; look whether "
                "it is whole, and say --checked if it is."
            )


def _too_old(found: Findings) -> Iterator[str]:
    ended, running = found.ended.total(), found.contracts
    if ended > ENDED_SHARE * (ended + running):
        yield (
            f"It is of another day: {ended:,} of its {ended + running:,} contracts have ended; "
            "fetch today's, or say --day with the day it is of."
        )


@dataclass(frozen=True, slots=True)
class _Anchor:
    segment: Segment
    sentence: str
    low: Price
    high: Price


_ANCHORS: Final = {
    "RELIANCE": _Anchor(Segment.NSE_EQ, "RELIANCE with a tick of", Price(100), Price(10_000)),
    "NIFTY": _Anchor(Segment.NSE_INDEX, "the index NIFTY", Price(0), Price(0)),
    "a NIFTY option": _Anchor(
        Segment.NSE_FNO, "a NIFTY option with a strike of", Price(1_000_0000), Price(1_000_000_0000)
    ),
    "USDINR": _Anchor(Segment.NSE_CURRENCY, "a USDINR future with a tick of", Price(5), Price(100)),
    "CRUDEOIL": _Anchor(
        Segment.MCX_COMM, "a CRUDEOIL future with a tick of", Price(1_000), Price(50_000)
    ),
}
"""Each range lets the exchange change a tick, and no unit."""


def _anchor(listing: Listing) -> str | None:
    kind = listing.instrument_type
    if listing.segment is Segment.NSE_FNO:
        return "a NIFTY option" if listing.root == "NIFTY" and listing.strike else None
    if listing.segment is Segment.NSE_CURRENCY:
        is_it = listing.root == "USDINR" and kind is InstrumentType.FUTCUR
        return "USDINR" if is_it else None
    if listing.segment is Segment.MCX_COMM:
        is_it = listing.root == "CRUDEOIL" and kind is InstrumentType.FUTCOM
        return "CRUDEOIL" if is_it else None
    named = listing.symbol if listing.symbol in _ANCHORS else None
    return named if named and _ANCHORS[named].segment is listing.segment else None


def _anchors_missing(found: Findings) -> Iterator[str]:
    for name, anchor in _ANCHORS.items():
        least = INDICES_ANCHORED_FROM if anchor.segment.endswith("INDEX") else ANCHORED_FROM
        if found.listed[anchor.segment] < least:
            continue
        there = found.anchors.get(name)
        if there is None:
            count = found.listed[anchor.segment]
            yield f"It has {count:,} lines of {anchor.segment}, but not {name}."
            continue
        value = there.strike if name == "a NIFTY option" else there.tick_size
        if value is not None and anchor.high and not anchor.low <= value <= anchor.high:
            yield (
                f"It has {anchor.sentence} {plain(value)}, which cannot be rupees: "
                f"{there.symbol} should have {plain(anchor.low)} to {plain(anchor.high)}."
            )
