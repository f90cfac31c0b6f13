"""Limits, switches and the verdict on each order, over the locked page of its account."""

from __future__ import annotations

from typing import Final

from bahi.risk.repository import control, violation
from bahi.risk.service.recorded import as_of

__all__ = [
    "as_of",
    "deny",
    "erase_account",
    "erase_user",
    "limits",
    "switches",
    "violations_of",
    "violations_over",
]

switches: Final = control.switches
"""Return the switches that are engaged in a store; `switches(tx)`."""

limits: Final = control.limits
"""Return the limits that bind somebody now or later; `limits(tx)`."""

violations_of: Final = violation.violations_of
"""Return what an account ran into; `violations_of(tx, account_id, before_id, at_most)`."""

violations_over: Final = violation.violations_over
"""Return what any of accounts ran into; `violations_over(tx, accounts, before_id, at_most)`."""

deny: Final = violation.add_violation
"""Write down that an order was denied; `deny(tx, (account, order), denial, now)`."""

erase_account: Final = violation.erase_account
"""Remove some of an account's limits and switches; return how many."""

erase_user: Final = violation.erase_user
"""Remove some of a user's limits and switches; return how many."""
