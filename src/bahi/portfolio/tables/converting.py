"""Conversions as they were wished: each is told to the broker before the book makes it."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    TRADING,
    check,
    day,
    index,
    instant,
    key,
    quantity,
    ref,
    text,
    unique,
    word,
)
from bahi.kernel.words import Product, Segment
from bahi.portfolio.model.converting import Stage

position_conversions = HOUSE.table(
    "position_conversions",
    "Conversions of positions: wished, told to the broker, and made in the book or refused.",
    key(),
    ref("account_id", "books.account_id", "Whose.", on_delete="CASCADE"),
    text("tag", "By which mark the broker knows it."),
    word("exchange_segment", Segment, "Where it is listed."),
    text("symbol", "Our symbol for it."),
    word("product", Product, "What it was held as."),
    word("to_product", Product, "As what it is to be held."),
    quantity("moves", "How many; below zero of what was sold."),
    day("session_day", "Of which day the position is."),
    word("stage", Stage, "How far it is."),
    text("actor", "Who wished it."),
    text("why", "Why it was refused.", null=True),
    instant("asked_at", "When it was wished."),
    instant("updated_at", "When anything here changed."),
    check("moves_something", "moves <> 0"),
    unique("account_id", "tag"),
    index("stage", where="stage IN ('ASKED','TAKING_BACK')"),
    stores=TRADING,
)
