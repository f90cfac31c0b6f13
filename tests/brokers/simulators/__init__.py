"""Brokers on loopback: they log people in, check every proof, and misbehave when told to."""

from __future__ import annotations

from tests.brokers.simulators.breeze import BreezeSimulator
from tests.brokers.simulators.dhan import DhanSimulator
from tests.brokers.simulators.kite import KiteSimulator
from tests.brokers.simulators.openalgo import OpenAlgoSimulator
from tests.brokers.simulators.server import Answer, Asked, Behaviour, Simulator, person_logs_in
from tests.brokers.simulators.upstox import UpstoxSimulator

__all__ = [
    "Answer",
    "Asked",
    "Behaviour",
    "BreezeSimulator",
    "DhanSimulator",
    "KiteSimulator",
    "OpenAlgoSimulator",
    "Simulator",
    "UpstoxSimulator",
    "person_logs_in",
]
