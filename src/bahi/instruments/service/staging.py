"""Writing a piece of a file beside what is in force: new instruments, and the broker's names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

from bahi.db.tx import Tx
from bahi.instruments.model.matching import FACTS, Known
from bahi.instruments.model.planning import KnownOf, Place, Plan, Root, Values
from bahi.instruments.repository import loads, staging
from bahi.kernel.errors import Conflict
from bahi.kernel.listings import Listing
from bahi.kernel.words import BrokerSlug, InstrumentType, Segment

NOTHING_KNOWN: Final = KnownOf({}, {})
GIVEN_UP: Final = "This load was given up meanwhile, as it had not moved for minutes."
_UNDER: Final = staging.INSTRUMENT.index("underlying_id")
_SETTLED_ON: Final = tuple(it for it in Segment if it.endswith(("_EQ", "_INDEX")))


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a piece is written to."""

    load_id: int
    broker: BrokerSlug
    day: date
    now: int


class Written(NamedTuple):
    """What others may settle on, and symbols that new contracts await."""

    roots: dict[Root, int]
    stubs: dict[Root, int]
    waiting: list[Waiting]


class Waiting(NamedTuple):
    """A contract, and the symbol that another leaves to it at the swap."""

    id: int
    segment: Segment
    symbol: str


def known(
    tx: Tx, load_id: int, listings: Sequence[Listing], roots: Iterable[Root]
) -> tuple[KnownOf, dict[Root, int]]:
    """Return what was known before this load by these symbols and tokens, and underlyings."""
    named: dict[Place, Known] = {}
    numbered: dict[Place, Known] = {}
    for segment in {it.segment for it in listings}:
        here = [it for it in listings if it.segment is segment]
        symbols, tokens = {it.symbol for it in here}, {it.exchange_token for it in here} - {""}
        for it in staging.known_by(tx, load_id, "symbol", segment, symbols):
            named[segment, it.symbol] = it
        for it in staging.known_by(tx, load_id, "exchange_token", segment, tokens):
            _keep_the_living(numbered, (segment, str(it.exchange_token)), it)
    there: dict[Root, int] = {}
    wanted = list(roots)
    for segment in {segment for segment, _symbol in wanted}:
        symbols = {symbol for of, symbol in wanted if of is segment}
        for it in staging.known_by(tx, load_id, "symbol", segment, symbols):
            there[segment, it.symbol] = it.id
    return KnownOf(named, numbered), there


def _keep_the_living(numbered: dict[Place, Known], place: Place, it: Known) -> None:
    """Of several that had a token one after the other, keep the one that has it now."""
    before = numbered.get(place)
    if before is None or _age(it) > _age(before):
        numbered[place] = it


def _age(it: Known) -> tuple[int, str]:
    return it.is_active, it.expiry or "9"


def write_down(tx: Tx, stage: Stage, plan: Plan, roots: Mapping[Root, int]) -> Written:
    """Write a piece beside what is in force."""
    if not loads.is_reading(tx, stage.load_id):
        raise Conflict(GIVEN_UP)
    fresh = [(tx.new_id(), it) for it in plan.fresh]
    here = {it.place: key for key, it in fresh if it.place[0] in _SETTLED_ON}
    stubs: dict[Root, int] = {}
    waiting: list[Waiting] = []
    instruments: list[Values] = []
    since, by = stage.day.isoformat(), str(stage.broker)
    for key, it in fresh:
        under = None
        if it.root is not None:
            under = roots.get(it.root) or here.get(it.root) or stubs.get(it.root)
            if under is None:
                under = stubs[it.root] = tx.new_id()
                instruments.append(_stub(stage, it.root, under))
        facts, segment = it.facts, it.named[1]
        if it.waits:
            waiting.append(Waiting(key, *it.place))
            facts = (f"{facts[0]}~{key}", *facts[1:])
        instruments.append((key, segment, *facts, 0, since, by, under, stage.load_id, stage.now))
    instruments.sort(key=lambda row: row[_UNDER] is not None)  # what they settle on comes first
    staging.add_instruments(tx, instruments)
    listed = [(stage.load_id, key, *it.named) for key, it in fresh]
    listed += [(stage.load_id, it.id, *it.named) for it in plan.again]
    staging.add_listings(tx, listed)
    return Written(here, stubs, waiting)


def _stub(stage: Stage, root: Root, key: int) -> Values:
    """Make an underlying that no master has named yet: inactive, until one does."""
    segment, symbol = root
    kind = InstrumentType.INDEX if segment.endswith("INDEX") else InstrumentType.EQUITY
    facts: dict[str, Any] = dict.fromkeys(FACTS)
    facts |= {"symbol": symbol, "instrument_type": str(kind)}
    return (
        key, str(segment), *facts.values(), 0, None, None, None, stage.load_id, stage.now,
    )  # fmt: skip
