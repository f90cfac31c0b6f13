"""Ids: 63-bit integers that need no database to be unique and that sort by when they were made.

    41 bits  milliseconds since 2024-01-01 UTC (enough until 2093)
    10 bits  node, one per running process
    12 bits  sequence within the millisecond

The order of ids is a convenience, never the truth about what happened first.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from bahi.kernel.clock import from_micros, in_utc, to_micros
from bahi.kernel.errors import ClockWrong, Invalid

EPOCH_MS: Final = to_micros(datetime(2024, 1, 1, tzinfo=UTC)) // 1000
NODES: Final = 1 << 10
LARGEST_ID: Final = (1 << 63) - 1
CLOCK_MAY_LAG: Final = timedelta(seconds=5)

_SEQUENCE_BITS: Final = 12
_NODE_BITS: Final = 10
_MS_SHIFT: Final = _NODE_BITS + _SEQUENCE_BITS
_MS_END: Final = 1 << 41
_SEQUENCE: Final = (1 << _SEQUENCE_BITS) - 1
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_DECIMAL: Final = re.compile(r"[1-9]\d{0,18}", re.ASCII)
_TAG: Final = re.compile(r"[1-9a-z][0-9a-z]{0,12}", re.ASCII | re.IGNORECASE)


class IdMint:
    """Mints the ids of one process, each greater than the one before.

    A process that forks has to give its child a node and a mint of its own.
    """

    def __init__(self, node: int, clock_ms: Callable[[], int], start_after: int = 0) -> None:
        if not 0 <= node < NODES:
            raise Invalid(f"Node {node} is not one of 0 to {NODES - 1}.")
        self.node = node
        self._node = node << _SEQUENCE_BITS
        self._clock_ms = clock_ms
        # Millisecond and sequence as one number, so that a sequence that runs out borrows from the
        # next millisecond by plain carry. We begin past the whole millisecond of `start_after`,
        # whose node may be above ours.
        self._last = (start_after >> _MS_SHIFT << _SEQUENCE_BITS) | _SEQUENCE
        self._one_at_a_time = threading.Lock()

    def mint(self) -> int:
        """Make an id, above all before it even when the clock has stepped back."""
        with self._one_at_a_time:
            now = self._clock_ms() - EPOCH_MS << _SEQUENCE_BITS
            moment = max(now, self._last + 1)
            if moment >> _SEQUENCE_BITS >= _MS_END:
                raise ClockWrong("The machine's clock is past 2093, where ids end; set it right.")
            self._last = moment
        millisecond, sequence = moment >> _SEQUENCE_BITS, moment & _SEQUENCE
        return millisecond << _MS_SHIFT | self._node | sequence


def earliest_at(unix_ms: int) -> int:
    """Return the smallest id that can be made in a millisecond."""
    return max(0, unix_ms - EPOCH_MS) << _MS_SHIFT


def minted_at(identity: int) -> datetime:
    """Return when an id was made, to the millisecond."""
    return from_micros((EPOCH_MS + (identity >> _MS_SHIFT)) * 1000)


def node_of(identity: int) -> int:
    """Return the node whose process made an id."""
    return identity >> _SEQUENCE_BITS & NODES - 1


def check_clock(newest_id: int, now: datetime) -> None:
    """Refuse to start on a machine whose clock is behind the newest id (0 if there is none)."""
    newest = minted_at(newest_id)
    if newest - in_utc(now) > CLOCK_MAY_LAG:
        raise ClockWrong(
            f"The machine's clock says {now:%Y-%m-%d %H:%M:%S %Z}, but the books already go to"
            f" {newest:%Y-%m-%d %H:%M:%S %Z}; set the clock right and start again."
        )


def tag(identity: int) -> str:
    """Write an id in base 36, at most 13 characters: the tag that an order bears at its broker."""
    if not 0 < identity <= LARGEST_ID:
        raise Invalid(f"{identity} is not an id; ids are 1 to {LARGEST_ID}.")
    digits = ""
    while identity:
        identity, digit = divmod(identity, 36)
        digits = _DIGITS[digit] + digits
    return digits


def from_tag(text: str) -> int:
    """Read a tag back; capitals pass, for a broker may shout."""
    if not _TAG.fullmatch(text) or (identity := int(text, 36)) > LARGEST_ID:
        raise Invalid(f"{text[:40]!r} is not a tag of ours: 1 to 13 digits and letters a to z.")
    return identity


def parse_id(text: str, field: str = "id") -> int:
    """Read an id from the decimal text that JSON carries."""
    if not _DECIMAL.fullmatch(text) or (identity := int(text)) > LARGEST_ID:
        raise Invalid(f"{field}: {text[:40]!r} is not an id; write its digits, 1 to {LARGEST_ID}.")
    return identity
