"""Pages of the day's books: all of the session where nothing else is asked for, and bounded."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Final, NamedTuple

import msgspec

from bahi.api.forms import cursor, place
from bahi.api.openalgo.door import Ask, Text
from bahi.kernel.clock import IST, day_begins, from_micros, to_micros
from bahi.kernel.errors import Invalid

WHOLE_AT_MOST: Final = 5_000
"""How much of a session is answered at once; behind it `next` goes on."""
PAGE_AT_MOST: Final = 500
_DAY: Final = timedelta(days=1)


class Paged(Ask, kw_only=True):
    """A book to look at; without anything, the current session."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=WHOLE_AT_MOST)] = WHOLE_AT_MOST
    cursor: Text | None = None
    begins: Text | None = msgspec.field(default=None, name="from")
    ends: Text | None = msgspec.field(default=None, name="to")


class Span(NamedTuple):
    """From when until when, the latter left out; and behind which row the page begins."""

    since: datetime
    until: datetime
    behind: tuple[datetime, int] | None


def span_of(form: Paged, now: datetime) -> Span:
    """Return what a page is of: today, or from one day (or instant) to another, both included."""
    since = day_begins(now) if form.begins is None else _instant(form.begins, "from")
    until = now + _DAY if form.ends is None else _instant(form.ends, "to", is_end=True)
    if until <= since:
        raise Invalid("to: it is before `from`; name a later day.")
    found = place(form.cursor, 2)
    behind = None if found is None else (from_micros(found[0]), found[1])
    return Span(since, until, behind)


def next_of(at: datetime, row_id: int) -> str:
    """Write where a page ended."""
    return cursor(to_micros(at), row_id)


def _instant(said: str, field: str, *, is_end: bool = False) -> datetime:
    """Read 2026-11-20, the whole of it, or an instant; without a zone it is the exchange's."""
    try:
        if len(said) == len("2026-11-20"):
            day = date.fromisoformat(said)
            begins = datetime(day.year, day.month, day.day, tzinfo=IST)
            found = begins + _DAY if is_end else begins
        else:
            found = datetime.fromisoformat(said)
            found = found.replace(tzinfo=IST) if found.tzinfo is None else found
    except (ValueError, OverflowError):
        raise Invalid(f"{field}: write a day, 2026-11-20, or 2026-11-20T09:15:00.") from None
    if not 1970 < found.year < 2999:
        raise Invalid(f"{field}: the year {found.year} is none of ours.")
    return found
