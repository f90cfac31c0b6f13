"""What may go wrong around a run: no good token is lost, nobody waits for what does not come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bahi.accounts.model import UPSTOX_NAMES, Account, Registration
from bahi.accounts.service.accounts import (
    Wished,
    add_account,
    delete_account,
    get_account,
    update_account,
)
from bahi.accounts.service.applications import (
    NOTIFIER_PURPOSE,
    Secrets,
    change_registration,
    list_registrations,
    new_notifier,
    register,
    remove_registration,
)
from bahi.audit.service import recent
from bahi.bootstrap.office import handlers_of
from bahi.db.tx import Tx
from bahi.identity.service.users import create_user, delete_user
from bahi.kernel.errors import BahiError, NotFound, Unauthenticated
from bahi.kernel.ports import Grant, LoginFailed
from bahi.kernel.words import BrokerSlug, LoginFailure, TokenMode, TokenRunStatus, TokenState
from bahi.tokens.model import COOLDOWN, Run
from bahi.tokens.repository import runs as run_rows
from bahi.tokens.service import book, steps
from bahi.tokens.service.outcomes import HandedOver
from bahi.tokens.service.status import status_of
from bahi.tokens.service.steps import Claim
from tests.brokers.simulators import person_logs_in
from tests.tokens.mornings import OWNER, REDIRECT, WHO, Live, Morning, a_person, applications

SECRET = "secret-path"
SLOW = timedelta(seconds=61)
Status = TokenRunStatus


async def registrations(it: Morning) -> list[Registration]:
    return await it.house.stores["main"].read(list_registrations, it.account, fresh=True)


async def account_of(it: Morning) -> Account:
    return await it.house.stores["main"].read(get_account, WHO, it.account, fresh=True)


async def begun(it: Morning, *names: str) -> Run:
    mode = TokenMode.PARTIAL if names else TokenMode.ALL
    return await it.house.runs.begin(WHO, it.account, mode, names)


async def handed(it: Morning, run: Run) -> HandedOver:
    came = await it.house.runs.advance(run.execution_id)
    assert isinstance(came, HandedOver)
    return came


async def claimed(it: Morning, run: Run, owner: str) -> Claim:
    account = await account_of(it)
    came = await it.house.stores["main"].write(
        steps.take_step, account, run.execution_id, owner, it.clock()
    )
    assert isinstance(came, Claim)
    return came


async def throttled_meanwhile(it: Morning) -> Claim:
    """Return a login that took so long that another process took its turn, and was throttled."""
    run = await begun(it, "PRIMARY")
    slow = await claimed(it, run, "slow")
    it.clock.advance(SLOW)
    quick = await claimed(it, run, "quick")
    cooling = await it.house.login_desk.failed(
        quick, LoginFailed("slow down", LoginFailure.RATE_LIMIT)
    )
    assert cooling.status is Status.COOLDOWN
    return slow


async def posted_for(it: Morning, api: Registration, state: str = "s" * 20) -> dict[str, Any]:
    """Return what Upstox posts once its user has approved: a token that it has made."""
    login, application = await it.house.login_desk.login_of(await account_of(it), api.id)
    answer = person_logs_in(await login.begin(application, state))
    grant = await login.complete(application, answer, it.clock())
    dies = it.clock() + timedelta(hours=10)
    return {
        "message_type": "access_token",
        "client_id": application.client_id,
        "user_id": OWNER,
        "access_token": grant.tokens["access"],
        "token_type": "Bearer",
        "issued_at": str(int(it.clock().timestamp() * 1000)),
        "expires_at": str(int(dies.timestamp() * 1000)),
    }


async def with_notifier(it: Morning) -> Registration:
    api = (await registrations(it))[0]
    digest = it.house.vault.digest(SECRET, NOTIFIER_PURPOSE)

    def write(tx: Tx) -> None:
        new_notifier(tx, WHO, api.id, digest, it.clock())
        update_account(tx, WHO, it.account, {"broker_user_id": OWNER}, it.clock())

    await it.house.stores["main"].write(write)
    return api


async def auto_login(it: Morning) -> dict[str, Any]:
    class Context:
        payload = {"broker": "upstox"}  # noqa: RUF012 - read only

    return await handlers_of(it.house)["auto_login"](Context()) or {}  # type: ignore[arg-type]


async def is_stored(it: Morning, api_id: int) -> bool:
    return await it.house.stores["main"].read(book.active_token, api_id, fresh=True) is not None


def test_a_token_that_came_late_is_stored_even_in_anothers_cooldown(live: Live) -> None:
    async def story(it: Morning) -> None:
        slow = await throttled_meanwhile(it)
        login, application = await it.house.login_desk.login_of(slow.account, slow.registration.id)
        answer = person_logs_in(await login.begin(application, "s" * 20))
        grant = await login.complete(application, answer, it.clock())
        run = await it.house.login_desk.succeeded(slow, grant, WHO, login, application)
        assert run is not None
        assert run.status is Status.COMPLETED
        assert await is_stored(it, slow.registration.id)

    live(story)


def test_a_failure_that_came_late_ends_a_run_that_cools(live: Live) -> None:
    async def story(it: Morning) -> None:
        slow = await throttled_meanwhile(it)
        wrong = LoginFailed("wrong", LoginFailure.INVALID_CREDENTIALS)
        assert (await it.house.login_desk.failed(slow, wrong)).status is Status.INCOMPLETE

    live(story)


def test_a_run_is_not_complete_when_the_broker_refuses_its_last_token(live: Live) -> None:
    async def story(it: Morning) -> None:
        run = await begun(it, "PRIMARY")
        refuse_what_is_made(it)
        person = a_person(it.house)
        ended = await it.house.runs.drive(run.execution_id, ask=person)
        assert (ended.status, ended.next_api) == (Status.INCOMPLETE, "PRIMARY")
        attempts = await it.house.stores["main"].read(
            run_rows.attempts_of, run.execution_id, fresh=True
        )
        assert attempts[-1].outcome == "FAILED"
        assert attempts[-1].reason is LoginFailure.PROFILE_VERIFICATION_FAILED

    live(story)


def test_who_died_before_asking_whose_a_token_is_is_not_taken_at_their_word(live: Live) -> None:
    async def story(it: Morning) -> None:
        run = await begun(it, "PRIMARY")
        first = await handed(it, run)
        answer = person_logs_in(await it.house.handing.address_for(first))
        real = it.house.login_desk._verify_new

        async def dies(*_: object) -> None:
            raise KeyboardInterrupt

        it.house.login_desk._verify_new = dies  # type: ignore[assignment, method-assign]
        with pytest.raises(KeyboardInterrupt):
            await it.house.handing.answer("upstox", answer["state"], answer, WHO)
        it.house.login_desk._verify_new = real  # type: ignore[method-assign, assignment]
        for token in list(it.broker.tokens):
            it.broker.end(token)
        ended = await it.house.runs.drive(run.execution_id)
        assert (ended.status, ended.next_api) == (Status.INCOMPLETE, "PRIMARY")

    live(story)


def refuse_what_is_made(it: Morning) -> None:
    """Have the broker end each token between its exchange and the profile call."""
    real = it.house.login_desk._verify_new

    async def ended_first(claim: Any, tokens: Any, *more: Any) -> Run | None:
        it.broker.end(tokens["access"])
        return await real(claim, tokens, *more)

    it.house.login_desk._verify_new = ended_first  # type: ignore[method-assign, assignment]


def test_an_application_removed_in_mid_run_is_missing_and_the_others_go_on(live: Live) -> None:
    async def story(it: Morning) -> None:
        first = (await registrations(it))[0]
        run = await begun(it)
        await handed(it, run)
        await it.house.stores["main"].write(remove_registration, WHO, first.id, it.clock())
        assert (await handed(it, run)).api_name == UPSTOX_NAMES[1]
        ended = await it.house.runs.drive(
            (await it.house.runs.resume(WHO, it.account)).execution_id, ask=a_person(it.house)
        )
        assert (ended.status, ended.next_api) == (Status.INCOMPLETE, "PRIMARY")

    live(story)


def test_an_application_disabled_in_mid_run_is_not_logged_in(live: Live) -> None:
    async def story(it: Morning) -> None:
        first = (await registrations(it))[0]
        run = await begun(it, "PRIMARY", "WEBSOCKET1")
        await handed(it, run)

        def disable(tx: Tx) -> None:
            change_registration(tx, WHO, it.house.vault, first.id, it.clock(), enabled=False)

        await it.house.stores["main"].write(disable)
        assert (await handed(it, run)).api_name == "WEBSOCKET1"

    live(story)


def test_the_schedule_goes_on_past_one_accounts_failure(live: Live) -> None:
    async def story(it: Morning) -> None:
        real = it.house.runs.begin

        async def fails(actor: Any, account_id: int, *more: Any) -> Run:
            if account_id == it.account:
                raise NotFound("Something is gone.")
            return await real(actor, account_id, *more)

        other = await another_account(it)
        it.house.runs.begin = fails  # type: ignore[method-assign, assignment]
        came = await auto_login(it)
        assert came["failed"] == {str(it.account): "Something is gone."}
        assert came["waiting"] == [str(other)]

    live(story)


async def another_account(it: Morning) -> int:
    """Enter another user's account with one application."""

    def enter(tx: Tx) -> int:
        now, known = it.clock(), applications()[0]
        user = create_user(tx, WHO, "asha", now)
        wished = {"name": "Of Asha", "broker_user_id": OWNER}
        account = add_account(tx, WHO, BrokerSlug.UPSTOX, wished, now, user_id=user.id)  # type: ignore[arg-type]
        register(
            tx,
            WHO,
            it.house.vault,
            account.id,
            now,
            secrets_=Secrets(secret=known.secret),
            client_id=known.client_id,
            redirect_uri=REDIRECT,
        )
        return account.id

    return await it.house.stores["main"].write(enter)


def test_a_posted_token_tells_which_run_goes_on(live: Live) -> None:
    async def story(it: Morning) -> None:
        api = await with_notifier(it)
        run = await begun(it)
        await handed(it, run)
        answered = await it.house.handing.notified(SECRET, await posted_for(it, api))
        assert answered.run is not None
        assert (answered.run.execution_id, answered.run.next_api) == (
            run.execution_id,
            UPSTOX_NAMES[1],
        )
        it.clock.advance(timedelta(seconds=5))
        assert (await handed(it, run)).api_name == UPSTOX_NAMES[1]

    live(story)


def test_a_posted_token_is_stored_in_a_cooldown_and_while_another_login_runs(live: Live) -> None:
    async def story(it: Morning) -> None:
        api = await with_notifier(it)
        run = await begun(it)
        claim = await claimed(it, run, "another process")
        await it.house.handing.notified(SECRET, await posted_for(it, api))
        assert await is_stored(it, api.id)
        await it.house.login_desk.failed(claim, LoginFailed("slow", LoginFailure.RATE_LIMIT))
        answered = await it.house.handing.notified(SECRET, await posted_for(it, api))
        assert answered.run is not None
        assert answered.run.status is Status.COOLDOWN

    live(story)


def test_garbage_at_the_notifier_uses_nothing_up(live: Live) -> None:
    async def story(it: Morning) -> None:
        await with_notifier(it)
        run = await begun(it)
        link = await handed(it, run)
        for garbage in ({"x": "1"}, {"message_type": "access_token", "client_id": "another"}):
            with pytest.raises(LoginFailed):
                await it.house.handing.notified(SECRET, garbage)
        assert (await it.house.runs.run(run.execution_id)).status is Status.WAITING
        await a_person(it.house)(link)

    live(story)


def test_the_schedule_leaves_a_login_in_a_persons_hands(live: Live) -> None:
    async def story(it: Morning) -> None:
        run = await begun(it, "PRIMARY")
        link = await handed(it, run)
        it.clock.advance(timedelta(seconds=30))
        assert (await auto_login(it))["waiting"] == [str(it.account)]
        await a_person(it.house)(link)
        assert (await it.house.runs.run(run.execution_id)).status is Status.COMPLETED

    live(story)


def test_stopping_a_run_that_waits_gives_its_turn_back(live: Live) -> None:
    async def story(it: Morning) -> None:
        await handed(it, await begun(it))
        assert (await it.house.runs.stop(WHO, it.account)).status is Status.STOPPED
        await handed(it, await begun(it))

    live(story)


def test_a_run_whose_process_died_is_stopped_at_once_or_with_its_turn(live: Live) -> None:
    async def story(it: Morning) -> None:
        await begun(it)
        assert (await it.house.runs.stop(WHO, it.account)).status is Status.STOPPED
        await claimed(it, await begun(it), "a process that dies")
        assert (await it.house.runs.stop(WHO, it.account)).stop_requested
        it.clock.advance(SLOW)
        assert (await begun(it)).status is Status.RUNNING

    live(story)


@pytest.mark.parametrize("way", ["removed", "inactive", "user removed"])
def test_what_is_out_of_use_is_logged_in_no_more(live: Live, way: str) -> None:
    async def story(it: Morning) -> None:
        account = await another_account(it)
        it = it._replace(account=account)
        user = (await account_of(it)).user_id
        run = await begun(it)
        link = await handed(it, run)
        address = await it.house.handing.address_for(link)
        main, now = it.house.stores["main"], it.clock()
        if way == "removed":
            await main.write(delete_account, WHO, account, now)
        elif way == "inactive":
            await main.write(update_account, WHO, account, Wished(is_active=False), now)
        else:
            await main.write(delete_user, WHO, user, now)
        answer = person_logs_in(address)
        with pytest.raises(Unauthenticated):
            await it.house.handing.open_link(link.code)
        with pytest.raises(Unauthenticated):
            await it.house.handing.answer("upstox", answer["state"], answer, WHO)
        assert (await it.house.runs.drive(run.execution_id)).status is Status.STOPPED
        with pytest.raises(BahiError):
            await begun(it)
        assert account not in {
            each.account.id for each in await status_of(it.house.login_desk, WHO)
        }
        assert str(account) not in (await auto_login(it))["accounts_missing"]

    live(story)


def test_a_clock_that_went_back_makes_nobody_wait_longer_than_a_cooldown(live: Live) -> None:
    async def story(it: Morning) -> None:
        run = await begun(it, "PRIMARY")
        claim = await claimed(it, run, "a")
        await it.house.login_desk.failed(claim, LoginFailed("slow", LoginFailure.RATE_LIMIT))
        it.clock.advance(timedelta(days=-2))
        back = it.clock()
        waiting = await it.house.runs.advance(run.execution_id)
        assert isinstance(waiting, Run)
        assert waiting.due_at == back + COOLDOWN
        it.clock.advance(COOLDOWN)
        await handed(it, run)
        it.clock.advance(timedelta(days=-2))
        waiting = await it.house.runs.advance(run.execution_id)
        assert isinstance(waiting, Run)
        assert waiting.due_at is not None
        assert waiting.due_at <= it.clock() + COOLDOWN

    live(story)


@pytest.mark.parametrize("nothing", [{}, {"x": "1"}, {"code": ""}])
def test_a_return_with_nothing_in_it_uses_nothing_up(live: Live, nothing: dict[str, str]) -> None:
    async def story(it: Morning) -> None:
        run = await begun(it, "PRIMARY")
        link = await handed(it, run)
        with pytest.raises(Unauthenticated, match="not what the broker sends"):
            await it.house.handing.answer("upstox", link.state, nothing, WHO)
        await a_person(it.house)(link)
        assert (await it.house.runs.run(run.execution_id)).status is Status.COMPLETED

    live(story)


def test_a_return_with_the_state_alone_is_the_brokers_throttle(live: Live) -> None:
    async def story(it: Morning) -> None:
        run = await begun(it, "PRIMARY")
        link = await handed(it, run)
        with pytest.raises(LoginFailed):
            await it.house.handing.answer("upstox", link.state, {"state": link.state}, WHO)
        assert (await it.house.runs.run(run.execution_id)).status is Status.COOLDOWN

    live(story)


def test_the_trail_tells_who_resumed_and_that_a_link_was_followed(live: Live) -> None:
    async def story(it: Morning) -> None:
        run = await begun(it)
        await handed(it, run)
        await it.house.runs.resume(WHO, it.account)
        link = await handed(it, run)
        await it.house.handing.open_link(link.code)
        for action in ("token.run_resumed", "token.link_opened"):
            assert len(await recent(it.house.stores["main"], WHO, action=action)) == 1

    live(story)


def test_a_token_that_is_made_for_an_application_that_is_gone_does_no_harm(live: Live) -> None:
    async def story(it: Morning) -> None:
        run = await begun(it, "PRIMARY")
        claim = await claimed(it, run, "a")
        login, application = await it.house.login_desk.login_of(
            claim.account, claim.registration.id
        )
        gone = claim.registration.id
        await it.house.stores["main"].write(remove_registration, WHO, gone, it.clock())
        grant = Grant(tokens={"access": "t"}, expires_at=None)
        ended = await it.house.login_desk.succeeded(claim, grant, WHO, login, application)
        assert ended is not None
        assert ended.status is Status.INCOMPLETE
        (found,) = await status_of(it.house.login_desk, WHO)
        assert all(each.state is TokenState.MISSING for each in found.tokens)

    live(story)
