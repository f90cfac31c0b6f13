"""What a login came to, each written in one transaction: a token, a failure, a person's turn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.clock import to_micros
from bahi.kernel.crypto import Vault
from bahi.kernel.ports import Grant, LoginFailed
from bahi.kernel.redaction import redact_text
from bahi.kernel.words import LoginFailure, TokenRunStatus, TokenState
from bahi.tokens.model import ENDED, PERSON, RULES, Run, Token, TurnLost
from bahi.tokens.repository import runs as run_rows
from bahi.tokens.repository import turns as turn_rows
from bahi.tokens.service.book import mark_checked, store_grant
from bahi.tokens.service.steps import (
    Claim,
    ids_of,
    locked_run,
    progress_in,
    saved,
    settled,
    take_posted,
)
from bahi.tokens.service.waiting import HOUSE, give_back

STATE_PURPOSE: Final = "login_state"
CODE_PURPOSE: Final = "login_code"


@dataclass(frozen=True, slots=True)
class By:
    """Who does it, with whose keys, and when."""

    actor: Actor
    vault: Vault
    now: datetime


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A login for a person: the link's one-time code and the state are theirs alone."""

    account: str
    api_name: str
    api_id: int
    expires_at: datetime
    code: str = field(repr=False)
    state: str = field(repr=False)


def record_success(tx: Tx, claim: Claim, grant: Grant, by: By) -> Run | None:
    """Store the token, move the run on, and give the turn back: one transaction.

    A process whose fence was passed meanwhile still stores: the broker has made this token, and
    the one before it is dead. The run ends only when the broker was asked whose the token is.
    """
    now = by.now
    run = None if claim.run is None else locked_run(tx, claim.run.execution_id)
    run = _nobody_waits(tx, run, claim.registration.id, now)
    ids = ids_of(tx, claim.account.id)
    if claim.registration.api_name in ids:  # else it was removed meanwhile, and its tokens with it
        store_grant(
            tx,
            by.actor,
            by.vault,
            claim.registration.id,
            grant,
            account_id=claim.account.id,
            broker=claim.account.broker,
            now=now,
        )
    run_rows.end_attempt(tx, claim.attempt_id, "MADE", now)
    _release(tx, claim, now)
    if run is None or run.status in ENDED:
        return run
    progress = progress_in(tx, run, ids)
    return saved(tx, run.succeeded(claim.registration.api_name, progress.left, now))


def record_posted(tx: Tx, account_id: int, api_id: int, grant: Grant, by: By) -> Claim:
    """Store a token that a broker posted; as what it was taken up is told."""
    claim = take_posted(tx, account_id, api_id, by.now)
    record_success(tx, claim, grant, by)
    return claim


def _nobody_waits(tx: Tx, run: Run | None, api_id: int, now: datetime) -> Run | None:
    """Use up the hand-over of an application that has its token, and end the wait for it."""
    handover = turn_rows.open_handover_of(tx, api_id, now)
    if handover is not None:
        turn_rows.use_handover(tx, handover.id, now)
    waiting = run_rows.waiting_attempts(tx, api_id)
    give_back(tx, waiting, "The person came.", now)
    if run is None or run.status is not TokenRunStatus.WAITING:
        return run
    if all(it.execution_id != run.execution_id for it in waiting):
        return run
    return saved(tx, replace(run.moved(TokenRunStatus.RUNNING, now), due_at=None))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the broker said when it was asked whose a new token is."""

    token: Token
    state: TokenState
    why: str
    is_refused: bool


def record_verdict(tx: Tx, claim: Claim, verdict: Verdict | None, now: datetime) -> Run | None:
    """Write what the broker said of a new token, and end the run if that was its last."""
    run = None if claim.run is None else locked_run(tx, claim.run.execution_id)
    if verdict is not None:
        token, refused = verdict.token, verdict.is_refused
        mark_checked(tx, token, verdict.state, verdict.why, now, retire=refused)
        if refused:
            reason = LoginFailure.PROFILE_VERIFICATION_FAILED
            message = redact_text(f"{verdict.why} {RULES[reason].advice}")
            run_rows.end_attempt(
                tx, claim.attempt_id, "FAILED", now, reason=reason, message=message
            )
    if run is None:
        return None
    progress = progress_in(tx, run, ids_of(tx, run.account_id))
    if run.status is TokenRunStatus.COMPLETED and progress.missing:
        return saved(tx, run.refused(progress.missing, now))
    if run.status in ENDED or progress.left:
        return run
    return settled(tx, run, progress, now)


def record_failure(tx: Tx, claim: Claim, failure: LoginFailed, now: datetime) -> Run | None:
    """Write down why there is no token; a throttle begins the cooldown, counted from now."""
    throttled = failure.reason is LoginFailure.RATE_LIMIT
    run = None if claim.run is None else locked_run(tx, claim.run.execution_id)
    message = redact_text(f"{failure} {RULES[failure.reason].advice}".strip())
    run_rows.end_attempt(
        tx,
        claim.attempt_id,
        "THROTTLED" if throttled else "FAILED",
        now,
        reason=failure.reason,
        broker_code=redact_text(failure.broker_code) or None,
        message=message,
    )
    _release(tx, claim, now, throttled=throttled)
    about = ("broker_api", claim.registration.id)
    new = {"reason": failure.reason, "broker_code": failure.broker_code}
    note(tx, HOUSE, "token.failed", about, now, new=new, details=message)
    if run is None or run.status in ENDED:
        return run
    if throttled:
        return saved(tx, run.cooling(now, claim.registration.api_name, now))
    progress = progress_in(tx, run, ids_of(tx, run.account_id))
    if not progress.left:
        return settled(tx, run, progress, now)
    following = replace(run, next_api=progress.left[0], last_failure_at=now, updated_at=now)
    return saved(tx, following)


def hold_for_person(tx: Tx, claim: Claim, until: datetime, now: datetime) -> None:
    """Keep the turn while a person logs in; the run waits for them."""
    run = None if claim.run is None else locked_run(tx, claim.run.execution_id)
    turn = turn_rows.lock_turn(tx, claim.login, now)
    if turn.fence != claim.fence or (run is not None and run.status in ENDED):
        raise TurnLost
    owner = f"{PERSON}{claim.attempt_id}"
    turn_rows.save_turn(tx, replace(turn, lease_owner=owner, leased_until=until), now)
    run_rows.end_attempt(tx, claim.attempt_id, "WAITING", now)
    if run is not None:
        saved(tx, run.handed_over(until, now))


def hand_over(tx: Tx, claim: Claim, handed: HandedOver, by: By) -> None:
    """Put a login into a person's hands: what must come back is known only to them and us."""
    handover_id = tx.new_id()
    place = {"table": "login_handovers", "column": "state_enc"}
    row = {
        "id": handover_id,
        "broker_api_id": claim.registration.id,
        "execution_id": claim.execution_id,
        "state_hash": by.vault.digest(handed.state, STATE_PURPOSE),
        "code_hash": by.vault.digest(handed.code, CODE_PURPOSE),
        "state_enc": by.vault.seal(handed.state, **place, row_id=handover_id),
        "created_by": by.actor.name,
        "created_at": to_micros(by.now),
        "expires_at": to_micros(handed.expires_at),
    }
    hold_for_person(tx, claim, handed.expires_at, by.now)
    turn_rows.add_handover(tx, row)
    about = ("broker_api", claim.registration.id)
    new = {"execution_id": claim.execution_id}
    note(tx, by.actor, "token.handed_over", about, by.now, new=new)


def _release(tx: Tx, claim: Claim, now: datetime, *, throttled: bool = False) -> None:
    turn = replace(turn_rows.lock_turn(tx, claim.login, now), last_login_at=now)
    if throttled:
        turn = replace(turn, throttled_at=now)
    if turn.fence == claim.fence:
        turn = replace(turn, lease_owner=None, leased_until=None)
    turn_rows.save_turn(tx, turn, now)
