"""Sign-ins, hand-overs and runs of tokens, schedules, revisions: for people and the office."""

from alembic import op

from bahi.db.steps import lay_down, rebuild, restore, take_back

revision = "0002"
down_revision = "0001"

ADDED = {
    "jobs": ("user_id",),
    "users": ("totp_last_step",),
    "audit_seal_rows": ("row_digest",),
    "egress_addresses": ("public_address", "provider", "person_id", "family_declared"),
    "accounts": ("secondary_egress_address_id", "egress_changed_at", "opening_cash"),
    "broker_apis": ("pin_enc", "totp_enc", "redirect_uri", "notifier_hash"),
    "token_runs": ("mode", "apis", "due_at", "stop_requested", "started_by", "ended_at"),
    "alerts": ("user_id", "topic", "times", "last_raised_at"),
    "broker_tokens": (
        "fingerprint",
        "lease_owner",
        "leased_until",
        "checked_at",
        "checked_state",
        "retired_at",
        "retired_because",
    ),
}

RUNS = """CREATE TABLE token_runs (
  execution_id TEXT NOT NULL,
  account_id INTEGER,
  last_success_api TEXT,
  next_api TEXT,
  last_failure_at INTEGER,
  status TEXT
    CONSTRAINT ck_token_runs_status CHECK (
      status IN ('RUNNING','COOLDOWN','RESUMING','WAITING','COMPLETED','INCOMPLETE','STOPPED')),
  mode TEXT DEFAULT 'INVALID_ONLY' NOT NULL
    CONSTRAINT ck_token_runs_mode CHECK (mode IN ('ALL','INVALID_ONLY','PARTIAL')),
  apis TEXT,
  due_at INTEGER,
  stop_requested INTEGER DEFAULT 0 NOT NULL
    CONSTRAINT ck_token_runs_stop_requested CHECK (stop_requested IN (0,1)),
  started_by TEXT,
  ended_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CONSTRAINT pk_token_runs PRIMARY KEY (execution_id),
  CONSTRAINT fk_token_runs_account_id FOREIGN KEY(account_id)
    REFERENCES accounts (id) ON DELETE CASCADE
)
 STRICT"""


def upgrade() -> None:
    """Add it."""
    lay_down(__file__)
    if op.get_bind().dialect.name == "sqlite":
        rebuild("token_runs", RUNS)


def downgrade() -> None:
    """Take it back."""
    take_back(__file__)
    restore(__file__, ADDED, as_in="0001_the_house")
