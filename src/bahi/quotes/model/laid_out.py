"""Days laid out: which session an instant belongs to, and how each instrument's day goes.

All of it is reckoned from the seed, the instrument and the day; what is remembered is bounded and
only saves reckoning it again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from math import sqrt
from typing import Final, Generic, NamedTuple, TypeVar

from bahi.instruments.model.instrument import Instrument
from bahi.kernel.money import Price
from bahi.kernel.words import InstrumentType, OptionType, Segment
from bahi.quotes.model.course import (
    BLOCK,
    BLOCKS,
    MINUTES,
    Activity,
    Course,
    Name,
    Shape,
    minutes_of,
)
from bahi.quotes.model.depth import liquidity_of
from bahi.quotes.model.hours import (
    Session,
    Sessions,
    Span,
    previous_session,
    second_of,
)
from bahi.quotes.model.noise import drawn
from bahi.quotes.model.pricing import (
    SMALLEST_LIFE,
    YEAR,
    Grid,
    Option,
    Pricing,
    Spot,
    carry,
    smile,
)
from bahi.quotes.model.traded import Traded
from bahi.quotes.model.troubles import Troubles

IST_OFFSET: Final = 19_800
EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
TICK: Final = 500
TRADING_DAYS: Final = 252.0
NOTHING_YET: Final = (0, 1 << 62, 0)

LAST_HOUR: Final = 60
"""Minutes before its end in which an option loses its time value minute by minute."""

COURSES_KEPT: Final = 192
DAYS_KEPT: Final = 4_096
CLOSES_KEPT: Final = 65_536

References = Callable[[Instrument], Price | None]
"""Says what an instrument, or for a contract its underlying, is worth as a rule; None: unknown."""

SPOT_OF: Final = {Segment.NSE_FNO: Segment.NSE_EQ, Segment.BSE_FNO: Segment.BSE_EQ}
"""Where the underlying of a contract trades, if not beside it."""

INDICES: Final = (0.0055, 0.0015)
CURRENCIES: Final = (0.0014, 0.0006)
COMMODITIES: Final = (0.009, 0.006)
SHARES: Final = (0.009, 0.01)
USUAL_MOVE: Final = {
    InstrumentType.INDEX: INDICES,
    InstrumentType.FUTIDX: INDICES,
    InstrumentType.OPTIDX: INDICES,
    InstrumentType.FUTCUR: CURRENCIES,
    InstrumentType.OPTCUR: CURRENCIES,
    InstrumentType.FUTIRC: CURRENCIES,
    InstrumentType.OPTIRC: CURRENCIES,
    InstrumentType.FUTCOM: COMMODITIES,
    InstrumentType.OPTFUT: COMMODITIES,
}
"""How far a kind of name moves on a usual day, and how much more the liveliest of them do."""

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """What was reckoned before, so much of it at most; the oldest goes first."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._kept: dict[K, V] = {}

    def get(self, key: K, reckon: Callable[[], V]) -> V:
        """Return what is kept of a key, or reckon it."""
        found = self._kept.get(key)
        if found is None:
            found = reckon()
            while len(self._kept) >= self._at_most:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = found
        return found


class Around(NamedTuple):
    """The sessions that an instant of a day can belong to: the day's own, and the one before."""

    today: Session | None
    before: Session | None


class Sitting(NamedTuple):
    """A session, and the one before it: its close is what the day is compared with."""

    session: Session
    before: Session | None


class LaidOut:
    """The days of the simulated market."""

    def __init__(
        self, seed: str, references: References, sessions: Sessions, troubles: Troubles
    ) -> None:
        self.seed, self.troubles = seed, troubles
        self._references, self._sessions = references, sessions
        self._around: Kept[tuple[Segment, date, bool], Around] = Kept(DAYS_KEPT)
        self._hours: Kept[tuple[Segment, date], tuple[int, int, int] | None] = Kept(COURSES_KEPT)
        self._courses: Kept[tuple[Name, date, Shape], Course] = Kept(COURSES_KEPT)
        self._activities: Kept[tuple[str, tuple[Span, ...]], Activity] = Kept(COURSES_KEPT)
        self._traded: Kept[tuple[int, date], Traded] = Kept(DAYS_KEPT)
        self._closes: Kept[tuple[int, date], tuple[Instrument, Price]] = Kept(CLOSES_KEPT)

    def lives(self, instrument: Instrument, day: date) -> bool:
        """Say whether an instrument is priced on a day."""
        is_over = instrument.expiry is not None and day > instrument.expiry
        return not is_over and bool(self._references(instrument))

    def around(self, instrument: Instrument, day: date) -> Around:
        """Return the sessions that an instant of a day can belong to."""
        segment, in_auction = instrument.segment, instrument.cas_eligible

        def look() -> Around:
            return Around(
                self._sessions.session(segment, day, in_auction=in_auction),
                previous_session(self._sessions, segment, day, in_auction=in_auction),
            )

        return self._around.get((segment, day, in_auction), look)

    def sitting(self, instrument: Instrument, second: int) -> Sitting | None:
        """Return the session that an instant belongs to; None: the instrument has no price then."""
        day = date.fromordinal(EPOCH_ORDINAL + (second + IST_OFFSET) // 86_400)
        session, before = self.around(instrument, day)
        if session is None or second < session.begins:
            if before is None:
                return None
            session, before = before, self.around(instrument, before.day).before
        return Sitting(session, before) if self.lives(instrument, session.day) else None

    def close(self, instrument: Instrument, session: Session) -> Price:
        """Return the last price of a session."""

        def reckon() -> tuple[Instrument, Price]:
            before = self.around(instrument, session.day).before
            return instrument, self.traded(instrument, Sitting(session, before)).final

        of, found = self._closes.get((instrument.id, session.day), reckon)
        return found if of is instrument or of == instrument else reckon()[1]

    def traded(self, instrument: Instrument, sitting: Sitting) -> Traded:
        """Return an instrument's day; laid out again where its terms have changed since."""

        def reckon() -> Traded:
            return self._lay_out(instrument, sitting)

        found = self._traded.get((instrument.id, sitting.session.day), reckon)
        if found.instrument is instrument or found.instrument == instrument:
            return found
        return reckon()

    def name_of(self, instrument: Instrument) -> Name:
        """Return the name whose course an instrument follows."""
        key = instrument.root or instrument.symbol
        usual, more = USUAL_MOVE.get(instrument.kind, SHARES)
        chance = drawn(1, self.seed, key, "move")[0] / 255
        reference = self._references(instrument) or Price(0)
        return Name(self.seed, key, float(reference), usual + more * chance)

    def _hours_of_name(self, segment: Segment, day: date) -> tuple[int, int, int] | None:
        """Return the minutes at which a name opens, stops for an auction, and closes."""
        home = self._sessions.session(segment, day)
        auctioned = self._sessions.session(segment, day, in_auction=True)
        if home is None or auctioned is None:
            return None
        midnight = second_of(day, time())
        own, until = minutes_of(home.spans, midnight), minutes_of(auctioned.spans, midnight)
        return own[0][0], until[-1][1], own[-1][1]

    def _lay_out(self, instrument: Instrument, sitting: Sitting) -> Traded:
        session = sitting.session
        name, day = self.name_of(instrument), session.day
        midnight = second_of(day, time())
        spans = minutes_of(session.spans, midnight)
        course = self._course(instrument, name, sitting, spans)
        closing = _closing(instrument, course)
        lower, upper = instrument.lower_band, instrument.upper_band
        grid = Grid.within(instrument.tick_size or TICK, lower, upper)
        yearly = name.move * sqrt(TRADING_DAYS)
        return Traded(
            instrument=instrument,
            session=session,
            midnight=midnight,
            course=course,
            activity=self._activities.get(
                (name.key, session.spans), lambda: Activity(name, day, spans)
            ),
            pricing=_pricing(instrument, grid, course, yearly, closing),
            grid=grid,
            liquidity=liquidity_of(instrument, name, day, course.before, yearly),
            blocks=[NOTHING_YET],
            closing=closing,
        )

    def _course(
        self,
        instrument: Instrument,
        name: Name,
        sitting: Sitting,
        spans: tuple[tuple[int, int], ...],
    ) -> Course:
        session, before = sitting
        day, previous = session.day, None if before is None else before.day
        opens, calms, closes = self._hours.get(
            (segment := SPOT_OF.get(instrument.segment, instrument.segment), day),
            lambda: self._hours_of_name(segment, day),
        ) or (spans[0][0], spans[-1][1], spans[-1][1])
        first, last = min(opens, spans[0][0]), max(closes, spans[-1][1])
        shape = Shape(opens, calms, closes, first, last, last > closes and instrument.expiry == day)

        def lay_out() -> Course:
            return Course(name, day, previous, shape, self.troubles.tilt(name, day, previous))

        return self._courses.get((name, day, shape), lay_out)


def _closing(instrument: Instrument, course: Course) -> int:
    """Return the minute from which every minute of an instrument's day is a block."""
    if instrument.expiry != course.day or instrument.option_type is None:
        return MINUTES
    return max(course.shape.first, course.shape.closes - LAST_HOUR) // BLOCK * BLOCK


def _pricing(
    instrument: Instrument, grid: Grid, course: Course, yearly: float, closing: int
) -> Pricing:
    if instrument.expiry is None:
        return Spot(grid)
    days = (instrument.expiry - course.day).days
    if instrument.option_type is None or not instrument.strike:
        return Spot(grid, carry(days))
    closes = course.shape.closes
    lives = [
        max(SMALLEST_LIFE, (days + (closes - block * BLOCK) / MINUTES) / YEAR)
        for block in range(BLOCKS)
    ]
    lives += [max(0, closes - minute - 1) / MINUTES / YEAR for minute in range(closing, MINUTES)]
    factor, strike = carry(days), float(instrument.strike)
    volatility = smile(yearly, course.before * factor, strike, lives[0])
    is_call = instrument.option_type is OptionType.CE
    return Option(grid, factor, strike, volatility, tuple(lives), is_call)
