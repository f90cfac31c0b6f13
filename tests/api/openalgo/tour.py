"""Every method of OpenAlgo's own client that asks for orders, books and money, one after another.

It runs as a script of its own, by whatever Python has the client: it knows nothing of the house but
its address and a key. `tour_market.py` and `tour_socket.py` beside it go on with prices,
symbols and the feed.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

TOO_SOON = 429
NIFTY_STEP = 50
PARTS = ("tour", "tour_market", "tour_socket")
SHARE = {"symbol": "SBIN", "exchange": "NSE", "product": "MIS"}
INDEX = {"underlying": "NIFTY", "exchange": "NSE_INDEX"}


def tour(client: Any, told: Any) -> None:
    """Go through them all, and stop at the first answer that is not what it has to be."""
    orders(client, told)
    several(client, told)
    changes(client, told)
    options(client, told)
    money(client, told)
    control(client, told)
    if hasattr(client, "placegttorder"):
        triggers(client, told)
        not_available(client, told)


def good(client: Any, told: Any, method: str, **words: Any) -> Any:
    """Ask for what has to succeed; who asks too much in a second comes again after it."""
    answer = ask(client, told, method, **words)
    assert answer["status"] == "success", (method, answer)
    return answer


def ask(client: Any, told: Any, method: str, **words: Any) -> Any:
    """Ask, and come again where it was too soon."""
    told(method)
    answer = getattr(client, method)(**words)
    while answer["status"] == "error" and answer.get("code") == TOO_SOON:
        time.sleep(1)
        answer = getattr(client, method)(**words)
    return answer


def orders(client: Any, told: Any) -> None:
    """Place an order, and find it filled in every book."""
    placed = good(client, told, "placeorder", strategy="tour", action="BUY", quantity=10, **SHARE)
    assert placed["mode"] == "analyze"
    name = placed["orderid"]
    order = good(client, told, "orderstatus", order_id=name, strategy="tour")["data"]
    assert order["order_status"] == "complete", order
    assert order["average_price"] > 0
    book = good(client, told, "orderbook")["data"]
    assert name in {it["orderid"] for it in book["orders"]}
    assert book["statistics"]["total_completed_orders"] >= 1
    trades = [it for it in good(client, told, "tradebook")["data"] if it["orderid"] == name]
    assert sum(it["quantity"] for it in trades) == 10, trades
    (held,) = [it for it in good(client, told, "positionbook")["data"] if it["symbol"] == "SBIN"]
    assert held["quantity"] == "10", held
    assert float(held["pnl"]) == float(held["pnl"])
    one = good(client, told, "openposition", strategy="tour", **SHARE)
    assert one["quantity"] == "10", one
    smart = {"strategy": "tour", "action": "SELL", "quantity": 1, "position_size": 4, **SHARE}
    assert good(client, told, "placesmartorder", **smart)["orderid"]
    assert good(client, told, "openposition", strategy="tour", **SHARE)["quantity"] == "4"
    closed = good(client, told, "closeposition", strategy="tour")
    assert closed["message"] == "All Open Positions Squared Off"
    assert good(client, told, "openposition", strategy="tour", **SHARE)["quantity"] == "0"
    large = {"strategy": "tour", "action": "BUY", "quantity": 900_000, **SHARE}
    refused = ask(client, told, "placeorder", **large)
    assert refused["status"] == "error", refused
    assert refused["code"] == 422, refused
    assert "orderid" in refused["message"]


def several(client: Any, told: Any) -> None:
    """Place a basket, and an order in parts; each of them within its second."""
    time.sleep(1)
    basket = [
        {**SHARE, "action": "SELL", "quantity": 1, "pricetype": "MARKET"},
        {**SHARE, "action": "BUY", "quantity": 2, "pricetype": "MARKET"},
    ]
    rows = good(client, told, "basketorder", strategy="tour", orders=basket)["results"]
    assert [it["status"] for it in rows] == ["success", "success"], rows
    time.sleep(1)
    split = {"strategy": "tour", "action": "SELL", "quantity": 5, "splitsize": 2, **SHARE}
    rows = good(client, told, "splitorder", **split)["results"]
    assert [it["quantity"] for it in rows] == [2, 2, 1], rows
    good(client, told, "closeposition", strategy="tour")


def changes(client: Any, told: Any) -> None:
    """Have a limit rest, change it, cancel it; then cancel all that works."""
    book = good(client, told, "positionbook")["data"]
    last = next(float(it["ltp"]) for it in book if it["symbol"] == "SBIN")
    wish = {
        "strategy": "tour",
        "action": "BUY",
        "price_type": "LIMIT",
        "price": int(last * 0.97),
        **SHARE,
    }
    name = good(client, told, "placeorder", quantity=5, **wish)["orderid"]
    assert good(client, told, "orderstatus", order_id=name)["data"]["order_status"] == "open"
    changed = good(client, told, "modifyorder", order_id=name, quantity=6, **wish)
    assert changed["orderid"] == name
    assert good(client, told, "orderstatus", order_id=name)["data"]["quantity"] == "6"
    assert good(client, told, "cancelorder", order_id=name)["orderid"] == name
    ended = good(client, told, "orderstatus", order_id=name)["data"]
    assert ended["order_status"] == "cancelled"
    stop = {**wish, "action": "SELL", "price_type": "SL", "trigger_price": int(last * 0.97) + 1}
    waits = good(client, told, "placeorder", quantity=1, **stop)["orderid"]
    row = good(client, told, "orderstatus", order_id=waits)["data"]
    assert row["order_status"] == "trigger pending", row
    every = good(client, told, "cancelallorder", strategy="tour")
    assert every["canceled_orders"] == [waits], every


def options(client: Any, told: Any) -> None:
    """Place an option by its distance from the money, and the two legs of a spread."""
    ends = client.expiry(symbol="NIFTY", exchange="NFO", instrumenttype="options")["data"]
    day = ends[1].replace("-", "")
    found = client.optionsymbol(
        strategy="tour", expiry_date=day, offset="ATM", option_type="CE", **INDEX
    )
    lot = int(found["lotsize"])
    wish = {"strategy": "tour", "expiry_date": day, "product": "NRML", **INDEX}
    one = {"offset": "ATM", "option_type": "CE", "action": "BUY", "quantity": lot}
    placed = good(client, told, "optionsorder", splitsize=0, **one, **wish)
    for it in (found, placed):  # each at the money of its own moment: the index may have moved
        strike = int(str(it["symbol"]).removesuffix("CE")[-5:])
        assert abs(strike - float(it["underlying_ltp"])) <= NIFTY_STEP / 2, it
    legs = [
        {**one, "offset": "OTM3", "action": "SELL", "product": "NRML"},
        {**one, "offset": "OTM5", "product": "NRML"},
    ]
    spread = {"strategy": "tour", "expiry_date": day, **INDEX}
    rows = good(client, told, "optionsmultiorder", legs=legs, **spread)["results"]
    assert [(it["leg"], it["status"]) for it in rows] == [(1, "success"), (2, "success")], rows
    good(client, told, "closeposition", strategy="tour")


def money(client: Any, told: Any) -> None:
    """Ask what is free, what is held, and what an order would need."""
    funds = good(client, told, "funds")["data"]
    assert float(funds["availablecash"]) > 0
    assert float(funds["utiliseddebits"]) == 0, funds
    held = good(client, told, "holdings")["data"]
    assert held["holdings"] == []
    wish = {**SHARE, "action": "BUY", "pricetype": "MARKET", "quantity": "10"}
    need = good(client, told, "margin", positions=[wish])["data"]
    assert need["total_margin_required"] > 0


def control(client: Any, told: Any) -> None:
    """Ask where orders go, and send a message."""
    assert good(client, told, "analyzerstatus")["data"]["analyze_mode"] is True
    turned = good(client, told, "analyzertoggle", mode=True)
    assert turned["data"]["mode"] == "analyze"
    told("analyzertoggle")
    live = client.analyzertoggle(mode=False)
    assert live["status"] == "error", live
    assert "no live account" in live["message"]
    good(client, told, "telegram", username="u", message="The tour is here.", priority=5)


def triggers(client: Any, told: Any) -> None:
    """Place, change, list and take back orders that wait for a price."""
    book = good(client, told, "positionbook")["data"]
    last = next(float(it["ltp"]) for it in book if it["symbol"] == "SBIN")
    share = {"strategy": "tour", "symbol": "SBIN", "exchange": "NSE", "product": "CNC"}
    low, high = int(last * 0.9), int(last * 1.1)
    single = {**share, "action": "BUY", "quantity": 1, "price": low, "triggerprice_sl": low + 1}
    name = good(client, told, "placegttorder", **single)["trigger_id"]
    pair = {
        **share,
        "action": "SELL",
        "quantity": 1,
        "trigger_type": "OCO",
        "triggerprice_sl": low,
        "stoploss": low - 1,
        "triggerprice_tg": high,
        "target": high + 1,
    }
    both = good(client, told, "placegttorder", **pair)["trigger_id"]
    good(client, told, "modifygttorder", trigger_id=name, **{**single, "price": low - 2})
    good(client, told, "modifygttorder", trigger_id=both, **{**pair, "target": high + 2})
    rows = good(client, told, "gttorderbook")["data"]
    assert {it["trigger_id"] for it in rows} == {name, both}, rows
    for each in (name, both):
        good(client, told, "cancelgttorder", trigger_id=each)
    assert good(client, told, "gttorderbook")["data"] == []
    assert len(good(client, told, "gttorderbook", status="all")["data"]) == 2


def not_available(client: Any, told: Any) -> None:
    """Ask for what has nothing behind it, and be told so; and for a message by WhatsApp."""
    run = {"strategy_id": 1}
    for method, words in (
        ("strategylist", {}),
        ("strategystatus", run),
        ("strategystart", {**run, "mode": "analyze"}),
        ("strategystop", run),
        ("strategycloseall", run),
        ("strategycloseleg", {**run, "leg_id": 2}),
        ("strategyruns", run),
        ("strategyorders", run),
        ("strategyevents", run),
    ):
        told(method)
        answer = getattr(client, method)(**words)
        assert answer["status"] == "error", (method, answer)
        assert answer["code"] in {501, "not_available"}, (method, answer)
        assert "not available" in answer["message"], (method, answer)
    good(client, told, "whatsapp", message="The tour is here.")


def main() -> None:
    """Go on the tour, and write as JSON which methods were asked."""
    sys.path.insert(0, str(Path(__file__).parent))
    from openalgo import api  # the client is what the interpreter has

    client = api(
        api_key=os.environ["TOUR_KEY"],
        host=os.environ["TOUR_HOST"],
        ws_url=f"{os.environ['TOUR_HOST'].replace('http', 'ws', 1)}/ws",
    )
    asked: list[str] = []
    for part in PARTS:
        if (Path(__file__).parent / f"{part}.py").exists():
            importlib.import_module(part).tour(client, lambda it, *_: asked.append(it.split()[0]))
    json.dump(sorted(set(asked)), sys.stdout)


if __name__ == "__main__":
    main()
