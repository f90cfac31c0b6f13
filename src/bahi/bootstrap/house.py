"""The house: everything that doors need, made and joined, and how its day begins and ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bahi.audit.service import Sealer
from bahi.bootstrap import first_start, office
from bahi.bootstrap.checks import checks_of
from bahi.bootstrap.desks import desk_of
from bahi.bootstrap.floor import Floor, Market
from bahi.bootstrap.ground import (
    bring_to_the_present,
    keyring_of,
    make_folder,
    mint_of,
    take_service_lock,
)
from bahi.bootstrap.masters import furnish_instruments
from bahi.bootstrap.prices import bring_in, prices_of
from bahi.bootstrap.rooms import Rooms
from bahi.bootstrap.trading import keep_driving
from bahi.brokers import logins
from bahi.calendar.service import LiveCalendar
from bahi.calendar.service import furnish as furnish_calendars
from bahi.config import Settings
from bahi.db.readers import Pool
from bahi.db.revisions import Revisions
from bahi.db.stores import Stores
from bahi.db.upkeep.statistics import StatisticsFiles
from bahi.health.model import Check
from bahi.identity.service.keys import Keys
from bahi.identity.service.sign_in import SignIn
from bahi.instruments.service.live import LiveInstruments
from bahi.jobs.model import Retry, Schedule
from bahi.jobs.service import Bell, Handler, sync_schedules
from bahi.kernel.actor import Actor
from bahi.kernel.clock import Clock, SystemClock
from bahi.kernel.crypto import Passwords, Vault
from bahi.kernel.errors import BahiError
from bahi.kernel.words import BrokerSlug
from bahi.orders.service.desk import Desk
from bahi.orders.service.errands import Trading
from bahi.portfolio.service.rates import LiveRates
from bahi.portfolio.service.rates import furnish as furnish_rates
from bahi.risk.service.eligibility import LiveLists
from bahi.settings.service import TOPIC as CONFIG
from bahi.settings.service import LiveConfig
from bahi.telemetry.service import CallRecorder, Numbers
from bahi.tokens.service.book import Tokens
from bahi.tokens.service.handing import Handing
from bahi.tokens.service.login import LoginDesk, Pause
from bahi.tokens.service.runs import Runs

SEALED: Final = ("main", "sandbox")
"""Stores with a trail of their own."""
LOOK_EVERY_S: Final = 0.5

log = logging.getLogger("bahi")


@dataclass(frozen=True)
class House(Rooms):
    """Everything that doors need, with what it does by itself."""

    timetable: list[Schedule] = field(default_factory=lambda: office.schedules_of({}))
    following: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def checks(self) -> Sequence[Check]:
        """What is asked how it is."""
        return checks_of(self, self.handlers)

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """How each type of job is done."""
        return office.handlers_of(self)

    @property
    def retries(self) -> Mapping[str, Retry]:
        """How often a type of job is tried."""
        return office.RETRIES

    @property
    def schedules(self) -> Sequence[Schedule]:
        """What comes round, at the times that the settings said last."""
        return self.timetable

    async def desk(self, actor: Actor, account_id: int) -> Desk:
        """Return where an actor's orders for an account are placed."""
        return await desk_of(self, actor, account_id)

    async def furnish(self) -> None:
        """Enter what a house cannot be without; nothing that is there is touched."""
        await self.stores["main"].write(first_start.furnish, self.clock())
        await furnish_calendars(self.stores["main"], self.clock())
        await furnish_instruments(self)
        await self.stores["main"].write(furnish_rates, self.clock())

    async def begin(self) -> None:
        """Begin the day: fill what is kept in memory, seal, and listen for changes elsewhere."""
        await self.furnish()
        await self.revisions.look()
        self.revisions.start()
        await self.keys.warm()
        await self.instruments.start()
        self.timetable[:] = await office.scheduled(self)
        self.following.append(asyncio.create_task(self._follow_settings(), name="settings"))
        self.following.append(asyncio.create_task(bring_in(self), name="prices"))
        self.following.append(asyncio.create_task(keep_driving(self), name="trading"))
        for sealer in self.sealers:
            sealer.start()

    async def _follow_settings(self) -> None:
        """Bring the schedule in line whenever a setting was changed, by whomever and wherever."""
        known = self.revisions.number(CONFIG)
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            number = self.revisions.number(CONFIG)
            if number in {None, known}:
                continue
            try:
                self.timetable[:] = await office.scheduled(self)
                await self.stores["main"].write(sync_schedules, self.timetable, self.clock())
                known = number
            except BahiError as fault:  # the database is away: it may come back
                log.warning("the schedule could not be brought in line: %s", fault)

    async def close(self) -> None:
        """Finish what is under way, then let go of files, connections and the folder."""
        await self.trading.errands.finish()
        for task in self.following:
            task.cancel()
        await asyncio.gather(*self.following, return_exceptions=True)
        await self.revisions.stop()
        await self.instruments.close()
        for sealer in self.sealers:
            await sealer.stop()
        self.bell.close()
        await self.stores.close()
        self.held.close()


def build(
    settings: Settings,
    *,
    serving: bool = False,
    clock: Clock = SystemClock(),  # noqa: B008 - has no state
    pause: Pause = asyncio.sleep,
    passwords: Passwords | None = None,
) -> House:
    """Make a house from its settings; of those that serve, only one may stand on a folder.

    `pause` is how it waits between logins; `passwords` how dear a hash is. Tests hand in others.
    """
    with ExitStack() as held:
        make_folder(settings.home)
        if serving:
            held.enter_context(take_service_lock(settings.home, settings.address))
        keyring = keyring_of(settings)
        bring_to_the_present(settings)
        mint = mint_of(settings, clock)
        pool = Pool(
            settings.pool_size,
            settings.pool_overflow,
            settings.pool_timeout_s,
            settings.pool_recycle_s,
        )
        stores = Stores(settings.urls, mint.mint, pool=pool, replica_url=settings.replica)
        if serving:
            statistics = StatisticsFiles(settings.home)
            statistics.start()
            held.callback(statistics.close)
        vault, main = Vault(keyring), stores["main"]
        revisions = Revisions(main)
        config = LiveConfig(main, vault, revisions)
        numbers = Numbers(stores)
        recorder = CallRecorder(stores["latency"], numbers)
        calendar, instruments = LiveCalendar(main, revisions), LiveInstruments(main, revisions)

        async def session_lasts() -> timedelta:
            return timedelta(minutes=await config.get("auth", "session_timeout_minutes"))

        async def expiry_rule(broker: BrokerSlug) -> str:
            if broker is not BrokerSlug.BREEZE:
                return ""
            return str(await config.get("tokens", "breeze_expiry"))

        prices = prices_of(settings, clock, calendar, instruments)
        market = Market(
            instruments,
            calendar,
            prices,
            clock,
            always_open=settings.is_always_open,
            lists=LiveLists(main, revisions, clock),
        )
        rates = LiveRates(main, revisions)
        floor = Floor(market, stores["sandbox"], rates, config, clock)
        desk = LoginDesk(
            main,
            vault,
            clock,
            logins(recorder, clock, options=settings.broker_options),
            callback=lambda broker: f"{settings.address}/auth/callback/{broker}",
            expiry_rule=expiry_rule,
            pause=pause,
        )
        return House(
            settings=settings,
            stores=stores,
            keyring=keyring,
            vault=vault,
            clock=clock,
            revisions=revisions,
            config=config,
            calendar=calendar,
            instruments=instruments,
            prices=prices,
            floor=floor,
            numbers=numbers,
            recorder=recorder,
            keys=Keys(main, vault, clock, revisions),
            sign_in=SignIn(main, vault, clock, session_lasts, passwords),
            login_desk=desk,
            runs=Runs(desk),
            handing=Handing(desk),
            tokens=Tokens(main, vault, clock, revisions),
            bell=Bell(settings.home, settings.urls.values()),
            sealers=tuple(Sealer(stores[name], vault, clock, settings.home) for name in SEALED),
            trading=Trading(mint.node),
            held=held.pop_all(),
        )
