"""Persons, broker accounts, registered applications, and the addresses that calls leave from."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from bahi.kernel.clock import ist_text
from bahi.kernel.errors import Conflict, Invalid, NotFound
from bahi.kernel.money import Money
from bahi.kernel.words import AccountMode, BrokerSlug, ConnectionStatus, CopyRole

SHORTEST_NAME: Final = 3
LONGEST_NAME: Final = 80
LONGEST_TEXT: Final = 300
ADDRESS_CHANGES_EVERY: Final = timedelta(days=7)

UPSTOX_NAMES: Final = (
    "PRIMARY",
    "WEBSOCKET1",
    "WEBSOCKET2",
    "WEBSOCKET3",
    "OPTIONCHAIN1",
    "OPTIONCHAIN2",
)
"""The six applications of an Upstox account, in the order of their logins: one trades, three
stream, two read option chains, so that the bursts of one do not eat another's quota."""

_PAN: Final = re.compile(r"[A-Z]{5}[0-9]{4}[A-Z]", re.ASCII)
_API_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,39}", re.ASCII)
FAMILY: Final = frozenset({"self", "spouse", "child", "parent"})
"""Who may share an address where the broker lets a family: dependent children and parents only."""

SHARES_WITH_NOBODY: Final = frozenset({BrokerSlug.UPSTOX})


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The holder of a PAN; the PAN itself is never read back but by who may."""

    id: int
    user_id: int
    name: str
    relation: str | None
    has_pan: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """An address from which calls leave."""

    id: int
    address: str
    public_address: str | None
    provider: str | None
    description: str | None
    person_id: int | None
    family_declared: bool
    is_active: bool

    @property
    def seen_as(self) -> str:
        """What a broker sees."""
        return self.public_address or self.address


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One broker account of one user."""

    id: int
    user_id: int
    person_id: int | None
    name: str
    broker: BrokerSlug
    mode: AccountMode
    copy_role: CopyRole | None
    broker_user_id: str | None
    broker_user_name: str | None
    host_url: str | None
    websocket_url: str | None
    is_primary: bool
    is_active: bool
    has_ddpi: bool
    egress_address_id: int | None
    secondary_egress_address_id: int | None
    egress_changed_at: datetime | None
    opening_cash: Money | None
    connection_status: ConnectionStatus
    last_connected_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @property
    def login(self) -> str:
        """Whose logins go one at a time: the person's, or the account's where none is known."""
        if self.person_id is not None:
            return f"person:{self.person_id}"
        return f"account:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One application registered at the broker of an account."""

    id: int
    account_id: int
    api_name: str
    api_index: int
    client_id: str | None
    redirect_uri: str | None
    is_primary: bool
    enabled: bool
    has_secret: bool
    logs_in_alone: bool
    has_notifier: bool
    created_at: datetime
    updated_at: datetime


def parse_name(said: str) -> str:
    """Return an account's name."""
    name = " ".join(said.split())
    if not SHORTEST_NAME <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid(
            f"name: {said[:80]!r} cannot be used; write {SHORTEST_NAME} to {LONGEST_NAME} "
            "printable characters."
        )
    return name


def parse_pan(said: str) -> str:
    """Return a PAN; the refusal does not quote it."""
    pan = said.strip().upper()
    if not _PAN.fullmatch(pan):
        raise Invalid("pan: that is no PAN; it has five letters, four digits and a letter.")
    return pan


def parse_relation(said: str | None) -> str | None:
    """Return how a person belongs to the head of the family."""
    if said is None:
        return None
    relation = said.strip().lower()
    if relation not in FAMILY | {"other"}:
        known = ", ".join((*sorted(FAMILY), "other"))
        raise Invalid(f"relation: {said[:40]!r} is not known here; it is one of {known}.")
    return relation


def parse_api_name(said: str, broker: BrokerSlug) -> str:
    """Return an application's name; Upstox has six, whatever the case and underscores."""
    name = said.strip().upper()
    if broker is BrokerSlug.UPSTOX:
        found = [known for known in UPSTOX_NAMES if known == name.replace("_", "")]
        if not found:
            raise Invalid(
                f"api_name: {said[:40]!r} is not known here; it is one of "
                f"{', '.join(UPSTOX_NAMES)}."
            )
        return found[0]
    if not _API_NAME.fullmatch(name):
        raise Invalid(
            f"api_name: {said[:40]!r} cannot be used; write letters, digits and underscores."
        )
    return name


def next_index(name: str, broker: BrokerSlug, taken: Iterable[int]) -> int:
    """Return an application's place in the order of logins."""
    if broker is BrokerSlug.UPSTOX:
        return UPSTOX_NAMES.index(name)
    return max(taken, default=-1) + 1


def parse_text(said: str | None, field: str) -> str | None:
    """Return a free text as it is kept; empty is none."""
    if said is None or not said.strip():
        return None
    text = " ".join(said.split())
    if len(text) > LONGEST_TEXT or not text.isprintable():
        raise Invalid(f"{field}: write at most {LONGEST_TEXT} printable characters.")
    return text


def parse_ip(said: str, field: str = "address") -> str:
    """Return an IP address in its one spelling."""
    try:
        return str(ipaddress.ip_address(said.strip()))
    except ValueError:
        raise Invalid(
            f"{field}: {said[:60]!r} is no IP address; write it as 203.0.113.7."
        ) from None


def parse_url(said: str, schemes: Sequence[str], field: str) -> str:
    """Return an address of a server, without a name or password in it."""
    url = said.strip().rstrip("/")
    right = f"write it as {schemes[0]}://host:port"
    if " " in url or not url.isprintable():  # the parser drops line ends, and we keep the text
        raise Invalid(f"{field}: it has blanks or line ends in it; {right}.")
    try:
        parts = urlsplit(url)
        port_is_good = parts.port is None or parts.port > 0
    except ValueError:
        raise Invalid(f"{field}: that is no address; {right}.") from None
    if parts.username or parts.password:
        raise Invalid(f"{field}: leave name and password out of the address; {right}.")
    if parts.scheme not in schemes or not parts.hostname or not port_is_good or parts.query:
        raise Invalid(f"{field}: {said[:80]!r} is no such address; {right}.")
    if _is_of_the_machine_itself(parts.hostname):
        raise Invalid(f"{field}: {parts.hostname} belongs to a machine's own services; {right}.")
    return url


def _is_of_the_machine_itself(host: str) -> bool:
    """Say whether a host is link-local: there clouds hand out a machine's secrets."""
    try:
        return ipaddress.ip_address(host).is_link_local
    except ValueError:
        return False


def mode_of(broker: BrokerSlug, wished: AccountMode | None) -> AccountMode:
    """Return an account's mode: the paper broker is paper, every other one is live."""
    natural = AccountMode.PAPER if broker is BrokerSlug.PAPER else AccountMode.LIVE
    if wished not in {None, natural}:
        raise Invalid(
            f"mode: an account at {broker} is {natural}; for paper trading, take the broker paper."
        )
    return natural


def warnings_of_change(account: Account, now: datetime) -> list[str]:
    """Say what a broker will think of a new address now."""
    changed = account.egress_changed_at
    if changed is None or now - changed >= ADDRESS_CHANGES_EVERY:
        return []
    again = ist_text(changed + ADDRESS_CHANGES_EVERY)
    warning = (
        f"The address of {account.name!r} changed less than a week ago; brokers take a new one "
        f"at most weekly, so its orders may be refused until {again}."
    )
    return [warning]


def warnings_of_sharing(
    account: Account,
    person: Person | None,
    egress: Egress,
    others: Sequence[tuple[Account, Person | None]],
) -> list[str]:
    """Say whom an address may not be shared with, by the rules of the accounts' brokers."""
    warnings = []
    for other, their in others:
        if other.login == account.login or AccountMode.PAPER in {other.mode, account.mode}:
            continue
        if SHARES_WITH_NOBODY & {account.broker, other.broker}:
            warnings.append(
                f"{egress.seen_as} is also the address of {other.name!r}, and Upstox lets no two "
                "customers share one."
            )
        elif not (egress.family_declared and are_family(person, their)):
            warnings.append(
                f"{egress.seen_as} is also the address of {other.name!r}; only spouse, dependent "
                "children and dependent parents may share one, once the broker knows of it."
            )
    return warnings


def are_family(one: Person | None, other: Person | None) -> bool:
    """Say whether two are of one family; how each belongs to it was said to one user's books."""
    return (
        one is not None
        and other is not None
        and one.user_id == other.user_id
        and {one.relation, other.relation} <= FAMILY
    )


def only_one(accounts: Sequence[Account], what: str) -> Account:
    """Return the account that is meant when none is named: the only one, or the primary."""
    if not accounts:
        raise NotFound(f"You have no active account at {what}; add one first.")
    if len(accounts) == 1:
        return accounts[0]
    primary = [account for account in accounts if account.is_primary]
    if len(primary) == 1:
        return primary[0]
    raise SeveralAccounts([account.name for account in accounts], what)


class SeveralAccounts(Conflict):
    """There are several such accounts; name one."""

    code = "several_accounts"

    def __init__(self, names: Sequence[str], what: str) -> None:
        super().__init__(
            f"You have several accounts at {what}; name one with `account`: {', '.join(names)}."
        )
