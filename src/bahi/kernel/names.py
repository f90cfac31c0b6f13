"""What people call the words of the books: products, types of orders, brokers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bahi.kernel.words import BrokerSlug, OrderType, Product

SHOWN: Final[Mapping[Product | OrderType, str]] = {
    Product.CNC: "CNC",
    Product.INTRADAY: "MIS",
    Product.MARGIN: "NRML",
    Product.MTF: "MTF",
    Product.CO: "CO",
    Product.BO: "BO",
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP_LOSS: "SL",
    OrderType.STOP_LOSS_MARKET: "SL-M",
}

BROKER_NAMES: Final[Mapping[BrokerSlug, str]] = {
    BrokerSlug.KITE: "Kite (Zerodha)",
    BrokerSlug.UPSTOX: "Upstox",
    BrokerSlug.DHAN: "Dhan",
    BrokerSlug.BREEZE: "Breeze (ICICI Direct)",
    BrokerSlug.ANGEL: "Angel One",
    BrokerSlug.OPENALGO: "OpenAlgo",
    BrokerSlug.PAPER: "Paper",
}


def shown(word: Product | OrderType) -> str:
    """Name a product, or a type of order, as traders know it."""
    return SHOWN[word]
