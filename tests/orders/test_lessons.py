"""What other systems got wrong, each by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bahi.kernel.money import Price, down_to_tick
from bahi.kernel.words import OptionType, OrderStatus, Product, Segment, Side
from bahi.orders.model.order import Order
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.placing import place_order
from bahi.portfolio.repository.book import read as read_book
from bahi.portfolio.repository.position import of_account
from tests.orders.desks import away, limit
from tests.orders.stand import Stand, Story

Stage = Callable[[Story], None]


async def _used(stand: Stand) -> int:
    book = await stand.desk.store.read(read_book, stand.desk.account_id, fresh=True)
    assert book is not None
    return book.margin_used


async def _filled(stand: Stand, wish: PlaceOrder, quantity: int) -> Order:
    """Place an order, and have some of it filled and told."""
    order = await place_order(stand.desk, wish)
    placed = stand.broker.orders[order.broker_order_id or ""]
    stand.broker.fill(placed, quantity)
    return await stand.hear(placed)


def test_a_resting_limits_margin_survives_an_unrelated_fill(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        desk = stand.desk
        resting = await place_order(desk, limit(desk, price=away(desk, Side.BUY)))
        blocked = resting.margin
        assert await _used(stand) == blocked > 0
        await _filled(stand, replace(limit(desk), product=Product.CNC), 10)
        await _filled(stand, limit(desk, quantity=6), 4)  # the same share, half of it
        held = await desk.store.read(of_account, desk.account_id, fresh=True)
        known = await stand.known(resting)
        assert (known.status, known.margin) == (OrderStatus.OPEN, blocked)
        (half,) = [it for it in await stand.balanced() if it.quantity == 6]
        assert await _used(stand) == blocked + half.margin + sum(it.margin for it in held)

    at_a_stand(story)


def test_a_written_option_blocks_its_margin(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        desk = stand.desk
        catalogue = await stand.house.instruments.catalogue()
        segment = Segment.NSE_FNO
        symbol = next(
            it.symbol for it in catalogue if it.segment == segment and it.symbol.endswith("CE")
        )
        seen = desk.look(segment, symbol)
        option = seen.instrument
        assert seen.price is not None
        assert option.option_type is OptionType.CE
        assert option.strike is not None
        wish = PlaceOrder(
            segment=option.segment,
            symbol=option.symbol,
            side=Side.SELL,
            quantity=option.lot_size,
            product=Product.MARGIN,
            price=down_to_tick(seen.price, option.tick_size or Price(1)),
        )
        premium = (wish.price or 0) * wish.quantity
        order = await place_order(desk, wish)
        assert order.margin > premium
        assert await _used(stand) == order.margin
        await _filled_whole(stand, order)
        (held,) = await desk.store.read(of_account, desk.account_id, fresh=True)
        assert held.net == -option.lot_size
        assert await _used(stand) == held.margin > premium
        back = await _filled(stand, replace(wish, side=Side.BUY), option.lot_size)
        assert back.is_exit
        assert await _used(stand) == 0
        await stand.balanced()

    at_a_stand(story)


async def _filled_whole(stand: Stand, order: Order) -> None:
    placed = stand.broker.orders[order.broker_order_id or ""]
    stand.broker.fill(placed, order.quantity)
    await stand.hear(placed)
