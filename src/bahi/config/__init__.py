"""The settings: read from the environment once, by a door, and handed down from there.

Each is declared once, with its name, its default, how it reads and what it means; that
list is also `docs/SETTINGS.md`. No message and no `repr` shows a password or a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, get_type_hints

from bahi.config.kinds import (
    ADDRESS,
    BROKERS,
    DATABASE,
    FOLDER,
    KEYRING,
    MARKET,
    OPTIONAL_FOLDER,
    ORIGINS,
    POSTGRES,
    PROXIES,
    PUBLIC,
    REPLICA,
    SECONDS,
    IPNetwork,
    PriceOrigin,
    addresses_by_broker,
    among,
    whole,
)
from bahi.config.page import page_of
from bahi.config.setting import Setting as Setting
from bahi.config.urls import place as place
from bahi.config.urls import redacted as redacted
from bahi.kernel.errors import Misconfigured
from bahi.kernel.words import BrokerSlug

Migrate = Literal["auto", "refuse", "warn"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Settings:
    """Everything that can be set from outside."""

    home: Annotated[
        Path,
        Setting(
            "BAHI_HOME",
            "~/.bahi",
            FOLDER,
            "The data folder: databases, keyring, backups. It is closed to others (mode 700).",
        ),
    ]
    host: Annotated[
        str,
        Setting(
            "BAHI_HOST",
            "127.0.0.1",
            ADDRESS,
            "The address to listen on; the default is heard on this machine alone.",
        ),
    ]
    port: Annotated[
        int,
        Setting(
            "BAHI_PORT",
            "8000",
            whole(0, 65_535),
            "The port to listen on; 0 takes any that is free.",
        ),
    ]
    feed_port: Annotated[
        int,
        Setting(
            "BAHI_FEED_PORT",
            "0",
            whole(0, 65_535),
            "A second port for sockets, where OpenAlgo's clients look for them if they are told no "
            "address: 8765. 0: none; sockets are at `/ws` on the other port in any case.",
        ),
    ]
    main: Annotated[
        str,
        Setting(
            "DATABASE_URL",
            "sqlite:///<home>/main.sqlite",
            DATABASE,
            "The main store: whatever has no other.",
        ),
    ]
    sandbox: Annotated[
        str,
        Setting(
            "SANDBOX_DATABASE_URL",
            "sqlite:///<home>/sandbox.sqlite",
            DATABASE,
            "The books of paper accounts, and the paper exchange.",
        ),
    ]
    latency: Annotated[
        str,
        Setting(
            "LATENCY_DATABASE_URL",
            "sqlite:///<home>/latency.sqlite",
            DATABASE,
            "Calls to brokers, and how long they took.",
        ),
    ]
    logs: Annotated[
        str,
        Setting(
            "LOGS_DATABASE_URL",
            "sqlite:///<home>/logs.sqlite",
            DATABASE,
            "What the program said.",
        ),
    ]
    telegram: Annotated[
        str,
        Setting(
            "TELEGRAM_DATABASE_URL",
            "sqlite:///<home>/telegram.sqlite",
            DATABASE,
            "Chats, and what was sent to them.",
        ),
    ]
    archive: Annotated[
        str,
        Setting(
            "ARCHIVE_DATABASE_URL",
            "sqlite:///<home>/archive.sqlite",
            DATABASE,
            "What has moved out of the books.",
        ),
    ]
    replica: Annotated[
        str | None,
        Setting(
            "READ_DATABASE_URL",
            "",
            REPLICA,
            "A replica of main, for reads that may be a moment old; needs a PostgreSQL main.",
        ),
    ]
    pool_size: Annotated[
        int,
        Setting(
            "DB_POOL_SIZE",
            "50",
            whole(1, 10_000),
            "Connections that the readers of one PostgreSQL URL keep open.",
        ),
    ]
    pool_overflow: Annotated[
        int,
        Setting(
            "DB_MAX_OVERFLOW",
            "100",
            whole(0, 10_000),
            "Connections that they may open beyond these while many read at once.",
        ),
    ]
    pool_timeout_s: Annotated[
        int,
        Setting(
            "DB_POOL_TIMEOUT",
            "30",
            whole(1, 3_600, SECONDS),
            "Seconds that a reader waits for a connection.",
        ),
    ]
    pool_recycle_s: Annotated[
        int,
        Setting(
            "DB_POOL_RECYCLE",
            "1800",
            whole(1, 86_400, SECONDS),
            "Seconds after which a connection is replaced by a new one.",
        ),
    ]
    migrate: Annotated[
        Migrate,
        Setting(
            "BAHI_MIGRATE",
            "auto",
            among("auto", "refuse", "warn"),
            "What a start does with a store that is behind the code: `auto` brings it up to date, "
            "`refuse` does not start, `warn` says so and goes on.",
        ),
    ]
    keys: Annotated[
        str | None,
        Setting(
            "BAHI_KEYS",
            "",
            KEYRING,
            "The keyring's text itself, in place of the file `<home>/keyring`.",
        ),
    ]
    backups_keep: Annotated[
        int,
        Setting(
            "BAHI_BACKUPS_KEEP",
            "30",
            whole(1, 10_000),
            "Backups that are kept of each store; beyond them the oldest are removed.",
        ),
    ]
    backups_days: Annotated[
        int,
        Setting(
            "BAHI_BACKUPS_DAYS",
            "90",
            whole(1, 36_500, " of days"),
            "Days that a backup is kept; the newest of each store is never removed.",
        ),
    ]
    public_url: Annotated[
        str,
        Setting(
            "BAHI_PUBLIC_URL",
            "",
            PUBLIC,
            "Where people's browsers find Bahi: brokers send them back to it after a login. Empty: "
            "the address it listens on.",
        ),
    ]
    trusted_proxies: Annotated[
        tuple[IPNetwork, ...],
        Setting(
            "BAHI_TRUSTED_PROXIES",
            "",
            PROXIES,
            "Addresses or networks of reverse proxies, parted by commas: of whoever calls through "
            "them, `X-Forwarded-For` says who it is. Empty: nobody is believed.",
        ),
    ]
    cors_origins: Annotated[
        tuple[str, ...],
        Setting(
            "BAHI_CORS_ORIGINS",
            "",
            ORIGINS,
            "Origins of other web pages, parted by commas, whose scripts may ask our API with a "
            "key: `https://desk.example`. Empty: none. Cookies are never taken from them.",
        ),
    ]
    brokers: Annotated[
        str,
        Setting(
            "BAHI_BROKER_ADDRESSES",
            "",
            BROKERS,
            "Other addresses of brokers' servers, for their sandboxes and for trials: "
            "`kite.api=http://127.0.0.1:9001 kite.page=http://127.0.0.1:9001`.",
        ),
    ]
    worker: Annotated[
        str,
        Setting(
            "BAHI_WORKER",
            "inside",
            among("inside", "apart"),
            "Where jobs are done: `inside` the service, or only `apart` by `bahi worker`.",
        ),
    ]
    market: Annotated[
        PriceOrigin,
        Setting(
            "BAHI_MARKET",
            "simulated",
            MARKET,
            "Where prices come from: `simulated` (made up, and said so in each), `off`, or "
            "`replay:FILE` (CSV or Parquet; a file that is not absolute lies in the data folder).",
        ),
    ]
    simulated_seed: Annotated[
        int,
        Setting(
            "BAHI_SIMULATED_SEED",
            "1",
            whole(0, 2**63 - 1),
            "Which simulated market it is: the same number makes the same prices everywhere.",
        ),
    ]
    market_always_open: Annotated[
        Literal["auto", "yes", "no"],
        Setting(
            "BAHI_MARKET_ALWAYS_OPEN",
            "auto",
            among("auto", "yes", "no"),
            "Whether the market trades around the clock: `auto` has it do so while prices are "
            "simulated. `no` keeps the exchange's hours: square-off, settlement, expiry.",
        ),
    ]
    replay_speed: Annotated[
        int,
        Setting(
            "BAHI_REPLAY_SPEED",
            "1",
            whole(0, 10_000),
            "How many times faster than it was a file is replayed; 0: as fast as it is read.",
        ),
    ]
    candles_folder: Annotated[
        Path | None,
        Setting(
            "BAHI_CANDLES_FOLDER",
            "",
            OPTIONAL_FOLDER,
            "Where candles of what a feed brings are kept as Parquet; empty: in memory only.",
        ),
    ]
    log_form: Annotated[
        Literal["pretty", "json"],
        Setting(
            "BAHI_LOG_FORM",
            "pretty",
            among("pretty", "json"),
            "How the log reads on standard error: for people, or a JSON object on each line.",
        ),
    ]
    log_level: Annotated[
        str,
        Setting(
            "BAHI_LOG_LEVEL",
            "INFO",
            among("DEBUG", "INFO", "WARNING", "ERROR"),
            "How much is said on standard error.",
        ),
    ]

    def __repr__(self) -> str:
        return f"Settings(home={str(self.home)!r})"  # the rest holds passwords

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read every setting; the first wrong one is named."""
        home = DECLARED["home"].value(environ, Path())
        settings = cls(**{field: it.value(environ, home) for field, it in DECLARED.items()})
        settings.check_together()
        return settings

    @property
    def urls(self) -> dict[str, str]:
        """Where each store lives."""
        return {store: getattr(self, store) for store in STORE_VARIABLES}

    @property
    def address(self) -> str:
        """Where people's browsers find us."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def is_always_open(self) -> bool:
        """Whether the market trades around the clock."""
        if self.market_always_open == "auto":
            return self.market.word == "simulated"
        return self.market_always_open == "yes"

    @property
    def broker_options(self) -> dict[BrokerSlug, dict[str, str]]:
        """Other addresses of brokers' servers, by broker and by what they are."""
        return addresses_by_broker(self.brokers)

    @property
    def keyring(self) -> Path:
        """The file of the keys."""
        return self.home / "keyring"

    def check_together(self) -> None:
        """Refuse settings that are right each by itself and do not fit each other."""
        taken: dict[str, str] = {}
        for store, url in self.urls.items():
            variable = STORE_VARIABLES[store]
            if url.startswith("sqlite:") and (other := taken.setdefault(url, variable)) != variable:
                raise Misconfigured(f"{other} and {variable} name one file; each store needs one.")
        if self.replica and not all(u.startswith(POSTGRES) for u in (self.main, self.replica)):
            raise Misconfigured(
                "READ_DATABASE_URL names a replica, which only a PostgreSQL main can have; set it "
                "and DATABASE_URL to postgresql:// addresses, or leave it out."
            )


_HINTS: Final = get_type_hints(Settings, include_extras=True)
DECLARED: Final[dict[str, Setting]] = {it: hint.__metadata__[0] for it, hint in _HINTS.items()}
"""Every setting, by its field."""

STORE_VARIABLES: Final = {field: s.name for field, s in DECLARED.items() if s.kind is DATABASE}
"""The variable that says where a store lives, by the store's name."""


def settings_page() -> str:
    """Write `docs/SETTINGS.md`."""
    return page_of(DECLARED.values())
