"""Broker tokens with their history, and the runs that make them."""

from __future__ import annotations

from bahi.db.dialects import Words
from bahi.db.schema import (
    HOUSE,
    MAIN,
    flag,
    index,
    instant,
    json,
    key,
    ref,
    sealed,
    text,
    text_key,
    unique,
    word,
)
from bahi.db.views import seen, select
from bahi.kernel.words import TokenRunStatus

broker_tokens = HOUSE.table(
    "broker_tokens",
    "Every token ever issued to an application; at most one of each is active.",
    key(),
    ref("broker_api_id", "broker_apis.id", "The application it opens.", on_delete="CASCADE"),
    sealed("access_token_enc", "What calls carry.", null=True),
    sealed("session_token_enc", "What Breeze signs with.", null=True),
    sealed("refresh_token_enc", "What renews the access token.", null=True),
    sealed("feed_token_enc", "What streams carry.", null=True),
    text("token_type", "The word before the token in the header.", null=True, default="Bearer"),
    text("scope", "What the broker lets it do.", null=True),
    instant("generated_at", "When the broker issued it."),
    instant("expires_at", "When the broker will refuse it.", null=True),
    instant("last_used_at", "When a call last carried it.", null=True),
    flag("is_active", "The one in use.", default=True),
    json("metadata", "What else the broker said of it, without secrets.", null=True),
    instant("created_at", "When it was stored."),
    instant("updated_at", "When anything here changed."),
    unique("broker_api_id", where="is_active = 1"),
    index("is_active", "expires_at"),
    index("broker_api_id", "generated_at"),
    stores=MAIN,
)

token_runs = HOUSE.table(
    "token_runs",
    "How far one run over an account's applications got, so that it can go on after a failure.",
    text_key("execution_id", "A UUID."),
    ref("account_id", "accounts.id", "Whose applications.", on_delete="CASCADE", null=True),
    text("last_success_api", "The newest application that got its token.", null=True),
    text("next_api", "The one to try next; not empty while any is missing.", null=True),
    instant("last_failure_at", "The failure from which a cooldown is counted.", null=True),
    word("status", TokenRunStatus, "COMPLETED only when every token was made.", null=True),
    instant("created_at", "When the run began."),
    instant("updated_at", "When it last moved."),
    index("status", "updated_at"),
    stores=MAIN,
)


def _upstox_tokens(sql: Words) -> str:
    newest = (
        "SELECT x.id FROM broker_tokens x WHERE x.broker_api_id = b.id"
        " ORDER BY x.is_active DESC, x.generated_at DESC, x.id DESC LIMIT 1"
    )
    return select(
        "b.api_name",
        "b.api_index",
        "t.access_token_enc AS access_token",
        "a.broker_user_id AS user_id",
        "a.broker_user_name AS user_name",
        "t.is_active",
        f"{sql.ist('t.expires_at')} AS validity_at",
        f"{sql.ist('t.generated_at')} AS generated_at",
        rest=f"""FROM broker_tokens t
JOIN broker_apis b ON b.id = t.broker_api_id
JOIN accounts a ON a.id = b.account_id
WHERE a.broker = 'upstox' AND t.id = ({newest})""",
    )


HOUSE.view(
    "upstox_tokens",
    "The token in use (else the newest) of every Upstox application; the token is ciphertext.",
    _upstox_tokens,
    stores=MAIN,
)

HOUSE.view(
    "token_execution_state",
    "Token runs, their times in seconds since 1970 (UTC) as the first of the sources keeps them.",
    lambda sql: select(
        seen(sql, token_runs, "r", "execution_id", "last_success_api", "next_api"),
        "r.last_failure_at / 1000000 AS last_failure_epoch",
        "r.status",
        "r.created_at / 1000000 AS created_at",
        "r.updated_at / 1000000 AS updated_at",
        rest="FROM token_runs r",
    ),
    stores=MAIN,
)
