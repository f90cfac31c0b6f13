"""The brokers: each folder translates between one of them and the kernel, and knows no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from bahi.brokers.breeze.login import BreezeLogin
from bahi.brokers.breeze.master import BreezeMaster
from bahi.brokers.dhan.login import DhanLogin
from bahi.brokers.dhan.master import DhanMaster
from bahi.brokers.kite.login import KiteLogin
from bahi.brokers.kite.master import KiteMaster
from bahi.brokers.openalgo.login import OpenAlgoLogin
from bahi.brokers.openalgo.master import OpenAlgoMaster
from bahi.brokers.upstox.login import UpstoxLogin
from bahi.brokers.upstox.master import UpstoxMaster
from bahi.brokers.wire import CONNECT_S, WHOLE_S, Wires
from bahi.kernel.clock import Clock
from bahi.kernel.ports import Login, Master, Recorder
from bahi.kernel.words import BrokerSlug

LOGINS: Final[Mapping[BrokerSlug, Callable[..., Login]]] = {
    BrokerSlug.KITE: KiteLogin,
    BrokerSlug.UPSTOX: UpstoxLogin,
    BrokerSlug.DHAN: DhanLogin,
    BrokerSlug.BREEZE: BreezeLogin,
    BrokerSlug.OPENALGO: OpenAlgoLogin,
}


class MakeLogin(Protocol):
    """Makes the Login of one account, whose calls leave from the account's egress address."""

    def __call__(self, account_id: int | None, egress: str | None = None) -> Login:
        """Return the account's Login."""


def logins(
    recorder: Recorder,
    clock: Clock,
    *,
    options: Mapping[BrokerSlug, Mapping[str, Any]] | None = None,
    connect_s: float = CONNECT_S,
    whole_s: float = WHOLE_S,
) -> Mapping[BrokerSlug, MakeLogin]:
    """Return how the Login of each broker is made.

    `options` go to the login's constructor: other addresses (`api`, `auth`, `page`), Breeze's rule.
    """

    def maker(broker: BrokerSlug) -> MakeLogin:
        def make(account_id: int | None, egress: str | None = None) -> Login:
            wires = Wires(
                broker=broker,
                recorder=recorder,
                clock=clock,
                account_id=account_id,
                egress=egress,
                connect_s=connect_s,
                whole_s=whole_s,
            )
            return LOGINS[broker](wires, **(options or {}).get(broker, {}))

        return make

    return {broker: maker(broker) for broker in LOGINS}


def masters() -> Mapping[BrokerSlug, Master]:
    """Return how the instrument file of each broker is read."""
    return {
        BrokerSlug.KITE: KiteMaster(),
        BrokerSlug.UPSTOX: UpstoxMaster(),
        BrokerSlug.DHAN: DhanMaster(),
        BrokerSlug.BREEZE: BreezeMaster(),
        BrokerSlug.OPENALGO: OpenAlgoMaster(),
    }
