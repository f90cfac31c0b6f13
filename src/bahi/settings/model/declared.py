"""What the house itself reads: each setting with its type, where it begins, what is right."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any, Final

from bahi.kernel.errors import Invalid

TIMES_AT_MOST: Final = 12
_HOUR: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)

Rule = Callable[[Any], Any]
"""Returns the value as it is kept, or raises Invalid with what would be right."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A setting that the house itself reads: its type, where it begins, and what is right."""

    name: str
    data_type: str
    default: Any
    description: str
    rule: Rule = lambda value: value

    @property
    def category(self) -> str:
        """Before the point."""
        return self.name.partition(".")[0]

    @property
    def key(self) -> str:
        """After the point."""
        return self.name.partition(".")[2]


def between(least: int, most: int) -> Rule:
    """Make the rule of a number."""

    def rule(value: Any) -> Any:
        if not least <= value <= most:
            raise Invalid(f"{value} is not {least} to {most}.")
        return value

    return rule


def among(*words: str) -> Rule:
    """Make the rule of a word."""

    def rule(value: Any) -> Any:
        if value not in words:
            raise Invalid(f"{value!r} is not one of {', '.join(words)}.")
        return value

    return rule


def hours(value: Any) -> str:
    """Check a list of hours, `05:30,08:30`, and return it in order."""
    found = [each.strip() for each in str(value).split(",")]
    if len(found) > TIMES_AT_MOST or not all(_HOUR.fullmatch(each) for each in found):
        raise Invalid(
            f"{str(value)[:60]!r} is no list of times; write HH:MM parted by commas: 05:30,08:30."
        )
    return ",".join(sorted(set(found)))


def one_hour(value: Any) -> str:
    """Check one hour, `08:45`."""
    if not _HOUR.fullmatch(str(value)):
        raise Invalid(f"{str(value)[:60]!r} is no time; write HH:MM: 08:45.")
    return str(value)


def times_of(value: str) -> tuple[time, ...]:
    """Return the hours of a list that was checked."""
    return tuple(time.fromisoformat(each) for each in value.split(","))


def _text_of(name: str, default: str, rule: Rule, description: str) -> Declared:
    return Declared(name, "string", default, description, rule)


def _number(name: str, default: int, most: int, description: str, *, least: int = 1) -> Declared:
    return Declared(name, "integer", default, description, between(least, most))


def _on(name: str, description: str) -> Declared:
    return Declared(name, "boolean", default=True, description=description)


def _off(name: str, description: str) -> Declared:
    return Declared(name, "boolean", default=False, description=description)


def _seen(name: str, description: str) -> Declared:
    return _number(name, 0, 1 << 61, description, least=0)


def anything(value: Any) -> str:
    """Take a text as it is."""
    return str(value).strip()


_SOURCE: Final = "Where the instrument file is fetched; empty: where the broker publishes it."

_FIRST: Final = "What a new account begins with (0: no limit):"
_LIMITED: Final = (
    ("daily_loss", "rupees lost in a day"),
    ("position_value", "rupees in one position"),
    ("order_value", "rupees in one order"),
    ("orders_a_day", "orders in a day"),
    ("open_orders", "orders at once"),
)
_FIRST_LIMITS: Final = {
    "paper": (1_00_000, 50_00_000, 25_00_000, 500, 100),
    "live": (10_000, 2_00_000, 1_00_000, 50, 10),
}

BREEZE_EXPIRY: Final = ("earlier", "midnight", "24h")

DECLARED: Final = (
    # of source 002
    _text_of("scheduler.breeze_login_times", "05:30,08:30", hours, "When Breeze is logged in."),
    _text_of("scheduler.kite_login_times", "05:45,08:45", hours, "When Kite is logged in."),
    _on("scheduler.weekdays_only", "Are logins left out on Saturday and Sunday?"),
    _number("trading.default_lot_size", 75, 1_000_000, "The lot where an instrument names none."),
    _number("trading.max_positions", 10, 10_000, "How many positions may be open at once."),
    _number("auth.session_timeout_minutes", 1440, 43_200, "Minutes until a web session ends."),
    _number(
        "api.rate_limit_per_minute",
        60,
        100_000,
        "Requests of one stranger in a minute; of a session, five times.",
    ),
    _number("api.key_requests_per_minute", 3000, 100_000, "Requests of one key in a minute."),
    # of source 001
    _number("system.schema_version", 3, 1000, "The version of that source's tables and views."),
    _on("copy_trading.copy_enabled", "Are orders copied?"),
    _seen("copy_trading.last_leader_event_ts", "The newest event of a leader that was seen."),
    _seen("portfolio.last_position_snapshot_ts", "When positions were last taken down."),
    _seen("portfolio.last_holdings_snapshot_ts", "When holdings were last taken down."),
    _seen("funds.last_funds_snapshot_ts", "When funds were last taken down."),
    _on("orders.co_enabled", "Are cover orders taken?"),
    _on("orders.bo_enabled", "Are bracket orders taken?"),
    _on("orders.forever_enabled", "Are forever orders taken?"),
    _off("risk.kill_switch_enabled", "May the kill switch act by itself?"),
    _on("risk.daily_loss_limit_enabled", "Is the loss of a day limited?"),
    _on("risk.position_size_limit_enabled", "Is the size of positions limited?"),
    _on("websocket.ws_reconnect_enabled", "Are lost streams opened again?"),
    _number("websocket.ws_max_reconnect_attempts", 10, 1000, "How often in a row.", least=0),
    _off("postback.postback_enabled", "Are the postbacks of brokers taken?"),
    # of our own office
    _text_of("scheduler.token_alert_time", "08:45", one_hour, "When bad tokens are told of."),
    _text_of(
        "tokens.breeze_expiry",
        "earlier",
        among(*BREEZE_EXPIRY),
        "When a Breeze session ends: at midnight, after 24h, or at the earlier of the two.",
    ),
    _on("risk.order_rates_enabled", "Are orders held to what their broker takes in a second?"),
    _number("risk.price_band_percent", 20, 1000, f"{_FIRST} % from the last price.", least=0),
    *(
        _number(f"risk.{mode}_{name}", default, 10**12, f"{_FIRST} {what}, {mode}.", least=0)
        for mode, defaults in _FIRST_LIMITS.items()
        for (name, what), default in zip(_LIMITED, defaults, strict=True)
    ),
    _text_of("exchange.queue", "through", among("through", "queue", "touch"), "How limits fill."),
    _text_of("exchange.profile", "kite", among("kite", "upstox", "dhan"), "Whose manners it has."),
    _number("exchange.latency_least_ms", 50, 60_000, "What a paper order takes.", least=0),
    _number("exchange.latency_most_ms", 300, 60_000, "What a paper order takes.", least=0),
    _number("exchange.protection_bps", 300, 9_999, "How far MARKET orders go, in 1/100 %."),
    _text_of(
        "orders.approved_strategies", "", anything, "Strategies whose orders a person lets go out."
    ),
    _number("retention.orders_days", 30, 3650, "Days until orders that ended are archived."),
    _text_of("scheduler.masters_time", "07:50", one_hour, "When instrument files are fetched."),
    *(
        _text_of(f"instruments.{broker}_source", "", anything, _SOURCE)
        for broker in ("kite", "upstox", "dhan", "breeze")
    ),
    _number("retention.audit_days", 90, 3650, "Days until audit rows are archived.", least=30),
    _number("retention.jobs_days", 7, 3650, "Days that finished jobs are kept."),
    _number("retention.logs_days", 90, 3650, "Days that the log is kept."),
    _number("retention.calls_days", 90, 3650, "Days that calls are kept."),
    _number("retention.health_days", 30, 3650, "Days that the history of health is kept."),
)

KNOWN: Final[Mapping[tuple[str, str], Declared]] = {(it.category, it.key): it for it in DECLARED}
