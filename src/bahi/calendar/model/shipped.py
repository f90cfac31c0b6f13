"""The facts that come with Bahi: hours, holidays and special sessions of 2024 to 2026.

Each release of Bahi that knows more adds its own; what an operator entered goes before all of
them. Where no source was found for something, it is not here, or here without its hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from bahi.calendar.model.document import spans_of
from bahi.calendar.model.facts import (
    CALENDARS,
    AuctionRules,
    DayFact,
    Facts,
    Hours,
    Kind,
    Phase,
    SquareOffFact,
    Weekly,
    YearFact,
    is_us_daylight,
    parse_hour,
)
from bahi.kernel.words import BrokerSlug, Segment

CASH: Final = (Segment.NSE_EQ, Segment.BSE_EQ)
FNO: Final = (Segment.NSE_FNO, Segment.BSE_FNO)
CURRENCY: Final = (Segment.NSE_CURRENCY, Segment.BSE_CURRENCY)
MCX: Final = Segment.MCX_COMM

SHUT: Final = "shut"
MORNING: Final = "morning"
EVENING: Final = "evening"
PATTERN: Final = True
"""MCX was not found to have announced it: it is what MCX does on such days."""

CHANGE: Final = date(2026, 8, 3)
BEFORE_CHANGE: Final = date(2026, 8, 2)
PRE_OPEN_RULES: Final = date(2026, 9, 7)
BEFORE_PRE_OPEN_RULES: Final = date(2026, 9, 6)
LIST: Final = "exchange holiday lists; MCX by broker lists of its circulars"
BY_PATTERN: Final = "exchange holiday lists; MCX by the pattern of other years"
CIRCULAR: Final = "NSE circular, press of 2026-05-30"
WEEK: Final = range(5)

# On all of them NSE and BSE are closed, but for the New Year's days, which are MCX's alone.
HOLIDAYS: Final[tuple[tuple[str, str, str] | tuple[str, str, str, bool], ...]] = (
    ("2024-01-01", "New Year", MORNING, PATTERN),
    ("2024-01-22", "Ram Mandir consecration", EVENING, PATTERN),
    ("2024-01-26", "Republic Day", SHUT),
    ("2024-03-08", "Mahashivratri", EVENING),
    ("2024-03-25", "Holi", EVENING),
    ("2024-03-29", "Good Friday", SHUT),
    ("2024-04-11", "Id-ul-Fitr", EVENING),
    ("2024-04-17", "Ram Navami", EVENING),
    ("2024-05-01", "Maharashtra Day", EVENING),
    ("2024-05-20", "Parliamentary election (Mumbai)", EVENING),
    ("2024-06-17", "Bakri Id", EVENING),
    ("2024-07-17", "Muharram", EVENING),
    ("2024-08-15", "Independence Day", SHUT),
    ("2024-10-02", "Gandhi Jayanti", SHUT),
    ("2024-11-01", "Diwali Laxmi Pujan", EVENING),
    ("2024-11-15", "Guru Nanak Jayanti", EVENING),
    ("2024-11-20", "Maharashtra assembly election", EVENING, PATTERN),
    ("2024-12-25", "Christmas", SHUT),
    ("2025-01-01", "New Year", MORNING),
    ("2025-02-26", "Mahashivratri", EVENING),
    ("2025-03-14", "Holi", EVENING),
    ("2025-03-31", "Id-ul-Fitr", EVENING),
    ("2025-04-10", "Mahavir Jayanti", EVENING),
    ("2025-04-14", "Ambedkar Jayanti", EVENING),
    ("2025-04-18", "Good Friday", SHUT),
    ("2025-05-01", "Maharashtra Day", EVENING),
    ("2025-08-15", "Independence Day", SHUT),
    ("2025-08-27", "Ganesh Chaturthi", EVENING),
    ("2025-10-02", "Gandhi Jayanti / Dussehra", SHUT),
    ("2025-10-21", "Diwali Laxmi Pujan", EVENING),
    ("2025-10-22", "Diwali Balipratipada", EVENING),
    ("2025-11-05", "Guru Nanak Jayanti", EVENING),
    ("2025-12-25", "Christmas", SHUT),
    ("2026-01-01", "New Year", MORNING),
    ("2026-01-15", "Municipal corporation election Maharashtra", EVENING),
    ("2026-01-26", "Republic Day", SHUT),
    ("2026-03-03", "Holi", EVENING),
    ("2026-03-26", "Ram Navami", EVENING),
    ("2026-03-31", "Mahavir Jayanti", EVENING),
    ("2026-04-03", "Good Friday", SHUT),
    ("2026-04-14", "Ambedkar Jayanti", EVENING),
    ("2026-05-01", "Maharashtra Day", EVENING),
    ("2026-05-28", "Bakri Id", EVENING),
    ("2026-06-26", "Muharram", EVENING),
    ("2026-09-14", "Ganesh Chaturthi", EVENING),
    ("2026-10-02", "Gandhi Jayanti", SHUT),
    ("2026-10-20", "Dussehra", EVENING),
    ("2026-11-10", "Diwali Balipratipada", EVENING),
    ("2026-11-24", "Guru Nanak Jayanti", EVENING),
    ("2026-12-25", "Christmas", SHUT),
)

OPEN: Final = {Phase.OPEN: "09:15-15:30"}
DRILL: Final = {Phase.OPEN: "09:15-10:00 11:30-12:30"}

# Segments, day, kind, why, hours (none: they are not known), source.
SPECIAL: Final[tuple[tuple[tuple[Segment, ...], str, Kind, str, Mapping[Phase, str], str], ...]] = (
    (
        (*CASH, *FNO),
        "2024-01-20",
        Kind.SPECIAL,
        "Saturday session: announced as a drill, believed replaced by a full day",
        {},
        "press of 2024-01-19",
    ),
    ((*CASH, *FNO), "2024-03-02", Kind.SPECIAL, "disaster drill", DRILL, "press of 2024-02-15"),
    ((*CASH, *FNO), "2024-05-18", Kind.SPECIAL, "disaster drill", DRILL, "NSE circular"),
    (
        CASH,
        "2024-11-01",
        Kind.MUHURAT,
        "Diwali Laxmi Pujan",
        {Phase.PRE_OPEN: "17:45-18:00", Phase.OPEN: "18:00-19:00"},
        "press of 2024-10-31",
    ),
    (
        FNO,
        "2024-11-01",
        Kind.MUHURAT,
        "Diwali Laxmi Pujan",
        {Phase.OPEN: "18:00-19:00"},
        "press of 2024-10-31",
    ),
    (CURRENCY, "2024-11-01", Kind.MUHURAT, "Diwali Laxmi Pujan", {}, "no source found"),
    ((*CASH, *FNO), "2025-02-01", Kind.SPECIAL, "Union Budget", OPEN, "exchange announcement"),
    (
        CASH,
        "2025-10-21",
        Kind.MUHURAT,
        "Diwali Laxmi Pujan",
        {Phase.PRE_OPEN: "13:30-13:45", Phase.OPEN: "13:45-14:45"},
        "press of 2025-10-21",
    ),
    (
        FNO,
        "2025-10-21",
        Kind.MUHURAT,
        "Diwali Laxmi Pujan",
        {Phase.OPEN: "13:45-14:45"},
        "press of 2025-10-21",
    ),
    (CURRENCY, "2025-10-21", Kind.MUHURAT, "Diwali Laxmi Pujan", {}, "no source found"),
    (
        (*CASH, *FNO),
        "2026-02-01",
        Kind.SPECIAL,
        "Union Budget",
        OPEN,
        "NSE circular of 2026-01-16",
    ),
    (
        (MCX,),
        "2026-02-01",
        Kind.SPECIAL,
        "Union Budget",
        {Phase.OPEN: "09:00-17:00"},
        "broker announcement",
    ),
    (
        CALENDARS,
        "2026-11-08",
        Kind.MUHURAT,
        "Diwali Laxmi Pujan",
        {},
        "the day by exchange lists; no hours were found",
    ),
)
SETTLES_NOTHING: Final = frozenset({"2026-02-01"})

PAGES: Final = "the broker's pages, all from before the closing auction"
LATEST: Final = {Phase.PRE_OPEN: "09:00-09:08"}


def _hours(said: Mapping[Phase, str]) -> tuple[Hours, ...]:
    return tuple(
        it for phase, spans in said.items() for it in spans_of(spans.split(), phase, "shipped")
    )


def _week(
    segments: tuple[Segment, ...],
    said: Mapping[Phase, str],
    *,
    since: date | None = None,
    until: date | None = None,
    us_daylight: bool | None = None,
    source: str = "",
    verified: bool = True,
) -> Iterator[Weekly]:
    for segment in segments:
        for weekday in WEEK:
            yield Weekly(
                segment=segment,
                weekday=weekday,
                sessions=_hours(said),
                valid_from=since,
                valid_until=until,
                us_daylight=us_daylight,
                source=source,
                is_verified=verified,
                is_shipped=True,
            )


def _weekly() -> Iterator[Weekly]:
    exchange = "exchange sites"
    was = {**LATEST, Phase.OPEN: "09:15-15:30", Phase.POST_CLOSE: "15:40-16:00"}
    yield from _week(CASH, was, until=BEFORE_CHANGE, source=exchange)
    yield from _week(CASH, LATEST, since=CHANGE, until=BEFORE_PRE_OPEN_RULES, source=exchange)
    yield from _week(
        CASH,
        LATEST,
        since=PRE_OPEN_RULES,
        source="as before: the pre-open rules since 2026-09-07 were not found in detail",
        verified=False,
    )
    now = {
        Phase.OPEN: "09:15-15:30",
        Phase.CLOSING_AUCTION: "15:15-15:35",
        Phase.POST_CLOSE: "15:50-16:00",
    }
    yield from _week(CASH, now, since=CHANGE, source=CIRCULAR)

    longer = {Phase.OPEN: "09:15-15:40"}
    yield from _week(FNO, {Phase.OPEN: "09:15-15:30"}, until=BEFORE_CHANGE, source=exchange)
    yield from _week((Segment.NSE_FNO,), longer, since=CHANGE, source=CIRCULAR)
    parity = f"{CIRCULAR}; BSE is taken to do as NSE"
    yield from _week((Segment.BSE_FNO,), longer, since=CHANGE, source=parity, verified=False)
    yield from _week(FNO, LATEST, since=CHANGE, source="unconfirmed", verified=False)

    yield from _week(CURRENCY, {Phase.OPEN: "09:00-17:00"}, source=exchange)
    for daylight, close in ((True, "23:30"), (False, "23:55")):
        evening = {Phase.OPEN: f"09:00-{close}"}
        yield from _week((MCX,), evening, us_daylight=daylight, source="MCX site")


def _days() -> Iterator[DayFact]:
    special = {(segment, day) for segments, day, *_ in SPECIAL for segment in segments}
    for day, name, at_mcx, *pattern in HOLIDAYS:
        for segment in CALENDARS:
            if segment is MCX:
                yield _on_mcx(day, name, at_mcx, pattern=bool(pattern) or day.startswith("2025"))
            elif at_mcx != MORNING and (segment, day) not in special:
                yield DayFact(
                    segment=segment,
                    day=date.fromisoformat(day),
                    kind=Kind.FULL_DAY,
                    description=name,
                    source=LIST,
                    is_verified=segment not in CURRENCY,
                    is_shipped=True,
                )
    for segments, day, kind, why, hours, source in SPECIAL:
        for segment in segments:
            yield DayFact(
                segment=segment,
                day=date.fromisoformat(day),
                kind=kind,
                description=why,
                sessions=_hours(hours),
                is_settlement_holiday=day in SETTLES_NOTHING,
                source=source,
                is_verified=bool(hours),
                is_shipped=True,
            )


def _on_mcx(day: str, name: str, at_mcx: str, *, pattern: bool) -> DayFact:
    """Return MCX's part of a holiday: closed, or open for the half of the day."""
    on = date.fromisoformat(day)
    close = "23:30" if is_us_daylight(on) else "23:55"
    hours = {SHUT: "", MORNING: "09:00-17:00", EVENING: f"17:00-{close}"}[at_mcx]
    return DayFact(
        segment=MCX,
        day=on,
        kind=Kind.SPECIAL if hours else Kind.FULL_DAY,
        description=name,
        sessions=_hours({Phase.OPEN: hours}),
        source=BY_PATTERN if pattern else LIST,
        is_verified=not pattern,
        is_shipped=True,
    )


def _years() -> Iterator[YearFact]:
    for year in (2024, 2025, 2026):
        for segment in CALENDARS:
            unsure = segment in CURRENCY or (segment is MCX and year == 2025)
            source = LIST
            if segment in CURRENCY:
                source = "the list of equities; what banks alone keep is not in it"
            elif unsure:
                source = BY_PATTERN
            yield YearFact(segment=segment, year=year, source=source, is_verified=not unsure)


def _square_offs() -> Iterator[SquareOffFact]:
    kite, dhan, upstox = BrokerSlug.KITE, BrokerSlug.DHAN, BrokerSlug.UPSTOX
    at: dict[tuple[BrokerSlug, tuple[Segment, ...]], str] = {
        (kite, CASH): "15:20",
        (kite, FNO): "15:25",
        (kite, CURRENCY): "16:45",
        (dhan, (*CASH, *FNO)): "15:20",
        (dhan, CURRENCY): "16:45",
        (upstox, (*CASH, *FNO)): "15:15",
    }
    for (broker, segments), hour in at.items():
        source = PAGES if broker is not upstox else f"{PAGES}; they say 15:15 to 15:25"
        for segment in segments:
            yield _square_off(broker, segment, at=hour, source=source)
    yield SquareOffFact(
        broker=kite,
        segment=MCX,
        minutes_before_close=25,
        source=PAGES,
        is_verified=False,
        is_shipped=True,
    )
    for daylight, hour in ((True, "23:15"), (False, "23:45")):
        yield _square_off(dhan, MCX, at=hour, source=PAGES, us_daylight=daylight)


def _square_off(
    broker: BrokerSlug, segment: Segment, *, at: str, source: str, us_daylight: bool | None = None
) -> SquareOffFact:
    return SquareOffFact(
        broker=broker,
        segment=segment,
        at=parse_hour(at, "shipped"),
        us_daylight=us_daylight,
        source=source,
        is_verified=False,
        is_shipped=True,
    )


def _auctions() -> Iterator[AuctionRules]:
    for segment in CASH:
        yield AuctionRules(
            segment=segment,
            valid_from=CHANGE,
            order_types=("LIMIT", "MARKET"),
            stops_purged_at=parse_hour("15:15", "shipped"),
            reference_from=parse_hour("15:00", "shipped"),
            reference_to=parse_hour("15:15", "shipped"),
            entry_ends_from=parse_hour("15:28", "shipped"),
            entry_ends_by=parse_hour("15:30", "shipped"),
            collar=30_000,
            source=f"{CIRCULAR}; taken to be for the stocks that have derivatives",
            is_shipped=True,
        )


def _first() -> Facts:
    return Facts(
        weekly=tuple(_weekly()),
        days=tuple(_days()),
        years=tuple(_years()),
        square_offs=tuple(_square_offs()),
        auctions=tuple(_auctions()),
    )


RELEASE: Final = 1
"""The newest facts that there are."""


def newer_than(release: int) -> Iterator[tuple[int, Facts]]:
    """Yield the facts that came after a release, oldest first."""
    if release < RELEASE:
        yield RELEASE, _first()
