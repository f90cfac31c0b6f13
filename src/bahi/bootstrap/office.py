"""The office of a house: how each job is done, and what comes round when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bahi.bootstrap import bookkeeping, housekeeping, logins, saving
from bahi.bootstrap.checks import checks_of
from bahi.bootstrap.holidays import calendar_check
from bahi.bootstrap.masters import renew_masters
from bahi.bootstrap.rooms import Rooms
from bahi.health.service import keep, look_around
from bahi.jobs.model import Retry, Schedule
from bahi.jobs.service import Handler, JobContext
from bahi.kernel.errors import BahiError
from bahi.kernel.names import BROKER_NAMES
from bahi.kernel.words import BrokerSlug
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert, resolve
from bahi.settings.model.declared import KNOWN

OTHERS_LOG_IN_AT: Final = "08:15"

RETRIES: Final[Mapping[str, Retry]] = {
    "auto_login": Retry(attempts=4, delays_s=(30.0, 60.0, 120.0)),
    "token_run": Retry(attempts=4, delays_s=(30.0, 60.0, 120.0)),
}


def handlers_of(house: Rooms) -> dict[str, Handler]:
    """Return how each type of job is done in a house."""

    def of(work: Callable[[Rooms, JobContext], Any]) -> Handler:
        async def handler(context: JobContext) -> dict[str, Any] | None:
            found: dict[str, Any] | None = await work(house, context)
            return found

        return handler

    return {
        "token_run": of(logins.token_run),
        "auto_login": of(logins.auto_login),
        "token_alert": of(logins.token_alert),
        "sessions_cleanup": of(housekeeping.sessions_cleanup),
        "jobs_cleanup": of(housekeeping.jobs_cleanup),
        "retention": of(housekeeping.retention),
        "audit_archive": of(housekeeping.audit_archive),
        "monthly_review": of(housekeeping.monthly_review),
        "health_check": of(_health_check),
        "calendar_check": of(calendar_check),
        "masters": of(renew_masters),
        "reconcile": of(bookkeeping.reconcile),
        "day_end": of(bookkeeping.day_end),
        "edis_expire": of(bookkeeping.edis_expire),
        "backup": of(saving.backup),
        "orders_archive": of(bookkeeping.orders_archive),
        "trades_archive": of(bookkeeping.trades_archive),
    }


def schedules_of(config: Mapping[str, Any]) -> list[Schedule]:
    """Return what comes round, at the times that the settings say."""
    known = {key: it.default for (category, key), it in KNOWN.items() if category == "scheduler"}
    config = {**known, **config}
    days = "mon-fri" if config["weekdays_only"] else "*"
    logins = {
        "breeze": config["breeze_login_times"],
        "kite": config["kite_login_times"],
        **dict.fromkeys(("upstox", "dhan", "openalgo"), OTHERS_LOG_IN_AT),
    }
    entries = [
        Schedule(
            name=f"login_{broker}",
            title=f"Log in at {BROKER_NAMES[BrokerSlug(broker)]}",
            job_type="auto_login",
            cron=_at(times, days),
            payload={"broker": broker},
            platform=broker,
        )
        for broker, times in logins.items()
    ]
    alert = config["token_alert_time"]
    return [
        *entries,
        _entry("token_alert", "Tell which tokens are not valid", _at(alert, days)),
        _entry("sessions_cleanup", "End what has expired", "7 * * * *"),
        _entry("health_check", "Ask every part how it is", "*/5 * * * *"),
        _entry("masters", "Fetch the instrument files", _at(config["masters_time"], days)),
        _entry("calendar_check", "Warn of market days that are missing", "30 7 * * *"),
        _entry("backup", "Save every store", "10 2 * * *"),
        _entry("retention", "Forget old logs, calls and looks", "20 2 * * *"),
        _entry("jobs_cleanup", "Remove old finished jobs", "40 2 * * sun"),
        _entry("audit_archive", "Move old sealed audit rows to the archive", "10 3 * * sun"),
        _entry("monthly_review", "Look at rate limits and caches", "30 3 1 * *"),
        *bookkeeping.SCHEDULES,
    ]


def _entry(name: str, title: str, cron: str) -> Schedule:
    return Schedule(name=name, title=title, job_type=name, cron=cron)


def _at(times: str, days: str) -> str:
    hours = [time.strip().split(":") for time in times.split(",") if time.strip()]
    return ";".join(f"{int(minute)} {int(hour)} * * {days}" for hour, minute in hours)


async def scheduled(house: Rooms) -> list[Schedule]:
    """Return what comes round, as the settings are now."""
    names = [key for category, key in KNOWN if category == "scheduler"]
    return schedules_of({name: await house.config.get("scheduler", name) for name in names})


async def _health_check(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Ask every part how it is, keep the answers, and raise an alert where one fell ill."""
    del context
    report = await look_around(checks_of(house, handlers_of(house)))
    main, now = house.stores["main"], house.clock()
    for change in await main.write(keep, report, now):
        topic = f"health:{change.component}"
        try:
            if change.is_bad:
                cause = Cause(
                    severity=Severity.CRITICAL,
                    source="health",
                    message=f"{change.component} is {change.after}: {change.details}",
                    topic=topic,
                )
                await main.write(raise_alert, cause, now)
            else:
                await main.write(resolve, topic, now)
        except BahiError:  # the looks are kept; the next one raises it again
            continue
    return {"status": report.status}
