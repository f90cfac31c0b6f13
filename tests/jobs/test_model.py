"""The rules of a job's life, of cron texts and of the schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bahi.jobs.model import Cron, Entry, Job, Later, Retry, Schedule, Terms, spoken
from bahi.kernel.clock import IST, ist_text
from bahi.kernel.errors import Conflict, Invalid
from bahi.kernel.words import JobStatus

FRIDAY = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # 08:30 in India
RETRY = Retry(3, (30, 60, 120))
TERMS = Terms("a worker", 30, {"sweep": RETRY})


def a_job(**said: object) -> Job:
    plain = {"id": 1, "job_id": "j", "job_type": "sweep", "run_at": FRIDAY}
    return Job(**plain | {"created_at": FRIDAY, "updated_at": FRIDAY} | said)  # type: ignore[arg-type]


def a_schedule(cron: str = "30 8 * * mon-fri", **said: object) -> Schedule:
    plain = {"name": "login", "title": "Log in", "job_type": "sweep", "cron": cron}
    return Schedule(**plain | said)  # type: ignore[arg-type]


class Life(RuleBasedStateMachine):
    """Whatever happens to a job, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.job = FRIDAY, a_job()
        self.tries = self.fences = 0

    def is_running(self) -> bool:
        return self.job.status is JobStatus.RUNNING

    @rule(seconds=st.integers(0, 200))
    def time_goes_by(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def a_worker_asks_for_it(self) -> None:
        if not self.job.can_be_claimed(self.now):
            with pytest.raises(Conflict):
                self.job.claimed(TERMS, self.now)
            return
        self.job = self.job.claimed(TERMS, self.now)
        self.tries, self.fences = self.tries + 1, self.fences + 1

    @precondition(is_running)
    @rule(percent=st.integers(0, 100))
    def it_gets_on(self, percent: int) -> None:
        self.job = self.job.told(percent, "so far", self.now)

    @precondition(is_running)
    @rule()
    def it_is_done(self) -> None:
        self.job = self.job.completed({"n": 1}, self.now)

    @precondition(is_running)
    @rule()
    def it_fails(self) -> None:
        was = self.tries
        self.job = self.job.failed("no luck", self.now, RETRY)
        assert self.job.status is (JobStatus.FAILED if was >= 3 else JobStatus.PENDING)
        if was < 3:
            assert self.job.run_at - self.now == timedelta(seconds=(30, 60)[was - 1])

    @precondition(is_running)
    @rule(later=st.integers(0, 100))
    def it_is_put_off(self, later: int) -> None:
        self.job = self.job.postponed(self.now + timedelta(seconds=later), "not yet", self.now)
        self.tries -= 1

    @precondition(is_running)
    @rule()
    def it_is_given_back(self) -> None:
        self.job = self.job.given_back(self.now)
        assert self.job.can_be_claimed(self.now)
        self.tries -= 1

    @rule()
    def a_person_asks_again(self) -> None:
        if self.job.status is not JobStatus.FAILED:
            with pytest.raises(Conflict):
                self.job.asked_again(self.now)
            return
        self.job = self.job.asked_again(self.now)
        self.tries = 0

    @invariant()
    def its_words_agree(self) -> None:
        job = self.job
        assert job.fence == self.fences
        assert job.attempts == self.tries
        assert self.is_running() == (job.lease_owner is not None) == (job.leased_until is not None)
        assert job.has_ended == (job.completed_at is not None)
        assert (job.started_at is None) == (self.fences == 0)
        if job.status is JobStatus.COMPLETED:
            assert (job.progress_percent, job.error_details) == (100, None)


TestLife = Life.TestCase


@given(attempts=st.integers(1, 9), delays=st.lists(st.integers(0, 99), max_size=4))
def test_a_policy_rests_between_tries_and_ends_after_the_last(
    attempts: int, delays: list[int]
) -> None:
    retry = Retry(attempts, tuple(delays))
    rests = [retry.rest_after(n) for n in range(1, attempts + 1)]
    assert rests[-1] is None
    assert None not in rests[:-1]
    if delays:
        expected = (delays + [delays[-1]] * attempts)[: attempts - 1]
        assert rests[:-1] == [timedelta(seconds=delay) for delay in expected]


def test_progress_is_a_percentage() -> None:
    with pytest.raises(Invalid, match="101"):
        a_job().told(101, None, FRIDAY)


def test_a_job_of_a_worker_is_not_reported_on_by_others() -> None:
    taken = a_job().claimed(TERMS, FRIDAY)
    nothing = {"message": None, "progress": None, "result": None, "error": None}
    with pytest.raises(Conflict, match="a worker"):
        taken.reported(JobStatus.COMPLETED, FRIDAY, **nothing)  # type: ignore[arg-type]


def test_later_says_when() -> None:
    assert Later(datetime(2026, 11, 20, 8, 30, tzinfo=IST)).run_at == FRIDAY


def test_a_cron_text_is_read_by_the_exchange_s_clock() -> None:
    cron = Cron("30 5 * * mon-fri; 30 8 * * mon-fri")
    told = [ist_text(at) for at in cron.upcoming(FRIDAY, 3)]
    assert told == ["2026-11-23 05:30:00", "2026-11-23 08:30:00", "2026-11-24 05:30:00"]
    assert cron.next_after(FRIDAY - timedelta(microseconds=1)) == FRIDAY
    assert cron.latest(FRIDAY - timedelta(days=1), FRIDAY) == FRIDAY


@given(
    at=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
)
def test_no_clock_of_the_year_is_skipped_or_struck_twice(
    at: datetime, hour: int, minute: int
) -> None:
    times = Cron(f"{minute} {hour} * * *").upcoming(at, 3)
    assert [(it.astimezone(IST).hour, it.astimezone(IST).minute) for it in times] == [
        (hour, minute)
    ] * 3
    assert times[2] - times[1] == times[1] - times[0] == timedelta(days=1)
    assert timedelta() < times[0] - at <= timedelta(days=1)


def test_a_time_that_two_texts_share_comes_once() -> None:
    assert len(set(Cron("0 9 * * *;0 9 * * mon-fri").upcoming(FRIDAY, 9))) == 9


@pytest.mark.parametrize("text", ["", "x", "* * * *", "99 * * * *", "0 8 * * funday", "0 8 * *;"])
def test_what_is_no_cron_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(Invalid, match="minute, hour, day, month and weekday"):
        Cron(text)


@pytest.mark.parametrize("text", ["0 8 * * 1-5", "0 8 * * 0"])
def test_a_numbered_weekday_is_refused_because_nobody_agrees_on_it(text: str) -> None:
    with pytest.raises(Invalid, match="mon-fri"):
        Cron(text)


def test_a_cron_text_that_never_comes_round_says_never() -> None:
    assert Cron("0 0 31 2 *").next_after(FRIDAY) is None


def test_a_time_within_its_grace_still_counts() -> None:
    entry = Entry(schedule=a_schedule(), next_run_at=FRIDAY)
    due = entry.due(FRIDAY + timedelta(seconds=300))
    assert due is not None
    assert (due.at, due.too_late) == (FRIDAY, False)
    assert due.next_run_at == FRIDAY + timedelta(days=3)
    assert entry.due(FRIDAY - timedelta(seconds=1)) is None


def test_a_time_past_its_grace_is_passed_over() -> None:
    due = Entry(schedule=a_schedule(), next_run_at=FRIDAY).due(FRIDAY + timedelta(seconds=301))
    assert due is not None
    assert due.too_late


def test_of_several_times_that_were_missed_the_last_one_counts() -> None:
    entry = Entry(schedule=a_schedule("*/5 * * * *"), next_run_at=FRIDAY - timedelta(days=30))
    due = entry.due(FRIDAY + timedelta(seconds=10))
    assert due is not None
    assert (due.at, due.too_late) == (FRIDAY, False)
    assert due.next_run_at == FRIDAY + timedelta(minutes=5)


def test_a_paused_entry_is_never_due() -> None:
    assert Entry(schedule=a_schedule(), is_active=False, next_run_at=FRIDAY).due(FRIDAY) is None


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("10 3 * * sun", "Sundays 03:10"),
        ("20 16 * * *;58 23 * * *", "daily 16:20 and 23:58"),
        ("*/5 * * * *", "every 5 minutes"),
        ("15 8 * * mon-fri", "weekdays 08:15"),
        ("40 16 * * mon-fri;5 0 * * tue-sat", "weekdays 16:40; Tuesday to Saturday 00:05"),
        ("*/15 9-23 * * *", "every 15 minutes from 09:00 to 23:59"),
        ("*/15 9-15 * * mon-fri", "weekdays, every 15 minutes from 09:00 to 15:59"),
        ("17 * * * *", "every hour at :17"),
        ("30 3 1 * *", "the 1st of each month 03:30"),
        ("0 9,12 * * mon,wed", "0 9,12 * * mon,wed"),
        ("0 9 * 3 *", "0 9 * 3 *"),
        ("*/1 * * * *", "every minute"),
        ("*/1 9-15 * * mon-fri", "weekdays, every minute from 09:00 to 15:59"),
        ("0 25 * * *", "0 25 * * *"),
        ("75 9 * * *", "75 9 * * *"),
        ("75 * * * *", "75 * * * *"),
        ("*/5 9-25 * * *", "*/5 9-25 * * *"),
    ],
)
def test_a_schedule_is_said_in_words_and_what_has_none_as_it_was_written(
    cron: str, words: str
) -> None:
    assert spoken(cron) == words
