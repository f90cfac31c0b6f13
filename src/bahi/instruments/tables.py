"""The symbol master: one row per contract, each broker's name for it, and its dated terms.

A broker's file is written beside what is in force, as a load of its own. `instrument_masters`
points to the load in force of every broker and segment, so that a whole file comes into force with
one small row; `broker_symbols` shows what is in force and nothing else.
"""

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
    whole,
    word,
)
from bahi.db.views import seen, seen_as, select
from bahi.instruments.model.loads import LoadStatus
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
    text(
        "exchange_token", "The exchange's own number; used again once a contract ended.", null=True
    ),
    text("series", "EQ, BE, SM, T0, or the group at BSE.", null=True),
    quantity("freeze_qty", "The exchange refuses an order above it.", null=True),
    price("lower_band", "The lowest price it takes today.", null=True),
    price("upper_band", "The highest price it takes today.", null=True),
    flag("cas_eligible", "Is it in the closing auction?", null=True),
    day("terms_since", "The day from which its terms are what they are.", null=True),
    word("named_by", BrokerSlug, "Whose master its facts are from.", null=True),
    whole("arrived_in", "The load that brought it; no key, as loads are forgotten.", null=True),
    instant("updated_at", "When a master last changed it."),
    unique("exchange_segment", "symbol"),
    index("root_symbol", "exchange_segment"),
    index("trading_symbol"),
    index("underlying_id", "expiry"),
    index("instrument_type", "exchange_segment"),
    index("isin"),
    index("exchange_segment", "exchange_token"),
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

master_loads = HOUSE.table(
    "master_loads",
    "One reading of a broker's instrument file: what it held, and what became of it.",
    key(),
    word("broker", BrokerSlug, "Whose file."),
    text("source", "The file or address it came from, without its secrets."),
    text("sha256", "Of the file as it came.", null=True),
    day("trading_day", "For which day it was read."),
    word("status", LoadStatus, "Being read, in force or once in force, or refused."),
    whole("lines", "How many listings it held.", default=0),
    json("report", "Counts by segment, what was skipped, bad lines, changes.", null=True),
    text("reason", "Why it was refused.", null=True),
    text("started_by", "Who asked for it."),
    instant("started_at", "When it began."),
    instant("seen_at", "When it last moved; one that stopped moving is given up."),
    instant("ended_at", "When it ended.", null=True),
    index("broker", "started_at"),
    stores=MAIN,
)

instrument_masters = HOUSE.table(
    "instrument_masters",
    "Which load of a broker's file is in force, segment by segment.",
    word("broker", BrokerSlug, "Whose.", primary=True),
    word("exchange_segment", Segment, "Of which segment.", primary=True),
    ref("load_id", "master_loads.id", "The load in force.", on_delete="RESTRICT"),
    whole("listings", "How many contracts it lists there."),
    instant("in_force_since", "When it came into force."),
    stores=MAIN,
)

broker_listings = HOUSE.table(
    "broker_listings",
    "How one broker names a contract, as one load of its file said.",
    ref("load_id", "master_loads.id", "Which load.", on_delete="CASCADE", primary=True),
    ref("instrument_id", "instruments.id", "Which one.", on_delete="CASCADE", primary=True),
    word("broker", BrokerSlug, "Which broker."),
    word("exchange_segment", Segment, "In which segment."),
    text("broker_symbol", "Its symbol there."),
    text("security_id", "Its token or security id there."),
    quantity("broker_lot", "What the broker's own orders count a lot as.", null=True),
    index("instrument_id", "broker"),
    stores=MAIN,
)

HOUSE.view(
    "broker_symbols",
    "How every broker names a contract today, by its master in force.",
    lambda sql: select(
        seen(sql, broker_listings, "b", "broker", "instrument_id", "exchange_segment"),
        seen(sql, broker_listings, "b", "broker_symbol", "security_id", "broker_lot"),
        seen_as(sql, instrument_masters.c.in_force_since, "m", "updated_at"),
        rest="FROM broker_listings b JOIN instrument_masters m ON m.broker = b.broker"
        " AND m.exchange_segment = b.exchange_segment AND m.load_id = b.load_id",
    ),
    stores=MAIN,
)
