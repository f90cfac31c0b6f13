"""Who did what to what, and the seals that prove that nobody changed it since."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    MAIN,
    TRADING,
    TRADING_AND_ARCHIVE,
    AppendOnly,
    day,
    index,
    instant,
    json,
    key,
    ref,
    text,
    whole,
)
from bahi.db.views import seen, seen_as, select

audit_trail = HOUSE.table(
    "audit_trail",
    "Who did what to what. These rows outlive everything, so no key binds them.",
    key(),
    whole("user_id", "Who, if it was a person.", null=True),
    text("actor", "Who, in words: a name, a key, a part of the house.", null=True),
    text("entity_type", "To what kind of thing.", default="activity"),
    text("entity_id", "To which one.", null=True),
    text("action", "What was done."),
    json("old_value", "What it was, without secrets.", null=True),
    json("new_value", "What it became, without secrets.", null=True),
    text("details", "In words.", null=True),
    text("ip_address", "From where.", null=True),
    text("user_agent", "With what.", null=True),
    text("request_id", "The request it came by, as its answer names it.", null=True),
    instant("at", "When."),
    index("entity_type", "entity_id", "at"),
    index("user_id", "at"),
    index("action", "at"),
    index("at"),
    stores=TRADING_AND_ARCHIVE,
    append_only=AppendOnly(),
)

audit_seals = HOUSE.table(
    "audit_seals",
    "A seal over some audit rows, chained to the seal before it. Rows may leave for the archive "
    "in whole batches; their seal stays.",
    key("seal_no", "Ours: no two trading stores share one, so both can archive into one."),
    whole("previous_seal_no", "The seal before it; 0: it is the first.", null=True, unique=True),
    text("previous_digest", "That seal's digest.", null=True),
    text("digest", "Keyed, over its rows' digests and the digest before, in hex."),
    whole("row_count", "How many rows it covers."),
    instant("sealed_at", "When."),
    stores=TRADING_AND_ARCHIVE,
    append_only=AppendOnly(),
)

audit_seal_rows = HOUSE.table(
    "audit_seal_rows",
    "Which audit rows a seal covers: a list, because a smaller id may commit after a larger one.",
    key("audit_id", "The audit row; each is sealed once."),
    ref("seal_no", "audit_seals.seal_no", "Its seal, which never goes.", on_delete="RESTRICT"),
    text("row_digest", "Over the row as stored, in hex: tells which row was changed.", null=True),
    index("seal_no"),
    stores=TRADING_AND_ARCHIVE,
    append_only=AppendOnly(),
)

day_ends = HOUSE.table(
    "day_ends",
    "Who signed the end of a day, and what was not good then. As the trail, these rows outlive "
    "everything, so no key binds them.",
    key(),
    whole("user_id", "Who."),
    text("actor", "Who, in words."),
    day("day", "Of which day."),
    instant("signed_at", "When."),
    text("note", "What they said to it.", null=True),
    json("findings", "What was not good when they signed: its name, how it stood, of what."),
    index("user_id", "day"),
    index("day"),
    stores=MAIN,
    append_only=AppendOnly(),
)

HOUSE.view(
    "activity_logs",
    "What people did.",
    lambda sql: select(
        seen(sql, audit_trail, "t", "id", "user_id", "action", "details"),
        seen(sql, audit_trail, "t", "ip_address", "user_agent"),
        seen_as(sql, audit_trail.c.at, "t", "timestamp"),
        rest="FROM audit_trail t",
    ),
    stores=TRADING,
)
