"""The exit ladder: it reaches further until it is out, takes nothing past zero, and tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bahi.kernel.errors import BahiError
from bahi.kernel.words import EventSource, Product, Segment, Side
from bahi.orders.service.flattening import RUNGS, flatten, flatten_all
from bahi.orders.service.ingesting import Word, ingest
from bahi.orders.service.placing import place_order
from bahi.portfolio.model.position import Key
from bahi.portfolio.service.books import positions_of
from bahi.risk.service import switching
from tests.orders.brokers import REFUSED
from tests.orders.desks import ACTOR, limit
from tests.orders.stand import Stand, Story

Stage = Callable[[Story], None]
SBIN = Key(Segment.NSE_EQ, "SBIN", Product.INTRADAY)
TOPIC = "flatten:{}:NSE_EQ:SBIN:INTRADAY"


async def _hear(stand: Stand) -> None:
    for update in await stand.broker.order_book():
        word = Word(update, EventSource.WEBSOCKET)
        await stand.desk.store.write(
            ingest, stand.desk.account_id, word, stand.desk.terms, stand.clock()
        )


async def _long(stand: Stand, quantity: int = 10) -> None:
    await place_order(stand.desk, limit(stand.desk, Side.BUY, quantity))
    stand.broker.fill(stand.broker.working[0], quantity)
    await _hear(stand)


def test_each_rung_reaches_further_and_what_fills_shrinks_the_rest(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        await _long(stand)
        prices: list[int] = []

        async def market(_: float) -> None:
            (mine,) = stand.broker.working
            prices.append(mine.ticket.price or 0)
            if len(prices) == 3:
                stand.broker.fill(mine, 6)
            elif len(prices) == 2:
                stand.broker.fill(mine, 4)
            await _hear(stand)

        out = await flatten(stand.desk, SBIN, pause=market)
        assert out.left == 0
        assert prices == sorted(prices, reverse=True)
        assert len(set(prices)) == 3
        await stand.balanced()

    at_a_stand(story)


def test_what_is_above_the_freeze_moves_down_the_ladder_in_slices(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        await _long(stand, 25)
        seen = stand.desk.look(SBIN.segment, SBIN.symbol)
        freezing = replace(seen, instrument=replace(seen.instrument, freeze_qty=10))
        desk = replace(stand.desk, look=lambda _segment, _symbol: freezing)
        rungs: list[set[int]] = []

        async def market(_: float) -> None:
            working = stand.broker.working
            assert sum(it.ticket.quantity - it.filled for it in working) == 25 - 10 * len(rungs)
            rungs.append({it.ticket.price or 0 for it in working})
            if len(rungs) < 3:
                stand.broker.fill(working[0], 10)
            else:
                stand.broker.fill(working[0], 5)
            await _hear(stand)

        out = await flatten(desk, SBIN, pause=market)
        assert out.left == 0
        assert all(len(prices) == 1 for prices in rungs)
        assert len(set.union(*rungs)) == 3
        await stand.balanced()

    at_a_stand(story)


def test_it_passes_every_switch_and_never_goes_past_zero(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        await _long(stand)
        await place_order(stand.desk, limit(stand.desk, Side.SELL, 10))
        whom = switching.Whom(scope=switching.Scope.GLOBAL)
        await switching.engage([stand.desk.store], ACTOR, whom, "out", stand.clock())

        async def market(_: float) -> None:
            for it in stand.broker.working:
                stand.broker.fill(it, it.ticket.quantity - it.filled)
            await _hear(stand)

        (out,) = await flatten_all(stand.desk, pause=market)
        assert (out.left, out.fault) == (0, None)
        assert await stand.desk.store.read(positions_of, stand.desk.account_id, fresh=True) == []
        await stand.balanced()

    at_a_stand(story)


def test_where_the_ladder_ends_somebody_is_told_until_it_is_closed(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        await _long(stand)
        rests = 0

        async def nobody(_: float) -> None:
            nonlocal rests
            rests += 1
            stand.broker.next.append(REFUSED)

        out = await flatten(stand.desk, SBIN, pause=nobody)
        assert (out.left, rests) == (10, len(RUNGS))
        assert out.fault is not None
        topic = TOPIC.format(stand.desk.account_id)
        assert await stand.alert(topic)
        stand.broker.next.clear()

        async def market(_: float) -> None:
            for it in stand.broker.working:
                stand.broker.fill(it, 10)
            await _hear(stand)

        assert (await flatten(stand.desk, SBIN, pause=market)).left == 0
        assert not await stand.alert(topic)

    at_a_stand(story)


def test_a_flat_account_needs_nothing(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        async def never(_: float) -> None:
            raise BahiError("nothing was to be waited for")

        assert await flatten_all(stand.desk, pause=never) == []
        assert (await flatten(stand.desk, SBIN, pause=never)).left == 0
        assert not stand.broker.orders

    at_a_stand(story)
