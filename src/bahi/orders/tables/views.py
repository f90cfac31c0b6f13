"""Orders as people read them: brackets, covers, slices, and the newest trades."""

from __future__ import annotations

from typing import Final

from bahi.db.dialects import Words
from bahi.db.schema import HOUSE, TRADING
from bahi.db.views import among, seen, seen_as, select
from bahi.kernel.words import ACTIVE_ORDER, LegType, OrderStatus
from bahi.orders.tables.order import orders

ENDED_WITHOUT = (OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED)
ROLE = "b.copy_role AS account_type"


def _leg(kind: LegType) -> str:
    return f"min(CASE WHEN l.leg_type = '{kind}' THEN l.id END) AS {kind.lower()}_leg_id"


HOUSE.view(
    "v_active_bracket_orders",
    "Bracket orders that still work, with the id of each leg.",
    lambda sql: select(
        "o.id AS parent_order_id",
        ROLE,
        seen(sql, orders, "o", "account_id", "security_id", "exchange_segment"),
        seen_as(sql, orders.c.bo_profit, "o", "bo_profit_value"),
        seen_as(sql, orders.c.bo_stop_loss, "o", "bo_stop_loss_value"),
        *(_leg(kind) for kind in LegType),
        seen(sql, orders, "o", "status", "placed_at"),
        rest=f"""FROM orders o
JOIN books b ON b.account_id = o.account_id
LEFT JOIN orders l ON l.parent_order_id = o.id
WHERE (o.bo_profit IS NOT NULL OR o.bo_stop_loss IS NOT NULL)
  AND o.parent_order_id IS NULL AND {among("o.status", ACTIVE_ORDER)}
GROUP BY o.id, b.account_id""",
    ),
    stores=TRADING,
)

HOUSE.view(
    "v_cover_orders",
    "All cover orders.",
    lambda sql: select(
        seen(sql, orders, "o"),
        ROLE,
        rest="""FROM orders o
JOIN books b ON b.account_id = o.account_id
WHERE o.co_stop_loss IS NOT NULL""",
    ),
    stores=TRADING,
)

HOUSE.view(
    "bracket_order_legs",
    "The legs of bracket orders, parent and leg by the broker's names.",
    lambda sql: select(
        "l.id",
        "p.broker_order_id AS parent_order_id",
        "l.broker_order_id AS leg_order_id",
        "l.leg_type",
        ROLE,
        "l.status",
        seen_as(sql, orders.c.placed_at, "l", "created_at"),
        seen(sql, orders, "l", "updated_at"),
        rest="""FROM orders l
JOIN orders p ON p.id = l.parent_order_id
JOIN books b ON b.account_id = l.account_id
WHERE l.leg_type IS NOT NULL""",
    ),
    stores=TRADING,
)


def _counted(statuses: tuple[OrderStatus, ...], name: str) -> str:
    return f"sum(CASE WHEN {among('s.status', statuses)} THEN 1 ELSE 0 END) AS {name}"


SHARED: Final = ("security_id", "exchange_segment", "side", "product", "order_type")
SLICE: Final = ("id", "account_id", "slice_group_id", "quantity", "slice_total_qty", "status")


def _sliced_orders(sql: Words) -> str:
    in_turn = select(
        *SLICE,
        "placed_at",
        *SHARED,
        rest="FROM orders WHERE is_sliced = 1 ORDER BY account_id, slice_index, id",
    )
    each = sql.joined("s.id || ':' || s.quantity", ", ")
    return select(
        "s.slice_group_id AS slice_order_id",
        "s.account_id",
        "count(*) AS slice_count",
        "CAST(sum(s.quantity) AS BIGINT) AS total_quantity",
        "max(s.slice_total_qty) AS original_quantity",
        *(f"min(s.{shared}) AS {shared}" for shared in SHARED),
        f"{sql.ist('min(s.placed_at)')} AS first_order_time",
        f"{sql.ist('max(s.placed_at)')} AS last_order_time",
        f"{each} AS order_details",
        _counted((OrderStatus.EXECUTED,), "executed_count"),
        _counted(ACTIVE_ORDER, "pending_count"),
        _counted(ENDED_WITHOUT, "failed_count"),
        rest=f"FROM ({in_turn}) s\nGROUP BY s.account_id, s.slice_group_id",
    )


HOUSE.view(
    "v_sliced_orders",
    "Orders that were cut to the exchange's size, each group in one row.",
    _sliced_orders,
    stores=TRADING,
)

NET_CASH = "(CASE t.side WHEN 'BUY' THEN -t.trade_value ELSE t.trade_value END - t.total_charges)"

HOUSE.view(
    "v_recent_trades",
    "The hundred newest trades with their order's status; net_cash is what each did to the cash.",
    lambda sql: select(
        seen(sql, HOUSE.metadata.tables["trades"], "t"),
        ROLE,
        "o.status AS order_status",
        f"{sql.rupees(NET_CASH)} AS net_cash",
        rest="""FROM trades t
JOIN books b ON b.account_id = t.account_id
LEFT JOIN orders o ON o.id = t.order_id
ORDER BY t.traded_at DESC, t.id DESC LIMIT 100""",
    ),
    stores=TRADING,
)
