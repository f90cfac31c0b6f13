"""Whose call it was, and by which request."""

from bahi.db.steps import lay_down, restore, take_back

revision = "0002"
down_revision = "0001"

ADDED = {
    "api_calls": ("user_id", "request_id"),
}


def upgrade() -> None:
    """Add it."""
    lay_down(__file__)


def downgrade() -> None:
    """Take it back."""
    take_back(__file__)
    restore(__file__, ADDED, as_in="0001_api_calls")
