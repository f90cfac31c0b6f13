"""How settings read: each kind refuses what is not right, and says in words what would be."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bahi.kernel.words import BrokerSlug, parse

POSTGRES: Final = ("postgresql://", "postgres://")

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Kind:
    """How a value is read, and in words what is right; `read` raises ValueError for the rest."""

    right: str
    read: Callable[[str, Path], Any]
    secret: bool = False


def whole(least: int, most: int, of_what: str = "") -> Kind:
    """Make the kind of a whole number within bounds."""

    def read(given: str, _home: Path) -> int:
        if not (given.isascii() and given.isdigit() and least <= int(given) <= most):
            raise ValueError(given)
        return int(given)

    return Kind(f"a whole number{of_what} from {least} to {most}", read)


def among(*words: str) -> Kind:
    """Make the kind of one of some words."""

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


def _public_url(given: str, _home: Path) -> str:
    url = urlsplit(given)
    if given and (url.scheme not in {"http", "https"} or not url.hostname or url.query):
        raise ValueError(given)
    return given.rstrip("/")


def _broker_addresses(given: str, _home: Path) -> str:
    for pair in given.split():
        name, _, address = pair.partition("=")
        broker, _, which = name.partition(".")
        if not (broker and which and address.startswith(("http://", "https://"))):
            raise ValueError(given)
    return given


def _proxies(given: str, _home: Path) -> tuple[IPNetwork, ...]:
    return tuple(_network(each.strip()) for each in given.split(",")) if given else ()


def _origins(given: str, _home: Path) -> tuple[str, ...]:
    return tuple(_origin(each.strip()) for each in given.split(",")) if given else ()


def _origin(said: str) -> str:
    """Return an origin as browsers write it; `*` and anything with a path are none."""
    url = urlsplit(said)
    exact = f"{url.scheme}://{url.netloc}".lower()
    if url.scheme not in {"http", "https"} or not url.hostname or "@" in url.netloc:
        raise ValueError(said)
    if said.lower() != exact or "*" in said or url.port == 0:
        raise ValueError(said)
    return exact


def _network(said: str) -> IPNetwork:
    network = ipaddress.ip_network(said)
    mapped = isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped
    if mapped or not network.prefixlen:  # the one is written as IPv4; the other is everybody
        raise ValueError(said)
    return network


@dataclass(frozen=True)
class PriceOrigin:
    """Where prices come from; `file` is what is replayed."""

    word: str
    file: Path | None = None


def _market(given: str, home: Path) -> PriceOrigin:
    word, _, file = given.partition(":")
    word = word.casefold()
    if word == "replay" and file:
        return PriceOrigin(word, home / _folder(file, home) if file[0] in "~/" else home / file)
    if word not in {"simulated", "off"} or ":" in given:
        raise ValueError(given)
    return PriceOrigin(word)


def addresses_by_broker(given: str) -> dict[BrokerSlug, dict[str, str]]:
    """Part `broker.name=address` pairs by broker and by what the addresses are of."""
    options: dict[BrokerSlug, dict[str, str]] = {}
    for pair in given.split():
        name, _, address = pair.partition("=")
        broker, _, which = name.partition(".")
        slug = parse(BrokerSlug, broker, field="BAHI_BROKER_ADDRESSES")
        options.setdefault(slug, {})[which] = address
    return options


MARKET: Final = Kind("simulated, off or replay:FILE", _market)
PUBLIC: Final = Kind("http://host:port or https://host", _public_url)
BROKERS: Final = Kind("broker.name=http://host:port, several parted by spaces", _broker_addresses)
PROXIES: Final = Kind(
    "addresses or networks of your proxies, parted by commas (10.0.0.5, 10.1.0.0/16, fd00::/8), "
    "and never the network of everybody",
    _proxies,
)
ORIGINS: Final = Kind(
    "exact origins, parted by commas (https://desk.example, http://127.0.0.1:3000), without a path "
    "and never `*`",
    _origins,
)
FOLDER: Final = Kind("a folder", _folder)
OPTIONAL_FOLDER: Final = Kind(
    "a folder, or nothing", lambda given, home: _folder(given, home) if given else None
)
ADDRESS: Final = Kind("an address of this machine", lambda given, _home: given)
DATABASE: Final = Kind("sqlite:///file or postgresql://user:password@host/database", _database)
REPLICA: Final = Kind(
    "postgresql://user:password@host/database",
    lambda given, home: _database(given, home) if given else None,
)
KEYRING: Final = Kind("the text of a keyring file", lambda given, _home: given or None, secret=True)
SECONDS: Final = " of seconds"
