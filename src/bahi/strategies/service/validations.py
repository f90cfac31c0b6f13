"""Validation runs of models: recorded, brought forward, listed; strategies come later."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from bahi.audit.service import note
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.clock import to_micros
from bahi.kernel.errors import Conflict, Invalid, NotFound
from bahi.kernel.redaction import redact, redact_text
from bahi.strategies.model.validations import (
    ENDED,
    TEXT_AT_MOST,
    NewValidation,
    Progress,
    Validation,
    stored_score,
)
from bahi.strategies.repository import validations as repository

PAGE_AT_MOST: Final = 500


class NoValidation(NotFound):
    """There is no such validation run."""

    code = "no_validation"


def record_validation(tx: Tx, actor: Actor, run: NewValidation, now: datetime) -> Validation:
    """Enter a run that is asked for; its name is the caller's and is used once."""
    require_change(actor)
    run.check()
    if repository.find(tx, run.validation_id):
        raise Conflict(f"There is a validation run {run.validation_id!r} already.")
    start, end = run.date_range_start, run.date_range_end
    repository.add(
        tx,
        {
            "id": tx.new_id(),
            "validation_id": run.validation_id,
            "model_type": run.model_type,
            "signal_type": run.signal_type,
            "date_range_start": start and start.isoformat(),
            "date_range_end": end and end.isoformat(),
            "status": "pending",
            "created_at": to_micros(now),
            "created_by": actor.name[:100],
        },
    )
    said = {"model_type": run.model_type, "signal_type": run.signal_type}
    note(tx, actor, "create", ("ml_validation", run.validation_id), now, new=said)
    return get_validation(tx, run.validation_id)


def update_validation(
    tx: Tx, actor: Actor, validation_id: str, progress: Progress, now: datetime
) -> Validation:
    """Say what became of a run; one that has ended stays as it ended."""
    require_change(actor)
    progress.check()
    before = repository.find(tx, validation_id, lock=True)
    if before is None:
        raise NoValidation(f"There is no validation run {validation_id[:100]!r}.")
    if before.status in ENDED:
        raise Conflict(f"The validation run {validation_id!r} has {before.status} already.")
    values: dict[str, Any] = {"status": progress.status}
    values |= {n: stored_score(n, it) for n, it in (progress.scores or {}).items()}
    if progress.output is not None:
        values["output"] = json.dumps(redact(progress.output))
    if progress.error_message:
        values["error_message"] = redact_text(progress.error_message)[:TEXT_AT_MOST]
    if before.started_at is None and progress.status != "pending":
        values["started_at"] = to_micros(now)
    if progress.status in ENDED:
        values["completed_at"] = to_micros(now)
    repository.update(tx, validation_id, values)
    about = ("ml_validation", validation_id)
    old, new = {"status": before.status}, {"status": progress.status}
    note(tx, actor, "update", about, now, old=old, new=new)
    return get_validation(tx, validation_id)


def get_validation(tx: Tx, validation_id: str) -> Validation:
    """Return a run by its name."""
    if found := repository.find(tx, validation_id):
        return found
    raise NoValidation(f"There is no validation run {validation_id[:100]!r}.")


async def list_validations(
    store: Store,
    *,
    limit: int = 50,
    before: int | None = None,
    model_type: str | None = None,
    signal_type: str | None = None,
    status: str | None = None,
) -> list[Validation]:
    """Return the newest runs that fit, below an id."""
    if not 1 <= limit <= PAGE_AT_MOST:
        raise Invalid(f"limit: {limit} is not 1 to {PAGE_AT_MOST}.")
    wanted = {"model_type": model_type, "signal_type": signal_type, "status": status}
    return await store.read(repository.newest, limit, before, wanted, fresh=True)
