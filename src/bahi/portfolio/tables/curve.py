"""What accounts were worth through a day: a point a minute, to draw."""

from __future__ import annotations

from bahi.db.schema import HOUSE, TRADING, index, instant, key, money, ref, text

equity_points = HOUSE.table(
    "equity_points",
    "What an account had made by a minute of its day, while something of it was open or traded. "
    "Forgotten after a while: positions and trades tell all but what prices were.",
    ref("account_id", "books.account_id", "Whose.", on_delete="CASCADE", primary=True),
    key("minute", "When the minute began: microseconds since 1970, UTC."),
    instant("at", "When in it the prices were looked at."),
    money("realized", "Profit closed that day, before charges."),
    money("unrealized", "Profit still open; empty: not known.", null=True),
    money("charges", "What that day's trades and dues were charged by then."),
    text("why", "Why what is open is not known.", null=True),
    index("minute"),
    stores=TRADING,
)
