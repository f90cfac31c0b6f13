"""What trading costs and blocks, from which day on: rates are rows, never constants."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    MAIN,
    check,
    day,
    flag,
    index,
    instant,
    key,
    money,
    text,
    whole,
    word,
)
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.rates import Basis, Charge, Kind

charge_rates = HOUSE.table(
    "charge_rates",
    "One rate of one charge, or of margin, for the trades that it fits, between two days.",
    key(),
    word("charge", Charge, "Which charge; or margin, which is blocked and not charged."),
    text("plan", "The broker's plan, as `kite` or `breeze/prime`; empty: everybody.", null=True),
    word("exchange_segment", Segment, "Only there; empty: everywhere.", null=True),
    word("kind", Kind, "Only on these; empty: on all.", null=True),
    word("product", Product, "Only for it; empty: for all.", null=True),
    word("side", Side, "Only on this side; empty: on both.", null=True),
    text("condition", "A further one by name: group X, in debit, index.", null=True),
    word("basis", Basis, "What the rate is of, or what the amount is for."),
    whole("rate", "Billionths of the basis: 0.00297 % is 29700.", null=True),
    money("amount", "A fixed amount for each of the basis.", null=True),
    money("at_most", "The charge is never more.", null=True),
    money("at_least", "The charge is never less.", null=True),
    day("valid_from", "The first day it holds."),
    day("valid_until", "Its last day; empty: until changed.", null=True),
    flag("is_verified", "Found in the publisher's own words, not second hand.", default=False),
    text("source", "Where it is written.", null=True),
    instant("created_at", "When it was entered."),
    whole("release", "With which of Bahi's facts it came; empty: a person's own.", null=True),
    check("rate_or_amount", "rate IS NOT NULL OR amount IS NOT NULL"),
    index("charge", "valid_from"),
    stores=MAIN,
)
