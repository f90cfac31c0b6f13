"""Market days, kept: what comes with Bahi, what people bring in, and what the house reads of them.

A change bumps the topic `calendar`, so that every process knows of it within a second.
"""

from bahi.calendar.service.days import (
    Imported,
    Removed,
    import_days,
    mark_of,
    remove_day,
    remove_year,
    set_day,
    told,
)
from bahi.calendar.service.hours import (
    Since,
    remove_auction,
    remove_hours,
    set_auctions,
    set_hours,
)
from bahi.calendar.service.live import (
    TOPIC,
    LiveCalendar,
    Missing,
    days_as_entered,
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
    "Since",
    "TimesOf",
    "days_as_entered",
    "exceptions_of",
    "furnish",
    "furnish_calendar",
    "import_days",
    "mark_of",
    "remove_auction",
    "remove_day",
    "remove_hours",
    "remove_square_offs",
    "remove_year",
    "set_auctions",
    "set_day",
    "set_hours",
    "set_square_offs",
    "told",
    "what_is_missing",
]
