"""What all adapters share: the HTTP, how a broker's no is heard, when a day's session ends."""

from bahi.brokers.wire.answers import (
    Dialect,
    Refusal,
    Said,
    belongs_to,
    is_token,
    line,
    part,
    required,
    token,
)
from bahi.brokers.wire.by_hand import ByHand
from bahi.brokers.wire.hours import next_ist
from bahi.brokers.wire.http import (
    CONNECT_S,
    MAX_ANSWER_BYTES,
    WHOLE_S,
    Reply,
    Request,
    Wire,
    Wires,
    secrets_of,
)

__all__ = [
    "CONNECT_S",
    "MAX_ANSWER_BYTES",
    "WHOLE_S",
    "ByHand",
    "Dialect",
    "Refusal",
    "Reply",
    "Request",
    "Said",
    "Wire",
    "Wires",
    "belongs_to",
    "is_token",
    "line",
    "next_ist",
    "part",
    "required",
    "secrets_of",
    "token",
]
