"""Bringing a load into force: in one transaction, so that readers see all of it or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from bahi.audit.service import note
from bahi.db.revisions import bump
from bahi.db.tx import Tx
from bahi.instruments.model.loads import Load, LoadStatus
from bahi.instruments.model.matching import TERMS
from bahi.instruments.model.planning import Change, Reader
from bahi.instruments.repository import loads, staging
from bahi.instruments.service.records import TOPIC, get_load
from bahi.instruments.service.staging import GIVEN_UP, Waiting
from bahi.kernel.actor import Actor
from bahi.kernel.clock import to_micros
from bahi.kernel.errors import Conflict


class Swap(NamedTuple):
    """What comes into force: what was read, who awaits a symbol, and what has gone."""

    reader: Reader
    waiting: Sequence[Waiting]
    left: Sequence[int]


def go_on(tx: Tx, load_id: int, now: datetime) -> None:
    """Say that a load still moves, unless another process has given it up."""
    if not loads.change_load(tx, load_id, {"seen_at": to_micros(now)}):
        raise Conflict(GIVEN_UP)


def put_in_force(tx: Tx, actor: Actor, load_id: int, swap: Swap, now: datetime) -> Load:
    """Move the pointers, and with them everything that differs; readers see all of it or none."""
    reader, found, at = swap.reader, swap.reader.found, to_micros(now)
    day = reader.day.isoformat()
    values = {
        "status": LoadStatus.IN_FORCE,
        "lines": found.lines,
        "report": json.dumps(found.report()),
        "ended_at": at,
        "seen_at": at,
    }
    if not loads.change_load(tx, load_id, values):
        raise Conflict(GIVEN_UP)
    before = {load for load, _count in loads.in_force(tx, reader.broker).values()}
    for segment, count in found.listed.items():
        pointer = {"load_id": load_id, "listings": count, "in_force_since": at}
        loads.point(tx, reader.broker, segment, pointer)
    _rename(tx, swap, at)  # row by row, and so before the pages that all rows fill
    for it in reader.changes.dated:
        _date_terms(tx, it, day, at, f"{reader.broker} {day}")
    for names, rows in sorted(reader.changes.rows.items()):
        staging.change_many(tx, names, rows, at)
    staging.retire(tx, swap.left, at)
    staging.activate_arrived(tx, load_id, at)
    for old in before:
        if not loads.is_in_force(tx, old):
            replaced = {"status": LoadStatus.REPLACED}
            loads.change_load(tx, old, replaced, if_reading=False)
    bump(tx, TOPIC)
    summary = {"broker": reader.broker, "listed": dict(found.listed), "arrived": found.arrived}
    note(tx, actor, "load", ("instruments", load_id), now, new={**summary, "left": found.left})
    return get_load(tx, load_id)


def _rename(tx: Tx, swap: Swap, at: int) -> None:
    """Give symbols to those that they pass to; all leave theirs before any takes one."""
    renamed = swap.reader.changes.renamed
    leaving = ({"id": it.known.id, "symbol": f"~{it.known.id}", "updated_at": at} for it in renamed)
    staging.change_instruments(tx, leaving)
    taking = [Waiting(it.known.id, it.segment, it.values["symbol"]) for it in renamed]
    for it in (*taking, *swap.waiting):
        _make_room(tx, it, at)
        staging.change_instruments(tx, [{"id": it.id, "symbol": it.symbol, "updated_at": at}])


def _make_room(tx: Tx, it: Waiting, at: int) -> None:
    """Let an old holder of a symbol, which this listing proves to be over, keep its history.

    Where it never was more than an underlying without a name, what settled on it settles on this.
    """
    holder, was_named = staging.symbol_holder(tx, it.segment, it.symbol)
    if holder is not None and holder != it.id:
        if not was_named:
            staging.settle_on(tx, holder, it.id, at)
        over = {"symbol": f"{it.symbol}~{holder}", "is_active": 0, "updated_at": at}
        staging.change_instruments(tx, [{"id": holder, **over}])


def _date_terms(tx: Tx, change: Change, day: str, at: int, source: str) -> None:
    """Write down the terms from this day on, and before them those that nobody dated yet."""
    before = {name: getattr(change.known, name) for name in TERMS}
    after = {name: change.values.get(name, value) for name, value in before.items()}
    row = {"instrument_id": change.known.id, "created_at": at}
    since = change.known.terms_since
    if since is not None and not staging.has_terms_from(tx, change.known.id, since):
        by = {"id": tx.new_id(), "valid_from": since, "source": change.known.named_by}
        staging.set_terms(tx, {**row, **before, **by})
    staging.set_terms(tx, {**row, **after, "id": tx.new_id(), "valid_from": day, "source": source})


def refuse(tx: Tx, load_id: int, report: Mapping[str, Any], reason: str, now: datetime) -> None:
    """Remember why a load did not come into force."""
    at = to_micros(now)
    refused = {"status": LoadStatus.REFUSED, "reason": reason[:2000], "ended_at": at}
    loads.change_load(tx, load_id, {**refused, "report": json.dumps(report), "seen_at": at})
