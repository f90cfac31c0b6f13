"""A desk's morning against a broker on loopback: six applications, a person who logs in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import NamedTuple

from bahi.accounts.model import UPSTOX_NAMES
from bahi.accounts.service.accounts import add_account
from bahi.accounts.service.applications import Secrets, register
from bahi.bootstrap import House, build
from bahi.bootstrap.first_start import admin_of
from bahi.config import Settings
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.clock import StoppedClock
from bahi.kernel.crypto import PasswordCost, Passwords
from bahi.kernel.ports import Application
from bahi.kernel.words import BrokerSlug
from bahi.tokens.service.outcomes import HandedOver
from tests.brokers.simulators import UpstoxSimulator, person_logs_in
from tests.living import MORNING

Environ = Mapping[str, str]
WHO = the_house("test")
CHEAP = PasswordCost(passes=1, memory_kib=64, lanes=1)
REDIRECT = "http://127.0.0.1:8000/auth/callback/upstox"
OWNER = "7EAHBJ"


class Morning(NamedTuple):
    """What a story has to do with."""

    house: House
    account: int
    broker: UpstoxSimulator
    clock: StoppedClock


Story = Callable[[Morning], Awaitable[None]]
Live = Callable[[Story], None]


def applications() -> list[Application]:
    """Return the six applications as Upstox knows them."""
    return [
        Application(
            client_id=f"client-{name.lower()}",
            secret=f"secret-of-{name.lower()}",
            redirect_uri=REDIRECT,
            broker_user_id=OWNER,
        )
        for name in UPSTOX_NAMES
    ]


def upstox() -> AbstractContextManager[UpstoxSimulator]:
    """Start Upstox, as it is on that morning."""
    return UpstoxSimulator(applications(), StoppedClock(MORNING))


def settings(environ: Environ, url: str, broker: str = "upstox", names: str = "api") -> Settings:
    """Return the settings of a house whose broker is on loopback."""
    addresses = " ".join(f"{broker}.{name}={url}" for name in names.split())
    return Settings.from_environment({**environ, "BAHI_BROKER_ADDRESSES": addresses})


def a_house(
    known: Settings,
    clock: StoppedClock,
    pause: Callable[[float], Awaitable[None]] | None = None,
) -> House:
    """Build a house whose waits move its clock."""

    async def wait(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    return build(known, clock=clock, pause=pause or wait, passwords=Passwords(CHEAP))


def enter_upstox(tx: Tx, house: House) -> int:
    """Enter an Upstox account with its six applications; return its id."""
    now = house.clock()
    user = admin_of(tx)
    account = add_account(
        tx, WHO, BrokerSlug.UPSTOX, {"name": "Upstox of Vijay"}, now, user_id=user.id
    )
    for it, name in zip(applications(), UPSTOX_NAMES, strict=True):
        register(
            tx,
            WHO,
            house.vault,
            account.id,
            now,
            secrets_=Secrets(secret=it.secret),
            api_name=name,
            client_id=it.client_id,
            redirect_uri=REDIRECT,
        )
    return account.id


async def furnished(house: House) -> int:
    """Furnish a house, with an Upstox account."""
    await house.furnish()
    return await house.stores["main"].write(enter_upstox, house)


def a_person(house: House, who: Actor = WHO) -> Callable[[HandedOver], Awaitable[None]]:
    """Return somebody who logs in wherever they are sent, and brings the answer back."""

    async def log_in(handed: HandedOver) -> None:
        answer = person_logs_in(await house.handing.address_for(handed))
        await house.handing.answer("upstox", answer["state"], answer, who)

    return log_in
