"""What an account has, to look at: every position, what is held, and its ledger in pages."""

from __future__ import annotations

from typing import Final

from bahi.portfolio.repository import position, recorded, statement

every_position: Final = position.of_account
"""Return every position of an account, flat ones too; `every_position(tx, account_id)`."""

holdings_of: Final = statement.held
"""Return every share that an account holds; `holdings_of(tx, account_id)`."""

ledger_of: Final = statement.lines
"""Return lines of the ledger, newest first; `ledger_of(tx, account_id, before_id, at_most)`."""

trades_in: Final = recorded.trades_in
"""Return trades in one instrument; `trades_in(tx, account_id, (segment, symbol), since, most)`."""
