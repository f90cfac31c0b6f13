"""`bahi status`: the house on one screen: stores, tokens, market, book, jobs, last backup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import typer

from bahi.cli.named import ME, when
from bahi.cli.standing import the_usual
from bahi.cli.terminal import AsJson, in_house, show_json, show_table
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import BahiError
from bahi.kernel.money import grouped, plain
from bahi.kernel.words import Health

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.health.model import Report

MARKETS: Final = ("NSE_EQ", "NSE_FNO", "CDS", "MCX")
SHOWN_PARTS: Final = 4


def status(*, as_json: AsJson = False) -> None:
    """Show how the house is, on one screen; 1 when it is unhealthy."""
    found = in_house(_look)
    if as_json:
        show_json(found)
    else:
        show_table(("what", "how"), [(name, _line(it)) for name, it in found.items()])
    if found["house"]["status"] == Health.UNHEALTHY:
        raise typer.Exit(1)


async def _look(house: House) -> dict[str, dict[str, Any]]:
    from bahi.health.service import look_around  # noqa: PLC0415 - for who asks

    await house.furnish()
    report = await look_around(house.checks)
    return {
        "house": _house(report),
        "service": _service(house),
        "market": await _market(house),
        "tokens": _part(report, "tokens"),
        "book": await _book(house),
        "switches": await _switches(house),
        "jobs": await _jobs(house, report),
        "alerts": await _alerts(house),
        "backup": _backup(house),
    }


def _line(found: dict[str, Any]) -> str:
    return str(found["line"])


def _house(report: Report) -> dict[str, Any]:
    ill = [it for it in report.parts if it.status is not Health.HEALTHY]
    many = len(report.parts)
    why = "; ".join(f"{it.component}: {it.details}" for it in ill[:SHOWN_PARTS])
    said = f"all {many} parts are well" if not ill else why
    return {
        "line": f"{report.status}: {said}",
        "status": report.status,
        "parts": {it.component: it.status for it in report.parts},
    }


def _service(house: House) -> dict[str, Any]:
    from bahi.bootstrap.ground import served_at  # noqa: PLC0415 - for who asks

    address = served_at(house.settings.home)
    line = f"it answers at {address}" if address else "it is down; `bahi up` starts it"
    known = {"is_up": bool(address), "address": address or None}
    return {"line": line, **known, "data": str(house.settings.home)}


async def _market(house: House) -> dict[str, Any]:
    from bahi.kernel.words import Segment  # noqa: PLC0415 - for who asks

    source = house.quotes.source
    if house.settings.is_always_open:
        return {"line": f"open around the clock; prices are {source}", "source": source}
    days, now = await house.calendar.days(), house.clock()
    states = {}
    for name in MARKETS:
        is_open = days.state(Segment(name), now).is_open
        states[name] = "unknown" if is_open is None else "open" if is_open else "closed"
    said = ", ".join(f"{name} {it}" for name, it in states.items())
    return {"line": f"{said}; prices are {source}", "source": source, "states": states}


def _part(report: Report, component: str) -> dict[str, Any]:
    for it in report.parts:
        if it.component == component:
            return {"line": it.details, "status": it.status}
    return {"line": "not looked at", "status": None}


async def _book(house: House) -> dict[str, Any]:
    from bahi.bootstrap.looking import look_at  # noqa: PLC0415 - for who asks
    from bahi.portfolio.service.books import page_of, positions_of  # noqa: PLC0415

    try:
        account = await house.stores["main"].read(the_usual, fresh=True)
        kept = await look_at(house, ME, account.id)
    except BahiError as fault:
        return {"line": str(fault)}
    book = await kept.store.read(page_of, account.id, fresh=True)
    book = book.on(exchange_day(house.clock()))
    open_ = len(await kept.store.read(positions_of, account.id, fresh=True))
    return {
        "line": f"{account.name} ({account.mode}): {grouped(book.available)} free, "
        f"{open_} open, {book.open_orders} working, {book.orders_today} orders today",
        "account": account.name,
        "available": plain(book.available),
        "open_positions": open_,
        "open_orders": book.open_orders,
        "orders_today": book.orders_today,
    }


async def _switches(house: House) -> dict[str, Any]:
    from bahi.bootstrap.risks import engaged  # noqa: PLC0415 - for who asks

    found = [f"{it.whom}: {it.reason}" for it in await engaged(house, ME)]
    return {"line": "; ".join(found) or "none is engaged", "engaged": found}


async def _jobs(house: House, report: Report) -> dict[str, Any]:
    from bahi.jobs.service import get_running_jobs  # noqa: PLC0415 - for who asks

    running = [it.job_type for it in await house.stores["main"].read(get_running_jobs, fresh=True)]
    waits = next((it.details for it in report.parts if it.component == "jobs"), "")
    doing = f"{', '.join(sorted(running))} runs; " if running else ""
    return {"line": f"{doing}{waits}", "running": running}


async def _alerts(house: House) -> dict[str, Any]:
    from bahi.notify.service import count_open  # noqa: PLC0415 - for who asks

    found = await house.stores["main"].read(count_open, fresh=True)
    many = {name: it for name, it in found.items() if it}
    said = ", ".join(f"{it} {name.lower()}" for name, it in many.items())
    return {"line": f"{said}; `bahi alert list` shows them" if said else "none open", "open": found}


def _backup(house: House) -> dict[str, Any]:
    from bahi.cli.backup import backups_of  # noqa: PLC0415 - for who asks
    from bahi.db.upkeep.backup import made_at  # noqa: PLC0415
    from bahi.db.upkeep.facts import Facts  # noqa: PLC0415

    newest = backups_of(house.settings).newest("main")
    if newest is None:
        return {"line": "none yet; `bahi db backup` makes one", "newest": None}
    at = when(made_at(Facts.read(newest.facts_file)))
    return {"line": f"the newest is of {at} (IST)", "newest": at}
