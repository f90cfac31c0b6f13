"""What OpenAlgo has and nothing here is behind yet: it says so, and does not pretend."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, NoReturn

from starlette.routing import Route

from bahi.api.openalgo.door import Ask, Refused, asked
from bahi.bootstrap import House
from bahi.kernel.actor import Actor

NOT_AVAILABLE: Final = "not_available"
NOT_IMPLEMENTED: Final = HTTPStatus.NOT_IMPLEMENTED

STRATEGIES: Final = (
    "list",
    "status",
    "start",
    "stop",
    "close_all",
    "close_leg",
    "runs",
    "orders",
    "events",
)
NOT_HERE: Final = {
    **{f"strategy/{name}": "Strategies do not run here yet" for name in STRATEGIES},
    **{
        f"portfolio/{name}": "Portfolios are not tested on the past here"
        for name in ("backtest", "tearsheet", "holdings", "benchmarks")
    },
    **{
        f"sip/{name}": "Plans of regular purchases are not tested here"
        for name in ("backtest", "frequencies")
    },
    **{
        f"telegram/{name}": "No Telegram bot runs here; telegram/notify keeps messages as alerts"
        for name in (
            "config",
            "start",
            "stop",
            "webhook",
            "users",
            "broadcast",
            "stats",
            "preferences",
        )
    },
}
"""What is asked for, and why there is no answer."""


def unavailable_routes(house: House) -> list[Route]:
    """Make the doors that have nothing behind them; they ask for a key like any other."""
    return [
        asked(house, path, Ask, _answer(path, why), in_address=in_address)
        for path, why in NOT_HERE.items()
        for in_address in (False, True)
    ]


def _answer(path: str, why: str) -> Any:
    async def answer(_house: House, _actor: Actor, _form: Ask) -> NoReturn:
        """Say that it is not available."""
        raise Refused(
            f"{why}: {path} is not available.", code=NOT_AVAILABLE, status=NOT_IMPLEMENTED
        )

    return answer
