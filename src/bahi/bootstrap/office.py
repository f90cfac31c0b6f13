"""The office of a house: how each job is done, and what comes round when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from bahi.accounts.service.accounts import list_accounts
from bahi.accounts.service.applications import list_registrations
from bahi.audit.service import move_to_archive
from bahi.bootstrap import bookkeeping
from bahi.bootstrap.checks import checks_of
from bahi.bootstrap.holidays import look_at_lists
from bahi.bootstrap.masters import FETCHED, brokers_in_use, load_published, load_shipped
from bahi.bootstrap.rooms import Rooms
from bahi.calendar.service import days_as_entered, what_is_missing
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.health.service import forget_health_before, keep, look_around
from bahi.identity.service.attempts import forget_old_failures
from bahi.identity.service.sign_in import end_expired_sessions
from bahi.jobs.model import Later, Retry, Schedule
from bahi.jobs.service import Handler, JobContext, clean_up
from bahi.kernel.actor import the_house
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import BahiError, Conflict
from bahi.kernel.words import BrokerSlug, TokenMode, TokenRunStatus, parse
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert, resolve
from bahi.settings.model.declared import KNOWN
from bahi.settings.service import cache_use, expire_cache, expire_windows, rate_use
from bahi.telemetry.service import forget_calls_before, forget_logs_before
from bahi.tokens.model import ENDED, Run
from bahi.tokens.service.book import cleanup_expired, count_expired
from bahi.tokens.service.status import AccountStatus, status_of, summary
from bahi.tokens.service.waiting import is_in_use

HOUSE: Final = the_house("schedule")
MONTH: Final = timedelta(days=31)
OTHERS_LOG_IN_AT: Final = "08:15"
SHORT: Final = timedelta(seconds=30)
"""A run that goes on so soon is waited for; a longer wait gives the worker free."""

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
        "token_run": of(_token_run),
        "auto_login": of(_auto_login),
        "token_alert": of(_token_alert),
        "sessions_cleanup": of(_sessions_cleanup),
        "jobs_cleanup": of(_jobs_cleanup),
        "retention": of(_retention),
        "audit_archive": of(_audit_archive),
        "monthly_review": of(_monthly_review),
        "health_check": of(_health_check),
        "calendar_check": of(_calendar_check),
        "masters": of(_masters),
        "reconcile": of(bookkeeping.reconcile),
        "day_end": of(bookkeeping.day_end),
        "edis_expire": of(bookkeeping.edis_expire),
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
            title=f"Log in at {broker.capitalize()}",
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


# Tokens


async def _token_run(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Go on with a run; while it waits for long, the worker does something else."""
    execution_id = context.payload["execution_id"]
    while True:
        await house.runs.advance(execution_id)
        run = await house.runs.run(execution_id)
        await context.progress(_percent(run.apis, run.next_api), f"{run.status} {run.next_api}")
        if run.status in ENDED:
            return {"status": run.status, "next_api": run.next_api}
        if run.status is TokenRunStatus.WAITING:
            await _tell_person(house, run.account_id, run.next_api)
        due = run.due_at
        if due is not None and due - house.clock() > SHORT:
            raise Later(due, f"{run.status} until then")
        if due is not None and due > house.clock():
            await house.login_desk.pause((due - house.clock()).total_seconds())


def _percent(apis: Sequence[str], following: str | None) -> int:
    return 100 if following is None else int(100 * apis.index(following) / len(apis))


async def _tell_person(house: Rooms, account_id: int, api_name: str | None) -> None:
    cause = Cause(
        severity=Severity.WARNING,
        source="tokens",
        message=f"A person has to log in for {api_name}: run `bahi token run`, or open the tokens.",
        topic=f"login:{account_id}",
        account_id=account_id,
    )
    await house.stores["main"].write(raise_alert, cause, house.clock())


async def _auto_login(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Log in at a broker what can be logged in alone, and tell of what needs a person."""
    broker = parse(BrokerSlug, context.payload["broker"])

    def read(tx: Tx) -> list[int]:
        found = list_accounts(tx, HOUSE, broker=broker)
        return [it.id for it in found if is_in_use(tx, it) and list_registrations(tx, it.id)]

    made, missing, waiting, failed = 0, [], [], {}
    for account_id in await house.stores["main"].read(read, fresh=True):
        try:
            run = await _logged_in(house, account_id)
        except BahiError as fault:  # one account's trouble is no other's
            missing.append(str(account_id))
            failed[str(account_id)] = str(fault)
            await _tell_failure(house, account_id, fault)
            continue
        if run.status is TokenRunStatus.COMPLETED:
            made += len(run.apis)
            continue
        missing.append(str(account_id))
        if run.status is TokenRunStatus.WAITING:
            waiting.append(str(account_id))
            await _tell_person(house, account_id, run.next_api)
    return {"made": made, "accounts_missing": missing, "waiting": waiting, "failed": failed}


async def _logged_in(house: Rooms, account_id: int) -> Run:
    """Return what came of an account's run; one that a person has in their hands is left alone."""
    try:
        run = await house.runs.begin(HOUSE, account_id, TokenMode.INVALID_ONLY)
    except Conflict:
        newest = await house.runs.newest_run(HOUSE, account_id)
        if newest is not None and newest.waits_for_person(house.clock()):
            return newest
        run = await house.runs.resume(HOUSE, account_id)
    return await house.runs.drive(run.execution_id, actor=HOUSE)


async def _tell_failure(house: Rooms, account_id: int, fault: BahiError) -> None:
    cause = Cause(
        severity=Severity.WARNING,
        source="tokens",
        message=f"The login of account {account_id} failed: {fault}",
        topic=f"login_failed:{account_id}",
        account_id=account_id,
    )
    await house.stores["main"].write(raise_alert, cause, house.clock())


async def _token_alert(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Tell, before the market opens, which tokens are not valid."""
    del context
    statuses = await status_of(house.login_desk, HOUSE)
    counted = summary(statuses)
    bad = [_named(it) for it in statuses if it.missing and it.account.is_active]
    if not bad:
        await house.stores["main"].write(resolve, "tokens", house.clock())
        return dict(counted)
    cause = Cause(
        severity=Severity.CRITICAL,
        source="tokens",
        message=f"Not valid: {'; '.join(bad)}. Run `bahi token run`.",
        topic="tokens",
        details=dict(counted),
    )
    await house.stores["main"].write(raise_alert, cause, house.clock())
    return {**counted, "alert": cause.message}


def _named(status: AccountStatus) -> str:
    names = ", ".join(f"{it.api_name} {it.state}" for it in status.missing)
    return f"{status.account.name} ({names})"


# Cleaning up, each with a dry run: `{"dry_run": true}` in the job's payload only counts


async def _sessions_cleanup(house: Rooms, context: JobContext) -> dict[str, Any]:
    """End broker tokens and web sessions whose time is over; forget expired cache entries."""
    main, now = house.stores["main"], house.clock()
    if context.payload.get("dry_run"):
        return await main.read(_what_has_expired, now, fresh=True)
    return await cleanup_sessions(main, now)


def _what_has_expired(tx: Tx, now: datetime) -> dict[str, Any]:
    return {
        "tokens": count_expired(tx, now),
        "sessions": end_expired_sessions(tx, now, dry_run=True),
        "cache": expire_cache(tx, now, dry_run=True),
        "failures": forget_old_failures(tx, now, dry_run=True),
    }


async def cleanup_sessions(main: Store, now: datetime) -> dict[str, Any]:
    """Retire what has expired: broker tokens, web sessions, cache entries, old failures."""
    tokens = 0
    while gone := await main.write(cleanup_expired, now):
        tokens += gone
    return {
        "tokens": tokens,
        "sessions": await main.write(end_expired_sessions, now),
        "cache": await main.write(expire_cache, now),
        "failures": await main.write(forget_old_failures, now),
    }


async def _jobs_cleanup(house: Rooms, context: JobContext) -> dict[str, Any]:
    days = await house.config.get("retention", "jobs_days")
    dry_run = bool(context.payload.get("dry_run"))
    return {
        "jobs": await clean_up(house.stores, HOUSE, house.clock(), days, dry_run=dry_run),
        "dry_run": dry_run,
    }


async def _retention(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Forget logs, calls and looks older than the settings say."""
    dry_run, now = bool(context.payload.get("dry_run")), house.clock()
    days = {
        name: timedelta(days=await house.config.get("retention", f"{name}_days"))
        for name in ("logs", "calls", "health")
    }
    stores = house.stores
    return {
        "logs": await forget_logs_before(stores["logs"], now - days["logs"], dry_run=dry_run),
        "calls": await forget_calls_before(stores["latency"], now - days["calls"], dry_run=dry_run),
        "health": await forget_health_before(stores["main"], now - days["health"], dry_run=dry_run),
        "dry_run": dry_run,
    }


async def _audit_archive(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Move sealed batches of the trail to the archive, whole; nothing else may take them."""
    days = await house.config.get("retention", "audit_days")
    dry_run = bool(context.payload.get("dry_run"))
    before = house.clock() - timedelta(days=days)
    moved = {}
    for name in ("main", "sandbox"):
        moved[name] = await move_to_archive(
            house.stores[name], house.stores["archive"], house.vault, before, dry_run=dry_run
        )
    return {**moved, "dry_run": dry_run}


async def _monthly_review(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Say how much the limits and the caches were used, then forget old windows."""
    main, now = house.stores["main"], house.clock()
    dry_run = bool(context.payload.get("dry_run"))
    rates = await main.read(rate_use, now - MONTH, now, fresh=True)
    caches = await main.read(cache_use, fresh=True)

    def forget(tx: Tx) -> int:
        return expire_windows(tx, now - MONTH, dry_run=dry_run)

    return {
        "rate_limits": [str(it) for it in rates[:100]],
        "caches": [str(it) for it in caches[:100]],
        "windows_forgotten": await main.write(forget),
        "dry_run": dry_run,
    }


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


async def _masters(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Renew the small master, and fetch the file of every broker that an account is at."""
    done = {str(BrokerSlug.PAPER): (await load_shipped(house, HOUSE)).lines}
    brokers = [it for it in FETCHED if it in await brokers_in_use(house)]
    for place, broker in enumerate(brokers):
        await context.progress(int(100 * place / len(brokers)), f"fetching {broker}")
        topic = f"master:{broker}"
        try:
            done[str(broker)] = (await load_published(house, HOUSE, broker)).lines
        except BahiError as fault:
            cause = Cause(
                severity=Severity.CRITICAL,
                source="instruments",
                message=f"The master of {broker} was not renewed: {fault}",
                topic=topic,
            )
            await house.stores["main"].write(raise_alert, cause, house.clock())
        else:
            await house.stores["main"].write(resolve, topic, house.clock())
    return done


async def _calendar_check(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Warn each day while market days are missing: of this year, from December on of the next.

    The brokers that an account is at are asked for their lists first.
    """
    del context
    main, now = house.stores["main"], house.clock()
    told = await look_at_lists(house, HOUSE)
    missing = what_is_missing(await days_as_entered(main), now)
    if missing is None:
        await main.write(resolve, "calendar", now)
        return {"missing": None, **told}
    is_now = missing.year == exchange_day(now).year
    cause = Cause(
        severity=Severity.CRITICAL if is_now else Severity.WARNING,
        source="calendar",
        message=missing.sentence,
        topic="calendar",
    )
    await main.write(raise_alert, cause, now)
    return {"missing": missing.year, **told}
