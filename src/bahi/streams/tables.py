"""Live connections to brokers, what came in by them, and switches from one account to another."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    MAIN,
    AppendOnly,
    digest,
    flag,
    index,
    instant,
    json,
    key,
    ref,
    sealed,
    text,
    unique,
    whole,
    word,
)
from bahi.db.views import seen, select
from bahi.kernel.words import ConnectionStatus

websocket_connections = HOUSE.table(
    "websocket_connections",
    "One live-update connection.",
    key(),
    ref("account_id", "accounts.id", "Whose.", on_delete="CASCADE"),
    text("connection_id", "Its name.", null=True, unique=True),
    text("ws_url", "Where to, without secrets.", null=True),
    word(
        "status",
        ConnectionStatus,
        "Is it up?",
        default=ConnectionStatus.DISCONNECTED,
    ),
    json("subscribed_events", "What it listens for.", null=True),
    whole("connect_attempts", "How often it was tried since it was last up.", null=True, default=0),
    whole("messages_received", "How much came in.", null=True, default=0),
    instant("last_heartbeat_at", "When it was last heard.", null=True),
    instant("connected_at", "Since when it is up.", null=True),
    instant("disconnected_at", "Since when it is down.", null=True),
    instant("created_at", "When it was first opened."),
    instant("updated_at", "When anything here changed."),
    index("account_id", "status"),
    index("status"),
    stores=MAIN,
)

inbound_messages = HOUSE.table(
    "inbound_messages",
    "Everything a broker pushed at us, as it was; only the mark that it was processed moves.",
    key(),
    ref("account_id", "accounts.id", "Whose.", on_delete="CASCADE"),
    word("channel", ("WEBSOCKET", "POSTBACK"), "How it came."),
    text("connection_id", "By which connection.", null=True),
    text("message_type", "What kind, as the broker says."),
    text("order_ref", "The order it speaks of, as the broker names it.", null=True),
    whole("order_id", "That order, once it is known.", null=True),
    json("payload", "The message."),
    whole("sequence_number", "Its number on the connection.", null=True),
    text("dedupe_key", "Told twice, kept once.", null=True),
    text("signature", "As the broker signed it.", null=True),
    flag("is_verified", "Was the signature right? Empty: the broker does not sign.", null=True),
    flag("is_processed", "Has it been read?", default=False),
    instant("processed_at", "When.", null=True),
    text("error_message", "Why it could not be.", null=True),
    instant("received_at", "When it came."),
    unique("account_id", "channel", "dedupe_key"),
    index("connection_id", "sequence_number"),
    index("account_id", "received_at"),
    index("order_id"),
    index("is_processed", "received_at"),
    stores=MAIN,
    append_only=AppendOnly(but=("order_id", "is_processed", "processed_at", "error_message")),
)

postback_configs = HOUSE.table(
    "postback_configs",
    "Addresses that brokers were told to call.",
    key(),
    ref("account_id", "accounts.id", "Whose.", on_delete="CASCADE"),
    text("webhook_url", "The address, without its secret part."),
    digest("path_hash", "Keyed digest of the secret part of the address.", null=True),
    sealed("webhook_secret_enc", "What the broker signs with.", null=True),
    json("event_types", "What it is called for.", null=True),
    flag("is_active", "Is it listened to?", default=True),
    instant("created_at", "When it was entered."),
    instant("updated_at", "When anything here changed."),
    instant("last_triggered_at", "When it was last called.", null=True),
    index("account_id", "is_active"),
    index("path_hash", unique=True),
    stores=MAIN,
)

failover_events = HOUSE.table(
    "failover_events",
    "A switch from one account to another; it is kept when an account goes.",
    key(),
    ref("from_account_id", "accounts.id", "Away from.", on_delete="SET NULL", null=True),
    ref("to_account_id", "accounts.id", "To.", on_delete="SET NULL", null=True),
    text("reason", "Why.", null=True),
    instant("at", "When."),
    flag("success", "Did it work?", default=True),
    text("error_message", "Why not.", null=True),
    index("at"),
    stores=MAIN,
)

HOUSE.view(
    "v_active_websocket_connections",
    "Connections that are up, and how long each has been silent.",
    lambda sql: select(
        seen(sql, websocket_connections, "w"),
        "a.copy_role AS account_type",
        f"{sql.seconds_now()} - w.last_heartbeat_at / 1000000 AS seconds_since_heartbeat",
        rest="""FROM websocket_connections w
JOIN accounts a ON a.id = w.account_id
WHERE w.status = 'CONNECTED'""",
    ),
    stores=MAIN,
)

HOUSE.view(
    "websocket_messages",
    "What came in by stream.",
    lambda sql: select(
        seen(sql, inbound_messages, "i"),
        rest="FROM inbound_messages i WHERE i.channel = 'WEBSOCKET'",
    ),
    stores=MAIN,
)

HOUSE.view(
    "postback_events",
    "What came in by postback.",
    lambda sql: select(
        seen(sql, inbound_messages, "i"),
        rest="FROM inbound_messages i WHERE i.channel = 'POSTBACK'",
    ),
    stores=MAIN,
)
