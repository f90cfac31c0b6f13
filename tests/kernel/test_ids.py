"""Ids: unique, rising, and readable as a time, a node and a tag."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.clock import unix_ms
from bahi.kernel.errors import ClockWrong, Invalid
from bahi.kernel.ids import (
    EPOCH_MS,
    LARGEST_ID,
    IdMint,
    check_clock,
    earliest_at,
    from_tag,
    minted_at,
    node_of,
    parse_id,
    tag,
)

identities = st.integers(1, LARGEST_ID)
nodes = st.integers(0, 1023)
NOW_MS = EPOCH_MS + 91_000_000_000
NOW = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(milliseconds=91_000_000_000)


def stopped(at_ms: int = NOW_MS):
    return lambda: at_ms


def test_an_id_tells_when_and_where_it_was_made():
    identity = IdMint(1023, stopped()).mint()
    assert minted_at(identity) == NOW
    assert node_of(identity) == 1023


@given(nodes, st.lists(st.integers(EPOCH_MS - 10**9, EPOCH_MS + 10**12), min_size=1, max_size=50))
def test_ids_rise_however_the_clock_jumps(node, readings):
    hands = iter(readings)
    mint = IdMint(node, lambda: next(hands))
    minted = [mint.mint() for _ in readings]
    assert minted == sorted(set(minted))
    assert {node_of(identity) for identity in minted} == {node}
    assert all(0 < identity <= LARGEST_ID for identity in minted)


def test_a_full_millisecond_borrows_from_the_next():
    mint = IdMint(7, stopped())
    minted = [mint.mint() for _ in range(3 * 4096 + 1)]
    assert minted == sorted(set(minted))
    assert minted_at(minted[4095]) == NOW
    assert minted_at(minted[4096]) == NOW + timedelta(milliseconds=1)
    assert minted_at(minted[-1]) == NOW + timedelta(milliseconds=3)
    assert {node_of(identity) for identity in minted} == {7}


def test_many_threads_never_mint_one_id_twice_and_each_sees_them_rise():
    mint = IdMint(3, unix_ms)
    with ThreadPoolExecutor(8) as threads:
        runs = list(threads.map(lambda _: [mint.mint() for _ in range(5_000)], range(8)))
    assert all(run == sorted(run) for run in runs)
    assert len({identity for run in runs for identity in run}) == 8 * 5_000


@given(st.integers(0, 1 << 62), nodes)
def test_a_new_mint_begins_above_the_newest_id_whatever_its_node(newest, node):
    assert IdMint(node, stopped(EPOCH_MS), start_after=newest).mint() > newest


def test_nodes_apart_never_mint_the_same_id():
    mints = [IdMint(node, stopped()) for node in (0, 1, 1023)]
    minted = [mint.mint() for mint in mints for _ in range(5_000)]
    assert len(set(minted)) == len(minted)


@pytest.mark.parametrize("node", [-1, 1024])
def test_a_node_outside_ten_bits_is_refused(node):
    with pytest.raises(Invalid, match="not one of 0 to 1023"):
        IdMint(node, stopped())


def test_a_clock_past_the_last_id_is_refused():
    last = EPOCH_MS + (1 << 41) - 1
    assert IdMint(1023, stopped(last)).mint() <= LARGEST_ID
    with pytest.raises(ClockWrong, match="2093"):
        IdMint(0, stopped(last + 1)).mint()


def test_a_start_is_refused_when_the_clock_is_more_than_five_seconds_behind():
    newest = IdMint(5, stopped()).mint()
    check_clock(newest, NOW + timedelta(days=1))
    check_clock(newest, NOW - timedelta(seconds=5))
    with pytest.raises(ClockWrong, match="books already go to"):
        check_clock(newest, NOW - timedelta(seconds=5, microseconds=1))


def test_an_empty_book_still_refuses_a_clock_from_before_ids_began():
    check_clock(0, NOW)
    with pytest.raises(ClockWrong):
        check_clock(0, datetime(1970, 1, 1, tzinfo=UTC))


@given(identities)
def test_a_tag_is_short_lower_case_and_read_back(identity):
    text = tag(identity)
    assert 1 <= len(text) <= 13
    assert text.isascii()
    assert text.isalnum()
    assert text == text.lower()
    assert from_tag(text) == from_tag(text.upper()) == identity


def test_the_largest_id_still_fits_in_thirteen_characters():
    assert tag(LARGEST_ID) == "1y2p0ij32e8e7"


@pytest.mark.parametrize(
    "text", ["", "0", "01", "-1", "a b", "a_b", "1y2p0ij32e8e8", "z" * 14, "१"]
)
def test_what_is_no_tag_of_ours_is_refused(text):
    with pytest.raises(Invalid, match="not a tag of ours"):
        from_tag(text)


@pytest.mark.parametrize("identity", [0, -1, LARGEST_ID + 1])
def test_what_is_no_id_has_no_tag(identity):
    with pytest.raises(Invalid, match="not an id"):
        tag(identity)


@given(identities)
def test_an_id_is_read_back_from_its_decimal_text(identity):
    assert parse_id(str(identity)) == identity


@pytest.mark.parametrize(
    "text",
    ["", "0", "007", "-1", "+1", "1.0", "1e3", "1_000", " 1", "1\n", "x", "१२", str(1 << 63)],
)
def test_what_is_not_the_decimal_text_of_an_id_is_refused(text):
    with pytest.raises(Invalid, match=r"^orderid: .* is not an id"):
        parse_id(text, "orderid")


def test_the_earliest_id_of_a_millisecond_is_below_all_that_are_made_in_it() -> None:
    at_ms = EPOCH_MS + 123_456_789
    made = IdMint(0, lambda: at_ms).mint()
    assert earliest_at(at_ms) <= made < earliest_at(at_ms + 1)
    assert earliest_at(0) == 0
