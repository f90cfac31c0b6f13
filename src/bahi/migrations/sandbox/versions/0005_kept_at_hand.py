"""What the desk keeps at hand, so that it need not be worked out anew."""

from bahi.db.steps import lay_down, take_back

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add it."""
    lay_down(__file__)


def downgrade() -> None:
    """Take it back."""
    take_back(__file__)
