"""The paper exchange, the other side of the wire: its own orders, in its own transactions."""

from bahi.exchange.model.order import Seen
from bahi.exchange.model.rules import QueueModel, Rules
from bahi.exchange.model.settling import Settlement
from bahi.exchange.repository.leaving import erase_client
from bahi.exchange.repository.positions import Conversion
from bahi.exchange.service.floor import Days, PaperExchange
from bahi.exchange.service.prices import Past, Venue
from bahi.exchange.service.settings import rules_of

__all__ = [
    "Conversion",
    "Days",
    "PaperExchange",
    "Past",
    "QueueModel",
    "Rules",
    "Seen",
    "Settlement",
    "Venue",
    "erase_client",
    "rules_of",
]
