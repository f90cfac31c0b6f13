"""Pages under lock, many at once, for what binds more than one account."""

from __future__ import annotations

from typing import Final

from bahi.portfolio.repository import stops

lock_pages: Final = stops.lock_all
"""Lock the pages of a user, of an account or of all, in order; return each with its user."""

accounts: Final = stops.accounts
"""Return the accounts that have a page; `accounts(tx, user_id, account_id)`, None for all."""

stamp: Final = stops.stamp
"""Write on a page what stops its account; `stamp(tx, account_id, stops, now)`."""
