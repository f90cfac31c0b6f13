"""A day's end is signed by a person, once for what it is, and never changed after."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bahi.audit.service import day_ends, recent
from bahi.bootstrap import House
from bahi.bootstrap.day_end import require_over, sign
from bahi.bootstrap.session_facts import Due, Facts
from bahi.bootstrap.session_lists import facts_of
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Conflict, Forbidden, Invalid
from bahi.kernel.words import KeyScope, Role
from bahi.orders.service.placing import place_order
from tests.living import live_in, stopped
from tests.orders.desks import NOON, OPEN, limit, paper_desk
from tests.test_session_lists import NOTHING_KNOWN

ASHA = Actor(name="asha", user_id=1, role=Role.ADMIN)
RAVI = Actor(name="ravi", user_id=2, role=Role.TRADER)
TODAY = exchange_day(NOON)
DAY = timedelta(days=1)


def test_only_a_day_that_is_over_can_be_signed() -> None:
    between: Facts = NOTHING_KNOWN
    with pytest.raises(Conflict, match="is not over"):
        require_over(TODAY, between)
    with pytest.raises(Conflict, match="has not begun"):
        require_over(TODAY + DAY, between)
    with pytest.raises(Conflict, match="more than 7 days"):
        require_over(TODAY - 8 * DAY, between)
    require_over(TODAY - DAY, between)
    require_over(TODAY, replace(between, due=Due.CLOSING))


def test_a_day_is_signed_once_and_again_when_something_changed(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        yesterday, main = TODAY - DAY, house.stores["main"]
        first = await sign(house, ASHA, yesterday, "All calm. ")
        assert (first.note, first.actor, first.day) == ("All calm.", "asha", yesterday)
        with pytest.raises(Conflict, match="nothing has changed since"):
            await sign(house, ASHA, yesterday, "All calm.")
        await place_order(desk, limit(desk))  # an intraday position is left
        second = await sign(house, ASHA, yesterday, "All calm.")
        left = {it.name: it for it in second.findings}["intraday left"]
        assert (left.state, left.symbols) == ("NEEDS_A_PERSON", ("SBIN",))
        assert left.accounts == (desk.account_id,)
        third = await sign(house, ASHA, yesterday, "I know of it.")
        assert await main.read(day_ends, ASHA, fresh=True) == [third, second, first]
        await sign(house, RAVI, yesterday)
        (his,) = await main.read(day_ends, RAVI, fresh=True)
        assert his.user_id == RAVI.user_id
        rows = await recent(main, ASHA, entity_type="day_end")
        assert [it.action for it in rows] == ["sign"] * 4

        def a_page(tx: Tx) -> list[int]:
            page = day_ends(tx, ASHA, day=yesterday, before=third.id, limit=1)
            return [it.id for it in page]

        assert await main.read(a_page, fresh=True) == [second.id]
        facts = await facts_of(house, ASHA)
        with pytest.raises(Conflict, match="is not over"):
            await sign(house, ASHA, facts.day)
        with pytest.raises(Invalid, match="note"):
            await sign(house, ASHA, yesterday, "x" * 1_001)
        with pytest.raises(Forbidden):
            await sign(house, replace(ASHA, key_id=7, scope=KeyScope.TRADE), yesterday)
        with pytest.raises(Forbidden):
            await sign(house, replace(ASHA, role=Role.VIEWER), yesterday)

    live_in(home | OPEN, story, stopped(NOON))
