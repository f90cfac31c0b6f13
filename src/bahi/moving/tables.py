"""Where every imported row went, with the row as it was."""

from __future__ import annotations

from bahi.db.schema import HOUSE, MAIN, index, instant, json, sealed, text, text_key

import_rows = HOUSE.table(
    "import_rows",
    "Every row that came from another system, as it was; `quarantine` for one that could not be "
    "taken in.",
    text_key("source", "Which system."),
    text_key("source_table", "Which of its tables."),
    text_key("source_key", "Which row."),
    text("target_table", "Which of our tables it went to, or `quarantine`."),
    text("target_key", "Which row it became."),
    json("original", "The row as it was, its secret fields left out."),
    sealed("secrets_enc", "Its secret fields, as JSON.", null=True),
    instant("imported_at", "When."),
    index("target_table", "target_key"),
    stores=MAIN,
)
