"""Strategies on accounts, to look at."""

from __future__ import annotations

from typing import Final

from bahi.strategies.repository import deployments

armed: Final = deployments.armed
"""Return the names of the strategies that run on each of some accounts; `armed(tx, ids)`."""
