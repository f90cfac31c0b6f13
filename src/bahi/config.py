"""The settings: read from the environment once, by a door, and handed down from there.

Each is declared once, with its name, its default and its meaning; `docs/SETTINGS.md` is this list.
No message and no `repr` shows a password or a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from bahi.kernel.errors import Misconfigured

Migrate = Literal["auto", "refuse", "warn"]

POSTGRES: Final = ("postgresql://", "postgres://")
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True)
class Setting:
    """One variable of the environment: what it means and how it is read."""

    name: str
    default: str
    meaning: str
    read: Callable[[str, Path], Any]
    right: str
    secret: bool

    def value(self, environ: Mapping[str, str], home: Path) -> Any:
        """Read the variable; one that is empty counts as not set."""
        given = environ.get(self.name, "").strip() or self.default.replace("<home>", str(home))
        try:
            return self.read(given, home)
        except ValueError:
            shown = "not usable" if self.secret else repr(redacted(given))
            raise Misconfigured(f"{self.name} is {shown}; it must be {self.right}.") from None


def setting(
    name: str,
    default: str,
    meaning: str,
    read: Callable[[str, Path], Any],
    right: str,
    *,
    secret: bool = False,
) -> Any:
    """Declare a setting as a field of `Settings`."""
    declared = Setting(name, default, meaning, read, right, secret)
    return field(metadata={"setting": declared}, repr=read is not _database and not secret)


def _text(given: str, _home: Path) -> str:
    return given


def _folder(given: str, _home: Path) -> Path:
    try:
        return Path(given).expanduser().absolute()
    except RuntimeError:  # nobody's home
        raise ValueError(given) from None


def _whole(least: int, most: int) -> Callable[[str, Path], int]:
    def read(given: str, _home: Path) -> int:
        if not (given.isascii() and given.isdigit() and least <= int(given) <= most):
            raise ValueError(given)
        return int(given)

    return read


def _among(*words: str) -> Callable[[str, Path], str]:
    def read(given: str, _home: Path) -> str:
        known = {word.casefold(): word for word in words}
        if given.casefold() not in known:
            raise ValueError(given)
        return known[given.casefold()]

    return read


def _database(given: str, home: Path) -> str:
    """Read a database's URL; a SQLite file that is not absolute lies in the data folder."""
    if given.startswith(POSTGRES):
        _check_postgres(given)
        return given
    scheme, _, file = given.partition(":///")
    if scheme != "sqlite" or not file or file.endswith(("/", ":memory:")) or "?" in file:
        raise ValueError(given)
    return f"sqlite:///{home / Path(file).expanduser()}"


def _check_postgres(url: str) -> None:
    import psycopg  # noqa: PLC0415 - only who uses PostgreSQL waits for it

    try:
        psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:  # its words may quote the password
        raise ValueError(url) from None


def _maybe_database(given: str, home: Path) -> str | None:
    return _database(given, home) if given else None


DATABASE: Final = "sqlite:///file or postgresql://user:password@host/database"


def _store(name: str, variable: str, meaning: str) -> Any:
    return setting(variable, f"sqlite:///<home>/{name}.sqlite", meaning, _database, DATABASE)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set from outside."""

    home: Path = setting(
        "BAHI_HOME",
        "~/.bahi",
        "The data folder: databases, keyring, backups. Bahi keeps it closed to others (mode 700).",
        _folder,
        "a folder",
    )
    host: str = setting(
        "BAHI_HOST",
        "127.0.0.1",
        "The address to listen on; the default is heard on this machine alone.",
        _text,
        "an address of this machine",
    )
    port: int = setting(
        "BAHI_PORT",
        "8000",
        "The port to listen on; 0 takes any that is free.",
        _whole(0, 65_535),
        "a whole number from 0 to 65535",
    )
    main: str = _store("main", "DATABASE_URL", "The main store: everything that has no other.")
    sandbox: str = _store("sandbox", "SANDBOX_DATABASE_URL", "The books of paper accounts.")
    latency: str = _store("latency", "LATENCY_DATABASE_URL", "Calls to brokers and their times.")
    logs: str = _store("logs", "LOGS_DATABASE_URL", "What the program said.")
    telegram: str = _store("telegram", "TELEGRAM_DATABASE_URL", "Chats, and what was sent there.")
    archive: str = _store("archive", "ARCHIVE_DATABASE_URL", "What has moved out of the books.")
    replica: str | None = setting(
        "READ_DATABASE_URL",
        "",
        "A replica of main for reads that may be a moment old; needs a PostgreSQL main.",
        _maybe_database,
        "postgresql://user:password@host/database",
        secret=True,
    )
    pool_size: int = setting(
        "DB_POOL_SIZE",
        "50",
        "Connections that readers of one PostgreSQL URL keep open.",
        _whole(1, 10_000),
        "a whole number from 1 to 10000",
    )
    max_overflow: int = setting(
        "DB_MAX_OVERFLOW",
        "100",
        "Connections that they may open beyond these while many read at once.",
        _whole(0, 10_000),
        "a whole number from 0 to 10000",
    )
    pool_timeout_s: int = setting(
        "DB_POOL_TIMEOUT",
        "30",
        "Seconds that a reader waits for a connection.",
        _whole(1, 3_600),
        "a whole number of seconds from 1 to 3600",
    )
    pool_recycle_s: int = setting(
        "DB_POOL_RECYCLE",
        "1800",
        "Seconds after which a connection is replaced by a new one.",
        _whole(1, 86_400),
        "a whole number of seconds from 1 to 86400",
    )
    migrate: Migrate = setting(
        "BAHI_MIGRATE",
        "auto",
        "What to do at start with a store that is behind the code: `auto` brings it up to date, "
        "`refuse` does not start, `warn` starts all the same.",
        _among("auto", "refuse", "warn"),
        "auto, refuse or warn",
    )
    keys: str | None = setting(
        "BAHI_KEYS",
        "",
        "The keyring's text itself, instead of the file `<home>/keyring`.",
        lambda given, _home: given or None,
        "the text of a keyring file",
        secret=True,
    )
    backups_keep: int = setting(
        "BAHI_BACKUPS_KEEP",
        "30",
        "Backups of each store that are kept; more than these are removed, the oldest first.",
        _whole(1, 10_000),
        "a whole number from 1 to 10000",
    )
    backups_days: int = setting(
        "BAHI_BACKUPS_DAYS",
        "90",
        "Days that a backup is kept; the newest of each store is never removed.",
        _whole(1, 36_500),
        "a whole number of days from 1 to 36500",
    )
    log_level: str = setting(
        "BAHI_LOG_LEVEL",
        "INFO",
        "How much is said on standard error.",
        _among(*LOG_LEVELS),
        f"one of {', '.join(LOG_LEVELS)}",
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read every setting; the first wrong one is named."""
        read: dict[str, Any] = {}
        for name, declared in cls.declared():
            read[name] = declared.value(environ, read.get("home", Path()))
        settings = cls(**read)
        settings.check_together()
        return settings

    @classmethod
    def declared(cls) -> Iterator[tuple[str, Setting]]:
        """Yield each field's name with what it declares, the data folder first."""
        for declared in fields(cls):
            yield declared.name, declared.metadata["setting"]

    @property
    def urls(self) -> dict[str, str]:
        """Where each store lives."""
        return {name: getattr(self, name) for name in STORE_FIELDS}

    @property
    def keyring(self) -> Path:
        """The file of the keys."""
        return self.home / "keyring"

    def check_together(self) -> None:
        """Refuse settings that are each right and do not fit each other."""
        files: dict[str, str] = {}
        for store, url in self.urls.items():
            name = STORE_FIELDS[store]
            if url.startswith("sqlite:") and (other := files.setdefault(url, name)) != name:
                raise Misconfigured(f"{other} and {name} name the same file; each store needs one.")
        if self.replica and not (
            self.main.startswith(POSTGRES) and self.replica.startswith(POSTGRES)
        ):
            raise Misconfigured(
                "READ_DATABASE_URL names a replica, which only a PostgreSQL main has: set both it "
                "and DATABASE_URL to postgresql:// addresses, or leave it out."
            )


STORE_FIELDS: Final = {
    name: declared.name
    for name, declared in Settings.declared()
    if declared.default.startswith("sqlite:")
}
"""The variable that says where each store lives, by the store's name."""


def redacted(url: str) -> str:
    """Write a URL so that it can be shown: its passwords are gone."""
    address, _, options = url.partition("?")
    before, at, host = address.rpartition("@")
    scheme, slashes, user = before.rpartition("://")
    if ":" in user:
        user = f"{user.partition(':')[0]}:***"
    kept = [option if "password" not in option else "password=***" for option in options.split("&")]
    return f"{scheme}{slashes}{user}{at}{host}" + ("?" + "&".join(kept) if options else "")


def place(url: str) -> str:
    """Say to a person where a store lies: its file, or its server and database."""
    if url.startswith("sqlite:///"):
        return url.removeprefix("sqlite:///")
    shown = urlsplit(redacted(url))
    return f"PostgreSQL at {shown.netloc.rpartition('@')[2]}{shown.path}"


def settings_page() -> str:
    """Write `docs/SETTINGS.md`."""
    rows = [
        f"| `{declared.name}` | {f'`{declared.default}`' if declared.default else ''} "
        f"| {declared.meaning} |"
        for _, declared in Settings.declared()
    ]
    return "\n".join([PAGE_HEAD, *rows]) + "\n"


PAGE_HEAD: Final = """\
# Settings

Bahi reads these variables of the environment once, when it starts. Every one has a default, so
none needs to be set; one that is empty counts as not set. A value that cannot be used stops the
start with a sentence that names the variable. `<home>` is the data folder, and a SQLite file that
is not written as an absolute path lies there. This page is generated from `bahi/config.py`.

| variable | default | meaning |
|---|---|---|"""
