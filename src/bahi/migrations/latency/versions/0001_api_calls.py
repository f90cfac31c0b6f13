"""Calls to brokers, and how long they took."""

from bahi.db.steps import lay_down, take_back

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Lay it all down."""
    lay_down(__file__)


def downgrade() -> None:
    """Take it all back."""
    take_back(__file__)
