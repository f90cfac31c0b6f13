"""The symbol master: loads of brokers' files, which of them is in force, facts of instruments."""

from bahi.db.steps import lay_down, restore, take_back

revision = "0004"
down_revision = "0003"

ADDED = {
    "instruments": (
        "exchange_token",
        "series",
        "freeze_qty",
        "lower_band",
        "upper_band",
        "cas_eligible",
        "terms_since",
        "named_by",
        "arrived_in",
    ),
}


def upgrade() -> None:
    """Add it."""
    lay_down(__file__)


def downgrade() -> None:
    """Take it back; listings go, as they come again with the next file."""
    take_back(__file__)
    restore(__file__, ADDED, as_in="0001_the_house")
