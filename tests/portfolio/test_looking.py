"""What an account has, to look at: its ledger in pages that add up, and what it holds."""

from __future__ import annotations

from datetime import datetime, timedelta

from bahi.bootstrap import House
from bahi.kernel.clock import exchange_day
from bahi.kernel.words import Product, Segment
from bahi.orders.service.placing import place_or_find, place_order
from bahi.portfolio.service.books import page_of
from bahi.portfolio.service.looking import every_position, holdings_of, ledger_of, trades_in
from tests.living import live_in
from tests.orders.desks import OPEN, limit, paper_desk


def test_the_ledger_in_pages_is_the_cash_and_what_is_bought_is_held(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        for _ in range(2):
            await place_order(desk, limit(desk, quantity=3, product=Product.CNC))
        lines, before = [], None
        while page := await desk.store.read(ledger_of, desk.account_id, before, 2, fresh=True):
            lines += page
            before = page[-1].id
        book = await desk.store.read(page_of, desk.account_id, fresh=True)
        assert sum(it.amount for it in lines) == book.cash == lines[0].balance
        assert [it.id for it in lines] == sorted({it.id for it in lines}, reverse=True)
        (held,) = await desk.store.read(holdings_of, desk.account_id, fresh=True)
        (position,) = await desk.store.read(every_position, desk.account_id, fresh=True)
        assert (held.symbol, held.total, held.coming, held.delivered) == ("SBIN", 6, 6, 0)
        assert held.cost == position.open_cost
        assert held.mtf.total == 0
        assert lines[0].day == exchange_day(house.clock())

    live_in({**home, **OPEN}, story)


def test_the_newest_trades_in_one_instrument_are_told_oldest_first(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        begins = house.clock()
        made = [(await place_order(desk, limit(desk, quantity=n))).id for n in (1, 2, 3)]
        since = house.clock()

        async def told(
            symbol: str = "SBIN", at_most: int = 9, after: datetime = begins
        ) -> list[int]:
            listed = (Segment.NSE_EQ, symbol)
            asked = (desk.account_id, listed, after, at_most)
            found = await desk.store.read(trades_in, *asked, fresh=True)
            return list(dict.fromkeys(it.order_id for it in found if it.order_id is not None))

        assert await told() == made
        assert (await told(at_most=1)) == made[-1:]
        assert await told("INFY") == []
        assert await told(after=since + timedelta(days=1)) == []

    live_in({**home, **OPEN}, story)


def test_one_name_is_new_once(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        wish = limit(desk, name="once")
        first, again = await place_or_find(desk, wish), await place_or_find(desk, wish)
        assert (first.is_new, again.is_new) == (True, False)
        assert first.order == again.order

    live_in({**home, **OPEN}, story)
