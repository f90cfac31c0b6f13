"""What settles the books: leave to deliver holdings, and where broker and book disagree."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    MAIN,
    TRADING,
    day,
    flag,
    index,
    instant,
    json,
    key,
    price,
    quantity,
    ref,
    sealed,
    text,
    unique,
    word,
)
from bahi.kernel.words import Segment
from bahi.portfolio.model.edis import Leave

edis_transactions = HOUSE.table(
    "edis_transactions",
    "Leave to sell from a demat account (eDIS), for a day.",
    key(),
    ref("account_id", "books.account_id", "Whose.", on_delete="CASCADE"),
    text("isin", "Which security."),
    quantity("quantity", "How many."),
    text("exchange", "Where it is to be sold, as the broker writes it."),
    text("segment", "In which segment, as the broker writes it."),
    flag("is_bulk", "For all holdings at once.", default=False),
    sealed("tpin_enc", "The TPIN; erased after use.", null=True),
    word("status", Leave, "What became of it."),
    text("request_id", "The depository's number.", null=True),
    instant("created_at", "When it was asked for."),
    instant("updated_at", "When anything here changed."),
    instant("authorized_at", "When leave was given.", null=True),
    instant("expires_at", "When it lapses.", null=True),
    json("raw_request", "What was sent, without secrets.", null=True),
    json("raw_response", "What was answered.", null=True),
    text("error_message", "Why it was refused.", null=True),
    index("account_id", "status"),
    index("isin"),
    index("request_id"),
    stores=TRADING,
)

reconciliation_breaks = HOUSE.table(
    "reconciliation_breaks",
    "Where the broker's books and ours disagree; open until it is settled.",
    key(),
    ref("account_id", "books.account_id", "Whose.", on_delete="CASCADE"),
    word(
        "subject",
        ("order", "trade", "position", "holding", "funds", "charges"),
        "In what they disagree.",
    ),
    text("subject_key", "In which one: an order's id, or segment, symbol and product."),
    text("classification", "What kind of break it is, once that is known.", null=True),
    text("explanation", "Why they disagree, in words.", null=True),
    json("ours", "What our books say.", null=True),
    json("theirs", "What the broker says.", null=True),
    word("status", ("open", "explained", "settled"), "How far it is.", default="open"),
    instant("found_at", "When it was first seen."),
    instant("updated_at", "When anything here changed."),
    instant("settled_at", "When they agreed again.", null=True),
    text("settled_by", "Who, or which policy, settled it.", null=True),
    index("account_id", "status"),
    index("account_id", "subject", "subject_key"),
    stores=TRADING,
)

settlement_prices = HOUSE.table(
    "settlement_prices",
    "Prices at which contracts end that no listed thing has: reference rates, due date rates.",
    key(),
    word("exchange_segment", Segment, "Of which contracts."),
    text("name", "Of what: a root as USDINR, or the future that an option is on."),
    day("day", "Of which day."),
    price("price", "As its publisher told it."),
    text("source", "Who published it."),
    text("entered_by", "Who entered it."),
    instant("created_at", "When it was entered."),
    unique("exchange_segment", "name", "day"),
    index("day"),
    stores=MAIN,
)
