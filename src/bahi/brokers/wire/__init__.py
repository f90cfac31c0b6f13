"""What all adapters share: HTTP, how a no is heard, when a session ends, how a file is read."""

from bahi.brokers.wire import cells
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
from bahi.brokers.wire.download import NoFile, download
from bahi.brokers.wire.files import (
    entries,
    enveloped,
    head_of,
    member_of,
    refused,
    rows,
    zip_of,
)
from bahi.brokers.wire.holidays import ask_for_days, document_of_holidays, document_of_timings
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
    "NoFile",
    "Refusal",
    "Reply",
    "Request",
    "Said",
    "Wire",
    "Wires",
    "ask_for_days",
    "belongs_to",
    "cells",
    "document_of_holidays",
    "document_of_timings",
    "download",
    "entries",
    "enveloped",
    "head_of",
    "is_token",
    "line",
    "member_of",
    "next_ist",
    "part",
    "refused",
    "required",
    "rows",
    "secrets_of",
    "token",
    "zip_of",
]
