"""Trades of an old year leave for the archive, and nothing that they came to changes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.db.stores import Store
from bahi.db.tx import Row, Tx
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Conflict, Unavailable
from bahi.kernel.money import parse_money
from bahi.kernel.words import Side
from bahi.portfolio.model.lots import Term
from bahi.portfolio.model.position import Position
from bahi.portfolio.repository.position import of_account
from bahi.portfolio.service.archiving import Move, archive_trades, count_old_trades
from bahi.portfolio.service.as_of import positions_as_of, trades_as_of
from bahi.portfolio.service.notes import Day, settle_day
from bahi.portfolio.service.reports import Period, closed_lots, gains
from bahi.portfolio.service.verifying import verify
from bahi.portfolio.tables import position_adjustments, trades
from tests.portfolio.books import ACCOUNT, ACTOR, HELD, KITE, MONDAY, Desk, at_a_desk
from tests.portfolio.stories import DEEDS, THINGS

YEAR = timedelta(days=380)


def a_move(desk: Desk, **more: Any) -> Move:
    """Return a move of all that is older than a year by now."""
    before = exchange_day(desk.clock()) - timedelta(days=366)
    archive = desk.house.stores["archive"]
    return Move(store=desk.store, archive=archive, before=before, clock=desk.clock, **more)


def counted(tx: Tx) -> int:
    row = tx.row(sa.select(sa.func.count()).select_from(trades))
    return int(row[0]) if row else 0


async def kept(desk: Desk) -> tuple[int, int]:
    """Return how many trades there are here, and in the archive."""
    archive = desk.house.stores["archive"]
    return (
        await desk.store.read(counted, fresh=True),
        await archive.read(counted, fresh=True),
    )


async def standing(desk: Desk) -> list[Position]:
    return await desk.store.read(of_account, ACCOUNT, fresh=True)


async def is_right(store: Store) -> None:
    assert [it async for it in verify(store)] == []


def openings(tx: Tx) -> list[Row]:
    it = position_adjustments.c
    clause = sa.select(it.symbol, it.product, it.quantity).where(it.carried.is_not(None))
    return [tuple(row) for row in tx.rows(clause.order_by(it.product))]


def test_what_was_opened_in_the_old_year_closes_in_the_new_one(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(10, "800", key=HELD)
        await desk.buys(4, "810", key=HELD, order=2)
        await desk.buys(7, "805", order=3)
        await desk.sells(7, "806", order=4)
        desk.clock.advance(YEAR)
        await desk.buys(3, "900", key=HELD, order=5)
        move, before = a_move(desk), await standing(desk)
        assert await count_old_trades(move) == 4
        assert await archive_trades(ACTOR, move) == 4
        assert await kept(desk) == (1, 4)
        assert await standing(desk) == before
        assert await desk.store.read(openings, fresh=True) == [
            ("SBIN", "CNC", 14),
            ("SBIN", "INTRADAY", 0),
        ]
        await is_right(desk.store)
        assert await archive_trades(ACTOR, move) == 0

        await desk.sells(12, "1000", key=HELD, order=6)
        today = exchange_day(desk.clock())
        year = Period(today - timedelta(days=30), today)
        lots = await closed_lots(desk.store, ACCOUNT, year)
        assert [(it.match.term, it.match.opened, it.match.quantity) for it in lots] == [
            (Term.SPECULATIVE, today, 3),
            (Term.LONG_TERM, MONDAY, 9),
        ]
        assert [it.match.gain for it in lots] == [parse_money("300"), parse_money("1800")]
        position = await desk.position(HELD)
        assert position.net == 5
        found = await gains(desk.store, ACCOUNT, year)
        assert sum(it.gross for it in found) == position.realized
        await is_right(desk.store)
        await desk.page()

    at_a_desk(home, story)


class Killed(Exception):
    """The process is no more."""


def test_killed_between_copy_and_removal_it_goes_on(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(10, "800", key=HELD)
        await desk.sells(2, "810", key=HELD, order=2)
        desk.clock.advance(YEAR)

        def die(_copied: int) -> None:
            raise Killed

        with pytest.raises(Killed):
            await archive_trades(ACTOR, a_move(desk, tell=die))
        assert await kept(desk) == (2, 2)
        await is_right(desk.store)
        assert await archive_trades(ACTOR, a_move(desk)) == 2
        assert await kept(desk) == (0, 2)
        await is_right(desk.store)

    at_a_desk(home, story)


def test_trades_wait_for_their_orders(sqlite_home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(10, "800")
        desk.clock.advance(YEAR)

        def is_here(_tx: Tx, account_id: int, ids: Any) -> bool:
            return (account_id, set(ids)) == (ACCOUNT, {1})

        assert await archive_trades(ACTOR, a_move(desk, still_here=is_here)) == 0
        assert (await kept(desk))[0] == 1

    at_a_desk(sqlite_home, story)


def test_a_trade_that_was_told_a_year_late_is_in_the_books_all_the_same(
    home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        then = desk.clock()
        await desk.buys(10, "800")
        desk.clock.advance(YEAR)
        await archive_trades(ACTOR, a_move(desk))
        await desk.sells(4, "820", order=2, at=then - timedelta(minutes=5))
        assert (await desk.position()).net == 6
        await is_right(desk.store)
        desk.clock.advance(timedelta(days=2))
        assert await archive_trades(ACTOR, a_move(desk)) == 1
        assert await kept(desk) == (0, 2)
        assert (await desk.position()).net == 6
        await is_right(desk.store)

    at_a_desk(home, story)


def test_old_days_are_told_with_the_archive_and_refused_without(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        begins = desk.clock()
        await desk.buys(10, "800")
        await desk.sells(10, "802", order=2)
        await desk.store.write(settle_day, ACTOR, Day(ACCOUNT, MONDAY, {}), KITE, desk.clock())
        over = Period(MONDAY, MONDAY)
        told = await gains(desk.store, ACCOUNT, over)
        lots = await closed_lots(desk.store, ACCOUNT, over)
        then = await desk.store.read(positions_as_of, ACCOUNT, begins, fresh=True)
        page = await desk.page()
        desk.clock.advance(YEAR)
        await archive_trades(ACTOR, a_move(desk))
        with pytest.raises(Unavailable, match="archive"):
            await gains(desk.store, ACCOUNT, over)
        archive = desk.house.stores["archive"]
        assert await gains(desk.store, ACCOUNT, over, archive=archive) == told
        assert await closed_lots(desk.store, ACCOUNT, over, archive=archive) == lots
        assert await desk.store.read(positions_as_of, ACCOUNT, begins, fresh=True) == then
        traded = await archive.read(trades_as_of, ACCOUNT, begins, fresh=True)
        assert len(traded.trades) == 2
        await desk.store.write(settle_day, ACTOR, Day(ACCOUNT, MONDAY, {}), KITE, desk.clock())
        assert (await desk.page()).cash == page.cash  # a day of the archive was settled long ago

        known = begins + YEAR / 2
        await desk.buys(5, "900", order=3)
        assert await desk.store.read(positions_as_of, ACCOUNT, known, fresh=True) == then
        with pytest.raises(Unavailable, match="archive"):
            await desk.store.read(
                positions_as_of, ACCOUNT, begins - timedelta(seconds=1), fresh=True
            )

    at_a_desk(home, story)


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happened_an_archive_changes_no_figure(
    home: dict[str, str], seed: int, rounds: Callable[[int], int]
) -> None:
    """Two accounts of one story could not differ; here one story is told before and after."""

    async def story(desk: Desk) -> None:
        random = Random(seed)
        first = exchange_day(desk.clock())
        for _ in range(rounds(40)):
            desk.clock.advance(timedelta(days=random.choice([0, 0, 1, 40]), minutes=31))
            with suppress(Conflict):
                await random.choice(DEEDS)(desk, random)
        archive = desk.house.stores["archive"]
        last = exchange_day(desk.clock())
        middle = first + (last - first) / 2
        whole, later = Period(first, last), Period(middle, last)
        before = await standing(desk)
        told = {it: await _told(desk.store, it) for it in (whole, later)}
        move = replace(a_move(desk), before=middle)
        assert await archive_trades(ACTOR, move) > 0
        assert await standing(desk) == before
        await is_right(desk.store)
        assert await _told(desk.store, later) == told[later]
        assert await _told(desk.store, whole, archive) == told[whole]
        for _ in range(10):
            desk.clock.advance(timedelta(minutes=31))
            with suppress(Conflict):
                await random.choice(DEEDS)(desk, random)
        await is_right(desk.store)
        move = replace(move, before=last)
        await archive_trades(ACTOR, move)
        await is_right(desk.store)
        for key, contract in THINGS:
            if net := (await desk.position(key)).net:
                side = Side.SELL if net > 0 else Side.BUY
                await desk.deals(side, abs(net), "777.7", key=key, contract=contract, order=99)
        await is_right(desk.store)
        await desk.page()

    at_a_desk(home, story)


async def _told(store: Store, over: Period, archive: Store | None = None) -> tuple[Any, Any]:
    return (
        sorted(map(repr, await gains(store, ACCOUNT, over, archive=archive))),
        sorted(map(repr, await closed_lots(store, ACCOUNT, over, archive=archive))),
    )
