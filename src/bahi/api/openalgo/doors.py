"""Every request of the OpenAlgo-compatible API, gathered."""

from __future__ import annotations

from starlette.routing import BaseRoute

from bahi.api.openalgo.account import account_routes
from bahi.api.openalgo.control import control_routes
from bahi.api.openalgo.gtt import gtt_routes
from bahi.api.openalgo.information import information_routes
from bahi.api.openalgo.market import market_routes
from bahi.api.openalgo.messages import message_routes
from bahi.api.openalgo.orders import order_routes
from bahi.api.openalgo.orders_closing import closing_routes
from bahi.api.openalgo.orders_options import options_order_routes
from bahi.api.openalgo.strategies import unavailable_routes
from bahi.bootstrap import House


def openalgo_routes(house: House) -> list[BaseRoute]:
    """Make the doors that OpenAlgo's clients knock at; those that are hot come first."""
    return [
        *order_routes(house),
        *options_order_routes(house),
        *closing_routes(house),
        *information_routes(house),
        *account_routes(house),
        *gtt_routes(house),
        *market_routes(house),
        *control_routes(house),
        *message_routes(house),
        *unavailable_routes(house),
    ]
