"""A line adds something: what was taken as its opposite is turned round."""

from alembic import op

from bahi.db.opening import lay
from bahi.db.steps import rebuild

revision = "0002"
down_revision = "0001"

LINES = """CREATE TABLE lines (
	id INTEGER NOT NULL, page_id INTEGER NOT NULL, amount INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	CONSTRAINT pk_lines PRIMARY KEY (id),
	CONSTRAINT fk_lines_page_id FOREIGN KEY(page_id) REFERENCES pages (id) ON DELETE CASCADE{rule}
) STRICT"""
RULE = "CONSTRAINT ck_lines_positive CHECK (amount > 0)"


def upgrade() -> None:
    lay(op.get_bind(), ["UPDATE lines SET amount = abs(amount)"])
    if op.get_bind().dialect.name == "sqlite":
        rebuild("lines", LINES.format(rule=f", {RULE}"))
    else:
        lay(op.get_bind(), [f"ALTER TABLE lines ADD {RULE}"])


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        rebuild("lines", LINES.format(rule=""))
    else:
        lay(op.get_bind(), ["ALTER TABLE lines DROP CONSTRAINT ck_lines_positive"])
