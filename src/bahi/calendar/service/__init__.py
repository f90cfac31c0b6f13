"""Market days, kept: what comes with Bahi, what people bring in, and what the house reads of them.

A change bumps the topic `calendar`, so that every process knows of it within a second.
"""

from bahi.calendar.service.days import (
    Imported,
    Removed,
    import_days,
    remove_day,
    remove_year,
    set_day,
    told,
)
from bahi.calendar.service.live import (
    TOPIC,
    LiveCalendar,
    Missing,
    exceptions_of,
    what_is_missing,
)
from bahi.calendar.service.shipped import furnish, furnish_calendar
from bahi.calendar.service.square_offs import TimesOf, remove_square_offs, set_square_offs

__all__ = [
    "TOPIC",
    "Imported",
    "LiveCalendar",
    "Missing",
    "Removed",
    "TimesOf",
    "exceptions_of",
    "furnish",
    "furnish_calendar",
    "import_days",
    "remove_day",
    "remove_square_offs",
    "remove_year",
    "set_day",
    "set_square_offs",
    "told",
    "what_is_missing",
]
