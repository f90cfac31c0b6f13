"""The paper exchange, dressed as a broker: what it says in the words of the port, nothing more."""

from bahi.brokers.paper.adapter import PaperBroker

__all__ = ["PaperBroker"]
