"""Rates as rows: what comes with Bahi, what people enter, and what the house reads of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Forbidden, Invalid, NotFound
from bahi.kernel.money import parse_money
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.rates import Basis, Charge, Deal, Kind, Rate
from bahi.portfolio.model.shipped import RELEASE, percent, shipped
from bahi.portfolio.repository import rates as rows
from bahi.portfolio.service.rates import (
    LiveRates,
    change_rate,
    enter_rate,
    furnish_rates,
    list_rates,
    remove_rate,
)
from tests.living import live_in, stopped
from tests.portfolio.books import ACTOR, MONDAY, NOON

STT = Rate(
    charge=Charge.STT,
    basis=Basis.TURNOVER,
    kind=Kind.FUTURE,
    side=Side.SELL,
    rate=percent("0.06"),
    valid_from=date(2036, 4, 1),
    source="the budget of 2036",
)
SOLD = Deal(MONDAY, Segment.NSE_FNO, Kind.FUTURE, Product.MARGIN, Side.SELL)


class Always:
    """Numbers that nobody has looked at: each reader goes to the database."""

    def number(self, topic: str) -> int | None:
        return None


def in_a_house(home: dict[str, str], story: Any) -> None:
    async def whole(house: House) -> None:
        await furnish_rates(house.stores["main"], NOON)
        await story(house.stores["main"])

    live_in(home, whole, stopped(NOON))


def test_what_comes_with_bahi_is_entered_once(home: dict[str, str]) -> None:
    async def story(main: Any) -> None:
        await asyncio.gather(*(furnish_rates(main, NOON) for _ in range(4)))
        entered = await main.read(list_rates, fresh=True)
        assert sorted(map(repr, _bare(entered))) == sorted(map(repr, _bare(shipped())))

    in_a_house(home, story)


def _bare(rates: Any) -> list[Rate]:
    return [replace(it, id=0) for it in rates]


def test_a_newer_release_corrects_bahis_rows_and_leaves_a_persons(home: dict[str, str]) -> None:
    def age(tx: Tx) -> None:
        rows.remove_shipped(tx)
        wrong = replace(STT, rate=percent("9"), release=RELEASE - 1)
        rows.add(tx, [wrong], NOON)

    async def story(main: Any) -> None:
        mine = await main.write(enter_rate, ACTOR, STT, NOON)
        await main.write(age)
        await furnish_rates(main, NOON)
        entered = await main.read(list_rates, fresh=True)
        assert len(entered) == len(shipped()) + 1
        assert [it for it in entered if not it.is_shipped] == [mine]

    in_a_house(home, story)


def test_a_persons_rate_holds_until_it_is_removed(home: dict[str, str]) -> None:
    async def story(main: Any) -> None:
        live = LiveRates(main, Always())

        async def now() -> int | None:
            found = (await live.terms("kite")).rates.find(SOLD, Charge.STT)
            assert found is not None
            return found.rate

        assert await now() == percent("0.05")
        mine = await main.write(enter_rate, ACTOR, STT, NOON)
        assert await now() == percent("0.06")
        other = replace(mine, rate=percent("0.07"))
        await main.write(change_rate, ACTOR, mine.id, other, NOON)
        assert await now() == percent("0.07")
        await main.write(remove_rate, ACTOR, mine.id, NOON)
        assert await now() == percent("0.05")

    in_a_house(home, story)


def test_rates_are_an_admins_and_bahis_own_are_not_changed(home: dict[str, str]) -> None:
    trader = Actor(name="t", user_id=5)

    async def story(main: Any) -> None:
        with pytest.raises(Forbidden):
            await main.write(enter_rate, trader, STT, NOON)
        ours = (await main.read(list_rates, fresh=True))[0]
        with pytest.raises(Forbidden, match="came with Bahi"):
            await main.write(remove_rate, ACTOR, ours.id, NOON)
        with pytest.raises(NotFound):
            await main.write(remove_rate, ACTOR, 12345, NOON)

    in_a_house(home, story)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": None},
        {"rate": -1},
        {"at_most": parse_money("-1")},
        {"valid_until": date(2036, 3, 31)},
    ],
)
def test_a_rate_that_cannot_be_is_refused(
    sqlite_home: dict[str, str], wrong: dict[str, Any]
) -> None:
    async def story(main: Any) -> None:
        with pytest.raises(Invalid):
            await main.write(enter_rate, ACTOR, replace(STT, **wrong), NOON)

    in_a_house(sqlite_home, story)


def test_the_house_reads_rates_again_only_when_they_changed(home: dict[str, str]) -> None:
    class Told:
        at = 1

        def number(self, topic: str) -> int | None:
            return self.at

    async def story(main: Any) -> None:
        told = Told()
        live = LiveRates(main, told)
        first = await live.plans()
        await main.write(enter_rate, ACTOR, STT, NOON)
        assert await live.plans() is first
        told.at = 2
        assert len((await live.plans()).rates) == len(first.rates) + 1
        with pytest.raises(Invalid, match="kite"):
            await live.terms("nobody's")

    in_a_house(home, story)
