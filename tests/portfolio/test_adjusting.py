"""Conversions, the ends of contracts, what companies do, and holdings as the days pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError, Conflict, Invalid
from bahi.kernel.money import Money, Price, parse_money, parse_price
from bahi.kernel.words import InstrumentType, OptionType, Product, Segment
from bahi.portfolio.model.adjustment import Action
from bahi.portfolio.model.holding import deliverable, holding_of
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.position import Key, Position
from bahi.portfolio.service.adjusting import (
    Conversion,
    Corporate,
    Expiry,
    act,
    convert,
    settle_expiry,
)
from bahi.portfolio.service.holdings import deliverable_of, roll_holdings
from bahi.portfolio.tables import holdings
from tests.portfolio.books import (
    ACCOUNT,
    ACTOR,
    FREE,
    HELD,
    KITE,
    NOON,
    SBIN,
    SHARE,
    Desk,
    at_a_desk,
)

FUTURE = Key(Segment.NSE_FNO, "SBIN25NOV36FUT", Product.MARGIN)
CALL = Key(Segment.NSE_FNO, "SBIN25NOV36800CE", Product.MARGIN)
OF_FUTURE = Contract(False, None, InstrumentType.FUTSTK, 750)
OF_CALL = Contract(True, parse_price("800"), InstrumentType.OPTSTK, 750)


def to(product: Product, quantity: int = 10, key: Key = SBIN) -> Conversion:
    return Conversion(account_id=ACCOUNT, key=key, to=product, quantity=quantity, contract=SHARE)


def end(key: Key, contract: Contract, close: str, **more: Any) -> Expiry:
    fields: dict[str, Any] = {"option": OptionType.CE if contract.is_option else None} | more
    return Expiry(
        account_id=ACCOUNT,
        key=key,
        contract=contract,
        close=parse_price(close),
        reason=f"{key.symbol} settled at {close}",
        **fields,
    )


def held(tx: Tx) -> tuple[int, int, int]:
    it = holdings.c
    row = tx.row(sa.select(it.total_qty, it.dp_qty, it.t1_qty).where(it.symbol == "SBIN"))
    assert row is not None
    return row[0], row[1], row[2]


def test_a_conversion_moves_quantity_and_cost_and_gains_nothing(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await desk.buys(7, "800.05")
        await desk.buys(8, "801.10")
        cost = (await desk.position()).open_cost
        await desk.store.write(convert, ACTOR, to(Product.CNC, 11), FREE, desk.clock())
        left, moved = await desk.position(), await desk.position(HELD)
        assert (left.net, moved.net) == (4, 11)
        assert left.open_cost + moved.open_cost == cost
        assert left.realized == moved.realized == 0
        page = await desk.page()
        assert await desk.cash() == -moved.open_cost
        assert page.margin_used == left.margin > 0
        assert await desk.store.read(held, fresh=True) == (11, 0, 11)
        await desk.store.write(convert, ACTOR, to(Product.INTRADAY, 11, HELD), FREE, desk.clock())
        assert (await desk.position()).net == 15
        assert (await desk.position()).open_cost == cost
        assert await desk.cash() == 0

    at_a_desk(home, story)


def test_a_fill_told_after_a_conversion_loses_no_money(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await desk.buys(10, "800")
        desk.clock.advance(timedelta(minutes=5))
        await desk.store.write(convert, ACTOR, to(Product.CNC), FREE, desk.clock())
        desk.clock.advance(timedelta(minutes=5))
        await desk.buys(10, "820", at=NOON + timedelta(minutes=1), order=2)  # told late
        await desk.sells(10, "830", order=3)
        await desk.sells(10, "830", key=HELD, order=4)
        assert await desk.cash() == parse_money("400")  # 20 sold at 830, bought at 800 and 820

    at_a_desk(home, story)


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        (to(Product.CNC, 11), Conflict),
        (to(Product.CNC, 0), Conflict),
        (to(Product.INTRADAY), Invalid),
        (to(Product.MARGIN), Invalid),
        (to(Product.INTRADAY, 10, HELD), Conflict),  # delivered since yesterday
    ],
)
def test_a_conversion_that_cannot_be_changes_nothing(
    sqlite_home: dict[str, str], wish: Conversion, error: type[BahiError]
) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(10, "800", key=HELD)
        desk.clock.advance(timedelta(days=1))
        await desk.sells(1, "800", key=HELD, order=2)
        await desk.buys(10, "800", order=3)
        before = await desk.page()
        with pytest.raises(error):
            await desk.store.write(convert, ACTOR, wish, KITE, desk.clock())
        assert await desk.page() == before

    at_a_desk(sqlite_home, story)


def test_what_is_short_cannot_be_delivered_and_what_is_too_dear_not_paid(
    home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        await desk.sells(10, "800")
        with pytest.raises(Conflict, match="short"):
            await desk.store.write(convert, ACTOR, to(Product.CNC), KITE, desk.clock())
        dear = SBIN._replace(symbol="MRF")
        await desk.buys(100, "150000", key=dear, order=2)  # 1.5 crore, on a fifth of it
        with pytest.raises(Conflict, match="more than the account has free"):
            await desk.store.write(convert, ACTOR, to(Product.CNC, 100, dear), KITE, desk.clock())

    at_a_desk(home, story)


@pytest.mark.parametrize(
    ("quantity", "dealt", "close", "cash"),
    [
        (750, "800", "812.50", "9375"),  # bought 750 at 800: 12.50 each
        (-750, "800", "812.50", "-9375"),
    ],
)
def test_a_future_ends_with_what_it_gained(
    sqlite_home: dict[str, str], quantity: int, dealt: str, close: str, cash: str
) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await _open(desk, FUTURE, OF_FUTURE, quantity, dealt)
        ended = end(FUTURE, OF_FUTURE, close)
        await desk.store.write(settle_expiry, ACTOR, ended, FREE, desk.clock())
        assert await desk.cash() == parse_money(cash)
        flat = await desk.position(FUTURE)
        assert (flat.net, flat.margin, flat.realized) == (0, 0, parse_money(cash))
        again = await desk.store.write(settle_expiry, ACTOR, ended, FREE, desk.clock())
        assert again.made == ()
        assert await desk.cash() == parse_money(cash)

    at_a_desk(sqlite_home, story)


async def _open(desk: Desk, key: Key, contract: Contract, quantity: int, rupees: str) -> None:
    deal = desk.buys if quantity > 0 else desk.sells
    await deal(abs(quantity), rupees, key=key, contract=contract)


@pytest.mark.parametrize(
    ("quantity", "close", "cash"),
    [
        (750, "830", "7500"),  # paid 20 for what is worth 30
        (750, "790", "-15000"),  # worth nothing
        (-750, "830", "-7500"),
        (-750, "790", "15000"),
    ],
)
def test_an_option_ends_with_what_it_is_worth(
    sqlite_home: dict[str, str], quantity: int, close: str, cash: str
) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await _open(desk, CALL, OF_CALL, quantity, "20")
        ended = end(CALL, OF_CALL, close)
        await desk.store.write(settle_expiry, ACTOR, ended, FREE, desk.clock())
        assert await desk.cash() == parse_money(cash)
        assert (await desk.position(CALL)).realized == parse_money(cash)
        assert (await desk.page()).margin_used == 0

    at_a_desk(sqlite_home, story)


def test_an_exercised_option_pays_its_tax(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await _open(desk, CALL, OF_CALL, 750, "20")
        ended = end(CALL, OF_CALL, "830")
        await desk.store.write(settle_expiry, ACTOR, ended, KITE, desk.clock())
        tax = parse_money("33.75")  # 0.15 % of 750 times 30
        assert await desk.cash() == parse_money("7500") - tax

    at_a_desk(home, story)


def test_an_option_with_delivery_costs_its_strike_and_brings_the_shares(
    home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await _open(desk, CALL, OF_CALL, 750, "20")
        ended = end(CALL, OF_CALL, "830", delivers=HELD)
        settled = await desk.store.write(settle_expiry, ACTOR, ended, FREE, desk.clock())
        assert len(settled.made) == 2
        assert await desk.cash() == -parse_money("15000") - parse_money("600000")  # 20 and 800
        shares = await desk.position(HELD)
        assert (shares.net, shares.open_cost) == (750, parse_money("622500"))  # at the close
        assert await desk.store.read(held, fresh=True) == (750, 0, 750)

    at_a_desk(home, story)


def test_a_split_a_bonus_and_a_dividend(home: dict[str, str]) -> None:
    def of(action: Action, **more: Any) -> Corporate:
        return Corporate(
            account_id=ACCOUNT,
            key=HELD,
            action=action,
            notice=f"{action} of SBIN",
            at=NOON + timedelta(hours=20),
            **more,
        )

    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await desk.buys(10, "800", key=HELD)
        desk.clock.advance(timedelta(days=1))
        for event in (
            of(Action.SPLIT, new=5),
            of(Action.BONUS, new=1, old=2),
            of(Action.DIVIDEND, per_share=parse_money("3.50")),
        ):
            for _ in range(2):  # the second time nothing happens
                await desk.store.write(act, ACTOR, event, FREE, desk.clock())
        position = await desk.position(HELD)
        assert (position.net, position.open_cost) == (75, parse_money("8000"))
        assert await desk.cash() == -parse_money("8000") + parse_money("262.50")
        await desk.sells(75, "110", key=HELD, order=2)
        assert (await desk.position(HELD)).realized == parse_money("250")
        await desk.page()

    at_a_desk(home, story)


def test_what_is_bought_is_delivered_on_the_next_trading_day(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(10, "800", key=HELD)
        assert await desk.store.read(held, fresh=True) == (10, 0, 10)
        monday = {Segment.NSE_EQ: date(2036, 11, 24)}
        before = {Segment.NSE_EQ: date(2036, 11, 21)}
        await desk.store.write(roll_holdings, ACCOUNT, before, desk.clock())
        assert await desk.store.read(held, fresh=True) == (10, 0, 10)
        await desk.store.write(roll_holdings, ACCOUNT, monday, desk.clock())
        assert await desk.store.read(held, fresh=True) == (10, 10, 0)
        desk.clock.advance(timedelta(days=1))
        await desk.buys(5, "800", key=HELD, order=2)
        await desk.sells(7, "800", key=HELD, order=3)  # five of today's first
        assert await desk.store.read(held, fresh=True) == (8, 8, 0)
        free = await desk.store.read(deliverable_of, ACCOUNT, HELD, monday[Segment.NSE_EQ])
        assert free == (8, 0)
        asked = await desk.store.read(deliverable_of, ACCOUNT, HELD, None, 3)
        assert asked == (3, 5)

    at_a_desk(home, story)


def test_what_is_pledged_is_not_free_and_what_comes_needs_no_leave() -> None:
    position = Position(
        key=HELD,
        net=10,
        open_cost=Money(10),
        day=date(2036, 11, 24),
        overnight=6,
        day_buy_quantity=4,
    )
    holding = holding_of(position)
    assert (holding.delivered, holding.coming) == (6, 4)
    assert deliverable(holding, 0, None) == (10, 0)
    assert deliverable(holding, 3, None) == (7, 0)
    assert deliverable(holding, 0, 0) == (4, 6)
    assert deliverable(holding, 0, 2) == (6, 4)
    assert holding_of(replace(position, net=-1)).total == 0
    assert holding_of(position, date(2036, 11, 24)).delivered == 10


def test_the_price_of_an_end_is_the_closes_or_what_an_option_is_worth() -> None:
    put = end(CALL, OF_CALL, "790", option=OptionType.PE)
    assert put.price == parse_price("10")
    assert end(FUTURE, OF_FUTURE, "790").price == parse_price("790")
    assert end(CALL, OF_CALL, "790").price == Price(0)
