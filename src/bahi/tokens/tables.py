"""Broker tokens with their history, and the runs that make them."""

from __future__ import annotations

from bahi.db.dialects import Words
from bahi.db.schema import (
    HOUSE,
    MAIN,
    digest,
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
    whole,
    word,
)
from bahi.db.views import seen, select
from bahi.kernel.words import LoginFailure, TokenMode, TokenRunStatus, TokenState

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
    text("fingerprint", "SHA-256 of the access token: how the trail names it.", null=True),
    text("lease_owner", "The stream that it is lent to.", null=True),
    instant("leased_until", "Until when nobody else may stream with it.", null=True),
    instant("checked_at", "When the broker was last asked whose it is.", null=True),
    word("checked_state", TokenState, "What came of that.", null=True),
    instant("retired_at", "When it went out of use.", null=True),
    text("retired_because", "Why: replaced, revoked, expired, refused.", null=True),
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
    word("mode", TokenMode, "Which tokens it makes.", default=TokenMode.INVALID_ONLY),
    json("apis", "The applications it was to log in, by name.", null=True),
    instant("due_at", "When it goes on: the end of a cooldown or a pause.", null=True),
    flag("stop_requested", "Did an operator stop it?", default=False),
    text("started_by", "Who began it.", null=True),
    instant("ended_at", "When it ended.", null=True),
    instant("created_at", "When the run began."),
    instant("updated_at", "When it last moved."),
    index("status", "updated_at"),
    stores=MAIN,
)

token_attempts = HOUSE.table(
    "token_attempts",
    "Every try to get one token, and what came of it.",
    key(),
    text("execution_id", "The run it belongs to; empty: a login by itself.", null=True),
    ref("broker_api_id", "broker_apis.id", "The application.", on_delete="CASCADE"),
    word(
        "outcome",
        ("TRYING", "MADE", "FAILED", "THROTTLED", "WAITING", "STOPPED"),
        "How it ended; TRYING: it has not, or its process died.",
    ),
    word("reason", LoginFailure, "Why there is no token.", null=True),
    text("broker_code", "The broker's own word for it.", null=True),
    text("message", "In words, and what to do.", null=True),
    instant("started_at", "When it began."),
    instant("ended_at", "When it ended.", null=True),
    index("execution_id", "started_at"),
    index("broker_api_id", "started_at"),
    stores=MAIN,
)

login_turns = HOUSE.table(
    "login_turns",
    "One login at a time for each person: who has the turn, and when the next may begin.",
    text_key("login", "person:<id>, or account:<id> where no person is known."),
    text("lease_owner", "The process whose turn it is.", null=True),
    instant("leased_until", "Until when, should it die.", null=True),
    whole("fence", "Grows with every turn; an older one's writes are refused.", default=0),
    instant("last_login_at", "The newest login; the next begins five seconds later.", null=True),
    instant("throttled_at", "When the broker last refused for haste; a cooldown runs.", null=True),
    instant("updated_at", "When anything here changed."),
    stores=MAIN,
)

login_handovers = HOUSE.table(
    "login_handovers",
    "A login that is in a person's hands: what was asked of whom, until when.",
    key(),
    ref("broker_api_id", "broker_apis.id", "The application.", on_delete="CASCADE"),
    text("execution_id", "The run that waits for it.", null=True),
    digest("state_hash", "Of the state that the redirect must bring back.", unique=True),
    digest("code_hash", "Of the one-time code in the link that is handed on.", unique=True),
    sealed("state_enc", "The state, for who opens the link.", null=True),
    text("created_by", "Who asked.", null=True),
    instant("created_at", "When."),
    instant("expires_at", "Until when it can be used."),
    instant("opened_at", "When the link was followed.", null=True),
    instant("used_at", "When the redirect came; it is taken once.", null=True),
    index("broker_api_id", "expires_at"),
    index("execution_id"),
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

HOUSE.routine(
    "sp_getactivesession",
    "The newest active token of a broker that has not expired; tokens are ciphertext.",
    """CREATE FUNCTION sp_getactivesession(service text) RETURNS TABLE (
  id bigint, service_type text, session_token bytea, access_token bytea, user_id text,
  user_name text, expires_at bigint, created_at bigint, updated_at bigint
) LANGUAGE sql STABLE AS $$
SELECT t.id, a.broker, t.session_token_enc, t.access_token_enc, a.broker_user_id,
  a.broker_user_name, t.expires_at, t.created_at, t.updated_at
FROM broker_tokens t
JOIN broker_apis b ON b.id = t.broker_api_id
JOIN accounts a ON a.id = b.account_id
WHERE a.broker = service AND t.is_active = 1 AND (t.expires_at IS NULL
  OR t.expires_at > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
ORDER BY t.updated_at DESC, t.id DESC LIMIT 1
$$""",
    stores=MAIN,
)

HOUSE.routine(
    "sp_updateauthsession",
    "Retire an application's active token and store its next one, sealed for the id given.",
    """CREATE FUNCTION sp_updateauthsession(
  token_id bigint, api_id bigint, access_token bytea, session_token bytea, refresh_token bytea,
  feed_token bytea, expires bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE moment bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
BEGIN
  UPDATE broker_tokens SET is_active = 0, retired_at = moment, retired_because = 'replaced',
    updated_at = moment WHERE broker_api_id = api_id AND is_active = 1;
  INSERT INTO broker_tokens (id, broker_api_id, access_token_enc, session_token_enc,
    refresh_token_enc, feed_token_enc, generated_at, expires_at, is_active, created_at, updated_at)
  VALUES (token_id, api_id, access_token, session_token, refresh_token, feed_token, moment,
    coalesce(expires, moment + 86400000000), 1, moment, moment);
  RETURN token_id;
END $$""",
    stores=MAIN,
)

HOUSE.routine(
    "sp_cleanupexpiredsessions",
    "Retire expired tokens and web sessions, forget expired cache entries; how many there were.",
    """CREATE FUNCTION sp_cleanupexpiredsessions() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE moment bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
  touched bigint; total bigint;
BEGIN
  UPDATE broker_tokens SET is_active = 0, retired_at = moment, retired_because = 'expired',
    updated_at = moment WHERE is_active = 1 AND expires_at <= moment;
  GET DIAGNOSTICS total = ROW_COUNT;
  UPDATE user_sessions SET is_active = 0 WHERE is_active = 1 AND expires_at <= moment;
  GET DIAGNOSTICS touched = ROW_COUNT;
  total := total + touched;
  DELETE FROM cache_entries WHERE expires_at <= moment;
  GET DIAGNOSTICS touched = ROW_COUNT;
  RETURN total + touched;
END $$""",
    stores=MAIN,
)
