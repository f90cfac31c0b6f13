"""A basket before it is placed: what it needs is what placing takes, and what it makes is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bahi.bootstrap import House
from bahi.bootstrap.baskets import LEGS_AT_MOST, Part, basket_seen, trades_at
from bahi.bootstrap.chains import chain_of
from bahi.bootstrap.margins import margin_for, would_need
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.errors import Invalid
from bahi.kernel.money import Price
from bahi.kernel.words import Product, Segment, Side
from bahi.orders.service.desk import Desk
from bahi.portfolio.service.books import page_of
from tests.living import MORNING, live_in, stopped
from tests.orders.desks import ACTOR, NOON, OPEN, paper_desk

BUY, SELL = Side
Story = Callable[[House, Desk, list[Instrument]], Awaitable[None]]


@pytest.fixture
def furnished_at() -> object:
    """Have these houses furnished on the morning of their day."""
    return MORNING


@pytest.fixture
def beside_calls(home: dict[str, str]) -> Callable[[Story], None]:
    """Return what tells a story at a paper desk before the calls about the money."""

    def tell(story: Story) -> None:
        async def whole(house: House) -> None:
            desk = await paper_desk(house)
            chain = await chain_of(house, "NIFTY", Segment.NSE_FNO, around=3)
            calls = [it.call.instrument for it in chain.rungs if it.call is not None]
            await story(house, desk, calls)

        live_in(home | OPEN, whole, stopped(NOON))

    return tell


def part(it: Instrument, side: Side, lots: int = 1, price: Price | None = None) -> Part:
    return Part(instrument=it, side=side, lots=lots, price=price)


def test_several_wishes_need_what_a_basket_is_told_and_nothing_is_written(
    beside_calls: Callable[[Story], None],
) -> None:
    async def story(house: House, desk: Desk, calls: list[Instrument]) -> None:
        wishes = [
            part(calls[5], SELL).wish(Product.MARGIN),
            part(calls[3], BUY).wish(Product.MARGIN),
        ]
        before = await desk.store.read(page_of, desk.account_id, fresh=True)
        looked = await would_need(desk, *wishes)
        assert await desk.store.read(page_of, desk.account_id, fresh=True) == before
        assert looked == await margin_for(house, ACTOR, desk.account_id, wishes)
        assert looked.benefit > 0
        assert looked.each[1].premium > 0  # answered in the order that was asked
        assert looked.each[0].premium == 0

    beside_calls(story)


def test_a_spread_is_drawn_with_what_its_legs_would_trade_at(
    beside_calls: Callable[[Story], None],
) -> None:
    async def story(house: House, desk: Desk, calls: list[Instrument]) -> None:
        seen = await basket_seen(
            house, desk, [part(calls[2], BUY), part(calls[5], SELL)], Product.MARGIN
        )
        assert seen.may_go
        outlook = seen.outlook
        assert outlook is not None
        most, least = outlook.payoff.greatest_profit, outlook.payoff.greatest_loss
        assert most is not None
        assert least is not None
        bought, sold = (it.at for it in seen.parts)
        assert bought is not None
        assert sold is not None
        lot = calls[2].lot_size
        assert least == -(bought - sold) * lot
        strikes = [it.strike or 0 for it in (calls[2], calls[5])]
        assert most == (strikes[1] - strikes[0]) * lot + least
        assert outlook.now is not None
        assert least < outlook.now < most
        prices = [it.price for it in outlook.payoff.points]
        assert prices[0] < outlook.underlying.last < prices[-1]
        assert (outlook.today[0].price, outlook.today[-1].price) == (prices[0], prices[-1])

    beside_calls(story)


def test_what_is_wrong_is_a_sentence_beside_the_leg(
    beside_calls: Callable[[Story], None],
) -> None:
    async def story(house: House, desk: Desk, calls: list[Instrument]) -> None:
        it = calls[3]
        odd = await basket_seen(house, desk, [part(it, BUY, price=Price(1_003))], Product.MARGIN)
        assert "is not on the tick" in odd.parts[0].why
        assert not odd.may_go
        dear = await basket_seen(house, desk, [part(it, SELL, 20)], Product.CNC)
        assert "is for shares" in dear.parts[0].why
        none = await basket_seen(house, desk, [], Product.MARGIN)
        assert not none.may_go
        with pytest.raises(Invalid, match="legs"):
            await basket_seen(house, desk, [part(it, BUY)] * (LEGS_AT_MOST + 1), Product.MARGIN)
        with pytest.raises(Invalid, match="lots"):
            part(it, BUY, 0)
        assert trades_at(BUY, None) is None
        share = desk.look(Segment.NSE_EQ, "SBIN").instrument
        mixed = await basket_seen(house, desk, [part(it, BUY), part(share, BUY)], Product.MARGIN)
        assert mixed.outlook is None
        assert "no one price" in mixed.no_outlook

    beside_calls(story)


def test_underlyings_of_options_are_told_by_name(beside_calls: Callable[[Story], None]) -> None:
    async def story(house: House, desk: Desk, calls: list[Instrument]) -> None:
        del desk, calls
        catalogue = await house.instruments.catalogue()
        roots = catalogue.option_roots(Segment.NSE_FNO)
        assert "NIFTY" in roots
        assert roots == sorted(roots) == catalogue.option_roots("NSE_INDEX")
        assert catalogue.option_roots(Segment.NSE_CURRENCY) == []

    beside_calls(story)
