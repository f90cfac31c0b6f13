"""What the desk shows and nothing else kept: the day as a curve, and who signed its end."""

from bahi.db.steps import lay_down, take_back

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add it."""
    lay_down(__file__)


def downgrade() -> None:
    """Take it back."""
    take_back(__file__)
