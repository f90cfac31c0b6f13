"""Which order was copied to whom, and active orders with their copies beside them."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    TRADING,
    check,
    index,
    instant,
    key,
    quantity,
    ratio,
    ref,
    text,
    unique,
    whole,
    word,
)
from bahi.db.views import among, seen, select
from bahi.kernel.words import ACTIVE_FOREVER, ACTIVE_ORDER, CopyStatus

copy_mappings = HOUSE.table(
    "copy_mappings",
    "A leader's order (plain or forever) and a follower's copy of it, kept in the leader's store. "
    "The follower may live in another, so no key binds the copy.",
    key(),
    ref("leader_order_id", "orders.id", "The order copied.", on_delete="CASCADE", null=True),
    whole("follower_order_id", "The copy, once it is placed.", null=True, unique=True),
    ref(
        "leader_forever_id",
        "forever_orders.id",
        "The forever order copied.",
        on_delete="CASCADE",
        null=True,
    ),
    whole("follower_forever_id", "Its copy, once it is placed.", null=True, unique=True),
    ref("follower_account_id", "accounts.id", "Who follows.", on_delete="CASCADE", null=True),
    quantity("leader_qty", "How many the leader asked for."),
    quantity("follower_qty", "How many the follower asks for."),
    word(
        "sizing_strategy",
        ("capital_proportional", "fixed_ratio", "risk_based"),
        "How the one became the other.",
        null=True,
    ),
    ratio("capital_ratio", "The ratio that was used.", null=True),
    word("status", CopyStatus, "What became of the copy."),
    text("error_message", "Why there is none.", null=True),
    instant("created_at", "When the leader's order was seen."),
    instant("updated_at", "When anything here changed."),
    check("one_leader", "(leader_order_id IS NULL) <> (leader_forever_id IS NULL)"),
    unique("leader_order_id", "follower_account_id"),
    unique("leader_forever_id", "follower_account_id"),
    index("status", "created_at"),
    stores=TRADING,
)

HOUSE.view(
    "v_active_orders",
    "Orders that may still fill, with their copies: one row per follower.",
    lambda sql: select(
        seen(sql, HOUSE.metadata.tables["orders"], "o"),
        "b.copy_role AS account_type",
        "m.follower_order_id",
        "m.sizing_strategy",
        rest=f"""FROM orders o
JOIN books b ON b.account_id = o.account_id
LEFT JOIN copy_mappings m ON m.leader_order_id = o.id
WHERE {among("o.status", ACTIVE_ORDER)}""",
    ),
    stores=TRADING,
)

HOUSE.view(
    "v_active_forever_orders",
    "Forever orders that may still fire, with their copies: one row per follower.",
    lambda sql: select(
        seen(sql, HOUSE.metadata.tables["forever_orders"], "f"),
        "b.copy_role AS account_type",
        "m.follower_forever_id AS replicated_forever_order_id",
        rest=f"""FROM forever_orders f
JOIN books b ON b.account_id = f.account_id
LEFT JOIN copy_mappings m ON m.leader_forever_id = f.id
WHERE {among("f.status", ACTIVE_FOREVER)}""",
    ),
    stores=TRADING,
)
