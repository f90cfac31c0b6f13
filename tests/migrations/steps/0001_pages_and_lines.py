"""Pages and lines, as they first were: any amount was taken."""

from alembic import op

from bahi.db.opening import lay
from bahi.db.schema import MAIN, Schema, key, ref, text, whole
from bahi.db.tables import plumbing

revision = "0001"
down_revision = None


def _first() -> Schema:
    schema = Schema()
    plumbing(schema)
    schema.metadata.remove(schema.metadata.tables["schema_migrations"])
    schema.table("pages", "Pages.", key(), text("name", "Its name.", unique=True), stores=MAIN)
    schema.table(
        "lines",
        "Lines.",
        key(),
        ref("page_id", "pages.id", "The page.", on_delete="CASCADE"),
        whole("amount", "How much."),
        whole("updated_at", "When."),
        stores=MAIN,
    )
    schema.view(
        "v_lines",
        "Lines with names.",
        lambda _: "SELECT l.id, p.name, l.amount FROM lines l JOIN pages p ON p.id = l.page_id",
        stores=MAIN,
    )
    return schema


def upgrade() -> None:
    lay(op.get_bind(), _first().of_store("main").statements(op.get_bind().dialect))


def downgrade() -> None:
    drops = ["DROP VIEW v_lines", "DROP TABLE lines", "DROP TABLE pages"]
    drops += ["DROP TABLE permits", "DROP TABLE write_marks"]
    if op.get_bind().dialect.name == "postgresql":
        drops += ["DROP FUNCTION refuse_change()", "DROP FUNCTION touch()"]
    lay(op.get_bind(), drops)
