"""Whose call it was, and what tells which sealed row was changed."""

from bahi.db.steps import lay_down, restore, take_back

revision = "0002"
down_revision = "0001"

ADDED = {
    "api_calls": ("user_id", "request_id"),
    "audit_seal_rows": ("row_digest",),
}


def upgrade() -> None:
    """Add it."""
    lay_down(__file__)


def downgrade() -> None:
    """Take it back."""
    take_back(__file__)
    restore(__file__, ADDED, as_in="0001_the_archive")
