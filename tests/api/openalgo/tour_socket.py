"""Every method of the real client that has to do with its socket, called as its users call it.

It is given a client and `told`, which is handed each method's name with its answer. Nothing of the
house is imported: it runs in whatever Python the client needs.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any

FOLLOWED = [{"exchange": "NSE", "symbol": "SBIN"}, {"exchange": "NSE", "symbol": "TCS"}]
WITHIN_S = 20
ORDER = {
    "strategy": "tour",
    "symbol": "SBIN",
    "action": "BUY",
    "exchange": "NSE",
    "price_type": "MARKET",
    "product": "MIS",
    "quantity": 1,
}

Told = Callable[[str, Any], None]


def tour(client: Any, told: Told) -> None:
    """Call them all; what is not as its clients rely on it fails."""
    assert client.connect() is True
    told("connect", True)
    try:
        for name, kept in (("ltp", "get_ltp"), ("quote", "get_quotes"), ("depth", "get_depth")):
            follow(client, told, name, kept)
        if hasattr(client, "subscribe_orders"):
            orders(client, told)
    finally:
        client.disconnect()
        told("disconnect", None)
    if hasattr(client, "close"):
        client.close()
        told("close", None)


def follow(client: Any, told: Told, name: str, kept: str) -> None:
    """Follow two instruments until both were told, look at what the client keeps, and leave."""
    heard: queue.Queue[Any] = queue.Queue()
    assert getattr(client, f"subscribe_{name}")(FOLLOWED, on_data_received=heard.put) is True
    seen: dict[str, Any] = {}
    while len(seen) < len(FOLLOWED):
        frame = heard.get(timeout=WITHIN_S)
        assert frame["type"] == "market_data"
        seen[frame["symbol"]] = frame["data"]
    told(f"subscribe_{name}", seen)
    for data in seen.values():
        assert data["ltp"] > 0
        if name == "depth":
            assert len(data["depth"]["buy"]) == len(data["depth"]["sell"]) == 5
        if name == "quote":
            assert 0 < data["low"] <= data["ltp"] <= data["high"]
    told(kept, getattr(client, kept)())
    assert getattr(client, kept)()
    assert getattr(client, f"unsubscribe_{name}")(FOLLOWED) is True
    told(f"unsubscribe_{name}", True)


def orders(client: Any, told: Told) -> None:
    """Follow orders, place one, and be told of it until it is filled."""
    heard: queue.Queue[Any] = queue.Queue()
    assert client.subscribe_orders(on_order_update=heard.put) is True
    placed = client.placeorder(**ORDER)
    assert placed["status"] == "success", placed
    while True:
        update = heard.get(timeout=WITHIN_S)
        if update["orderid"] == placed["orderid"] and update["order_status"] == "complete":
            break
    told("subscribe_orders", update)
    assert update["filled_quantity"] == 1
    kept = client.get_orders()
    told("get_orders", kept)
    assert placed["orderid"] in {it["orderid"] for it in kept["orders"]}
    assert client.unsubscribe_orders() is True
    told("unsubscribe_orders", True)
