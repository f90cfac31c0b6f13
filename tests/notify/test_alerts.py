"""Alerts: one open per topic, taken on by somebody, without secrets."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bahi.audit.service import recent
from bahi.bootstrap import House
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.errors import Forbidden, Invalid
from bahi.kernel.words import Role
from bahi.notify.model import Alert, Cause, Severity
from bahi.notify.service import (
    NoAlert,
    acknowledge,
    count_open,
    find_open,
    list_alerts,
    raise_alert,
    resolve,
)
from tests.living import MORNING, live_in

CANARY = "c4n4ry-S1ngs-Aloud"
WHO = the_house("test")
SOMEBODY = Actor(name="somebody", user_id=7, role=Role.TRADER)


def cause(**other: Any) -> Cause:
    known: dict[str, Any] = {
        "severity": Severity.WARNING,
        "source": "tokens",
        "message": "The token of u1 is missing; run `bahi token run`.",
        "topic": "token:1",
    }
    return Cause(**known | other)


def test_of_one_topic_one_alert_is_open_and_it_only_grows_worse(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        first = await main.write(raise_alert, cause(), MORNING)
        later = MORNING + timedelta(minutes=5)
        again = await asyncio.gather(
            *(main.write(raise_alert, cause(severity=Severity.CRITICAL), later) for _ in range(9))
        )
        assert set(again) == {first}
        await main.write(raise_alert, cause(severity=Severity.INFO, message="still"), later)
        (alert,) = await list_alerts(main, WHO)
        assert (alert.times, alert.severity) == (11, Severity.CRITICAL)
        assert (alert.raised_at, alert.last_raised_at) == (MORNING, later)
        assert alert.message == "still"
        assert await main.read(count_open, fresh=True) == {"critical": 1}
        (raised,) = await recent(main, WHO, entity_type="alert")  # once, however often it is said
        assert (raised.action, raised.details) == ("raise", cause().message)
        assert raised.new_value == {"severity": "warning", "source": "tokens"}
        assert await main.write(raise_alert, cause(topic=None), MORNING) != await main.write(
            raise_alert, cause(topic=None), MORNING
        )

    live_in(home, story)


def test_who_takes_it_on_is_remembered_and_a_new_one_may_open(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        first = await main.write(raise_alert, cause(), MORNING)
        taken = await main.write(acknowledge, WHO, first, MORNING)
        assert (taken.acknowledged_by, taken.is_open) == ("bahi:test", False)
        again = await main.write(acknowledge, the_house("other"), first, MORNING)
        assert again.acknowledged_by == "bahi:test"
        trail = await recent(main, WHO, entity_type="alert")
        assert [(it.action, it.actor, it.entity_id) for it in trail] == [
            ("acknowledge", "bahi:test", str(first)),
            ("raise", "bahi:alerts", str(first)),
        ]
        second = await main.write(raise_alert, cause(), MORNING)
        assert second != first
        assert await main.write(resolve, "token:1", MORNING)
        assert not await main.write(resolve, "token:1", MORNING)
        assert await main.read(find_open, "token:1", fresh=True) is None
        (resolved,) = await recent(main, WHO, entity_type="alert", action="resolve")
        assert (resolved.actor, resolved.entity_id) == ("bahi:alerts", str(second))
        with pytest.raises(NoAlert):
            await main.write(acknowledge, WHO, 12345, MORNING)

    live_in(home, story)


def test_open_ones_come_first_and_pages_follow_each_other(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        ids = [await main.write(raise_alert, cause(topic=f"t{n}"), MORNING) for n in range(6)]
        for closed in (ids[5], ids[2]):
            await main.write(acknowledge, WHO, closed, MORNING)
        seen: list[Alert] = []
        while page := await list_alerts(main, WHO, limit=2, after=seen[-1] if seen else None):
            seen += page
        wanted = [ids[4], ids[3], ids[1], ids[0], ids[5], ids[2]]
        assert [it.id for it in seen] == wanted
        assert [it.id for it in await list_alerts(main, WHO, only_open=True)] == wanted[:4]
        assert [it.id for it in await list_alerts(main, WHO, only_open=False)] == wanted[4:]
        with pytest.raises(Invalid):
            await list_alerts(main, WHO, limit=0)

    live_in(home, story)


def test_everybody_sees_and_takes_on_what_is_theirs(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        mine = await main.write(raise_alert, cause(user_id=7), MORNING)
        theirs = await main.write(raise_alert, cause(topic="other", user_id=8), MORNING)
        assert [it.id for it in await list_alerts(main, SOMEBODY)] == [mine]
        with pytest.raises(NoAlert):
            await main.write(acknowledge, SOMEBODY, theirs, MORNING)
        assert not (await main.write(acknowledge, SOMEBODY, mine, MORNING)).is_open
        with pytest.raises(Forbidden):
            await main.write(acknowledge, Actor(name="v", user_id=7), mine, MORNING)
        with pytest.raises(Forbidden):
            await list_alerts(main, Actor(name="nobody"))

    live_in(home, story)


def test_an_alert_says_no_secret_and_names_its_account(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        wish = cause(
            message=f"refused: access_token={CANARY}",
            details={"pin": CANARY, "tries": 3},
            account_id=99,
        )
        await main.write(raise_alert, wish, MORNING)
        (alert,) = await list_alerts(main, WHO)
        assert CANARY not in repr(alert)
        assert alert.details == {"pin": "***", "tries": 3, "account_id": "99"}
        with pytest.raises(Invalid):
            await main.write(raise_alert, cause(message=" "), MORNING)

    live_in(home, story)
