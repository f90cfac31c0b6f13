"""Pictures are true: a tape's ticks stand in order and inside it, a curve breaks at unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.orders.model.life import Life, Mark, Stretch, Tick
from bahi.web.pictures import WIDTH, line_of, tape_of

pytestmark = pytest.mark.unit
BEGINS = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def a_life(gaps: list[int], *, unknown: bool) -> Life:
    """Return a life with so many microseconds between its ticks."""
    at, ticks = BEGINS, [Tick(mark=Mark.INTENT, at=BEGINS, words="", sequence=1)]
    for number, gap in enumerate(gaps, 2):
        at += timedelta(microseconds=gap)
        ticks.append(Tick(mark=Mark.FILL, at=at, words="", sequence=number, after_us=gap))
    stretches = (Stretch(BEGINS, None, "nobody knows"),) if unknown else ()
    return Life(tuple(ticks), stretches)


@given(st.lists(st.integers(0, 10**10), max_size=30), st.booleans())
def test_ticks_stand_in_their_order_and_inside_the_picture(gaps: list[int], unknown: bool) -> None:
    tape = tape_of(a_life(gaps, unknown=unknown), BEGINS + timedelta(days=1))
    places = [it.x for it in tape.notches]
    assert all(before <= after for before, after in pairwise(places))
    assert 0 <= places[0] <= places[-1] <= WIDTH
    assert all(it.x >= 0 and it.x + it.width <= WIDTH and it.width > 0 for it in tape.unsure)
    assert len(tape.unsure) == unknown


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=10))
def test_a_longer_wait_is_never_drawn_shorter(gaps: list[int]) -> None:
    tape = tape_of(a_life(gaps, unknown=False), BEGINS)
    drawn = [after.x - before.x for before, after in pairwise(tape.notches)]
    for one, other in pairwise(sorted(zip(gaps, drawn, strict=True))):
        assert other[1] >= one[1] - 0.2  # places are rounded to a tenth


AMOUNTS = st.one_of(st.none(), st.integers(-(10**12), 10**12))


@given(st.lists(AMOUNTS, max_size=40))
def test_a_curve_is_inside_its_frame_and_breaks_where_nothing_is_known(
    amounts: list[int | None],
) -> None:
    points = [(n / max(1, len(amounts) - 1), it) for n, it in enumerate(amounts)]
    line = line_of(points)
    known = [it for it in amounts if it is not None]
    if len(known) < 2:
        assert line is None
        return
    assert line is not None
    drawn = [tuple(map(float, it.split(","))) for piece in line.pieces for it in piece.split()]
    assert len(drawn) == len(known)
    assert all(-0.1 <= x <= WIDTH + 0.1 and -0.01 <= y <= 100.01 for x, y in drawn)
    assert -0.01 <= line.zero <= 100.01
    runs = sum(here is not None and before is None for before, here in pairwise([None, *amounts]))
    assert len(line.pieces) == runs
