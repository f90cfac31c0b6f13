"""Who goes when there is no room: rules, without a wire."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import pytest

from bahi.cli.crowd import MOMENT_S, Crowd
from tests.api.standing import Seconds

pytestmark = pytest.mark.unit

HERE, THERE = "198.51.100.1", "203.0.113.7"


@dataclass(eq=False)
class Guest:
    """A connection that does as a test says."""

    is_busy: bool = False
    is_known: bool = False
    is_gone: bool = False

    def send_away(self) -> None:
        self.is_gone = True


class Party:
    """A crowd with room for ten, five of them strangers, in which time passes when told to."""

    def __init__(self, proxies: tuple[str, ...] = ()) -> None:
        self.seconds = Seconds()
        networks = [ipaddress.ip_network(it) for it in proxies]
        self.crowd = Crowd(10, 5, networks, self.seconds)

    def come(self, many: int = 1, peer: str = HERE, **more: bool) -> list[Guest]:
        """Have guests come from an address, each a while after the one before."""
        came = []
        for _ in range(many):
            self.seconds.now += 2 * MOMENT_S
            came.append(Guest(**more))
            self.crowd.come(came[-1], peer)
        return came

    def gone(self, guests: list[Guest]) -> list[bool]:
        return [it.is_gone for it in guests]


def test_the_oldest_stranger_of_the_address_with_most_goes() -> None:
    party = Party()
    (honest,) = party.come(peer=THERE)
    many = party.come(8)
    assert not honest.is_gone
    assert party.gone(many) == [True] * 4 + [False] * 4
    assert len(party.crowd) == 5


def test_all_that_one_household_has_counts_as_one_address() -> None:
    party = Party()
    (honest,) = party.come(peer=THERE)
    many = [party.come(peer=f"2001:db8:1:2::{n}")[0] for n in range(8)]
    assert not honest.is_gone
    assert sum(party.gone(many)) == 4


def test_who_came_a_moment_ago_stays_while_there_is_room_at_all() -> None:
    party = Party()
    many = [Guest() for _ in range(12)]
    for it in many:
        party.crowd.come(it, HERE)
    assert party.gone(many) == [True] * 2 + [False] * 10


def test_who_is_known_stays_whatever_comes() -> None:
    party = Party()
    known = party.come(4)
    for it in known:
        party.crowd.know(it)
    party.come(50)
    assert party.gone(known) == [False] * 4
    assert len(party.crowd) == 9


def test_who_makes_use_of_theirs_goes_after_who_idles() -> None:
    party = Party()
    used, idle, *_ = party.come(5)
    party.crowd.rest(used)
    party.come()
    assert (used.is_gone, idle.is_gone) == (False, True)


def test_strangers_who_keep_us_busy_go_when_nobody_idles_but_not_one_who_is_known_by_now() -> None:
    party = Party()
    known, *busy = party.come(5, is_busy=True)
    known.is_known = True
    party.come()
    assert (known.is_gone, busy[0].is_gone) == (False, True)


def test_when_all_are_known_the_one_that_idles_longest_goes_else_the_newest() -> None:
    party = Party()
    known = party.come(10, is_busy=True, is_known=True)
    for it in known:
        party.crowd.know(it)
    (new,) = party.come()
    assert new.is_gone
    known[3].is_busy = known[7].is_busy = False
    party.crowd.rest(known[3])
    (new,) = party.come()
    assert not new.is_gone
    assert party.gone(known).index(True) == 7


def test_a_proxys_connections_are_known_from_the_first() -> None:
    party = Party(proxies=("203.0.113.0/24",))
    held = party.come(4, peer=THERE)
    party.come(50)
    assert party.gone(held) == [False] * 4


def test_who_has_left_is_counted_no_more() -> None:
    party = Party()
    for it in party.come(5):
        party.crowd.leave(it)
        party.crowd.leave(it)
    assert len(party.crowd) == 0
