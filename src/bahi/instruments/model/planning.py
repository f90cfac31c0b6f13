"""What one piece of a broker's file does to the symbol master: what is new, and what changes."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple

from bahi.instruments.model.loads import Findings
from bahi.instruments.model.matching import (
    FACTS,
    Facts,
    Known,
    changes,
    facts_of,
    has_authority,
    kinds_of,
    terms_moved,
    which,
)
from bahi.kernel.listings import BadLine, Line, Listing, Skipped, disagreement
from bahi.kernel.money import Price, plain
from bahi.kernel.words import BrokerSlug, InstrumentType, OptionType, Segment

Place = tuple[Segment, str]
"""A segment, and a symbol or a token there."""
Root = Place
"""An underlying, by its segment and symbol."""
Values = tuple[Any, ...]


class KnownOf(NamedTuple):
    """The instruments that a piece of a file may be about, by symbol and by exchange token."""

    named: Mapping[Place, Known]
    numbered: Mapping[Place, Known]


_INDEX_KINDS: Final = (InstrumentType.FUTIDX, InstrumentType.OPTIDX)
_STOCK_KINDS: Final = (InstrumentType.FUTSTK, InstrumentType.OPTSTK)
_INDEX_OF: Final = {
    Segment.NSE_FNO: Segment.NSE_INDEX,
    Segment.BSE_FNO: Segment.BSE_INDEX,
    Segment.MCX_COMM: Segment.MCX_INDEX,
}
_CASH_OF: Final = {Segment.NSE_FNO: Segment.NSE_EQ, Segment.BSE_FNO: Segment.BSE_EQ}
_COMPARED: Final = ("expiry", "strike", "lot_size", "tick_size")


def root_of(listing: Listing) -> Root | None:
    """Return what a contract settles on, where that is an index or a share."""
    kind = listing.instrument_type
    segments = _INDEX_OF if kind in _INDEX_KINDS else _CASH_OF if kind in _STOCK_KINDS else {}
    segment = segments.get(listing.segment)
    return (segment, listing.root) if segment is not None and listing.root else None


class Change(NamedTuple):
    """What comes to differ about an instrument when the load comes into force."""

    known: Known
    segment: Segment
    values: Mapping[str, Any]


class Fresh(NamedTuple):
    """A listing that becomes an instrument; its symbol may be another's until the swap."""

    place: Place
    waits: bool
    root: Root | None
    facts: Facts
    named: Values


class Again(NamedTuple):
    """A listing of an instrument that is known."""

    id: int
    named: Values


@dataclass
class Plan:
    """What a piece of the file asks for; `named` is how the broker names an instrument."""

    fresh: list[Fresh] = field(default_factory=list)
    again: list[Again] = field(default_factory=list)

    def __len__(self) -> int:
        """Say how many listings it holds."""
        return len(self.fresh) + len(self.again)

    def settles_on(self, roots: Container[Root]) -> bool:
        """Say whether all that its contracts settle on is among these."""
        return all(it.root is None or it.root in roots for it in self.fresh)

    def join(self, later: Plan) -> None:
        """Take in what a later piece asks for."""
        self.fresh += later.fresh
        self.again += later.again

    def parts(self, at_once: int) -> Iterator[Plan]:
        """Yield so much of it as one transaction may hold, in the order of the tables' indexes.

        A part that is in order touches a tenth of the pages, and each page costs at every commit.
        What others settle on comes first.
        """
        self.fresh.sort(key=_as_indexed)
        self.again.sort()
        for first in range(0, len(self.fresh), at_once):
            yield Plan(self.fresh[first : first + at_once])
        for first in range(0, len(self.again), at_once):
            yield Plan([], self.again[first : first + at_once])


def _as_indexed(it: Fresh) -> tuple[bool, Place]:
    return it.root is not None, it.place


@dataclass
class Changes:
    """What comes to differ at the swap, held small: it may be all of a quarter of a million."""

    rows: dict[tuple[str, ...], list[Values]] = field(default_factory=dict)
    """By the columns that change: the id, and their values."""
    dated: list[Change] = field(default_factory=list)
    renamed: list[Change] = field(default_factory=list)
    withheld: dict[Place, Change] = field(default_factory=dict)
    """Moves to other symbols on the word of one who has no authority, by the symbol now."""

    def add(self, change: Change) -> None:
        """Take in what differs about one instrument."""
        values = change.values
        if terms_moved(values, change.known):
            self.dated.append(change)
        if "symbol" in values:
            self.renamed.append(change)
        if names := tuple(sorted(values.keys() - {"symbol"})):
            row = (change.known.id, *(values[name] for name in names))
            self.rows.setdefault(names, []).append(row)

    def let_go(self, taken: Iterable[Place]) -> None:
        """Move after all what holds a symbol that the same file gives to another contract."""
        wanted = [*taken, *((it.segment, it.values["symbol"]) for it in self.renamed)]
        while wanted:
            if (change := self.withheld.pop(wanted.pop(), None)) is not None:
                self.add(change)
                wanted.append((change.segment, change.values["symbol"]))


@dataclass
class Reader:
    """Reads a file piece by piece, and remembers what it needs of the earlier ones.

    `heard` are the brokers whose masters are in force and of these days, by segment: the word of
    others holds until somebody says otherwise.
    """

    broker: BrokerSlug
    day: date
    heard: frozenset[tuple[str, Segment]] = frozenset()
    changes: Changes = field(default_factory=Changes)
    found: Findings = field(default_factory=Findings)
    seen: set[int] = field(default_factory=set)  # ids, and hashes of the places of what is new

    def __post_init__(self) -> None:
        """Write the broker once for all lines."""
        self._by = str(self.broker)

    def plan(self, lines: Iterable[Line], known: KnownOf) -> Plan:
        """Decide what each listing is; one that says twice what another said is a bad line."""
        plan = Plan()
        for listing in lines:
            if not isinstance(listing, Listing):
                self._leave_out(listing)
            elif listing.expiry is not None and listing.expiry < self.day:
                self.found.ended[listing.segment] += 1  # some brokers go on listing those for years
            else:
                self._take(listing, known, plan)
        return plan

    def _leave_out(self, line: Skipped | BadLine) -> None:
        if isinstance(line, Skipped):
            self.found.skip(line)
        else:
            self.found.reject(line)

    def _take(self, listing: Listing, known: KnownOf, plan: Plan) -> None:
        segment = listing.segment
        place = (segment, listing.symbol)
        holder = known.named.get(place)
        it = which(listing, holder, known.numbered.get((segment, listing.exchange_token)))
        mark, seen = hash(place), self.seen
        if mark in seen or (it is not None and it.id in seen):
            twice = f"{listing.symbol} in {segment} is listed twice"
            self.found.reject(BadLine(listing.line, twice))
            return
        seen.add(mark)
        self.found.take(listing)
        named = (
            self._by, str(segment),
            listing.broker_symbol, listing.security_id, listing.broker_lot,
        )  # fmt: skip
        facts = facts_of(listing)
        if it is None:
            self.found.arrived += 1
            if holder is not None:
                self.found.handed_on[segment] += 1
            plan.fresh.append(Fresh(place, holder is not None, root_of(listing), facts, named))
            return
        seen.add(it.id)
        plan.again.append(Again(it.id, named))
        self._change(listing, facts, it)

    def name_stubs(self, plan: Plan, stubs: Mapping[Root, int]) -> None:
        """Take what is new as the underlyings that earlier pieces had to make unnamed."""
        known = [it for it in plan.fresh if it.place in stubs]
        if known:
            plan.fresh = [it for it in plan.fresh if it.place not in stubs]
        for it in known:
            stub, facts = stubs[it.place], dict(zip(FACTS, it.facts, strict=True))
            del facts["symbol"]  # it is what the stub was found by
            values = {name: value for name, value in facts.items() if value is not None}
            values |= {"named_by": self.broker, "terms_since": self.day.isoformat(), "is_active": 1}
            blank = Known._make((stub, it.place[1], *[None] * (len(FACTS) - 1), 0, None, None))
            plan.again.append(Again(stub, it.named))
            self.changes.add(Change(blank, it.place[0], values))

    def _change(self, listing: Listing, facts: Facts, known: Known) -> None:
        segment = listing.segment
        is_heard = (str(known.named_by), segment) in self.heard
        may_change = not is_heard or has_authority(self.broker, known.named_by)
        values = changes(facts, known, may_change=may_change)
        if listing.symbol != known.symbol:
            if listing.expiry is not None:
                self.found.moved[segment] += 1
            if not may_change:
                all_of_it = changes(facts, known, may_change=True)
                self.changes.withheld[segment, known.symbol] = Change(known, segment, all_of_it)
        if known.named_by is not None and known.named_by != self.broker:
            self._compare(listing, known)
        for kind in kinds_of(values, known):
            self.found.changed[kind] += 1
        if terms_moved(values, known) or known.terms_since is None:
            values["terms_since"] = self.day.isoformat()
        if known.named_by != self.broker and may_change:
            values["named_by"] = self.broker
        if not known.is_active:
            values["is_active"] = 1
            self.found.revived += known.named_by is not None
            self.found.arrived += known.named_by is None  # it was an underlying without a name
        if values:
            self.changes.add(Change(known, segment, values))

    def _compare(self, listing: Listing, known: Known) -> None:
        ours = _as_listing(listing, known)
        if all(getattr(ours, name) == getattr(listing, name) for name in _COMPARED):
            return
        if (found := disagreement(ours, listing, self.day)) is not None:
            said = "; ".join(_said(name, ours, listing) for name in found.fields)
            self.found.disagree(listing, found, str(known.named_by), said)


def _as_listing(like: Listing, known: Known) -> Listing:
    """Write an instrument as the listing that it would be, to compare it with one."""
    return like._replace(
        symbol=known.symbol,
        root=known.root_symbol or "",
        isin=known.isin or "",
        series=known.series or "",
        expiry=date.fromisoformat(known.expiry) if known.expiry else None,
        strike=None if known.strike is None else Price(known.strike),
        option_type=OptionType(known.option_type) if known.option_type else None,
        lot_size=known.lot_size,
        tick_size=None if known.tick_size is None else Price(known.tick_size),
    )


def _said(name: str, ours: Listing, theirs: Listing) -> str:
    return f"{name} {_shown(name, getattr(ours, name))}, here {_shown(name, getattr(theirs, name))}"


def _shown(name: str, value: Any) -> str:
    return plain(value) if name in ("strike", "tick_size") and value is not None else str(value)
