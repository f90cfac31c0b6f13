"""One chain for everything that is logged: readable, bounded, without secrets, never in the way."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import structlog

from bahi.bootstrap import House
from bahi.db.lanes import Lane, Lanes
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.errors import Busy, Forbidden, Silent
from bahi.kernel.words import LogLevel
from bahi.telemetry.model import LogEntry
from bahi.telemetry.service import (
    Form,
    Logging,
    about,
    end_logging,
    forget_logs_before,
    recent_errors,
    set_up_logging,
)
from tests.db.ledger import Gate
from tests.living import live_in, stopped

CANARY = "c4n4ry-S1ngs-Aloud"
WHO = the_house("test")
ALL = tuple(LogLevel)

log = logging.getLogger("bahi.test")


class Heard:
    """A chain whose console is a text in memory."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.chains: list[Logging] = []

    def listen(self, form: Form = "json", store: Store | None = None) -> Logging:
        for other in list(logging.getLogger().handlers):  # pytest's own fail their callers
            logging.getLogger().removeHandler(other)
        chain = set_up_logging("DEBUG", form, store, stream=self.stream, quiet=("asyncio",))
        self.chains.append(chain)
        return chain

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def heard() -> Iterator[Heard]:
    before = logging.getLogger().level
    heard = Heard()
    yield heard
    for chain in heard.chains:
        end_logging(chain)
    logging.getLogger().setLevel(before)


def nothing(tx: Tx) -> None:
    """A unit that ends after those that wait before it."""


async def written(store: Store) -> list[LogEntry]:
    while True:
        try:
            await store.write(nothing, lane=Lane.INTENT)
            break
        except Busy:  # those before it fill the lane
            await asyncio.sleep(0.01)
    found = await recent_errors(store, WHO, levels=ALL, limit=500)
    return [it for it in found if it.logger.startswith("bahi.test")][::-1]


def fail_with(secret: str) -> None:
    try:
        raise Silent(f"refused with access_token={secret}")
    except Silent as first:
        raise ValueError({"pin": secret}) from first


def say_everything(secret: str) -> None:
    """Hand a secret to the log in every way there is."""
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        log.log(level, "token=%s", secret)
        log.log(level, "sent %s", {"password": secret, "list": [{"otp": secret}]})
        log.log(level, "sent %(api_key)s", {"api_key": secret})
        log.log(level, "in extra", extra={"checksum": secret, "order_ref": "o1"})
        log.log(level, "too few %s %s", {"secret": secret})
        structlog.get_logger("bahi.test").log(level, "event", refresh_token=secret, path="/x")
    try:
        fail_with(secret)
    except ValueError as fault:
        log.exception("failed: %s", fault)
        structlog.get_logger("bahi.test.other").exception("failed again", session=secret)
        structlog.get_logger("bahi.test.other").warning("stack", stack_info=True, totp=secret)
    with about(authorization=f"Bearer {secret}", request_id="r-1"):
        log.warning("about it")


@pytest.mark.parametrize("form", ["pretty", "json"])
def test_no_secret_reaches_the_console(heard: Heard, form: Form) -> None:
    chain = heard.listen(form)
    say_everything(CANARY)
    said = heard.stream.getvalue()
    assert CANARY not in said
    assert "failed again" in said
    assert "fail_with" in said  # the stack is there
    assert chain.failed == 0


def test_no_secret_reaches_the_logs_store(home: dict[str, str], heard: Heard) -> None:
    async def story(house: House) -> None:
        store = house.stores["logs"]
        chain = heard.listen("json", store)
        say_everything(CANARY)
        found = await written(store)
        assert len(found) == 5 * 6 + 4
        assert CANARY not in repr(found)
        assert {it.level for it in found} == set(ALL)
        assert chain.failed == 0
        failed = next(it for it in found if it.message.startswith("failed:"))
        assert (failed.error_type, failed.module) == ("ValueError", "test_logging")
        assert failed.stack_trace is not None
        assert "Silent" in failed.stack_trace  # the cause, too
        assert next(it for it in found if it.message == "in extra").order_ref == "o1"

    live_in(home, story)


def test_what_it_is_about_comes_with_it(heard: Heard) -> None:
    heard.listen()
    with about(request_id="r-7", account_id=42):
        log.info("plain")
        structlog.get_logger("bahi.test").info("event", symbol="INFY")
    log.info("after")
    plain, event, after = heard.lines
    assert plain["context"] == {"request_id": "r-7", "account_id": 42}
    assert event["context"] == {"request_id": "r-7", "account_id": 42, "symbol": "INFY"}
    assert event["where"].startswith("test_logging.test_what_it_is_about")
    assert "context" not in after


def test_an_error_says_its_class_and_code(heard: Heard) -> None:
    heard.listen()
    try:
        raise Silent("no answer")
    except Silent:
        log.exception("it failed")
    (line,) = heard.lines
    assert (line["error_type"], line["error_code"]) == ("Silent", "silent")


def test_nobody_can_forge_a_line(heard: Heard) -> None:
    heard.listen("pretty")
    log.warning("name %s", "x\n2026-01-01 00:00:00 INFO bahi: all is well\x1b[2J")
    assert heard.stream.getvalue().count("\n") == 1
    assert "\x1b" not in heard.stream.getvalue()


def test_a_second_set_up_replaces_the_first(heard: Heard) -> None:
    heard.listen()
    heard.listen()
    log.info("once")
    assert len(heard.lines) == 1


class Unwritable:
    def __str__(self) -> str:
        log.info("from within")  # a record that comes of writing a record
        raise RuntimeError("no words")


def test_what_cannot_be_written_ends_nobody(heard: Heard) -> None:
    chain = heard.listen()
    log.info("%s", Unwritable())
    log.info("%d", "no number")
    heard.stream.close()
    log.info("nobody listens")
    assert chain.failed == 1


def test_the_logs_stores_own_words_go_to_the_console_alone(
    home: dict[str, str], heard: Heard
) -> None:
    def talk(tx: Tx) -> None:
        logging.getLogger("bahi.test.db").warning("the writer speaks")

    async def story(house: House) -> None:
        store = house.stores["logs"]
        heard.listen("json", store)
        await store.write(talk)
        await house.stores["main"].write(talk)
        assert len(await written(store)) == 1
        said = [line for line in heard.lines if line["message"] == "the writer speaks"]
        assert len(said) == 2

    live_in(home, story)


def test_a_flood_is_dropped_counted_and_told_once_it_is_over(
    home: dict[str, str], heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lanes.__init__, "__kwdefaults__", {"intents_waiting": 10})

    async def story(house: House) -> None:
        store = house.stores["logs"]
        heard.listen("json", store)
        gate = Gate()
        held = asyncio.ensure_future(store.write(gate.hold))
        await asyncio.to_thread(gate.reached.wait)
        for n in range(50):
            log.info("flood %d", n)
        assert store.dropped == 40
        gate.open()
        await held
        assert [it.message for it in await written(store)] == [f"flood {n}" for n in range(10)]
        log.info("calm")
        await written(store)
        told = [it for it in await recent_errors(store, WHO, levels=ALL) if "lost" in it.message]
        assert [it.message for it in told] == [
            "40 log records were lost: the logs store could not keep up."
        ]

    live_in(home, story)


def test_a_store_that_is_closed_costs_its_callers_nothing(
    home: dict[str, str], heard: Heard
) -> None:
    async def story(house: House) -> Store:
        heard.listen("json", house.stores["logs"])
        return house.stores["logs"]

    store = live_in(home, story)
    log.info("after the end")
    assert store.dropped >= 1
    assert heard.lines[-1]["message"] == "after the end"


def test_old_records_leave_in_chunks_and_a_dry_run_only_counts(
    home: dict[str, str], heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bahi.telemetry.service.looking.ROWS_AT_ONCE", 3)

    async def story(house: House) -> None:
        store = house.stores["logs"]
        heard.listen("json", store)
        for n in range(8):
            log.info("old %d", n)
        await written(store)
        later = stopped()()
        assert await forget_logs_before(store, later, dry_run=True) == 8
        assert len(await written(store)) == 8
        assert await forget_logs_before(store, later) == 8
        assert await written(store) == []

    live_in(home, story)


def test_only_an_admin_reads_the_log(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        with pytest.raises(Forbidden):
            await recent_errors(house.stores["logs"], Actor(name="someone", user_id=1))

    live_in(home, story)


@pytest.mark.parametrize("deep", [10, 900])
def test_a_deep_stack_is_cut_in_its_middle(heard: Heard, deep: int) -> None:
    heard.listen()

    def fall(left: int) -> None:
        if left:
            fall(left - 1)
        raise ValueError("the bottom")

    with suppress(ValueError):
        try:
            fall(deep)
        except ValueError:
            log.exception("fell")
            raise
    (line,) = heard.lines
    assert "the bottom" in line["stack_trace"]
    assert len(line["stack_trace"]) < 17_000
