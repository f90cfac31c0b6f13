"""Sets of market hours: the hours of each weekday, and the dated exceptions."""

from __future__ import annotations

from bahi.db.schema import HOUSE, MAIN, day, flag, hour, index, instant, key, ref, text, whole, word

trading_calendars = HOUSE.table(
    "trading_calendars",
    "A named set of market hours.",
    key(),
    text("name", "Of the exchange or segment it serves."),
    text("timezone", "In which its hours are written.", default="Asia/Kolkata"),
    flag("is_active", "Is it asked?", default=True),
    instant("created_at", "When it was entered."),
    stores=MAIN,
)

trading_sessions = HOUSE.table(
    "trading_sessions",
    "The hours of one weekday in a calendar, from one day to another.",
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
        "Closed all day, the Diwali hour, or a session of its own hours.",
        null=True,
    ),
    hour("market_open", "Trading begins, unless closed all day.", null=True),
    hour("market_close", "Trading ends, unless closed all day.", null=True),
    index("calendar_id", "date"),
    stores=MAIN,
)
