"""Every call to a broker and every request to us is written down, redacted, and counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bahi.bootstrap import House
from bahi.db.lanes import Lane
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.errors import Forbidden, Invalid
from bahi.kernel.ports import Call, Recorder
from bahi.telemetry.service import (
    NAMES_AT_MOST,
    CallRecorder,
    Numbers,
    about,
    forget_calls_before,
    recent_calls,
)
from tests.living import MORNING, live_in

CANARY = "c4n4ry-S1ngs-Aloud"
WHO = the_house("test")


def nothing(tx: Tx) -> None:
    """A unit that ends after those that wait before it."""


def a_call(**other: Any) -> Call:
    known: dict[str, Any] = {
        "broker": "kite",
        "operation": "place_order",
        "method": "POST",
        "path": f"/orders/regular?access_token={CANARY}",
        "started_at": MORNING,
        "took_us": 12_345,
        "http_status": 200,
        "account_id": 7,
        "order_ref": "o1",
        "request": {"headers": {"Authorization": f"token k:{CANARY}"}, "quantity": 75},
        "response": {"status": "success", "data": {"enctoken": CANARY}},
    }
    return Call(**known | other)


def test_a_call_is_kept_with_its_duration_and_without_secrets(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        store = house.stores["latency"]
        recorder: Recorder = CallRecorder(store)
        with about(request_id="r-1"):
            recorder.record(a_call())
        recorder.record(a_call(failure=f"refused, pin={CANARY}", http_status=None))
        await store.write(nothing, lane=Lane.INTENT)
        failed, kept = await recent_calls(store, WHO)
        assert CANARY not in repr((failed, kept))
        assert (kept.broker, kept.operation, kept.account_id) == ("kite", "place_order", 7)
        assert (kept.duration_us, kept.success, kept.request_id) == (12_345, True, "r-1")
        assert kept.ended_at - kept.started_at == timedelta(microseconds=12_345)
        assert kept.request["body"]["quantity"] == 75
        assert (failed.success, failed.error_message) == (False, "refused, pin=***")

    live_in(home, story)


def test_a_request_to_us_is_kept_beside_them(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        store = house.stores["latency"]
        numbers = Numbers([store])
        recorder = CallRecorder(store, numbers)
        recorder.record(a_call())
        recorder.record_request(
            "GET /jobs/recent",
            started_at=MORNING,
            took_us=900,
            status=404,
            user_id=3,
            request_id="r-2",
            request={"headers": {"X-API-Key": CANARY}},
            response={"code": "not_found"},
            failure="There is no such thing.",
        )
        await store.write(nothing, lane=Lane.INTENT)
        (kept,) = await recent_calls(store, WHO, module="api")
        assert (kept.broker, kept.user_id, kept.status_code) == (None, 3, 404)
        assert kept.response == {"code": "not_found"}
        assert CANARY not in repr(kept)
        said, kind = numbers.text()
        assert kind.startswith("text/plain")
        text = said.decode()
        assert 'bahi_requests_total{route="GET /jobs/recent",status="404"} 1.0' in text
        assert 'broker="kite",operation="place_order",outcome="ok"} 1.0' in text
        assert 'bahi_request_seconds_bucket{le="0.001",route="GET /jobs/recent"} 1.0' in text
        assert 'bahi_dropped_total{store="latency"} 0.0' in text

    live_in(home, story)


def test_pages_follow_each_other_and_only_an_admin_reads_them(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        store = house.stores["latency"]
        recorder = CallRecorder(store)
        for n in range(5):
            recorder.record(a_call(order_ref=f"o{n}"))
        await store.write(nothing, lane=Lane.INTENT)
        first = await recent_calls(store, WHO, limit=3)
        rest = await recent_calls(store, WHO, limit=3, before=first[-1].id)
        assert [it.order_ref for it in (*first, *rest)] == ["o4", "o3", "o2", "o1", "o0"]
        with pytest.raises(Forbidden):
            await recent_calls(store, Actor(name="someone", user_id=1))
        with pytest.raises(Invalid):
            await recent_calls(store, WHO, limit=0)

    live_in(home, story)


def test_old_calls_leave_and_newer_ones_stay(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        store = house.stores["latency"]
        recorder = CallRecorder(store)
        for days in (100, 95, 1):
            recorder.record(a_call(started_at=MORNING - timedelta(days=days)))
        await store.write(nothing, lane=Lane.INTENT)
        before = MORNING - timedelta(days=90)
        assert await forget_calls_before(store, before, dry_run=True) == 2
        assert await forget_calls_before(store, before) == 2
        assert len(await recent_calls(store, WHO)) == 1

    live_in(home, story)


def test_a_recorder_fails_nobody(home: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    async def story(house: House) -> None:
        store = house.stores["latency"]
        recorder = CallRecorder(store)
        recorder.record(a_call(took_us="long"))
        recorder.record_request("GET /", started_at=MORNING, took_us=1, status=200)
        await house.stores.close()
        recorder.record(a_call())
        assert store.dropped == 1

    live_in(home, story)
    assert "could not be written down" in caplog.text


def test_numbers_remember_only_so_many_names() -> None:
    numbers = Numbers()
    for n in range(NAMES_AT_MOST + 50):
        numbers.count_request(f"GET /{n}", 200, 0.001)
    text = numbers.text()[0].decode()
    assert 'bahi_requests_total{route="(others)",status="200"} 50.0' in text
