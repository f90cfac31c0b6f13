"""What the doors need: webhooks, and which of its accounts a key means."""

from bahi.db.steps import lay_down, take_back

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add it."""
    lay_down(__file__)


def downgrade() -> None:
    """Take it back."""
    take_back(__file__)
