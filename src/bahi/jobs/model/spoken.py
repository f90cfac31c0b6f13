"""When something comes round, in words: `weekdays 08:15`; else it stays as it was written."""

from __future__ import annotations

import re
from typing import Final

ANY: Final = "*"
SHORT: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LAST_HOUR: Final = 23
LAST_MINUTE: Final = 59
STEP: Final = re.compile(r"\*/(\d{1,2})")
RANGE: Final = re.compile(r"(\d{1,2})-(\d{1,2})")
ENDINGS: Final = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


def spoken(cron: str) -> str:
    """Say when crontabs parted by `;` come round: `daily 16:20 and 23:58`, `every 5 minutes`."""
    said: dict[str, list[str]] = {}
    for crontab in cron.split(";"):
        fields = crontab.split()
        times = _times(*fields[:2]) if len(fields) == 5 else None
        days = _days(*fields[2:]) if times else None
        if times is None or days is None:
            return cron
        said.setdefault(days, []).append(times)
    return "; ".join(_said(days, times) for days, times in said.items())


def _said(days: str, times: list[str]) -> str:
    together = " and ".join(times)
    if times[0][0].isdigit():
        return f"{days} {together}"
    return together if days == "daily" else f"{days}, {together}"


def _times(minute: str, hour: str) -> str | None:
    if (minute.isdigit() and int(minute) > LAST_MINUTE) or (
        hour.isdigit() and int(hour) > LAST_HOUR
    ):
        return None
    if minute.isdigit() and hour.isdigit():
        return f"{int(hour):02}:{int(minute):02}"
    if minute.isdigit() and hour == ANY:
        return f"every hour at :{int(minute):02}"
    step, hours = STEP.fullmatch(minute), RANGE.fullmatch(hour)
    if step is None or (hours is None and hour != ANY):
        return None
    if hours is not None and max(int(hours[1]), int(hours[2])) > LAST_HOUR:
        return None
    often = "every minute" if int(step[1]) == 1 else f"every {int(step[1])} minutes"
    return (
        often if hours is None else f"{often} from {int(hours[1]):02}:00 to {int(hours[2]):02}:59"
    )


def _days(date: str, month: str, weekday: str) -> str | None:
    if month != ANY:
        return None
    if date.isdigit() and weekday == ANY:
        return f"the {int(date)}{ENDINGS.get(int(date), 'th')} of each month"
    if date != ANY:
        return None
    known = {ANY: "daily", "mon-fri": "weekdays"}
    if weekday in known:
        return known[weekday]
    ends = [DAYS[SHORT.index(it)] for it in weekday.split("-") if it in SHORT]
    if len(ends) != weekday.count("-") + 1 or len(ends) > 2:
        return None
    return f"{ends[0]}s" if len(ends) == 1 else " to ".join(ends)
