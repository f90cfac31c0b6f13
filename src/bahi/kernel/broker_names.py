"""Brokers as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bahi.kernel.words import BrokerSlug

BROKER_NAMES: Final[Mapping[BrokerSlug, str]] = {
    BrokerSlug.KITE: "Kite (Zerodha)",
    BrokerSlug.UPSTOX: "Upstox",
    BrokerSlug.DHAN: "Dhan",
    BrokerSlug.BREEZE: "Breeze (ICICI Direct)",
    BrokerSlug.ANGEL: "Angel One",
    BrokerSlug.OPENALGO: "OpenAlgo",
    BrokerSlug.PAPER: "Paper",
}
