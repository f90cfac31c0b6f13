"""How many tokens accounts have, for lists of many: by their time, without asking a broker."""

from __future__ import annotations

from typing import Final

from bahi.tokens.repository import counting

count_of: Final = counting.count_of
"""Return by account how many applications have a token with time left; one statement."""
