"""What tokens are handed from above: how to log in at each broker."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bahi.kernel.ports import Login
from bahi.kernel.words import BrokerSlug

Logins = Mapping[BrokerSlug, Callable[[int | None, str | None], Login]]
"""What makes each broker's login: of an account, bound to the address its calls leave from."""
