"""What the checks of the house's parts found."""

from __future__ import annotations

from bahi.db.schema import HOUSE, MAIN, index, instant, key, text, whole, word
from bahi.kernel.words import Health

system_health = HOUSE.table(
    "system_health",
    "How a part of the house was when it was asked.",
    key(),
    text("component", "Which part."),
    word("status", Health, "How it was."),
    instant("checked_at", "When it was asked."),
    whole("response_time_ms", "How long it took to answer.", null=True),
    whole("error_count", "How often it failed since it was last well.", null=True, default=0),
    text("details", "In words.", null=True),
    index("component", "checked_at"),
    stores=MAIN,
)
