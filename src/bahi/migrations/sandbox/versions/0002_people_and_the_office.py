"""Who asked for a job, and one open alert for each topic."""

from bahi.db.steps import lay_down, restore, take_back

revision = "0002"
down_revision = "0001"

ADDED = {
    "jobs": ("user_id",),
    "alerts": ("user_id", "topic", "times", "last_raised_at"),
    "audit_seal_rows": ("row_digest",),
}


def upgrade() -> None:
    """Add it."""
    lay_down(__file__)


def downgrade() -> None:
    """Take it back."""
    take_back(__file__)
    restore(__file__, ADDED, as_in="0001_the_sandbox")
