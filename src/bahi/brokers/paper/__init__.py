"""The paper exchange, dressed as a broker: what it says in the words of the port, nothing more."""

from bahi.brokers.paper.adapter import PaperBroker
from bahi.brokers.paper.faults import Fault, FaultyBroker
from bahi.brokers.paper.teller import PaperTeller

__all__ = ["Fault", "FaultyBroker", "PaperBroker", "PaperTeller"]
