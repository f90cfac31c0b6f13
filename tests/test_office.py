"""What comes round by itself: logins, the alert before the open, and clean-up with a dry run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from bahi.accounts.service.applications import list_registrations
from bahi.audit.service import Sealer, recent
from bahi.bootstrap import House
from bahi.bootstrap.office import scheduled, schedules_of
from bahi.bootstrap.saving import list_backups
from bahi.db.schema import STORES
from bahi.db.tx import Tx
from bahi.jobs import service as jobs
from bahi.jobs.model import Retry, Terms
from bahi.jobs.model.cron import Cron
from bahi.jobs.service import JobContext
from bahi.kernel.clock import StoppedClock
from bahi.kernel.ports import Grant
from bahi.kernel.words import BrokerSlug
from bahi.notify.service import list_alerts
from bahi.settings.model import Wish
from bahi.settings.service import get_cache, put_cache, set_config
from bahi.tokens.service.book import active_token, store_grant
from bahi.tokens.service.status import status_of
from tests.brokers.simulators import OpenAlgoSimulator, UpstoxSimulator
from tests.living import MORNING
from tests.tokens.mornings import WHO, a_house, settings
from tests.tokens.test_logins import application, enter

Story = Callable[[House, StoppedClock], Awaitable[None]]


def live(home: dict[str, str], story: Story, url: str = "http://127.0.0.1:9") -> None:
    async def whole() -> None:
        clock = StoppedClock(MORNING)
        house = a_house(settings(home, url), clock)
        try:
            await house.furnish()
            await story(house, clock)
        finally:
            await house.close()

    asyncio.run(whole())


async def do(house: House, job_type: str, **payload: Any) -> dict[str, Any]:
    """Ask for a job, claim it as a worker would, and do it."""
    main, now = house.stores["main"], house.clock()

    def ask(tx: Tx) -> None:
        jobs.enqueue(tx, WHO.name, job_type, payload, now)

    await main.write(ask)
    terms = Terms("test", 3600, {job_type: Retry()})
    (job,) = await main.write(jobs.claim, terms, now, 1)
    result = await house.handlers[job_type](JobContext(job, main, house.clock))
    await main.write(jobs.complete, job, result, house.clock())
    return result or {}


async def messages(house: House) -> list[str]:
    return [it.message for it in await list_alerts(house.stores["main"], WHO, only_open=True)]


def test_every_entry_of_the_schedule_has_who_does_it(home: dict[str, str]) -> None:
    async def story(house: House, clock: StoppedClock) -> None:
        assert {it.job_type for it in house.schedules} <= set(house.handlers)
        assert set(house.retries) <= set(house.handlers)

    live(home, story)


def test_logins_are_at_the_times_of_the_sources_on_weekdays() -> None:
    crons = {it.name: it.cron for it in schedules_of({})}
    assert crons["login_breeze"] == "30 5 * * mon-fri;30 8 * * mon-fri"
    assert crons["login_kite"] == "45 5 * * mon-fri;45 8 * * mon-fri"
    assert crons["token_alert"] == "45 8 * * mon-fri"


def test_a_changed_setting_changes_the_schedule(home: dict[str, str]) -> None:
    async def story(house: House, clock: StoppedClock) -> None:
        for key, value in (("kite_login_times", "07:05"), ("weekdays_only", "false")):
            wish = Wish(category="scheduler", key=key, value=value)
            await house.stores["main"].write(set_config, house.vault, WHO, wish, clock())
        crons = {it.name: it.cron for it in await scheduled(house)}
        assert crons["login_kite"] == "5 7 * * *"

    live(home, story)


def test_what_can_log_in_alone_is_logged_in_and_nobody_is_called(home: dict[str, str]) -> None:
    with OpenAlgoSimulator([application(BrokerSlug.OPENALGO)], StoppedClock(MORNING)) as server:

        async def story(house: House, clock: StoppedClock) -> None:
            await house.stores["main"].write(enter, house, BrokerSlug.OPENALGO, server.url)
            came = await do(house, "auto_login", broker="openalgo")
            assert came == {"made": 1, "accounts_missing": [], "waiting": [], "failed": {}}
            assert (await do(house, "token_alert"))["valid"] == 1
            assert await messages(house) == []

        live(home, story, server.url)


def test_who_is_needed_is_called_and_the_alert_before_the_open_lists_what_is_missing(
    home: dict[str, str],
) -> None:
    with UpstoxSimulator([application(BrokerSlug.UPSTOX)], StoppedClock(MORNING)) as server:

        async def story(house: House, clock: StoppedClock) -> None:
            account = await house.stores["main"].write(enter, house, BrokerSlug.UPSTOX, server.url)
            came = await do(house, "auto_login", broker="upstox")
            assert (came["made"], came["accounts_missing"]) == (0, [str(account)])
            assert came["waiting"] == [str(account)]
            counted = await do(house, "token_alert")
            assert (counted["missing"], counted["total"]) == (1, 1)
            open_now = await messages(house)
            assert any("A person has to log in for PRIMARY" in it for it in open_now)
            assert any("At upstox (PRIMARY MISSING)" in it for it in open_now)

        live(home, story, server.url)


def test_a_run_that_was_asked_for_by_a_job_is_done(home: dict[str, str]) -> None:
    from bahi.kernel.words import TokenMode, TokenState

    with OpenAlgoSimulator([application(BrokerSlug.OPENALGO)], StoppedClock(MORNING)) as server:

        async def story(house: House, clock: StoppedClock) -> None:
            account = await house.stores["main"].write(
                enter, house, BrokerSlug.OPENALGO, server.url
            )
            run = await house.runs.begin(WHO, account, TokenMode.ALL)
            came = await do(house, "token_run", execution_id=run.execution_id)
            assert came["status"] == "COMPLETED"
            (found,) = await status_of(house.login_desk, WHO)
            assert found.tokens[0].state is TokenState.VALID

        live(home, story, server.url)


def test_what_has_expired_is_cleaned_up_and_a_dry_run_only_counts(home: dict[str, str]) -> None:
    async def story(house: House, clock: StoppedClock) -> None:
        main = house.stores["main"]

        def remember(tx: Tx) -> None:
            put_cache(tx, "k", "v", clock(), keep_for=timedelta(minutes=1))

        await main.write(remember)
        clock.advance(timedelta(minutes=2))
        api = await main.write(_an_expired_token, house)
        counted = await do(house, "sessions_cleanup", dry_run=True)
        assert counted == {"tokens": 1, "sessions": 0, "cache": 1, "failures": 0}
        assert await main.read(active_token, api, fresh=True) is not None
        assert await do(house, "sessions_cleanup") == counted
        assert await main.read(active_token, api, fresh=True) is None
        assert await main.write(get_cache, "k", clock()) is None

    live(home, story)


def _an_expired_token(tx: Tx, house: House) -> int:
    """Enter an application, and a token of it whose time is over; return the application's id."""
    account = enter(tx, house, BrokerSlug.UPSTOX, "http://127.0.0.1:9")
    (api,) = list_registrations(tx, account)
    now = house.clock()
    grant = Grant(tokens={"access": "t"}, expires_at=now - timedelta(seconds=1))
    store_grant(
        tx,
        WHO,
        house.vault,
        api.id,
        grant,
        account_id=account,
        broker=BrokerSlug.UPSTOX,
        now=now,
    )
    return api.id


def test_sealed_audit_rows_leave_for_the_archive_and_no_others(home: dict[str, str]) -> None:
    async def story(house: House, clock: StoppedClock) -> None:
        sealer = Sealer(house.stores["main"], house.vault, clock, house.settings.home)
        sealed = await sealer.seal()
        assert sealed > 0
        clock.advance(timedelta(days=91))
        assert (await do(house, "audit_archive", dry_run=True))["main"] == sealed
        assert (await do(house, "audit_archive"))["main"] == sealed
        assert len(await recent(house.stores["archive"], WHO)) == sealed

    live(home, story)


@pytest.mark.parametrize("job_type", ["jobs_cleanup", "retention", "monthly_review"])
def test_the_others_say_what_they_did(home: dict[str, str], job_type: str) -> None:
    async def story(house: House, clock: StoppedClock) -> None:
        assert (await do(house, job_type, dry_run=True))["dry_run"] is True
        assert (await do(house, job_type))["dry_run"] is False

    live(home, story)


def test_every_store_is_saved_each_night(home: dict[str, str]) -> None:
    async def story(house: House, clock: StoppedClock) -> None:
        (nightly,) = [it for it in await scheduled(house) if it.job_type == "backup"]
        first, second = Cron(nightly.cron).upcoming(clock(), 2)
        assert second - first == timedelta(days=1)
        assert set((await do(house, "backup"))["saved"]) == set(STORES)
        assert {it.store for it in await list_backups(house)} == set(STORES)

    live(home, story)


def test_how_the_house_is_is_looked_at_and_remembered(home: dict[str, str]) -> None:
    from bahi.health.service import history

    async def story(house: House, clock: StoppedClock) -> None:
        assert (await do(house, "health_check"))["status"] in {"healthy", "degraded"}
        looks = await history(house.stores["main"], WHO)
        assert {"store main", "disk", "clock", "jobs", "worker", "tokens"} <= {
            it.component for it in looks
        }

    live(home, story)
