"""The rooms of a house: what is made once and handed to whoever needs it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from bahi.audit.service import Sealer
from bahi.bootstrap.floor import Floor, Prices
from bahi.bootstrap.known import Known
from bahi.calendar.service import LiveCalendar
from bahi.config import Settings
from bahi.db.revisions import Revisions
from bahi.db.stores import Stores
from bahi.identity.service.keys import Keys
from bahi.identity.service.sign_in import SignIn
from bahi.instruments.service.live import LiveInstruments
from bahi.jobs.service import Bell
from bahi.kernel.actor import the_house
from bahi.kernel.clock import Clock
from bahi.kernel.crypto import Vault
from bahi.kernel.keyring import Keyring
from bahi.orders.service.errands import Trading
from bahi.quotes.service.quotes import Quotes
from bahi.risk.service.marking import Marks
from bahi.settings.service import LiveConfig
from bahi.telemetry.service import CallRecorder, Numbers
from bahi.tokens.service.book import Tokens
from bahi.tokens.service.handing import Handing
from bahi.tokens.service.login import LoginDesk
from bahi.tokens.service.runs import Runs

SCHEDULE: Final = the_house("schedule")
"""Who does what comes round by itself."""
TRADING: Final = ("main", "sandbox")
"""The stores that keep books of accounts, in the order in which they are locked."""


@dataclass(frozen=True)
class Rooms:
    """Everything that was made and joined."""

    settings: Settings
    stores: Stores
    keyring: Keyring
    vault: Vault
    clock: Clock
    held: ExitStack
    revisions: Revisions
    config: LiveConfig
    calendar: LiveCalendar
    instruments: LiveInstruments
    prices: Prices
    floor: Floor
    numbers: Numbers
    recorder: CallRecorder
    keys: Keys
    sign_in: SignIn
    login_desk: LoginDesk
    runs: Runs
    handing: Handing
    tokens: Tokens
    bell: Bell
    sealers: tuple[Sealer, ...]
    trading: Trading
    marks: Marks = field(default_factory=Marks)
    known: Known = field(default_factory=Known)

    @property
    def quotes(self) -> Quotes:
        """Where prices are asked for."""
        return self.prices.quotes
