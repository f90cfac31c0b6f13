"""The book and the paper exchange: exact values, what waits, and who was told."""

from bahi.db.steps import lay_down, restore, take_back

revision = "0003"
down_revision = "0002"

ADDED = {
    "paper_orders": (
        "instrument_id",
        "placed_by",
        "filled_value",
        "session_day",
        "told_version",
    ),
    "funds": ("cash",),
    "orders": (
        "traded_value",
        "margin_blocked",
        "bo_trailing",
        "key_id",
        "is_exit",
        "is_external",
        "waits_for",
        "release_at",
        "expires_at",
        "approved_by",
        "told_at",
    ),
    "positions": (
        "buy_value",
        "sell_value",
        "open_cost",
        "day_buy_value",
        "day_sell_value",
        "folded_at",
        "folded_id",
    ),
    "trades": ("is_cumulative",),
}


def upgrade() -> None:
    """Add it."""
    lay_down(__file__)


def downgrade() -> None:
    """Take it back."""
    take_back(__file__)
    restore(__file__, ADDED, as_in="0001_the_sandbox")
