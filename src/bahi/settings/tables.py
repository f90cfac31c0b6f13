"""What an operator may change while the house runs, and what it remembers for a while."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    MAIN,
    check,
    flag,
    index,
    instant,
    key,
    ref,
    sealed,
    text,
    text_key,
    whole,
    word,
)

config = HOUSE.table(
    "config",
    "All settings. A sensitive one is only in value_enc; the database refuses it in plain text.",
    text_key("category", "system, trading, auth, api, scheduler, ...", default="system"),
    text_key("key", "Its name in the category."),
    text("value", "What it is, as text; empty when sensitive."),
    sealed("value_enc", "What it is, when sensitive.", null=True),
    word(
        "data_type", ("string", "integer", "boolean", "json"), "What it reads as.", default="string"
    ),
    text("description", "What it is for.", null=True),
    flag("is_sensitive", "Must nobody read it?", default=False),
    flag("is_active", "Does it count?", default=True),
    whole("version", "Grows by one with every change.", default=1),
    instant("created_at", "When it was first set.", null=True),
    instant("updated_at", "When it last changed."),
    text("updated_by", "Who changed it.", null=True),
    check("sensitive_is_sealed", "is_sensitive = 0 OR value = ''"),
    stores=MAIN,
)

cache_entries = HOUSE.table(
    "cache_entries",
    "What is remembered across restarts, for a while.",
    text_key("cache_key", "Of what."),
    text("cache_value", "What.", null=True),
    text("cache_type", "Which kind of thing.", null=True),
    instant("expires_at", "Until when.", null=True),
    instant("created_at", "When it was first remembered."),
    instant("updated_at", "When it last changed."),
    whole("access_count", "How often it was asked for.", default=0),
    instant("last_accessed_at", "When it was last asked for.", null=True),
    index("expires_at"),
    stores=MAIN,
)

rate_limits = HOUSE.table(
    "rate_limits",
    "Requests counted by window, for people to look at; what is enforced is in books.",
    key(),
    text("api_name", "Which API."),
    ref("account_id", "accounts.id", "For which account.", on_delete="CASCADE", null=True),
    text("user_ref", "For whom, where there is no account.", null=True),
    text("endpoint", "Which call.", null=True),
    whole("request_count", "How many.", default=0),
    instant("window_start", "Since when."),
    instant("window_end", "Until when.", null=True),
    instant("last_request_at", "The newest of them.", null=True),
    flag("limit_exceeded", "Were there too many?", default=False),
    instant("created_at", "When the window was opened."),
    index("account_id", "endpoint", "window_end"),
    index("api_name", "user_ref", "window_start", "window_end"),
    stores=MAIN,
)
