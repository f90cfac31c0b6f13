"""Positions as the book has them, as brokers reported them, and what moved them beside trades."""

from __future__ import annotations

from bahi.db.dialects import Words
from bahi.db.schema import (
    HOUSE,
    TRADING,
    AppendOnly,
    day,
    index,
    instant,
    json,
    key,
    money,
    percent,
    price,
    quantity,
    ratio,
    ref,
    text,
    unique,
    whole,
    word,
)
from bahi.db.views import seen, seen_as, select
from bahi.kernel.words import PositionType, Product, Segment
from bahi.portfolio.model.adjustment import Action, AdjustmentKind

positions = HOUSE.table(
    "positions",
    "What each account has open now, kept by the book: the fold of trades and adjustments. The "
    "day's own figures stand beside the net ones.",
    key(),
    ref("account_id", "books.account_id", "Whose.", on_delete="CASCADE"),
    ref("instrument_id", "instruments.id", "In what.", on_delete="SET NULL", null=True),
    word("exchange_segment", Segment, "Where it is listed."),
    text("security_id", "The broker's token for it.", null=True),
    text("symbol", "Our symbol for it."),
    word("product", Product, "Held how long, on whose money."),
    quantity("buy_qty", "Bought since it was flat.", default=0),
    quantity("sell_qty", "Sold since it was flat.", default=0),
    quantity("net_qty", "Held now; negative is short."),
    quantity("overnight_qty", "Held when the day began.", null=True),
    price("buy_avg", "Average bought at.", default=0),
    price("sell_avg", "Average sold at.", default=0),
    money("buy_value", "What was bought, to the last paisa.", default=0),
    money("sell_value", "What was sold, to the last paisa.", default=0),
    money("open_cost", "What that which is held cost; of a short, what it brought.", default=0),
    price("average_price", "Average cost of what is held.", null=True),
    price("last_price", "When it was last valued.", null=True),
    price("close_price", "Of the previous day.", null=True),
    money("realized_pnl", "Profit closed.", default=0),
    money("unrealized_pnl", "Profit still open when last valued.", default=0),
    money("total_pnl", "Both.", default=0),
    percent("pnl_pct", "Of the cost.", null=True),
    money("day_change", "Since the previous close.", null=True),
    percent("day_change_pct", "Of the previous close.", null=True),
    day("session_day", "The day that the day's figures are of.", null=True),
    quantity("day_buy_qty", "Bought that day.", default=0),
    quantity("day_sell_qty", "Sold that day.", default=0),
    quantity("day_qty", "Bought less sold that day.", null=True),
    money("day_buy_value", "What was bought that day.", default=0),
    money("day_sell_value", "What was sold that day.", default=0),
    price("day_buy_avg", "Average bought at that day.", default=0),
    price("day_sell_avg", "Average sold at that day.", default=0),
    money("day_realized_pnl", "Profit closed that day.", default=0),
    money("day_unrealized_pnl", "Profit of that day still open.", default=0),
    money("day_total_pnl", "Both.", default=0),
    ratio("multiplier", "Rupees per point and unit, where that is not one.", null=True),
    money("margin_required", "Blocked for it.", null=True),
    instant("folded_at", "Of the newest fact in it; an older one refolds.", null=True),
    whole("folded_id", "The id of that one.", null=True),
    json("eve", "How it stood when the day began: where a late fill begins anew.", null=True),
    json("raw", "What the broker told beside our columns.", null=True),
    instant("updated_at", "When anything here changed."),
    unique("account_id", "exchange_segment", "symbol", "product"),
    index("account_id", "symbol"),
    index("security_id", where="security_id IS NOT NULL"),
    stores=TRADING,
)

position_snapshots = HOUSE.table(
    "position_snapshots",
    "Positions as a broker reported them: all rows of one snapshot share its time.",
    key(),
    ref("account_id", "books.account_id", "Whose.", on_delete="CASCADE"),
    instant("snapshot_at", "When they were read."),
    whole("instrument_id", "In what.", null=True),
    word("exchange_segment", Segment, "Where it is listed."),
    text("security_id", "The broker's token for it.", null=True),
    text("symbol", "Our symbol for it.", null=True),
    word("product", Product, "Held how long, on whose money.", null=True),
    word("position_type", PositionType, "The day's part or all of it.", null=True),
    quantity("buy_qty", "Bought.", null=True, default=0),
    quantity("sell_qty", "Sold.", null=True, default=0),
    quantity("net_qty", "Held; negative is short."),
    quantity("day_qty", "Of it, that day's.", null=True),
    quantity("overnight_qty", "Of it, brought forward.", null=True),
    price("buy_avg", "Average bought at.", null=True, default=0),
    price("sell_avg", "Average sold at.", null=True, default=0),
    price("average_price", "Average cost.", null=True),
    price("last_price", "As told.", null=True),
    price("close_price", "As told.", null=True),
    money("realized_pnl", "As told.", null=True, default=0),
    money("unrealized_pnl", "As told.", null=True, default=0),
    money("total_pnl", "As told.", null=True, default=0),
    percent("pnl_pct", "As told.", null=True),
    money("day_change", "As told.", null=True),
    percent("day_change_pct", "As told.", null=True),
    ratio("multiplier", "As told.", null=True),
    money("margin_required", "As told.", null=True),
    json("raw", "The row as the broker wrote it.", null=True),
    index(
        "account_id",
        "snapshot_at",
        "exchange_segment",
        "coalesce(symbol,'')",
        "coalesce(security_id,'')",
        "coalesce(product,'')",
        "coalesce(position_type,'')",
        unique=True,
    ),
    index("account_id", "symbol"),
    index("security_id"),
    stores=TRADING,
    append_only=AppendOnly(),
)

position_adjustments = HOUSE.table(
    "position_adjustments",
    "What moved a position without a trade. Position = sum of trades and of these.",
    key(),
    ref("account_id", "books.account_id", "Whose.", on_delete="CASCADE"),
    word(
        "kind",
        AdjustmentKind,
        "Brought forward, another product, a split or bonus, or settled at expiry.",
    ),
    whole("instrument_id", "In what.", null=True),
    word("exchange_segment", Segment, "Where it is listed."),
    text("symbol", "Our symbol for it."),
    word("product", Product, "Of which position."),
    quantity("quantity", "Added; negative is taken away."),
    price("price", "At what price each.", null=True),
    money("amount", "What it did to the cash.", default=0),
    money("value", "What its quantity cost in all, to the last ten-thousandth.", null=True),
    word("action", Action, "What a company did, where it was one.", null=True),
    json("lots", "An opening's lots, first in first out, for the tax report.", null=True),
    json("carried", "The position in full, where its trades are in the archive.", null=True),
    money("carried_net", "What those trades did to the cash.", null=True),
    instant("known_at", "When the newest of those was written down.", null=True),
    text("reason", "Why, or by which notice."),
    text("actor", "Who booked it."),
    instant("adjusted_at", "From when it counts."),
    instant("recorded_at", "When we wrote it down."),
    index("account_id", "exchange_segment", "symbol", "product"),
    index("account_id", "adjusted_at"),
    stores=TRADING,
    append_only=AppendOnly(),
)

_BOTH = ("id", "account_id", "instrument_id", "exchange_segment", "security_id", "symbol")
_OF_THE_DAY = {
    "buy_qty": "day_buy_qty",
    "sell_qty": "day_sell_qty",
    "net_qty": "day_qty",
    "buy_avg": "day_buy_avg",
    "sell_avg": "day_sell_avg",
    "realized_pnl": "day_realized_pnl",
    "unrealized_pnl": "day_unrealized_pnl",
    "total_pnl": "day_total_pnl",
}
_FIGURES = [
    column.name
    for column in position_snapshots.columns
    if column.name not in {*_BOTH, "snapshot_at", "product", "position_type"}
]


def _rows(sql: Words, kind: PositionType) -> str:
    """Show the net rows, or the same rows with the day's figures in the place of the net ones."""
    instead = _OF_THE_DAY if kind is PositionType.DAY else {}
    return select(
        seen(sql, positions, "p", *_BOTH[:2]),
        seen_as(sql, positions.c.updated_at, "p", "snapshot_at"),
        seen(sql, positions, "p", *_BOTH[2:], "product"),
        f"'{kind}' AS position_type",
        *(seen_as(sql, positions.c[instead.get(name, name)], "p", name) for name in _FIGURES),
        "b.copy_role AS account_type",
        rest="""FROM positions p
JOIN books b ON b.account_id = p.account_id
WHERE p.net_qty <> 0 OR p.day_buy_qty <> 0 OR p.day_sell_qty <> 0""",
    )


HOUSE.view(
    "v_latest_positions",
    "What each account has open or traded today: a NET row and a DAY row each.",
    lambda sql: f"{_rows(sql, PositionType.NET)}\nUNION ALL\n{_rows(sql, PositionType.DAY)}",
    stores=TRADING,
)
