"""What brokers post of orders: whether it is theirs, and which order it speaks of.

A postback is a hint and no fact. What it says of an order is read again from the broker's book, so
that a forged one costs a look and changes nothing.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b, sha256
from typing import Any, Final

from bahi.kernel.words import BrokerSlug

ORDER_NAMES: Final = ("order_id", "orderId", "orderid", "dhanOrderId", "order_ref_id")
STATUS_NAMES: Final = ("status", "orderStatus", "order_status")
FILLED_NAMES: Final = ("filled_quantity", "filled_qty", "filledQty")
SIGNERS: Final = frozenset({BrokerSlug.KITE})
"""Brokers that sign what they post."""
REF_AT_MOST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Inlet:
    """An address that a broker was told to call; its secret part was shown once."""

    id: int
    account_id: int
    address: str
    event_types: tuple[str, ...]
    is_active: bool
    created_at: datetime
    updated_at: datetime
    last_triggered_at: datetime | None


def order_ref(told: Mapping[str, Any]) -> str | None:
    """Return the order that a postback speaks of, as its broker names it."""
    return _first(told, ORDER_NAMES)


def kind_of(told: Mapping[str, Any]) -> str:
    """Return what a postback says happened, in the broker's own word."""
    return _first(told, STATUS_NAMES) or "postback"


def dedupe_key(told: Mapping[str, Any]) -> str:
    """Return what makes a postback one: brokers post the same again, and by two ways."""
    parts = [_first(told, names) for names in (ORDER_NAMES, STATUS_NAMES, FILLED_NAMES)]
    if parts[0] is None:
        parts = [json.dumps(told, sort_keys=True, default=str)]
    return blake2b("|".join(it or "" for it in parts).encode(), digest_size=20).hexdigest()


def is_kites(told: Mapping[str, Any], api_secret: str) -> bool:
    """Say whether Kite signed a postback: order, its time and the secret of the application."""
    said = str(told.get("checksum") or "").lower()
    text = f"{told.get('order_id') or ''}{told.get('order_timestamp') or ''}{api_secret}"
    return hmac.compare_digest(sha256(text.encode()).hexdigest().encode(), said.encode())


def _first(told: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        if (said := told.get(name)) is not None and str(said) != "":
            return str(said)[:REF_AT_MOST]
    return None
