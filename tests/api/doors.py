"""Every door of the application, and what it needs: one that is not listed here fails a test."""

from __future__ import annotations

from typing import Any, Final

OPEN: Final = {
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "POST /auth/notify/upstox/{secret}",
}
"""Doors that ask for no key: monitors, and a broker that was told a secret path."""

ENDLESS: Final = {"GET /v1/events"}
"""What goes on until somebody leaves: it has tests of its own."""

FOR_PERSONS: Final = {
    "POST /v1/webhooks",
    "PATCH /v1/webhooks/{webhook_id}",
    "DELETE /v1/webhooks/{webhook_id}",
    "POST /v1/accounts/{account_id}/postbacks",
    "DELETE /v1/accounts/{account_id}/postbacks/{postback_id}",
}
"""What every key is refused, before anybody looks whose it is."""

SOURCES: Final = """
POST /auth/db/cleanup admin
GET /auth/db/status look
POST /auth/db/{service}/login change
POST /auth/db/disconnect/{service} change
GET /api/auth/upstox/tokens/status look
POST /api/auth/upstox/tokens/generate change
GET /api/auth/upstox/login-success look
GET /api/auth/upstox/login-success/{api_name} look
"""

BOTH: Final = """
GET /jobs/status/{job_id} look
GET /jobs/recent look
GET /jobs/running look
POST /jobs/cleanup admin
GET /config/all look
GET /config/{config_type} look
POST /config/{config_type}/{key} admin
GET /audit/recent look
GET /audit/entity/{entity_type}/{entity_id} look
GET /audit/user/{user_id} look
"""
"""Doors of source 002 that stand beside our own too."""

OWN: Final = """
GET /v1/health/history admin
GET /v1/tokens look
POST /v1/tokens/runs change
POST /v1/tokens/resume change
POST /v1/tokens/stop change
GET /v1/tokens/runs/{execution_id} look
POST /v1/tokens/revoke change
GET /v1/me look
GET /v1/users admin
POST /v1/users admin
GET /v1/users/{user_id} admin
PATCH /v1/users/{user_id} admin
DELETE /v1/users/{user_id} admin
POST /v1/users/{user_id}/link admin
GET /v1/keys look
POST /v1/keys change
DELETE /v1/keys/{key_id} change
GET /v1/sessions look
DELETE /v1/sessions/{session_id} own
GET /v1/persons look
POST /v1/persons change
GET /v1/accounts look
POST /v1/accounts change
GET /v1/accounts/{account_id} look
PATCH /v1/accounts/{account_id} change
DELETE /v1/accounts/{account_id} change
GET /v1/accounts/{account_id}/applications look
POST /v1/accounts/{account_id}/applications change
PATCH /v1/applications/{api_id} change
DELETE /v1/applications/{api_id} change
POST /v1/applications/{api_id}/notifier change
GET /v1/alerts look
POST /v1/alerts/{alert_id}/acknowledge change
GET /v1/risk/limits look
PUT /v1/risk/limits change
GET /v1/risk/lists look
POST /v1/risk/lists admin
GET /v1/risk/violations look
GET /v1/risk/switches look
POST /v1/risk/kill change
POST /v1/risk/resume change
GET /v1/instruments look
GET /v1/instruments/chain look
GET /v1/instruments/expiries look
GET /v1/instruments/{which} look
GET /v1/instruments/{which}/terms look
GET /v1/calendar/state look
GET /v1/calendar/days look
GET /v1/calendar/holidays look
GET /v1/quotes look
GET /v1/quotes/depth look
GET /v1/quotes/candles look
POST /v1/official-prices admin
GET /v1/backups admin
POST /v1/backups admin
GET /v1/events look
GET /v1/webhooks look
POST /v1/webhooks change
GET /v1/webhooks/{webhook_id} look
PATCH /v1/webhooks/{webhook_id} change
DELETE /v1/webhooks/{webhook_id} change
GET /v1/webhooks/{webhook_id}/alerts look
"""

OF_ACCOUNT: Final = """
POST /orders change
GET /orders look
POST /orders/smart change
POST /orders/sliced change
POST /orders/basket change
POST /orders/cancel-all change
GET /orders/{order_id} look
PATCH /orders/{order_id} change
DELETE /orders/{order_id} change
POST /orders/{order_id}/approve change
POST /orders/{order_id}/decline change
POST /orders/{order_id}/conclude change
POST /margin change
GET /forever look
POST /forever change
GET /forever/{forever_id} look
PATCH /forever/{forever_id} change
DELETE /forever/{forever_id} change
GET /positions look
GET /trades look
POST /positions/close change
POST /positions/close-all change
POST /positions/flatten change
POST /positions/convert change
GET /holdings look
PUT /holdings/pledged change
POST /holdings/brought-forward change
POST /corporate-actions change
GET /edis look
POST /edis change
POST /edis/{request_id}/authorize change
POST /edis/{request_id}/reject change
GET /funds look
POST /funds/reset change
GET /ledger look
GET /reports/gains look
GET /reports/lots look
GET /reports/tax look
GET /as-of/orders look
GET /as-of/positions look
GET /as-of/funds look
GET /as-of/risk look
POST /reconcile change
GET /breaks look
POST /breaks/{break_id}/settle change
GET /postbacks look
POST /postbacks change
DELETE /postbacks/{postback_id} change
"""
"""Doors of one account, from `/v1/accounts/{account_id}` on."""

OPENALGO: Final = """
POST /placeorder change
POST /placesmartorder change
POST /basketorder change
POST /splitorder change
POST /modifyorder change
POST /cancelorder change
POST /cancelallorder change
POST /optionsorder change
POST /optionsmultiorder change
POST /closeposition change
POST /placegttorder change
POST /modifygttorder change
POST /cancelgttorder change
POST /margin change
POST /analyzer/toggle change
POST /telegram/notify change
POST /whatsapp/notify change
POST /orderstatus look
POST /openposition look
POST /orderbook look
POST /tradebook look
POST /positionbook look
POST /funds look
POST /holdings look
POST /pnl/symbols look
POST /gttorderbook look
POST /quotes look
POST /multiquotes look
POST /depth look
POST /history look
POST /intervals look
GET /ticker/{symbol} look
POST /symbol look
POST /search look
POST /expiry look
GET /instruments look
POST /optionsymbol look
POST /optionchain look
POST /syntheticfuture look
POST /optiongreeks look
POST /multioptiongreeks look
POST /market/holidays look
POST /market/timings look
POST /ping look
POST /analyzer look
"""
"""Doors of OpenAlgo's clients, from `/api/v1` on."""

NOT_AVAILABLE: Final = """
chart
strategy/list strategy/status strategy/start strategy/stop strategy/close_all strategy/close_leg
strategy/runs strategy/orders strategy/events
portfolio/backtest portfolio/tearsheet portfolio/holdings portfolio/benchmarks
sip/backtest sip/frequencies
telegram/config telegram/start telegram/stop telegram/webhook telegram/users telegram/broadcast
telegram/stats telegram/preferences
"""
"""What is asked for with GET and with POST, and has nothing behind it."""

UNDESCRIBED: Final = {
    "GET /openapi.json",
    "POST /hooks/alerts/{secret}",
    "POST /strategy/webhook/{secret}",
    "POST /hooks/postbacks/{secret}",
    "WEBSOCKET /ws",
    "WEBSOCKET /",
}
"""Doors that are not in the OpenAPI document: itself, secret paths, and the socket."""


def _read(listing: str, prefix: str = "") -> dict[str, str]:
    found = {}
    for line in listing.split("\n"):
        if line:
            method, path, needs = line.split()
            found[f"{method} {prefix}{path}"] = needs
    return found


LISTED: Final[dict[str, str]] = {
    **_read(SOURCES),
    **_read(BOTH),
    **_read(BOTH, "/v1"),
    **_read(OWN),
    **_read(OF_ACCOUNT, "/v1/accounts/{account_id}"),
}

OF_CLIENTS: Final[dict[str, str]] = {
    **_read(OPENALGO, "/api/v1"),
    **{
        f"{method} /api/v1/{path}": "look"
        for path in NOT_AVAILABLE.split()
        for method in ("GET", "POST")
    },
}

_SHARE: Final = {"segment": "NSE_EQ", "symbol": "SBIN", "product": "INTRADAY"}
_ORDER: Final = {**_SHARE, "side": "BUY", "quantity": 1, "price": "800.00"}
_WAITING: Final = {"order": _ORDER, "trigger": {"type": "LTP_ABOVE", "above": "5000"}}
_WHY: Final = {"reason": "a test"}
_WHOM: Final = {"scope": "ACCOUNT", "account_id": "1"}

_OF_ACCOUNT: Final[dict[str, dict[str, Any]]] = {
    "POST /orders": _ORDER,
    "POST /orders/smart": {**_SHARE, "order_type": "MARKET", "target": 1},
    "POST /orders/sliced": _ORDER,
    "POST /orders/basket": {"orders": [_ORDER]},
    "PATCH /orders/{order_id}": {"quantity": 2},
    "POST /orders/{order_id}/decline": _WHY,
    "POST /orders/{order_id}/conclude": _WHY,
    "POST /margin": {"orders": [_ORDER]},
    "POST /forever": _WAITING,
    "PATCH /forever/{forever_id}": _WAITING,
    "POST /positions/close": _SHARE,
    "POST /positions/convert": {**_SHARE, "to": "CNC", "quantity": 1},
    "PUT /holdings/pledged": {"segment": "NSE_EQ", "symbol": "SBIN", "quantity": 1},
    "POST /holdings/brought-forward": {
        "segment": "NSE_EQ",
        "symbol": "SBIN",
        "lots": [{"day": "2020-01-01", "quantity": 1, "cost": "1.00"}],
        "reason": "a test",
    },
    "POST /corporate-actions": {
        "segment": "NSE_EQ",
        "symbol": "SBIN",
        "action": "SPLIT",
        "notice": "a test",
        "at": "2020-01-01T09:00:00+05:30",
    },
    "POST /edis": {"isin": "INE062A01020", "quantity": 1},
    "POST /edis/{request_id}/reject": _WHY,
    "POST /breaks/{break_id}/settle": _WHY,
    "POST /postbacks": {"event_types": []},
}

BODIES: Final[dict[str, dict[str, Any]]] = {
    "POST /api/auth/upstox/tokens/generate": {"mode": "ALL"},
    "POST /config/{config_type}/{key}": {"value": 1},
    "POST /v1/config/{config_type}/{key}": {"value": 1},
    "POST /v1/users": {"username": "somebody"},
    "PATCH /v1/users/{user_id}": {"role": "viewer"},
    "POST /v1/keys": {"name": "a key"},
    "POST /v1/persons": {"name": "Somebody"},
    "POST /v1/accounts": {"name": "Account", "broker": "paper"},
    "PATCH /v1/accounts/{account_id}": {"name": "Another name"},
    "POST /v1/accounts/{account_id}/applications": {"client_id": "c", "secret": "s"},
    "PATCH /v1/applications/{api_id}": {"enabled": False},
    "POST /v1/tokens/runs": {"account_id": "1"},
    "POST /v1/tokens/resume": {"account_id": "1"},
    "POST /v1/tokens/stop": {"account_id": "1"},
    "POST /v1/tokens/revoke": {"api_id": "1"},
    "POST /v1/webhooks": {
        "account_id": "1",
        "name": "a test",
        "template": {"symbol": "SBIN", "exchange": "NSE", "action": "BUY", "quantity": "1"},
    },
    "PATCH /v1/webhooks/{webhook_id}": {"is_active": False},
    "PUT /v1/risk/limits": {"whom": _WHOM, "limits": {}},
    "POST /v1/risk/kill": {"whom": _WHOM, "reason": "a test"},
    "POST /v1/risk/resume": {"whom": _WHOM, "reason": "a test"},
    "POST /v1/risk/lists": {
        "name": "ASM",
        "since": "2026-01-01",
        "source": "a test",
        "symbols": [],
    },
    "POST /v1/official-prices": {
        "segment": "NSE_CURRENCY",
        "name": "USDINR",
        "day": "2026-01-01",
        "price": "88.00",
        "source": "a test",
    },
    **{
        name.replace(" ", " /v1/accounts/{account_id}", 1): body
        for name, body in _OF_ACCOUNT.items()
    },
}
"""A body that is understood, for each door that cannot do without one."""

QUESTIONS: Final[dict[str, dict[str, str]]] = {
    "GET /v1/risk/violations": {"account_id": "1"},
    **{
        f"GET /v1/accounts/{{account_id}}/as-of/{what}": {"at": "2026-01-01T09:00:00+05:30"}
        for what in ("orders", "positions", "funds", "risk")
    },
}
"""A question that is understood, for each door that cannot do without one."""
