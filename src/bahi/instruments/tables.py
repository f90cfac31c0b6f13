"""The symbol master: one row per contract, each broker's name for it, and its dated terms."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    MAIN,
    day,
    flag,
    index,
    instant,
    json,
    key,
    price,
    quantity,
    ref,
    text,
    unique,
    word,
)
from bahi.kernel.words import BrokerSlug, OptionType, Segment

instruments = HOUSE.table(
    "instruments",
    "One tradable contract, named as nobody's broker names it. Ids never change.",
    key(),
    word("exchange_segment", Segment, "Where it is listed."),
    text("symbol", "Ours, as OpenAlgo writes it: RELIANCE, NIFTY28OCT2526000CE."),
    text("root_symbol", "What it is derived from: NIFTY.", null=True),
    text("trading_symbol", "As the exchange writes it.", null=True),
    text("name", "As people say it.", null=True),
    text("instrument_type", "EQUITY, FUTIDX, FUTSTK, OPTIDX, OPTSTK, ...", null=True),
    text("isin", "Of the security.", null=True),
    day("expiry", "The last day of a derivative.", null=True),
    price("strike", "Of an option.", null=True),
    word("option_type", OptionType, "Call or put.", null=True),
    quantity("lot_size", "Units in a lot today; dated in instrument_terms.", null=True),
    price("tick_size", "The step of its price today; dated in instrument_terms.", null=True),
    ref("underlying_id", "instruments.id", "What it settles on.", on_delete="SET NULL", null=True),
    json("meta", "What a master said that has no column.", null=True),
    flag("is_active", "Listed now; an expired contract stays, inactive.", default=True),
    instant("updated_at", "When a master last changed it."),
    unique("exchange_segment", "symbol"),
    index("root_symbol", "exchange_segment"),
    index("trading_symbol"),
    index("underlying_id", "expiry"),
    index("instrument_type", "exchange_segment"),
    index("isin"),
    stores=MAIN,
)

instrument_terms = HOUSE.table(
    "instrument_terms",
    "What a contract's terms were from a day on: lots, ticks, freeze quantities and bands change.",
    key(),
    ref("instrument_id", "instruments.id", "Of which contract.", on_delete="CASCADE"),
    day("valid_from", "The first day on which these terms hold."),
    quantity("lot_size", "Units in a lot.", null=True),
    price("tick_size", "The step of its price.", null=True),
    quantity("freeze_qty", "The exchange refuses an order above it.", null=True),
    price("lower_band", "The lowest price it takes.", null=True),
    price("upper_band", "The highest price it takes.", null=True),
    price("strike", "Of an option, where a corporate action moved it.", null=True),
    text("source", "The file or circular that says so.", null=True),
    instant("created_at", "When we learnt it."),
    unique("instrument_id", "valid_from"),
    stores=MAIN,
)

broker_symbols = HOUSE.table(
    "broker_symbols",
    "How one broker names a contract.",
    word("broker", BrokerSlug, "Which broker.", primary=True),
    ref("instrument_id", "instruments.id", "Which one.", on_delete="CASCADE", primary=True),
    text("broker_symbol", "Its symbol there.", null=True),
    text("security_id", "Its token or security id there.", null=True),
    instant("updated_at", "When the broker's master last named it.", null=True),
    index("broker", "security_id"),
    index("instrument_id"),
    stores=MAIN,
)
