"""Alerts that become orders: who may send them, when, and what words they come to.

A template holds the words of an order. What stands in it is fixed: an alert cannot change it. Where
it says `{{word}}` the alert's own word is put in; what it leaves out the alert may say itself.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

from bahi.kernel.clock import IST
from bahi.kernel.errors import Conflict, Forbidden, Invalid


class AlertSource(StrEnum):
    """Who posts alerts that become orders."""

    TRADINGVIEW = "tradingview"
    CHARTINK = "chartink"
    OTHER = "other"


class AlertStatus(StrEnum):
    """What became of an alert."""

    TAKEN = "TAKEN"
    DONE = "DONE"
    REFUSED = "REFUSED"


WORDS: Final = (
    "symbol", "exchange", "action", "quantity", "product", "pricetype", "price", "trigger_price",
    "disclosed_quantity", "position_size",
)  # fmt: skip
"""What an order is said in, here as in OpenAlgo's API."""
ALERT_ID: Final = "alert_id"
STOCKS_AT_MOST: Final = 50
ADDRESSES_AT_MOST: Final = 50
LONGEST_REPEAT_S: Final = 86_400
VALUE_AT_MOST: Final = 200
NAME_AT_MOST: Final = 100
_PLACEHOLDER: Final = re.compile(r"\{\{\s*([A-Za-z0-9_.]{1,60})\s*\}\}")
_SIDES: Final = {
    "buy": "BUY", "cover": "BUY", "long_entry": "BUY",
    "sell": "SELL", "short": "SELL", "short_entry": "SELL",
}  # fmt: skip
"""What other systems call buying and selling."""
_FLAT: Final = frozenset({"long_exit", "short_exit", "exit", "close", "flat"})
"""What they call getting out: a position of nothing."""
_RUNNING: Final = frozenset({"start", "stop"})


class OutOfHours(Conflict):
    """Alerts are not taken at this hour."""

    code = "out_of_hours"


class NotRunnable(Invalid):
    """Strategies are not run here yet."""

    code = "not_available"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address at which alerts become orders; its secret part was shown once."""

    id: int
    user_id: int
    account_id: int
    name: str
    source: AlertSource
    template: Mapping[str, Any]
    addresses: tuple[str, ...]
    opens_at: time | None
    closes_at: time | None
    repeats_within_s: int
    is_signed: bool
    is_active: bool
    created_at: datetime
    updated_at: datetime
    last_alert_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert that was taken, and what became of it."""

    id: int
    webhook_id: int
    payload: Any
    ip_address: str | None
    status: AlertStatus
    outcome: Any
    error_message: str | None
    received_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wished:
    """What a webhook is to be."""

    name: str
    source: AlertSource = AlertSource.TRADINGVIEW
    template: Mapping[str, Any]
    addresses: Sequence[str] = ()
    opens_at: time | None = None
    closes_at: time | None = None
    repeats_within_s: int = 60

    def check(self) -> None:
        """Refuse what could never become an order, by the first thing that is wrong with it."""
        for sentence in self._faults():
            raise Invalid(sentence)

    def _faults(self) -> Iterator[str]:
        name = self.name.strip()
        if not (1 <= len(name) <= NAME_AT_MOST and name.isprintable()):
            yield f"name: write 1 to {NAME_AT_MOST} characters that can be printed."
        yield from self._wrong_words()
        yield from self._wrong_addresses()
        if (self.opens_at is None) is not (self.closes_at is None):
            yield "opens_at: hours have a beginning and an end; say both, or neither."
        if self.opens_at and self.closes_at and self.opens_at >= self.closes_at:
            yield "opens_at: the hours end before they begin."
        if not 0 <= self.repeats_within_s <= LONGEST_REPEAT_S:
            yield f"repeats_within_s: {self.repeats_within_s} is not 0 to {LONGEST_REPEAT_S}."

    def _wrong_words(self) -> Iterator[str]:
        for word, value in self.template.items():
            if word not in WORDS:
                yield f"template.{str(word)[:40]}: that is no word of an order; {_the_words()}."
            if not isinstance(value, str | int | float) or len(str(value)) > VALUE_AT_MOST:
                yield f"template.{word}: write a text of up to {VALUE_AT_MOST}, or a number."

    def _wrong_addresses(self) -> Iterator[str]:
        if len(self.addresses) > ADDRESSES_AT_MOST:
            yield f"addresses: {ADDRESSES_AT_MOST} at most."
        for address in self.addresses:
            try:
                ipaddress.ip_network(address)
            except ValueError:
                yield f"addresses: {address[:60]!r} is none; write 203.0.113.7 or 203.0.113.0/24."


def require_welcome(hook: Webhook, address: str | None, now: datetime) -> None:
    """Refuse an alert that comes from elsewhere, or at another hour, or to one switched off."""
    if not hook.is_active:
        raise Forbidden(f"The webhook {hook.name!r} is switched off.")
    if hook.addresses and not _is_among(address, hook.addresses):
        raise Forbidden("This webhook takes nothing from that address.")
    local = now.astimezone(IST).time()
    if hook.opens_at and hook.closes_at and not hook.opens_at <= local < hook.closes_at:
        raise OutOfHours(
            f"The webhook {hook.name!r} takes alerts from {hook.opens_at:%H:%M} to"
            f" {hook.closes_at:%H:%M} in India, and it is {local:%H:%M}."
        )


def _is_among(address: str | None, allowed: Sequence[str]) -> bool:
    try:
        came = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    came = getattr(came, "ipv4_mapped", None) or came
    return any(came in ipaddress.ip_network(it) for it in allowed)


def key_of(alert: Mapping[str, Any]) -> tuple[str, bool]:
    """Return what tells an alert from others, and whether it said so itself: then for ever."""
    said = alert.get(ALERT_ID)
    if said not in (None, ""):
        return f"id:{_digest(str(said))}", True
    return _digest(json.dumps(alert, sort_keys=True, default=str)), False


def _digest(text: str) -> str:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=20).hexdigest()


def orders_of(hook: Webhook, alert: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the words of each order that an alert asks for."""
    if hook.source is not AlertSource.CHARTINK:
        return [_order(hook.template, alert)]
    return [_order(hook.template, each) for each in _stocks(alert)]


def _stocks(alert: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an alert of Chartink stock by stock, with the price that each was found at."""
    stocks = [it.strip() for it in str(alert.get("stocks") or "").split(",") if it.strip()]
    prices = [it.strip() for it in str(alert.get("trigger_prices") or "").split(",")]
    if not 1 <= len(stocks) <= STOCKS_AT_MOST:
        raise Invalid(f"stocks: there are {len(stocks)}; an alert has 1 to {STOCKS_AT_MOST}.")
    said = f"{alert.get('scan_name') or ''} {alert.get('alert_name') or ''}".casefold()
    action = next((side for word, side in _SIDES.items() if re.search(rf"\b{word}\b", said)), None)
    for n, stock in enumerate(stocks):
        found = {**alert, "stock": stock, "symbol": stock}
        if n < len(prices) and prices[n]:
            found["price_found"] = prices[n]
        if action is not None:
            found.setdefault("action", action)
        yield {name: value for name, value in found.items() if name != "trigger_price"}


def _order(template: Mapping[str, Any], alert: Mapping[str, Any]) -> dict[str, Any]:
    own = {word: alert[word] for word in WORDS if alert.get(word) not in (None, "")}
    fixed = {word: _filled(word, value, alert) for word, value in template.items()}
    return _with_a_side(own | fixed)


def _with_a_side(order: dict[str, Any]) -> dict[str, Any]:
    """Say the side as orders do; getting out is a position of nothing."""
    said = str(order.get("action") or "").strip().casefold()
    if said in _RUNNING:
        raise NotRunnable("action: strategies are not started or stopped here; send their orders.")
    if said in _FLAT:
        return order | {"action": "SELL", "position_size": 0}
    return order | ({"action": _SIDES[said]} if said in _SIDES else {})


def _filled(word: str, value: Any, alert: Mapping[str, Any]) -> Any:
    """Put an alert's own words where a template asks for them."""
    if not isinstance(value, str):
        return value

    def said(found: re.Match[str]) -> str:
        it = _within(alert, found[1])
        if it is None or isinstance(it, Mapping | list):
            raise Invalid(f"{found[1]}: the alert does not say it, and `{word}` is made of it.")
        return str(it)[:VALUE_AT_MOST]

    return _PLACEHOLDER.sub(said, value)


def _within(alert: Mapping[str, Any], path: str) -> Any:
    if path in alert:
        return alert[path]
    found: Any = alert
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _the_words() -> str:
    return f"they are {', '.join(WORDS)}"
