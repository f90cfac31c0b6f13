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


class Covers(StrEnum):
    """What a file is meant to hold of its broker's segments."""

    WHOLE = "WHOLE"  # all of them: one that is in force and missing is a fault
    PART = "PART"  # some: the others stay as they are
    ALL_THERE_IS = "ALL_THERE_IS"  # one that is missing is gone, as ours is where a broker's is


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
    covers: Covers = Covers.WHOLE
    is_checked: bool = False


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
    anchors: dict[Segment, Listing] = field(default_factory=dict)

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
        anchor = _ANCHOR_OF.get(listing.segment)
        if anchor is not None and anchor.segment not in self.anchors and anchor.is_it(listing):
            self.anchors[anchor.segment] = listing

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


def objections(found: Findings, before: Mapping[Segment, int], wanted: Wanted) -> Iterator[str]:
    """Yield why what was read cannot come into force; nothing where it can.

    `before` says how many listings are in force, by segment; `wanted.is_checked` that a person
    looked at the counts and wants them.
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
    if wanted.covers is Covers.WHOLE:
        yield from _segments_missing(found, before)
    if not wanted.is_checked:
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


class _Anchor(NamedTuple):
    """An instrument that every whole master has, and what is measured of it to know its units."""

    name: str
    segment: Segment
    root: str
    kind: InstrumentType | None
    measure: str
    low: Price
    high: Price

    def is_it(self, listing: Listing) -> bool:
        """Say whether a listing of its segment is the one."""
        named = listing.symbol if self.kind is None else listing.root
        return named == self.root and self.kind in {None, listing.instrument_type}

    def value_of(self, listing: Listing) -> Price | None:
        """Return what is measured, where there is anything to be."""
        return getattr(listing, self.measure) if self.high else None


_ANCHORS: Final = (
    _Anchor("RELIANCE", Segment.NSE_EQ, "RELIANCE", None, "tick_size", Price(100), Price(10_000)),
    _Anchor("the index NIFTY", Segment.NSE_INDEX, "NIFTY", None, "tick_size", Price(0), Price(0)),
    _Anchor(
        "a NIFTY option", Segment.NSE_FNO, "NIFTY", InstrumentType.OPTIDX,
        "strike", Price(1_000_0000), Price(1_000_000_0000),
    ),
    _Anchor(
        "a USDINR future", Segment.NSE_CURRENCY, "USDINR", InstrumentType.FUTCUR,
        "tick_size", Price(5), Price(100),
    ),
    _Anchor(
        "a CRUDEOIL future", Segment.MCX_COMM, "CRUDEOIL", InstrumentType.FUTCOM,
        "tick_size", Price(1_000), Price(50_000),
    ),
)  # fmt: skip
"""Each range lets the exchange change a tick, and no unit."""
_ANCHOR_OF: Final = {it.segment: it for it in _ANCHORS}


def _anchors_missing(found: Findings) -> Iterator[str]:
    for anchor in _ANCHORS:
        least = INDICES_ANCHORED_FROM if anchor.segment.endswith("INDEX") else ANCHORED_FROM
        count = found.listed[anchor.segment]
        if count < least:
            continue
        there = found.anchors.get(anchor.segment)
        if there is None:
            yield f"It has {count:,} lines of {anchor.segment}, but not {anchor.name}."
            continue
        value, measure = anchor.value_of(there), anchor.measure.removesuffix("_size")
        if value is not None and not anchor.low <= value <= anchor.high:
            yield (
                f"It has {anchor.name} with a {measure} of {plain(value)}, which cannot be rupees: "
                f"{there.symbol} should have {plain(anchor.low)} to {plain(anchor.high)}."
            )
