"""Sets of market hours: the hours of each weekday, the dated exceptions, and what hangs on them.

A column `is_shipped` says that a row came with Bahi and that nobody changed it since: a newer
release may correct it. What people entered is theirs, and goes before what came with Bahi.
"""

from __future__ import annotations

from typing import Final

from bahi.calendar.model import CALENDARS, Phase
from bahi.db.schema import (
    HOUSE,
    MAIN,
    day,
    flag,
    hour,
    index,
    instant,
    key,
    percent,
    ref,
    text,
    unique,
    whole,
    word,
)
from bahi.db.views import select
from bahi.kernel.words import BrokerSlug

SESSIONS = tuple(str(it) for it in Phase if it.is_session)

SPANS: Final = {
    Phase.PRE_OPEN: ("pre_market_start", "pre_market_end"),
    Phase.OPEN: ("market_open", "market_close"),
    Phase.CLOSING_AUCTION: ("closing_auction_start", "closing_auction_end"),
    Phase.POST_CLOSE: ("post_market_start", "post_market_end"),
}
"""The columns of a weekday's sessions."""

trading_calendars = HOUSE.table(
    "trading_calendars",
    "A named set of market hours.",
    key(),
    text("name", "Of the exchange or segment it serves."),
    text("timezone", "In which its hours are written.", default="Asia/Kolkata"),
    flag("is_active", "Is it asked?", default=True),
    instant("created_at", "When it was entered."),
    word("segment", CALENDARS, "Whose hours they are; empty: nobody asks them.", null=True),
    whole("facts_release", "The newest of Bahi's facts that were entered in it.", default=0),
    index("segment", unique=True),
    stores=MAIN,
)

trading_sessions = HOUSE.table(
    "trading_sessions",
    "The hours of one weekday in a calendar, from one day to another; rows of a day add up.",
    key(),
    ref("calendar_id", "trading_calendars.id", "In which calendar.", on_delete="CASCADE"),
    whole("day_of_week", "0 Monday to 6 Sunday.", among=range(7)),
    hour("pre_market_start", "Pre-open begins.", null=True),
    hour("pre_market_end", "Pre-open ends.", null=True),
    hour("market_open", "Normal trading begins.", null=True),
    hour("market_close", "Normal trading ends.", null=True),
    hour("post_market_start", "Post-close begins.", null=True),
    hour("post_market_end", "Post-close ends.", null=True),
    flag("is_trading_day", "Is there any trading on this weekday?", default=True),
    day("valid_from", "The first day of these hours; empty: always.", null=True),
    day("valid_until", "Their last day; empty: until changed.", null=True),
    hour(
        "closing_auction_start",
        "The closing auction begins; normal trading ends then for what is in it.",
        null=True,
    ),
    hour("closing_auction_end", "The closing auction ends.", null=True),
    flag(
        "us_daylight",
        "1: only while it is daylight time in New York, 0: only while it is not; empty: always.",
        null=True,
    ),
    text("source", "Who says so.", null=True),
    flag("is_unverified", "Is it still to be confirmed?", default=False),
    flag("is_shipped", "Did it come with Bahi, unchanged since?", default=False),
    index("calendar_id", "day_of_week"),
    stores=MAIN,
)

market_holidays = HOUSE.table(
    "market_holidays",
    "A dated exception of a calendar: no trading at all, or other hours.",
    key(),
    ref("calendar_id", "trading_calendars.id", "In which calendar.", on_delete="CASCADE"),
    day("date", "On which day."),
    text("description", "Why.", null=True),
    word(
        "holiday_type",
        ("full_day", "muhurat", "special"),
        "Closed all day, the Diwali hour, or a session of its own hours; empty: the usual hours.",
        null=True,
    ),
    hour("market_open", "Trading begins, unless closed all day; empty: not known.", null=True),
    hour("market_close", "Trading ends, unless closed all day; empty: not known.", null=True),
    flag("is_settlement_holiday", "Is nothing settled on it?", default=False),
    text("source", "Who says so.", null=True),
    flag("is_unverified", "Is it still to be confirmed?", default=False),
    flag("is_shipped", "Did it come with Bahi, unchanged since?", default=False),
    index("calendar_id", "date", unique=True),
    stores=MAIN,
)

market_day_hours = HOUSE.table(
    "market_day_hours",
    "The hours of a day that has its own: as many sessions as there are.",
    key(),
    ref("holiday_id", "market_holidays.id", "On which day.", on_delete="CASCADE"),
    word("phase", SESSIONS, "Of which kind the session is."),
    hour("starts", "It begins."),
    hour("ends", "It ends."),
    unique("holiday_id", "phase", "starts"),
    stores=MAIN,
)

market_years = HOUSE.table(
    "market_years",
    "A year whose exceptions are all entered; days of any other year are unknown.",
    key(),
    ref("calendar_id", "trading_calendars.id", "In which calendar.", on_delete="CASCADE"),
    whole("year", "Which year."),
    text("source", "Who says so.", null=True),
    flag("is_unverified", "Is the list still to be confirmed?", default=False),
    flag("is_shipped", "Did it come with Bahi, unchanged since?", default=False),
    unique("calendar_id", "year"),
    stores=MAIN,
)

square_off_times = HOUSE.table(
    "square_off_times",
    "When a broker closes intraday positions by itself, from one day to another.",
    key(),
    word("broker", BrokerSlug, "Which broker."),
    ref("calendar_id", "trading_calendars.id", "In which market.", on_delete="CASCADE"),
    flag(
        "in_closing_auction",
        "1: only what is in the closing auction, 0: only what is not; empty: both.",
        null=True,
    ),
    flag("us_daylight", "As in trading_sessions.", null=True),
    hour("at", "At which hour.", null=True),
    whole("minutes_before_close", "Or how long before normal trading ends.", null=True),
    day("valid_from", "The first day; empty: always.", null=True),
    day("valid_until", "The last day; empty: until changed.", null=True),
    text("source", "Who says so.", null=True),
    flag("is_unverified", "Is it still to be confirmed?", default=False),
    flag("is_shipped", "Did it come with Bahi, unchanged since?", default=False),
    index("calendar_id", "broker"),
    stores=MAIN,
)

closing_auctions = HOUSE.table(
    "closing_auctions",
    "The rules of a market's closing auction, from one day to another.",
    key(),
    ref("calendar_id", "trading_calendars.id", "In which market.", on_delete="CASCADE"),
    day("valid_from", "The first day."),
    day("valid_until", "The last day; empty: until changed.", null=True),
    text("order_types", "Which orders it takes: LIMIT,MARKET."),
    flag("allows_stops", "May an order wait for a trigger?", default=False),
    flag("allows_iceberg", "May an order hide a part of itself?", default=False),
    hour("stops_purged_at", "Stops that wait are cancelled.", null=True),
    hour("reference_from", "Trades count for the reference price from here.", null=True),
    hour("reference_to", "And until here.", null=True),
    hour("entry_ends_from", "Entry ends at a random moment, from here.", null=True),
    hour("entry_ends_by", "At the latest.", null=True),
    percent("collar", "How far a price may be from the reference.", null=True),
    text("source", "Who says so.", null=True),
    flag("is_unverified", "Is it still to be confirmed?", default=False),
    flag("is_shipped", "Did it come with Bahi, unchanged since?", default=False),
    index("calendar_id", "valid_from"),
    stores=MAIN,
)

HOUSE.view(
    "trading_hours_templates",
    "Sets of market hours, by the name and columns that the third of the sources gives them.",
    lambda sql: select(
        "id",
        "name",
        "timezone",
        "is_active",
        f"{sql.ist('created_at')} AS created_at",
        rest="FROM trading_calendars",
    ),
    stores=MAIN,
)
