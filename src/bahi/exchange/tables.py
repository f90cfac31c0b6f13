"""The paper exchange's journal: its orders, its fills, and what is left of the market's depth."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    AppendOnly,
    check,
    flag,
    index,
    instant,
    json,
    key,
    price,
    quantity,
    ref,
    text,
    text_key,
    unique,
    whole,
    word,
)
from bahi.kernel.words import AmoTime, OrderStatus, OrderType, Product, Segment, Side, Validity

SANDBOX = frozenset({"sandbox"})

paper_orders = HOUSE.table(
    "paper_orders",
    "Orders as the paper exchange has them; it knows clients by number and nothing of our books.",
    key("id", "The exchange's own number."),
    whole("client_id", "Who placed it: a number that means nothing here."),
    text("tag", "The client's own mark, by which it is looked up.", null=True),
    word("exchange_segment", Segment, "Where its instrument is listed."),
    text("symbol", "Which instrument."),
    word("side", Side, "Which way."),
    word("product", Product, "Held how long, on whose money."),
    word("order_type", OrderType, "How it meets the market."),
    word("validity", Validity, "How long it waits.", default=Validity.DAY),
    quantity("quantity", "How many are asked for."),
    quantity("disclosed_qty", "How many the market is shown.", null=True),
    price("price", "The limit, or the protected limit of a MARKET order.", null=True),
    price("trigger_price", "Where a stop fires.", null=True),
    flag("is_triggered", "Has its stop fired?", default=False),
    flag("is_amo", "Kept for the next session.", default=False),
    word("amo_time", AmoTime, "When it is released.", null=True),
    word("status", OrderStatus, "Where it is in its life."),
    quantity("filled_qty", "How many are traded; the sum of its fills.", default=0),
    text("reject_code", "Why it was refused: a code.", null=True),
    text("reject_message", "Why it was refused: a sentence.", null=True),
    whole("version", "Grows by one with every change; every match checks it.", default=1),
    whole("priority", "Its place among orders of one price: smaller is served first."),
    instant("placed_at", "When it was accepted."),
    instant("updated_at", "When anything here changed."),
    instant("completed_at", "When nothing more could happen to it.", null=True),
    check("filled", "filled_qty >= 0 AND filled_qty <= quantity"),
    unique("client_id", "tag"),
    index("client_id", "placed_at"),
    index(
        "exchange_segment",
        "symbol",
        "side",
        "price",
        "priority",
        where="status IN ('OPEN','PARTIAL')",
    ),
    stores=SANDBOX,
)

paper_fills = HOUSE.table(
    "paper_fills",
    "Fills, each once.",
    key("id", "The exchange's own number."),
    ref("order_id", "paper_orders.id", "Of which order.", on_delete="RESTRICT"),
    whole("sequence", "Which of its fills."),
    quantity("quantity", "How many."),
    price("price", "At what price each."),
    instant("filled_at", "When."),
    check("positive", "quantity > 0"),
    unique("order_id", "sequence"),
    stores=SANDBOX,
    append_only=AppendOnly(),
)

paper_depth = HOUSE.table(
    "paper_depth",
    "What is left of an instrument's quoted depth. Whoever matches locks this row first.",
    word("exchange_segment", Segment, "Where it is listed.", primary=True),
    text_key("symbol", "Which instrument."),
    whole("version", "Grows by one with every match.", default=0),
    instant("quoted_at", "The quote that the depth is of; too old fills nothing.", null=True),
    json("bids", "Price and quantity left, best first.", null=True),
    json("asks", "Price and quantity left, best first.", null=True),
    instant("updated_at", "When anything was taken."),
    stores=SANDBOX,
)
