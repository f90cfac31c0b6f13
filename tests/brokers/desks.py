"""A desk at each broker: its applications, its simulator, and a Login that calls there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyotp

from bahi.brokers import logins
from bahi.kernel.clock import StoppedClock
from bahi.kernel.ports import Application, Call, Grant, Login
from bahi.kernel.words import BrokerSlug
from tests.brokers.simulators import (
    BreezeSimulator,
    DhanSimulator,
    KiteSimulator,
    OpenAlgoSimulator,
    Simulator,
    UpstoxSimulator,
    person_logs_in,
)

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # 08:30 in India
HASTE_S = 0.3
STATE = "state-that-comes-back"
SECRET = "secret-of-the-application"
PIN = "pin-of-the-person"
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
BY_HAND = (BrokerSlug.KITE, BrokerSlug.UPSTOX, BrokerSlug.BREEZE)
SIMULATORS: Mapping[BrokerSlug, type[Simulator]] = {
    BrokerSlug.KITE: KiteSimulator,
    BrokerSlug.UPSTOX: UpstoxSimulator,
    BrokerSlug.DHAN: DhanSimulator,
    BrokerSlug.BREEZE: BreezeSimulator,
    BrokerSlug.OPENALGO: OpenAlgoSimulator,
}
BROKERS = tuple(SIMULATORS)


class Calls:
    """A recorder that keeps everything."""

    def __init__(self) -> None:
        self.all: list[Call] = []

    def record(self, call: Call) -> None:
        """Keep a call."""
        self.all.append(call)


@dataclass(frozen=True)
class Desk:
    """One account at one broker; its hasty login waits a moment only, for what never comes."""

    broker: BrokerSlug
    simulator: Simulator
    application: Application
    login: Login
    hasty: Login
    calls: Calls
    clock: StoppedClock

    async def come_in(self, now: datetime = NOW) -> Grant:
        """Log in, the way this broker wants it, with a person where one is needed."""
        if self.login.is_headless(self.application):
            return await self.login.log_in(self.application, now)
        return await self.come_in_by_hand(now)

    async def come_in_by_hand(self, now: datetime = NOW) -> Grant:
        """Log in with a person."""
        address = await self.login.begin(self.application, STATE)
        return await self.login.complete(self.application, person_logs_in(address), now)


def an_application(broker: BrokerSlug, number: int = 1, **changed: Any) -> Application:
    """Make an application with all that its broker's logins need."""
    return Application(
        **{
            "client_id": f"client=+{number}" if broker is BrokerSlug.BREEZE else f"client{number}",
            "redirect_uri": f"https://desk.example/auth/callback/{broker}",
            "broker_user_id": f"USER{number}",
            "secret": f"{SECRET}-{number}",
            "pin": PIN,
            "totp": TOTP,
        }
        | changed
    )


@contextmanager
def a_desk(broker: BrokerSlug, **changed: Any) -> Iterator[Desk]:
    """Run a broker, and give one account at it a Login."""
    calls, clock = Calls(), StoppedClock(NOW)
    application = an_application(broker, **changed)
    with SIMULATORS[broker]([application, an_application(broker, 2)], clock) as simulator:
        if broker is BrokerSlug.OPENALGO:
            application = an_application(broker, host=simulator.url, **changed)
        options = addresses(broker, simulator)
        login = logins(calls, clock, options=options)[broker](7)
        hasty = logins(calls, clock, options=options, whole_s=HASTE_S)[broker](7)
        yield Desk(broker, simulator, application, login, hasty, calls, clock)


def addresses(broker: BrokerSlug, simulator: Simulator) -> Mapping[BrokerSlug, Mapping[str, str]]:
    """Return where a Login finds a simulator."""
    if isinstance(simulator, KiteSimulator):
        return {broker: {"api": simulator.url, "page": simulator.page}}
    if isinstance(simulator, DhanSimulator):
        return {broker: {"api": simulator.url, "auth": simulator.url}}
    return {} if broker is BrokerSlug.OPENALGO else {broker: {"api": simulator.url}}


def code_at(clock: StoppedClock) -> str:
    """Return the TOTP code of this half minute."""
    return pyotp.TOTP(TOTP).at(clock())
