"""The house as it first stood: people, accounts, reference data and the books of live accounts."""

from bahi.db.steps import lay_down, take_back

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Lay it all down."""
    lay_down(__file__)


def downgrade() -> None:
    """Take it all back."""
    take_back(__file__)
