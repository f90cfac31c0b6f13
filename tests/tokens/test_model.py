"""The rules of runs and tokens, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.clock import IST, session_boundary
from bahi.kernel.words import LoginFailure, TokenMode, TokenRunStatus, TokenState
from bahi.tokens.model import (
    COOLDOWN,
    ENDED,
    KEPT_AT_MOST,
    MOVES,
    RULES,
    TRIES,
    Attempt,
    Run,
    RunEnded,
    Token,
    Turn,
    countdown,
    given_up,
    kept_until,
    progress_of,
    state_by_time,
)

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
NAMES = ("PRIMARY", "WEBSOCKET1", "WEBSOCKET2")
IDS = {name: n for n, name in enumerate(NAMES, 1)}
DAYS = st.timedeltas(timedelta(days=-3000), timedelta(days=3000))
instants = DAYS.map(lambda away: NOW + away)


def a_run(status: TokenRunStatus = TokenRunStatus.RUNNING) -> Run:
    return Run(
        execution_id="x",
        account_id=1,
        mode=TokenMode.ALL,
        apis=NAMES,
        status=status,
        last_success_api=None,
        next_api=NAMES[0],
        last_failure_at=None,
        due_at=None,
        stop_requested=False,
        started_by=None,
        created_at=NOW,
        updated_at=NOW,
        ended_at=None,
    )


def a_token(api: int, *, active: bool = True, expires_at: datetime | None = None) -> Token:
    return Token(
        id=api,
        broker_api_id=api,
        generated_at=NOW,
        expires_at=expires_at,
        is_active=active,
        fingerprint=None,
        lease_owner=None,
        leased_until=None,
        checked_at=None,
        checked_state=None,
        retired_at=None,
        retired_because=None,
        created_at=NOW,
    )


def an_attempt(api: int, outcome: str, reason: LoginFailure | None = None, n: int = 0) -> Attempt:
    return Attempt(
        id=n,
        execution_id="x",
        broker_api_id=api,
        outcome=outcome,
        reason=reason,
        broker_code=None,
        message=None,
        started_at=NOW,
        ended_at=NOW,
    )


def test_every_failure_has_its_rule() -> None:
    assert set(RULES) == set(LoginFailure)


def test_what_has_ended_moves_no_more() -> None:
    for status in ENDED:
        assert MOVES[status] == frozenset()
        with pytest.raises(RunEnded):
            a_run(status).moved(TokenRunStatus.RUNNING, NOW)


def test_after_a_cooldown_a_run_goes_on() -> None:
    cooling = a_run().cooling(NOW, "WEBSOCKET1", NOW)
    assert (cooling.status, cooling.next_api) == (TokenRunStatus.COOLDOWN, "WEBSOCKET1")
    assert cooling.due_at == NOW + COOLDOWN == NOW + timedelta(minutes=11)
    assert cooling.going_on("WEBSOCKET1", NOW).status is TokenRunStatus.RUNNING


@given(st.permutations(NAMES), st.data())
def test_a_run_is_complete_only_when_nothing_is_missing(
    order: list[str], data: st.DataObject
) -> None:
    attempts, tokens = [], []
    for n, name in enumerate(order):
        outcome = data.draw(st.sampled_from(["MADE", "FAILED", "THROTTLED", "TRYING"]))
        attempts.append(an_attempt(IDS[name], outcome, LoginFailure.UNKNOWN, n))
        if outcome == "MADE":
            tokens.append(a_token(IDS[name]))
    progress = progress_of(a_run(), IDS, tokens, attempts)
    assert sorted(progress.made + progress.missing) == sorted(NAMES)
    ended = a_run().settled(progress.missing, NOW)
    assert (ended.status is TokenRunStatus.COMPLETED) == (len(progress.made) == 3)
    assert (ended.next_api is None) == (len(progress.made) == 3)


def test_a_token_that_the_broker_refused_after_all_is_not_made() -> None:
    progress = progress_of(a_run(), IDS, [a_token(1, active=False)], [an_attempt(1, "MADE")])
    assert progress.failed == ("PRIMARY",)


@given(st.sampled_from(LoginFailure), st.integers(1, 5))
def test_only_what_may_pass_is_tried_again_and_not_for_ever(
    reason: LoginFailure, times: int
) -> None:
    attempts = [an_attempt(1, "FAILED", reason, n) for n in range(times)]
    assert given_up(attempts) == (not RULES[reason].retryable or times >= TRIES)


def test_a_throttle_is_no_reason_to_give_up() -> None:
    assert not given_up([an_attempt(1, "THROTTLED", LoginFailure.RATE_LIMIT)] * 9)


@given(instants)
def test_the_day_ends_at_three_in_india_and_no_later_than_in_a_day(now: datetime) -> None:
    boundary = session_boundary(now)
    local = boundary.astimezone(IST)
    assert (local.hour, local.minute, local.second, local.microsecond) == (3, 0, 0, 0)
    assert now < boundary <= now + timedelta(days=1)


@given(instants, st.none() | st.timedeltas(timedelta(seconds=1), timedelta(days=3)))
def test_nothing_is_kept_longer_than_it_lives(now: datetime, life: timedelta | None) -> None:
    expires_at = None if life is None else now + life
    until = kept_until(expires_at, now)
    assert until <= now + KEPT_AT_MOST
    assert until <= session_boundary(now)
    assert expires_at is None or until <= expires_at


def test_time_alone_tells_what_is_missing_and_what_has_expired() -> None:
    assert state_by_time(None, NOW) is TokenState.MISSING
    assert state_by_time(a_token(1, active=False), NOW) is TokenState.MISSING
    assert state_by_time(a_token(1, expires_at=NOW), NOW) is TokenState.EXPIRED
    assert state_by_time(a_token(1, expires_at=NOW + timedelta(seconds=1)), NOW) is None
    assert state_by_time(a_token(1), NOW) is None


def test_a_turn_is_free_after_the_pause_and_after_who_has_it() -> None:
    turn = Turn(login="person:1", last_login_at=NOW)
    assert turn.free_at(NOW) == NOW + timedelta(seconds=5)
    held = Turn(login="person:1", lease_owner="x", leased_until=NOW + timedelta(minutes=1))
    assert held.free_at(NOW) == NOW + timedelta(minutes=1)
    assert Turn(login="person:1").free_at(NOW) == NOW


def test_a_countdown_reads_as_minutes_and_seconds() -> None:
    assert countdown(timedelta(seconds=605)) == "10 min 05 s"
    assert countdown(timedelta(seconds=-1)) == "0 min 00 s"
