"""Users, their sessions on the web, and the keys by which their programs call."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    MAIN,
    digest,
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
from bahi.kernel.words import KeyScope, Role

users = HOUSE.table(
    "users",
    "People who may use the system.",
    key(),
    text("username", "The name they sign in with.", unique=True),
    text("email", "Where they can be written to.", null=True, unique=True),
    digest(
        "password_hash", "Argon2id of the password; empty for one who cannot sign in.", null=True
    ),
    sealed("totp_enc", "Secret of their one-time codes, if they use them.", null=True),
    whole("totp_last_step", "The newest code that was taken: none is taken twice.", null=True),
    word("role", Role, "What they may do.", default=Role.TRADER),
    flag("is_active", "May they sign in and call?", default=True),
    instant("created_at", "When they were added."),
    instant("updated_at", "When anything here changed."),
    instant("last_login_at", "When they last signed in.", null=True),
    instant("deleted_at", "When they were removed; their traces stay.", null=True),
    stores=MAIN,
)

user_sessions = HOUSE.table(
    "user_sessions",
    "A person's sign-in to the web pages.",
    key(),
    ref("user_id", "users.id", "Who signed in.", on_delete="CASCADE"),
    digest("token_hash", "Keyed digest of the cookie.", unique=True),
    word("role", Role, "What they could do when they signed in.", default=Role.TRADER),
    text("ip_address", "From where.", null=True),
    text("user_agent", "With which browser.", null=True),
    instant("created_at", "When they signed in."),
    instant("last_activity_at", "When they last asked for anything."),
    instant("expires_at", "When the session ends by itself.", null=True),
    flag("is_active", "Not signed out, not revoked.", default=True),
    index("user_id", "is_active"),
    stores=MAIN,
)

api_keys = HOUSE.table(
    "api_keys",
    "Keys by which programs call us; which accounts they open is in api_key_accounts.",
    key(),
    ref("user_id", "users.id", "Whose key it is.", on_delete="CASCADE"),
    digest("key_hash", "Keyed BLAKE2b of the key: all that is needed to know it.", unique=True),
    sealed("key_enc", "The key itself; left empty unless it must be shown again.", null=True),
    text("name", "What its owner calls it.", null=True),
    word("scope", KeyScope, "How far it opens.", default=KeyScope.READ),
    instant("created_at", "When it was issued."),
    instant("last_used_at", "When it last called, to the minute.", null=True),
    instant("expires_at", "When it ends by itself.", null=True),
    flag("is_active", "Not revoked.", default=True),
    flag("needs_approval", "A person lets its entries go out.", default=False),
    flag("goes_live", "Who names no account means the live default, not paper's.", default=False),
    index("user_id", "is_active"),
    stores=MAIN,
)

sign_in_links = HOUSE.table(
    "sign_in_links",
    "Links that sign a person in once: the first start's, and an admin's for who lost a password.",
    key(),
    ref("user_id", "users.id", "Whom it signs in.", on_delete="CASCADE"),
    digest("token_hash", "Keyed digest of the link's secret part.", unique=True),
    instant("created_at", "When it was made."),
    instant("expires_at", "When it ends by itself."),
    instant("used_at", "When it was followed; a second time it opens nothing.", null=True),
    index("user_id"),
    stores=MAIN,
)

sign_in_failures = HOUSE.table(
    "sign_in_failures",
    "Failed sign-ins in a row, by user and by address; each makes the next wait longer.",
    text_key("subject", "user:<name as typed, digested> or address:<address>."),
    whole("failures", "How many in a row."),
    instant("last_failed_at", "The newest of them."),
    instant("blocked_until", "Until when no further attempt is looked at.", null=True),
    index("last_failed_at"),
    stores=MAIN,
)
