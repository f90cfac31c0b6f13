"""A morning's run: six logins one at a time, through throttles, refusals, stops and silence."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from datetime import timedelta

import pytest

from bahi.accounts.model import UPSTOX_NAMES
from bahi.accounts.service.applications import Secrets, change_registration, list_registrations
from bahi.audit.service import recent
from bahi.bootstrap import House
from bahi.kernel.errors import BahiError, Conflict, Invalid, Unauthenticated
from bahi.kernel.ports import LoginFailed
from bahi.kernel.words import LoginFailure, TokenMode, TokenRunStatus, TokenState
from bahi.tokens.model import BETWEEN_LOGINS, COOLDOWN, PERSON_TAKES, Run, fingerprint
from bahi.tokens.repository import runs as run_rows
from bahi.tokens.service import book
from bahi.tokens.service.status import csv_rows, status_of, summary
from tests.brokers.simulators import Behaviour, person_logs_in
from tests.living import MORNING
from tests.tokens.mornings import WHO, Live, Morning, a_person


async def run_all(house: House, account: int, mode: TokenMode = TokenMode.INVALID_ONLY) -> Run:
    run = await house.runs.begin(WHO, account, mode)
    return await house.runs.drive(run.execution_id, ask=a_person(house))


def test_six_logins_in_their_order_each_five_seconds_apart(live: Live) -> None:
    async def story(it: Morning) -> None:
        run = await run_all(it.house, it.account)
        assert run.status is TokenRunStatus.COMPLETED
        assert (run.next_api, run.last_success_api) == (None, UPSTOX_NAMES[-1])
        assert it.broker.logins == [f"client-{name.lower()}" for name in UPSTOX_NAMES]
        (found,) = await status_of(it.house.login_desk, WHO)
        assert [each.state for each in found.tokens] == [TokenState.VALID] * 6
        assert summary([found]) == {
            "valid": 6, "invalid": 0, "expired": 0, "missing": 0, "total": 6,
        }  # fmt: skip
        attempts = await it.house.stores["main"].read(
            run_rows.attempts_of, run.execution_id, fresh=True
        )
        begun = [a.started_at for a in attempts if a.outcome == "MADE"]
        gaps = [later - earlier for earlier, later in itertools.pairwise(begun)]
        assert all(gap >= BETWEEN_LOGINS for gap in gaps)

    live(story)


def test_when_all_are_valid_the_run_ends_at_once_and_makes_nothing(live: Live) -> None:
    async def story(it: Morning) -> None:
        await run_all(it.house, it.account)
        again = await run_all(it.house, it.account)
        assert again.status is TokenRunStatus.COMPLETED
        assert again.apis == ()
        assert len(it.broker.logins) == 6

    live(story)


def test_only_what_is_not_valid_is_made_anew(live: Live) -> None:
    async def story(it: Morning) -> None:
        await run_all(it.house, it.account)
        it.broker.end(
            next(token for token, client in it.broker.tokens.items() if "chain2" in client)
        )
        (found,) = await status_of(it.house.login_desk, WHO)
        assert [each.api_name for each in found.missing] == ["OPTIONCHAIN2"]
        assert (await run_all(it.house, it.account)).apis == ("OPTIONCHAIN2",)
        assert it.broker.logins[6:] == ["client-optionchain2"]
        tokens = await it.house.stores["main"].read(
            book.history, found.tokens[5].api_id, fresh=True
        )
        assert [each.is_active for each in tokens] == [True, False]

    live(story)


def test_named_ones_are_made_whatever_their_state(live: Live) -> None:
    async def story(it: Morning) -> None:
        names = ["websocket_1", "PRIMARY"]
        run = await it.house.runs.begin(WHO, it.account, TokenMode.PARTIAL, names)
        assert run.apis == ("PRIMARY", "WEBSOCKET1")
        with pytest.raises(Conflict, match="resume it or stop it"):
            await it.house.runs.begin(WHO, it.account, TokenMode.ALL)
        with pytest.raises(Invalid, match="OPTIONCHAIN2"):
            await it.house.runs.begin(WHO, it.account, TokenMode.PARTIAL, ["WEBSOCKET9"])

    live(story)


def test_a_throttle_is_waited_out_to_the_second_and_the_run_goes_on_from_there(live: Live) -> None:
    async def story(it: Morning) -> None:
        run = await it.house.runs.begin(WHO, it.account, TokenMode.ALL)
        person = a_person(it.house)
        seen: list[TokenRunStatus] = []

        async def hasty(handed: object) -> None:
            if len(it.broker.logins) == 2 and TokenRunStatus.COOLDOWN not in seen:
                it.broker.behave(Behaviour.THROTTLE, times=1, path="authorization/token")
                with pytest.raises(LoginFailed) as refusal:
                    await person(handed)  # type: ignore[arg-type]
                assert refusal.value.reason is LoginFailure.RATE_LIMIT
            else:
                await person(handed)  # type: ignore[arg-type]

        ended = await it.house.runs.drive(
            run.execution_id, ask=hasty, tell=lambda run: seen.append(run.status)
        )
        assert ended.status is TokenRunStatus.COMPLETED
        assert TokenRunStatus.COOLDOWN in seen
        assert len(it.broker.logins) == len(set(it.broker.logins)) == 6
        attempts = await it.house.stores["main"].read(
            run_rows.attempts_of, run.execution_id, fresh=True
        )
        throttled = next(a for a in attempts if a.outcome == "THROTTLED")
        later = [a for a in attempts if a.id > throttled.id]
        assert throttled.ended_at is not None
        assert later[0].started_at == throttled.ended_at + COOLDOWN
        assert later[0].broker_api_id == throttled.broker_api_id

    live(story)


def test_a_plain_failure_is_recorded_and_the_run_does_not_end_complete(live: Live) -> None:
    async def story(it: Morning) -> None:
        def spoil(tx: object) -> None:
            apis = list_registrations(tx, it.account)  # type: ignore[arg-type]
            change_registration(
                tx,  # type: ignore[arg-type]
                WHO,
                it.house.vault,
                apis[2].id,
                it.clock(),
                secrets_=Secrets(secret="wrong"),
            )

        await it.house.stores["main"].write(spoil)
        run = await it.house.runs.begin(WHO, it.account, TokenMode.ALL)
        person = a_person(it.house)

        async def patient(handed: object) -> None:
            with suppress(LoginFailed):
                await person(handed)  # type: ignore[arg-type]

        ended = await it.house.runs.drive(run.execution_id, ask=patient)
        assert ended.status is TokenRunStatus.INCOMPLETE
        assert ended.next_api == "WEBSOCKET2"
        (found,) = await status_of(it.house.login_desk, WHO)
        assert [each.api_name for each in found.missing] == ["WEBSOCKET2"]
        assert "client id and secret" in found.missing[0].why
        assert LoginFailure.INVALID_CREDENTIALS in await _reasons(it.house, run)
        assert len(it.broker.logins) == 5

    live(story)


def test_silence_is_tried_three_times_and_no_more(live: Live) -> None:
    async def story(it: Morning) -> None:
        it.broker.behave(Behaviour.DROP_READ, times=99, path="authorization/token")
        run = await it.house.runs.begin(WHO, it.account, TokenMode.PARTIAL, ["PRIMARY"])
        person = a_person(it.house)
        failures: list[LoginFailure] = []

        async def patient(handed: object) -> None:
            try:
                await person(handed)  # type: ignore[arg-type]
            except LoginFailed as failure:
                failures.append(failure.reason)

        ended = await it.house.runs.drive(run.execution_id, ask=patient)
        assert ended.status is TokenRunStatus.INCOMPLETE
        assert failures == [LoginFailure.NETWORK_TIMEOUT] * 3

    live(story)


def test_an_operator_stops_a_run_before_its_next_login(live: Live) -> None:
    async def story(it: Morning) -> None:
        run = await it.house.runs.begin(WHO, it.account, TokenMode.ALL)
        person = a_person(it.house)

        async def then_stop(handed: object) -> None:
            await person(handed)  # type: ignore[arg-type]
            if len(it.broker.logins) == 2:
                await it.house.runs.stop(WHO, it.account)

        ended = await it.house.runs.drive(run.execution_id, ask=then_stop)
        assert ended.status is TokenRunStatus.STOPPED
        assert len(it.broker.logins) == 2
        again = await it.house.runs.resume(WHO, it.account)
        assert again.apis == UPSTOX_NAMES[2:]

    live(story)


def test_a_person_who_does_not_come_ends_the_wait_and_not_the_others(live: Live) -> None:
    async def story(it: Morning) -> None:
        run = await it.house.runs.begin(
            WHO, it.account, TokenMode.PARTIAL, ["PRIMARY", "WEBSOCKET1"]
        )
        waiting = await it.house.runs.drive(run.execution_id)
        assert waiting.status is TokenRunStatus.WAITING
        assert (await it.house.runs.advance(run.execution_id)) == waiting
        it.clock.advance(PERSON_TAKES)
        second = await it.house.runs.drive(run.execution_id)
        assert (second.status, second.next_api) == (TokenRunStatus.WAITING, "WEBSOCKET1")

    live(story)


def test_two_processes_never_log_one_person_in_at_once(live: Live) -> None:
    async def story(it: Morning) -> None:
        run = await it.house.runs.begin(WHO, it.account, TokenMode.ALL)
        came = await asyncio.gather(*(it.house.runs.advance(run.execution_id) for _ in range(4)))
        assert sum(not isinstance(each, Run) for each in came) == 1

    live(story)


def test_an_answer_is_taken_once_and_only_for_a_login_that_was_begun_here(live: Live) -> None:
    async def story(it: Morning) -> None:
        run = await it.house.runs.begin(WHO, it.account, TokenMode.ALL)
        handed = await it.house.runs.advance(run.execution_id)
        assert not isinstance(handed, Run)
        answer = person_logs_in(await it.house.handing.address_for(handed))
        for state in ("", "made-up", answer["state"] + "x"):
            with pytest.raises(Unauthenticated, match="begin again"):
                await it.house.handing.answer("upstox", state, answer, WHO)
        with pytest.raises(Unauthenticated, match="another broker"):
            await it.house.handing.answer("kite", answer["state"], answer, WHO)
        came = await asyncio.gather(
            *(it.house.handing.answer("upstox", answer["state"], answer, WHO) for _ in range(3)),
            return_exceptions=True,
        )
        assert sum(isinstance(each, BahiError) for each in came) == 2
        assert len(it.broker.logins) == 1

    live(story)


def test_a_link_opens_once_and_leads_to_the_broker(live: Live) -> None:
    async def story(it: Morning) -> None:
        run = await it.house.runs.begin(WHO, it.account, TokenMode.ALL)
        handed = await it.house.runs.advance(run.execution_id)
        assert not isinstance(handed, Run)
        _, owner, registration = await it.house.handing.peek(handed.code)
        assert (owner.name, registration.api_name) == ("Upstox of Vijay", "PRIMARY")
        address, state = await it.house.handing.open_link(handed.code)
        assert address.startswith(it.broker.url)
        with pytest.raises(Unauthenticated):
            await it.house.handing.open_link(handed.code)
        answer = person_logs_in(address)
        assert answer["state"] == state
        came = await it.house.handing.answer("upstox", state, answer, WHO)
        assert came.api_name == "PRIMARY"

    live(story)


def test_a_locked_database_keeps_the_token_in_memory_until_it_is_in(live: Live) -> None:
    async def story(it: Morning) -> None:
        from bahi.kernel.errors import NotCommitted

        main, real = it.house.stores["main"], it.house.stores["main"].write
        refused: list[str] = []

        async def locked(fn: object, *args: object, **more: object) -> object:
            name = getattr(fn, "__name__", "")
            if name == "record_success" and len(refused) < 3:
                refused.append(name)
                raise NotCommitted("The database is locked.")
            return await real(fn, *args, **more)  # type: ignore[arg-type]

        main.write = locked  # type: ignore[method-assign, assignment]
        before = it.clock()
        run = await it.house.runs.begin(WHO, it.account, TokenMode.PARTIAL, ["PRIMARY"])
        ended = await it.house.runs.drive(run.execution_id, ask=a_person(it.house))
        assert ended.status is TokenRunStatus.COMPLETED
        assert len(refused) == 3
        assert it.clock() - before >= timedelta(seconds=15)
        assert it.broker.logins == ["client-primary"]
        assert it.house.login_desk.pending == {}

    live(story)


def test_the_trail_names_tokens_by_their_digest_alone(live: Live) -> None:
    async def story(it: Morning) -> None:
        await run_all(it.house, it.account)
        entries = await recent(it.house.stores["main"], WHO, limit=500, action="token.issued")
        assert {e.new_value["fingerprint"] for e in entries} == set(
            map(fingerprint, it.broker.tokens)
        )
        everything = await recent(it.house.stores["main"], WHO, limit=500)
        assert not any(token in repr(everything) for token in it.broker.tokens)

    live(story)


def test_the_export_has_four_columns_and_no_token(live: Live) -> None:
    async def story(it: Morning) -> None:
        await run_all(it.house, it.account)
        rows = csv_rows(await status_of(it.house.login_desk, WHO, check=False))
        assert rows[0] == ("PRIMARY", "7EAHBJ", 1, "2036-11-25 03:30:00")
        assert not any(token in repr(rows) for token in it.broker.tokens)

    live(story)


def test_a_token_is_lent_to_one_stream_at_a_time(live: Live) -> None:
    async def story(it: Morning) -> None:
        await run_all(it.house, it.account)
        main = it.house.stores["main"]
        (found,) = await status_of(it.house.login_desk, WHO, check=False)
        token = await main.read(book.active_token, found.tokens[1].api_id, fresh=True)
        assert token is not None
        await main.write(book.lend, token.id, "stream-1", it.clock())
        await main.write(book.lend, token.id, "stream-1", it.clock())
        with pytest.raises(Conflict):
            await main.write(book.lend, token.id, "stream-2", it.clock())
        await main.write(book.lend, token.id, "stream-2", it.clock() + timedelta(minutes=5))
        await main.write(book.give_back, token.id, "stream-2", it.clock())
        await main.write(book.lend, token.id, "stream-3", it.clock())

    live(story)


def test_what_is_kept_in_memory_ends_with_the_token_and_with_the_day(live: Live) -> None:
    async def story(it: Morning) -> None:
        await run_all(it.house, it.account)
        await it.house.revisions.look()
        (found,) = await status_of(it.house.login_desk, WHO, check=False)
        opened = await it.house.tokens.current(found.tokens[0].api_id)
        assert opened.tokens["access"] in it.broker.tokens
        assert opened.good_until == MORNING.replace(hour=21, minute=30)  # 03:00 in India
        assert opened.tokens["access"] not in repr(opened)

    live(story)


async def _reasons(house: House, run: Run) -> set[LoginFailure | None]:
    attempts = await house.stores["main"].read(run_rows.attempts_of, run.execution_id, fresh=True)
    return {attempt.reason for attempt in attempts}
