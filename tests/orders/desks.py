"""A desk to stand at: a paper account of one crore in a house whose market never closes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bahi.accounts.service.accounts import list_accounts
from bahi.bootstrap import House
from bahi.bootstrap.pages import opening_of
from bahi.kernel.actor import the_house
from bahi.kernel.clock import StoppedClock
from bahi.kernel.money import Price, down_to_tick, up_to_tick
from bahi.kernel.words import OrderType, Product, Segment, Side
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.desk import Desk
from bahi.risk.model.limits import NO_LIMITS
from bahi.risk.service.switching import open_account
from tests.living import live_in, stopped

ACTOR = the_house("test")
NOON = datetime(2036, 11, 24, 6, 30, tzinfo=UTC)
OPEN = {"BAHI_MARKET": "simulated", "BAHI_MARKET_ALWAYS_OPEN": "yes"}

AtNoon = Callable[[House, Desk, StoppedClock], Awaitable[None]]
"""A story at a paper desk, with the clock of its house."""


def at_noon(home: dict[str, str], story: AtNoon) -> None:
    """Tell a story in a house whose clock stands at noon, and goes when the story has it go."""
    clock = stopped(NOON)

    async def whole(house: House) -> None:
        await story(house, await paper_desk(house), clock)

    live_in(home | OPEN, whole, clock)


async def paper_desk(house: House) -> Desk:
    """Return the desk of the account that every house begins with; no limit binds it."""
    main = house.stores["main"]
    if not (accounts := await main.read(list_accounts, ACTOR, fresh=True)):
        await house.furnish()
        accounts = await main.read(list_accounts, ACTOR, fresh=True)
    account = accounts[0]
    begins = (opening_of(account), NO_LIMITS, house.clock())
    await house.stores["sandbox"].write(open_account, *begins, account=account.id)
    return await house.desk(ACTOR, account.id)


def crossing(desk: Desk, side: Side, symbol: str = "SBIN") -> Price:
    """Return a limit that reaches well into the other side of the book."""
    seen = desk.look(Segment.NSE_EQ, symbol)
    assert seen.price is not None
    tick = seen.instrument.tick_size or Price(1)
    if side is Side.BUY:
        return down_to_tick(Price(seen.price * 102 // 100), tick)
    return up_to_tick(Price(seen.price * 98 // 100), tick)


def away(desk: Desk, side: Side, symbol: str = "SBIN") -> Price:
    """Return a limit that nobody meets for a while."""
    return crossing(desk, Side.SELL if side is Side.BUY else Side.BUY, symbol)


def limit(
    desk: Desk,
    side: Side = Side.BUY,
    quantity: int = 10,
    *,
    price: Price | None = None,
    product: Product = Product.INTRADAY,
    name: str | None = None,
) -> PlaceOrder:
    """Return a wish for shares of a bank, at a price that meets the market."""
    return PlaceOrder(
        segment=Segment.NSE_EQ,
        symbol="SBIN",
        side=side,
        quantity=quantity,
        product=product,
        order_type=OrderType.LIMIT,
        price=crossing(desk, side) if price is None else price,
        client_order_id=name,
    )
