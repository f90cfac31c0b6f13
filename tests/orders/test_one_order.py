"""One LIMIT order, from the intent through the paper exchange to the position and out again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.kernel.errors import Invalid
from bahi.kernel.money import Price
from bahi.kernel.words import OrderStatus, Product, Segment, Side
from bahi.orders.model.order import APPROVAL, FIELDS
from bahi.orders.repository.order import events_of, find, fold
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import place_order
from bahi.portfolio.model.position import Key, fold_all
from bahi.portfolio.repository.book import read as read_book
from bahi.portfolio.repository.book import sums
from bahi.portfolio.repository.position import facts_of
from bahi.portfolio.repository.position import find as find_position
from bahi.settings.model import Wish
from bahi.settings.service import set_config
from tests.living import live_in, stopped
from tests.orders.desks import ACTOR, OPEN, away, crossing, limit, paper_desk

NOON = datetime(2036, 11, 24, 6, 30, tzinfo=UTC)
SBIN = Key(Segment.NSE_EQ, "SBIN", Product.INTRADAY)


@pytest.fixture
def market(home: dict[str, str]) -> dict[str, str]:
    return home | OPEN


def _charged(tx: Tx) -> int:
    row = tx.row(sa.text("SELECT sum(total_charges) FROM trades"))
    assert row is not None
    return int(row[0])


async def _assert_balanced(desk: Desk) -> None:
    """I4 and I5, for one account and one position."""
    book = await desk.store.read(read_book, desk.account_id, fresh=True)
    assert book is not None
    assert (book.cash, book.margin_used) == await desk.store.read(sums, desk.account_id, fresh=True)
    position = await desk.store.read(find_position, desk.account_id, SBIN, fresh=True)
    facts = await desk.store.read(facts_of, desk.account_id, SBIN, fresh=True)
    if position is None:
        assert not facts
        return
    refolded = fold_all(SBIN, facts, position.instrument_id)
    assert position.net == sum(it.signed for it in facts)
    assert (position.open_cost, position.realized) == (refolded.open_cost, refolded.realized)


def test_a_limit_order_fills_becomes_a_position_and_is_squared_off(market: dict[str, str]) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        bought = await place_order(desk, limit(desk, Side.BUY, 10))
        assert (bought.status, bought.filled) == (OrderStatus.EXECUTED, 10)
        assert bought.average_price is not None
        assert bought.average_price <= crossing(desk, Side.BUY)
        held = await desk.store.read(find_position, desk.account_id, SBIN, fresh=True)
        assert held is not None
        assert (held.net, held.open_cost) == (10, bought.traded_value)
        await _assert_balanced(desk)

        sold = await place_order(desk, limit(desk, Side.SELL, 10))
        assert sold.is_exit
        assert (sold.status, sold.filled) == (OrderStatus.EXECUTED, 10)
        flat = await desk.store.read(find_position, desk.account_id, SBIN, fresh=True)
        book = await desk.store.read(read_book, desk.account_id, fresh=True)
        assert flat is not None
        assert book is not None
        assert (flat.net, flat.open_cost, flat.margin) == (0, 0, 0)
        assert flat.realized == sold.traded_value - bought.traded_value
        charged = await desk.store.read(_charged, fresh=True)
        assert charged > 0
        assert book.cash == 1_00_00_000_0000 + flat.realized - charged
        assert (book.margin_used, book.open_orders) == (0, 0)
        await _assert_balanced(desk)

    live_in(market, story, clock)


def test_an_order_is_the_fold_of_its_events(market: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        order = await place_order(desk, limit(desk))
        kept = await desk.store.read(find, order.id, fresh=True)
        folded = fold(await desk.store.read(events_of, order.id, fresh=True))
        assert kept is not None
        assert {name: getattr(kept, name) for name in FIELDS} == {
            name: getattr(folded, name) for name in FIELDS
        }
        assert kept == order

    live_in(market, story, stopped(NOON))


def test_the_same_name_is_one_order_and_one_call(market: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        wishes = [limit(desk, name="mine") for _ in range(20)]
        placed = await asyncio.gather(*(place_order(desk, it) for it in wishes))
        assert len({it.id for it in placed}) == 1
        assert len(await desk.broker.order_book()) == 1
        again = await place_order(desk, limit(desk, quantity=7, name="mine"))
        assert (again.id, again.quantity) == (placed[0].id, 10)

    live_in(market, story, stopped(NOON))


def test_a_limit_away_from_the_market_rests_and_blocks_its_margin(market: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        price = away(desk, Side.BUY)
        resting = await place_order(desk, limit(desk, price=price))
        assert (resting.status, resting.filled) == (OrderStatus.OPEN, 0)
        blocked = resting.margin
        assert blocked == -(-price * 10 * 20 // 100)
        filled = await place_order(desk, limit(desk, Side.BUY, 5))
        assert filled.status is OrderStatus.EXECUTED
        book = await desk.store.read(read_book, desk.account_id, fresh=True)
        held = await desk.store.read(find_position, desk.account_id, SBIN, fresh=True)
        assert book is not None
        assert held is not None
        assert book.margin_used == blocked + held.margin
        assert book.open_orders == 1
        await _assert_balanced(desk)

    live_in(market, story, stopped(NOON))


def test_what_one_order_took_is_not_there_for_the_next(market: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        one = await place_order(desk, limit(desk, quantity=40_000, price=_touch(desk)))
        assert one.status is OrderStatus.PARTIAL
        assert one.filled > 0
        two = await place_order(desk, limit(desk, quantity=10, price=_touch(desk)))
        assert (two.status, two.filled) == (OrderStatus.OPEN, 0)
        await _assert_balanced(desk)

    def _touch(desk: Desk) -> Price:
        return Price(crossing(desk, Side.BUY))

    live_in(market, story, stopped(NOON))


def test_many_at_once_keep_the_book_in_balance(market: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        wishes = [
            limit(desk, side, size, price=at(desk, side))
            for size in range(1, 9)
            for side in Side
            for at in (crossing, away)
        ]
        placed = await asyncio.gather(*(place_order(desk, it) for it in wishes))
        working = [it for it in placed if it.is_active]
        held = await desk.store.read(find_position, desk.account_id, SBIN, fresh=True)
        book = await desk.store.read(read_book, desk.account_id, fresh=True)
        assert held is not None
        assert book is not None
        signs = {Side.BUY: 1, Side.SELL: -1}
        assert held.net == sum(signs[it.side] * it.filled for it in placed)
        assert book.margin_used == sum(it.margin for it in working) + held.margin
        assert book.open_orders == len(working)
        journal = {it.tag: it for it in await desk.broker.order_book()}
        assert {it.tag: it.filled for it in placed} == {
            tag: it.filled_quantity for tag, it in journal.items()
        }
        await _assert_balanced(desk)

    live_in(market, story, stopped(NOON))


def test_more_than_the_account_can_pay_is_refused_and_written_down(market: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        refused = await place_order(
            desk, limit(desk, quantity=1_000_000, product=Product.CNC, price=away(desk, Side.BUY))
        )
        assert (refused.status, refused.error_code) == (OrderStatus.REJECTED, "MARGIN")
        assert "are free" in (refused.error_message or "")
        assert await desk.broker.order_book() == ()
        book = await desk.store.read(read_book, desk.account_id, fresh=True)
        assert book is not None
        assert (book.margin_used, book.orders_today, book.open_orders) == (0, 0, 0)

    live_in(market, story, stopped(NOON))


def test_shares_that_are_not_there_are_not_delivered(market: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        refused = await place_order(desk, limit(desk, Side.SELL, 1, product=Product.CNC))
        assert (refused.status, refused.error_code) == (OrderStatus.REJECTED, "NOT_ALLOWED")

    live_in(market, story, stopped(NOON))


@pytest.mark.parametrize("strategy", ["Alpha", "alpha ", " ALPHA"])
def test_a_held_strategy_waits_for_a_person_however_it_is_spelt(
    market: dict[str, str], strategy: str
) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        account_id = (await paper_desk(house)).account_id
        held = Wish(category="orders", key="approved_strategies", value="beta, alphA ")
        await house.stores["main"].write(set_config, house.vault, ACTOR, held, clock())
        desk = await house.desk(ACTOR, account_id)
        waiting = await place_order(desk, replace(limit(desk), strategy=strategy))
        assert (waiting.status, waiting.waits_for) == (OrderStatus.PENDING, APPROVAL)
        for other in (None, "alphabet"):
            sent = await place_order(desk, replace(limit(desk), strategy=other))
            assert sent.waits_for is None

    live_in(market, story, clock)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"price": Price(1)}, "is not on the tick"), ({"quantity": 0}, "is not above zero")],
)
def test_a_wish_that_no_exchange_could_take_is_refused_by_name(
    market: dict[str, str], wrong: dict[str, Any], said: str
) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        with pytest.raises(Invalid, match=said):
            await place_order(desk, replace(limit(desk), **wrong))

    live_in(market, story, stopped(NOON))
