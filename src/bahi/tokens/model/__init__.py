"""The rules of broker tokens: whether one is good, and the run that makes them one by one, through
throttles and crashes.
"""

from bahi.tokens.model.attempt import RULES, TRIES, Attempt, Rule, given_up
from bahi.tokens.model.run import (
    ENDED,
    MOVES,
    RESUMABLE,
    Progress,
    Run,
    RunEnded,
    progress_of,
)
from bahi.tokens.model.token import (
    KEPT_AT_MOST,
    LEASE,
    LIVES_WITHOUT_WORD,
    Locked,
    Token,
    TokenStatus,
    fingerprint,
    kept_until,
    state_by_time,
)
from bahi.tokens.model.turn import (
    BETWEEN_LOGINS,
    COOLDOWN,
    LOGIN_TAKES,
    PERSON,
    PERSON_TAKES,
    Handover,
    Turn,
    TurnLost,
    countdown,
)

__all__ = [
    "BETWEEN_LOGINS",
    "COOLDOWN",
    "ENDED",
    "KEPT_AT_MOST",
    "LEASE",
    "LIVES_WITHOUT_WORD",
    "LOGIN_TAKES",
    "MOVES",
    "PERSON",
    "PERSON_TAKES",
    "RESUMABLE",
    "RULES",
    "TRIES",
    "Attempt",
    "Handover",
    "Locked",
    "Progress",
    "Rule",
    "Run",
    "RunEnded",
    "Token",
    "TokenStatus",
    "Turn",
    "TurnLost",
    "countdown",
    "fingerprint",
    "given_up",
    "kept_until",
    "progress_of",
    "state_by_time",
]
