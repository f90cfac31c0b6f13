"""Who is connected: bounded, and where there is no room the one goes who makes least of theirs.

A connection is a stranger's until a request of it was answered to somebody known. A thousand
strangers who hold theirs open and ask nothing must not keep one trader out: of those the address
that has most loses its oldest, and whoever is known stays.
"""

from __future__ import annotations

import ipaddress
import resource
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from bahi.api.callers import home_of
from bahi.config.kinds import IPNetwork

CONNECTIONS_AT_MOST: Final = 4_000
STRANGERS_AT_MOST: Final = 500
"""Of these, on which nobody known was answered yet, and which are older than a moment."""
MOMENT_S: Final = 1.0
"""However many come at once, each has so long to say what it wants, while there is room."""
FILES_WANTED: Final = 8_192
FILES_OF_THE_HOUSE: Final = 500
"""Stores, their pools, logs, brokers: what a process opens beside its connections."""
CONNECTIONS_AT_LEAST: Final = 100


class Guest(Protocol):
    """One connection."""

    @property
    def is_busy(self) -> bool:
        """Whether a whole request of it is being answered."""

    @property
    def is_known(self) -> bool:
        """Whether it was found out by now who is at it."""

    def send_away(self) -> None:
        """Cut it."""


class Crowd:
    """The connections of a process."""

    def __init__(
        self,
        at_most: int = CONNECTIONS_AT_MOST,
        strangers_at_most: int = STRANGERS_AT_MOST,
        proxies: Sequence[IPNetwork] = (),
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_most, self._strangers_at_most = at_most, min(strangers_at_most, at_most // 2)
        self._proxies, self._now_s = proxies, now_s
        self._homes: dict[Guest, str] = {}
        self._strangers: dict[str, dict[Guest, float]] = {}
        self._known: dict[Guest, None] = {}

    def __len__(self) -> int:
        return len(self._homes) + len(self._known)

    def come(self, guest: Guest, peer: str | None) -> None:
        """Count a connection from now on; where there is no room, another goes for it.

        A proxy of ours holds its connections for whoever comes through it, so it is known.
        """
        if self._is_proxy(peer):
            self._known[guest] = None
        else:
            home = home_of(peer)
            self._homes[guest] = home
            self._strangers.setdefault(home, {})[guest] = self._now_s()
        if len(self._homes) > self._strangers_at_most or len(self) > self._at_most:
            self._make_room(guest)

    def know(self, guest: Guest) -> None:
        """Take note that somebody known is at a connection."""
        if guest in self._homes:
            self._forget_stranger(guest)
            self._known[guest] = None

    def rest(self, guest: Guest) -> None:
        """Take note that a connection was made use of now: of those that idle it is the last."""
        if guest in self._known:
            del self._known[guest]
            self._known[guest] = None
        elif (home := self._homes.get(guest)) is not None:
            of_home = self._strangers[home]
            del of_home[guest]
            of_home[guest] = self._now_s()

    def leave(self, guest: Guest) -> None:
        """Count a connection no more; once more is no harm."""
        self._known.pop(guest, None)
        if guest in self._homes:
            self._forget_stranger(guest)

    def _make_room(self, newest: Guest) -> None:
        is_full = len(self) > self._at_most
        victim = self._stranger_to_go(newest)
        if victim is None and is_full:
            victim = next((it for it in self._known if not it.is_busy), newest)
        if victim is not None and (is_full or self._is_past_its_moment(victim)):
            self.leave(victim)
            victim.send_away()

    def _stranger_to_go(self, newest: Guest) -> Guest | None:
        """Return whoever has idled longest where most are; who keeps us busy goes after these."""
        homes = sorted(self._strangers, key=lambda it: len(self._strangers[it]), reverse=True)
        strangers = [it for home in homes for it in self._strangers[home] if it is not newest]
        idle = next((it for it in strangers if not it.is_busy), None)
        return idle or next((it for it in strangers if not it.is_known), None)

    def _is_past_its_moment(self, stranger: Guest) -> bool:
        since_s = self._strangers[self._homes[stranger]][stranger]
        return self._now_s() - since_s > MOMENT_S

    def _forget_stranger(self, guest: Guest) -> None:
        home = self._homes.pop(guest)
        of_home = self._strangers[home]
        del of_home[guest]
        if not of_home:
            del self._strangers[home]

    def _is_proxy(self, peer: str | None) -> bool:
        if not self._proxies:
            return False
        try:
            address = ipaddress.ip_address(peer or "")
        except ValueError:
            return False
        return any(address in it for it in self._proxies)


def room_for_connections() -> int:
    """Take as many files as the system gives us; return how many connections they leave room for.

    Most systems give 1,024 to whoever asks for no more, and let them ask for many times that.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(FILES_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    files = FILES_WANTED if soft == resource.RLIM_INFINITY else soft
    return max(CONNECTIONS_AT_LEAST, min(CONNECTIONS_AT_MOST, files - FILES_OF_THE_HOUSE))
