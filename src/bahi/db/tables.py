"""What the database layer keeps for itself, in every store."""

from __future__ import annotations

import sqlalchemy as sa

from bahi.db import types
from bahi.db.schema import (
    EVERYWHERE,
    HOUSE,
    MAIN,
    Schema,
    check,
    instant,
    key,
    text,
    text_key,
    whole,
)


def plumbing(schema: Schema) -> None:
    """Add the layer's own tables to a schema: every store of every house has them."""
    schema.table(
        "permits",
        "While its row stands, this one transaction may change append-only rows (the archiver, "
        "erase, retention). Its foreign key can never be satisfied, so no transaction can commit "
        "without taking its permit back.",
        key("id", "Always 1: one permit at a time."),
        sa.Column(
            "never",
            types.Whole,
            sa.ForeignKey("permits.id", deferrable=True, initially="DEFERRED"),
            nullable=False,
            doc="Always 0: a row that is never there.",
        ),
        text("reason", "Who passes, and why."),
        check("only_one", "id = 1 AND never = 0"),
        stores=EVERYWHERE,
    )
    schema.table(
        "write_marks",
        "The newest unit that each PostgreSQL write thread committed, written in the unit's own "
        "transaction: what decides a COMMIT whose answer was lost. Empty on SQLite, where COMMIT "
        "always answers.",
        key("writer", "The thread, by a number it drew when it started."),
        whole("unit", "The number of its newest unit."),
        instant("marked_at", "When the thread began that unit."),
        stores=EVERYWHERE,
    )
    schema.table(
        "schema_migrations",
        "The steps that this store has taken, each written in the step's own transaction.",
        key("version", "The step's number."),
        text("name", "The step's name."),
        text("checksum", "Of the step's text as it was applied.", null=True),
        instant("applied_at", "When."),
        stores=EVERYWHERE,
    )


plumbing(HOUSE)

permits = HOUSE.metadata.tables["permits"]
write_marks = HOUSE.metadata.tables["write_marks"]
schema_migrations = HOUSE.metadata.tables["schema_migrations"]

nodes = HOUSE.table(
    "nodes",
    "Whose turn it is: every process that mints ids takes the next number when it starts, so that "
    "no two running processes mint the same id.",
    key("id", "Always 1: one row."),
    whole("counter", "How many processes have ever started; a node is this, modulo 1024."),
    check("only_one", "id = 1"),
    stores=MAIN,
)

revisions = HOUSE.table(
    "revisions",
    "A number for each thing that processes keep in memory (keys, settings): it grows in the "
    "transaction that changes the thing, and every process looks at all of them twice a second.",
    text_key("topic", "What was changed."),
    whole("number", "How often.", default=0),
    stores=MAIN,
)
