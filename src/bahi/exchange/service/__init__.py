"""The paper exchange, the other side of the wire: its own orders, in its own transactions."""

from bahi.exchange.repository.leaving import erase_client
from bahi.exchange.service.floor import PaperExchange, Venue

__all__ = ["PaperExchange", "Venue", "erase_client"]
