"""What trading costs and blocks on an account, read into memory before a transaction opens."""

from __future__ import annotations

from dataclasses import dataclass

from bahi.portfolio.model.ends import NO_ENDS, Ends
from bahi.portfolio.model.rates import NO_RATES, Rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The plan that an account is charged by, and its rates; without rates nothing is charged.

    `ends` knows which contracts are near their end, as margins ask.
    """

    plan: str
    rates: Rates = NO_RATES
    ends: Ends = NO_ENDS
