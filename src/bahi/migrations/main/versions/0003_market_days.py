"""Market days: days with hours of their own, known years, square-off times, closing auctions."""

from bahi.db.steps import lay_down, restore, take_back

revision = "0003"
down_revision = "0002"

ADDED = {
    "trading_calendars": ("segment", "facts_release"),
    "trading_sessions": (
        "closing_auction_start",
        "closing_auction_end",
        "us_daylight",
        "source",
        "is_unverified",
        "is_shipped",
    ),
    "market_holidays": ("is_settlement_holiday", "source", "is_unverified", "is_shipped"),
}


def upgrade() -> None:
    """Add it."""
    lay_down(__file__)


def downgrade() -> None:
    """Take it back; what came with Bahi goes, and comes again with the step."""
    take_back(__file__)
    restore(__file__, ADDED, as_in="0001_the_house")
