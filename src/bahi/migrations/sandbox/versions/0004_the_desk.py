"""The desk: orders of every kind, limits, money and a market that behaves."""

from bahi.db.steps import lay_down, take_back

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add it."""
    lay_down(__file__)


def downgrade() -> None:
    """Take it back."""
    take_back(__file__)
