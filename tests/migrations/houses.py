"""Small houses with a history, for proofs about the runner of migrations."""

from __future__ import annotations

import shutil
from pathlib import Path

from bahi.db.migrate import History, Migrator
from bahi.db.opening import Database
from bahi.db.schema import MAIN, Schema, check, key, ref, text, whole
from bahi.db.tables import plumbing

HISTORY = History(Path(__file__).parent / "steps")


def house() -> Schema:
    """Return what the steps beside this file lead to."""
    schema = Schema()
    plumbing(schema)
    schema.table("pages", "Pages.", key(), text("name", "Its name.", unique=True), stores=MAIN)
    schema.table(
        "lines",
        "Lines on pages.",
        key(),
        ref("page_id", "pages.id", "The page.", on_delete="CASCADE"),
        whole("amount", "How much."),
        whole("updated_at", "When it was changed."),
        check("positive", "amount > 0"),
        stores=MAIN,
    )
    schema.view(
        "v_lines",
        "Lines with their page's name.",
        lambda _: "SELECT l.id, p.name, l.amount FROM lines l JOIN pages p ON p.id = l.page_id",
        stores=MAIN,
    )
    return schema


def migrator(url: str, history: History = HISTORY) -> Migrator:
    """Return what moves the small house along its history."""
    return Migrator(Database("main", url, house()), history)


def altered(step: str, text: str, folder: Path) -> History:
    """Copy the history with something more in one step."""
    copy = folder / "steps"
    shutil.copytree(HISTORY.folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (file,) = copy.glob(f"{step}_*.py")
    file.write_text(file.read_text("utf-8") + text, "utf-8")
    return History(copy)
