"""The doors of our own API beyond those of the house itself: trading, markets, risk."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter

from bahi.api.native.as_of import as_of_routes
from bahi.api.native.audit import audit_routes
from bahi.api.native.backups import backup_routes
from bahi.api.native.calendar import calendar_routes
from bahi.api.native.chains import chain_routes
from bahi.api.native.checking import checking_routes
from bahi.api.native.config import config_routes
from bahi.api.native.events import event_routes
from bahi.api.native.forever import forever_routes
from bahi.api.native.holdings import holding_routes
from bahi.api.native.instruments import instrument_routes
from bahi.api.native.jobs import job_routes
from bahi.api.native.leave import leave_routes
from bahi.api.native.money import money_routes
from bahi.api.native.official import official_routes
from bahi.api.native.orders import order_routes
from bahi.api.native.positions import position_routes
from bahi.api.native.quotes import quote_routes
from bahi.api.native.reports import report_routes
from bahi.api.native.risk import risk_routes
from bahi.api.native.risk_lists import list_routes
from bahi.api.native.trades import trade_routes
from bahi.api.native.webhooks import webhook_routes
from bahi.api.native.wishes import wish_routes
from bahi.bootstrap import House


def own_routes(house: House) -> Iterator[APIRouter]:
    """Make them all; what has a name comes before what has an id in its place."""
    yield wish_routes(house)
    yield order_routes(house)
    yield forever_routes(house)
    yield position_routes(house)
    yield trade_routes(house)
    yield holding_routes(house)
    yield leave_routes(house)
    yield money_routes(house)
    yield report_routes(house)
    yield as_of_routes(house)
    yield checking_routes(house)
    yield risk_routes(house)
    yield list_routes(house)
    yield chain_routes(house)
    yield instrument_routes(house)
    yield calendar_routes(house)
    yield quote_routes(house)
    yield official_routes(house)
    yield backup_routes(house)
    yield event_routes(house)
    yield webhook_routes(house)
    yield config_routes(house, "/v1/config")
    yield job_routes(house, "/v1/jobs")
    yield audit_routes(house, "/v1/audit")
