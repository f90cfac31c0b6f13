"""Persons, their broker accounts, the applications registered for them, and where calls leave."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    MAIN,
    check,
    digest,
    flag,
    index,
    instant,
    key,
    ref,
    sealed,
    text,
    unique,
    whole,
    word,
)
from bahi.kernel.words import AccountMode, BrokerSlug, ConnectionStatus, CopyRole

persons = HOUSE.table(
    "persons",
    "Holders of a PAN: a family is several of them, profit and tax are each one's own.",
    key(),
    ref("user_id", "users.id", "The user who keeps their books.", on_delete="CASCADE"),
    text("name", "As on the PAN card."),
    sealed("pan_enc", "The PAN.", null=True),
    digest("pan_hash", "Keyed digest of the PAN, so that nobody is entered twice.", null=True),
    text("relation", "To the head of the family; brokers share addresses by it.", null=True),
    instant("created_at", "When they were entered."),
    instant("updated_at", "When anything here changed."),
    unique("user_id", "pan_hash"),
    stores=MAIN,
)

egress_addresses = HOUSE.table(
    "egress_addresses",
    "Addresses from which calls to brokers may leave; brokers know them as static IPs.",
    key(),
    text("address", "The local address that a call binds to.", unique=True),
    text("description", "What it is for.", null=True),
    flag("is_active", "May calls leave from it?", default=True),
    instant("created_at", "When it was entered."),
    instant("updated_at", "When anything here changed."),
    stores=MAIN,
)

accounts = HOUSE.table(
    "accounts",
    "One broker account of one user. Every trading row hangs on one, by way of its books row.",
    key(),
    ref("user_id", "users.id", "Who trades on it.", on_delete="CASCADE"),
    ref("person_id", "persons.id", "Whose money it is.", on_delete="SET NULL", null=True),
    text("name", "What its user calls it: at least three characters, once per user."),
    word("broker", BrokerSlug, "Where it is held."),
    word("mode", AccountMode, "Do its orders reach a market?", default=AccountMode.LIVE),
    word("copy_role", CopyRole, "Which side of copying it is on, if any.", null=True),
    text("broker_user_id", "The client id at the broker.", null=True),
    text("broker_user_name", "The client's name at the broker.", null=True),
    text("host_url", "Where an OpenAlgo host listens.", null=True, default="http://127.0.0.1:5000"),
    text("websocket_url", "Where it streams.", null=True, default="ws://127.0.0.1:8765"),
    flag("is_primary", "The one taken when a user names none.", default=False),
    flag("is_active", "May it be used?", default=True),
    flag("has_ddpi", "Holdings can be sold without an eDIS authorisation.", default=False),
    ref(
        "egress_address_id",
        "egress_addresses.id",
        "The address its calls leave from; never lost silently, the broker expects it.",
        on_delete="RESTRICT",
        null=True,
    ),
    word(
        "connection_status",
        ConnectionStatus,
        "As the last call or stream found it.",
        default=ConnectionStatus.DISCONNECTED,
    ),
    instant("last_connected_at", "When the broker last answered.", null=True),
    instant("last_positions_at", "Its newest positions, as its books row last told.", null=True),
    instant("last_holdings_at", "Its newest holdings, as its books row last told.", null=True),
    instant("last_funds_at", "Its newest funds, as its books row last told.", null=True),
    instant("created_at", "When it was entered."),
    instant("updated_at", "When anything here changed."),
    instant("deleted_at", "When it was removed; its books stay until `bahi erase`.", null=True),
    check("name_length", "length(name) >= 3"),
    unique("user_id", "name"),
    unique("user_id", where="is_primary = 1"),
    index("user_id", "is_primary", "name", "broker"),
    index("is_active"),
    index("broker", "copy_role"),
    stores=MAIN,
)

api_key_accounts = HOUSE.table(
    "api_key_accounts",
    "The accounts that an API key opens, at most one of them the default for each mode.",
    ref("api_key_id", "api_keys.id", "The key.", on_delete="CASCADE", primary=True),
    ref("account_id", "accounts.id", "An account it opens.", on_delete="CASCADE", primary=True),
    word(
        "default_for",
        AccountMode,
        "The mode in which this account is meant when a client names none.",
        null=True,
    ),
    unique("api_key_id", "default_for"),
    index("account_id"),
    stores=MAIN,
)

broker_apis = HOUSE.table(
    "broker_apis",
    "One registered application (client id and secret) of an account; Upstox has six.",
    key(),
    ref("account_id", "accounts.id", "Whose it is.", on_delete="CASCADE"),
    text("api_name", "PRIMARY, WEBSOCKET1, OPTIONCHAIN1, ...", default="PRIMARY"),
    whole("api_index", "Its place in the order of logins, from 0.", default=0),
    text("client_id", "The broker's name for the application.", null=True),
    sealed("secret_enc", "Its secret.", null=True),
    flag("is_primary", "The one that trades.", default=False),
    flag("enabled", "Does a token run log it in?", default=True),
    instant("created_at", "When it was entered."),
    instant("updated_at", "When anything here changed."),
    unique("account_id", "api_name"),
    unique("account_id", "api_index"),
    stores=MAIN,
)
