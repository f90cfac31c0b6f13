"""The book and the paper exchange: exact values, what waits, and who was told."""

from bahi.db.steps import lay_down, restore, take_back

revision = "0003"
down_revision = "0002"

ADDED = {
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
    "trades": ("is_cumulative",),
}


def upgrade() -> None:
    """Add it."""
    lay_down(__file__)


def downgrade() -> None:
    """Take it back."""
    take_back(__file__)
    restore(__file__, ADDED, as_in="0001_the_archive")
