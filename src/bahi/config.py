"""The settings: read from the environment once, by a door, and handed down from there.

Each is declared once, with its name, its default, how it reads and what it means; that
list is also `docs/SETTINGS.md`. No message and no `repr` shows a password or a key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_type_hints
from urllib.parse import urlsplit

from bahi.kernel.errors import Misconfigured

Migrate = Literal["auto", "refuse", "warn"]

POSTGRES: Final = ("postgresql://", "postgres://")


@dataclass(frozen=True)
class Kind:
    """How a value is read, and in words what is right; `read` raises ValueError for the rest."""

    right: str
    read: Callable[[str, Path], Any]
    secret: bool = False


@dataclass(frozen=True)
class Setting:
    """One variable of the environment."""

    name: str
    default: str
    kind: Kind
    meaning: str

    def value(self, environ: Mapping[str, str], home: Path) -> Any:
        """Read the variable; one that is empty counts as not set."""
        given = environ.get(self.name, "").strip() or self.default.replace("<home>", str(home))
        try:
            return self.kind.read(given, home)
        except ValueError:
            shown = "not usable" if self.kind.secret else repr(redacted(given))
            raise Misconfigured(f"{self.name} is {shown}; it must be {self.kind.right}.") from None


def _whole(least: int, most: int, of_what: str = "") -> Kind:
    def read(given: str, _home: Path) -> int:
        if not (given.isascii() and given.isdigit() and least <= int(given) <= most):
            raise ValueError(given)
        return int(given)

    return Kind(f"a whole number{of_what} from {least} to {most}", read)


def _among(*words: str) -> Kind:
    def read(given: str, _home: Path) -> str:
        known = {word.casefold(): word for word in words}
        if given.casefold() not in known:
            raise ValueError(given)
        return known[given.casefold()]

    return Kind(f"{', '.join(words[:-1])} or {words[-1]}", read)


def _folder(given: str, _home: Path) -> Path:
    try:
        return Path(given).expanduser().absolute()
    except RuntimeError:  # `~` of a user who has no home
        raise ValueError(given) from None


def _database(given: str, home: Path) -> str:
    """Read a database's URL; a SQLite file that is not absolute lies in the data folder."""
    if given.startswith(POSTGRES):
        _check_postgres(given)
        return given
    scheme, _, file = given.partition(":///")
    if scheme != "sqlite" or not file or "?" in file or file.endswith(("/", ":memory:")):
        raise ValueError(given)
    return f"sqlite:///{home / Path(file).expanduser()}"


def _check_postgres(url: str) -> None:
    import psycopg  # noqa: PLC0415 - only who uses PostgreSQL waits for it

    try:
        psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:  # its words may quote the password
        raise ValueError(url) from None


FOLDER: Final = Kind("a folder", _folder)
ADDRESS: Final = Kind("an address of this machine", lambda given, _home: given)
DATABASE: Final = Kind("sqlite:///file or postgresql://user:password@host/database", _database)
REPLICA: Final = Kind(
    "postgresql://user:password@host/database",
    lambda given, home: _database(given, home) if given else None,
)
KEYRING: Final = Kind("the text of a keyring file", lambda given, _home: given or None, secret=True)
SECONDS: Final = " of seconds"


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
            _whole(0, 65_535),
            "The port to listen on; 0 takes any that is free.",
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
            _whole(1, 10_000),
            "Connections that the readers of one PostgreSQL URL keep open.",
        ),
    ]
    pool_overflow: Annotated[
        int,
        Setting(
            "DB_MAX_OVERFLOW",
            "100",
            _whole(0, 10_000),
            "Connections that they may open beyond these while many read at once.",
        ),
    ]
    pool_timeout_s: Annotated[
        int,
        Setting(
            "DB_POOL_TIMEOUT",
            "30",
            _whole(1, 3_600, SECONDS),
            "Seconds that a reader waits for a connection.",
        ),
    ]
    pool_recycle_s: Annotated[
        int,
        Setting(
            "DB_POOL_RECYCLE",
            "1800",
            _whole(1, 86_400, SECONDS),
            "Seconds after which a connection is replaced by a new one.",
        ),
    ]
    migrate: Annotated[
        Migrate,
        Setting(
            "BAHI_MIGRATE",
            "auto",
            _among("auto", "refuse", "warn"),
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
            _whole(1, 10_000),
            "Backups that are kept of each store; beyond them the oldest are removed.",
        ),
    ]
    backups_days: Annotated[
        int,
        Setting(
            "BAHI_BACKUPS_DAYS",
            "90",
            _whole(1, 36_500, " of days"),
            "Days that a backup is kept; the newest of each store is never removed.",
        ),
    ]
    log_level: Annotated[
        str,
        Setting(
            "BAHI_LOG_LEVEL",
            "INFO",
            _among("DEBUG", "INFO", "WARNING", "ERROR"),
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


def _declared() -> dict[str, Setting]:
    hints = get_type_hints(Settings, include_extras=True)
    return {field: hint.__metadata__[0] for field, hint in hints.items()}


DECLARED: Final = _declared()
"""Every setting, by its field."""

STORE_VARIABLES: Final = {field: s.name for field, s in DECLARED.items() if s.kind is DATABASE}
"""The variable that says where a store lives, by the store's name."""


def redacted(url: str) -> str:
    """Write a URL so that it can be shown: its passwords are gone."""
    before, at, host = re.sub("password=[^&]*", "password=***", url).rpartition("@")
    return re.sub(r"(?s)^((?:\w+://)?+[^:]*):.*", r"\1:***", before) + at + host


def place(url: str) -> str:
    """Say to a person where a store lies: its file, or its server and database."""
    if url.startswith("sqlite:///"):
        return url.removeprefix("sqlite:///")
    server = urlsplit(redacted(url))
    return f"PostgreSQL at {server.netloc.rpartition('@')[2]}{server.path}"


def settings_page() -> str:
    """Write `docs/SETTINGS.md`."""
    lines = [
        f"| `{s.name}` | {f'`{s.default}`' if s.default else 'not set'} | {s.meaning} |"
        for s in DECLARED.values()
    ]
    return "\n".join([PAGE_HEAD, *lines]) + "\n"


PAGE_HEAD: Final = """\
# Settings

Bahi reads these variables of the environment once, when it starts. None needs to be set; one that
is empty counts as not set. A value that cannot be used stops the start with a sentence that names
the variable. `<home>` is the data folder; a SQLite file whose path is not absolute lies there.

This page is generated from `bahi/config.py`.

| variable | default | meaning |
|---|---|---|"""
