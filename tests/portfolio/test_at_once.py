"""Two processes that end the day at once: each thing is done once, whoever comes first."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bahi.bootstrap import House, build
from bahi.config import Settings
from bahi.db.stores import Store
from bahi.kernel.clock import StoppedClock
from bahi.kernel.money import parse_money, parse_price
from bahi.kernel.words import InstrumentType, OptionType, Product, Segment
from bahi.portfolio.model.ends import Ends
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.service.adjusting import Expiry, settle_expiry
from bahi.portfolio.service.books import open_book
from bahi.portfolio.service.funding import Accrued, accrue
from bahi.portfolio.service.holdings import roll_holdings
from bahi.portfolio.service.notes import Day, settle_day
from bahi.portfolio.service.remargining import remargin
from bahi.portfolio.service.verifying import verify
from tests.living import stopped
from tests.portfolio.books import ACCOUNT, ACTOR, HELD, KITE, MONDAY, NOON, SHARE, Desk, opening

MTF = HELD._replace(product=Product.MTF)
TUESDAY = MONDAY + timedelta(days=1)
CALL = Key(Segment.NSE_FNO, "SBIN25NOV36800CE", Product.MARGIN)
OF_CALL = Contract(True, parse_price("800"), InstrumentType.OPTSTK, 750, TUESDAY, CALL.symbol)
NEAR = Terms(plan="kite", rates=KITE.rates, ends=Ends(days={Segment.NSE_FNO: (TUESDAY,)}))
ENDS = Expiry(
    account_id=ACCOUNT,
    key=CALL,
    contract=OF_CALL,
    option=OptionType.CE,
    close=parse_price("812"),
    reason="it ended",
    delivers=HELD,
)


async def day_ends(store: Store, clock: StoppedClock) -> list[int]:
    """Do all that a day owes; return what each step did."""
    write, now = store.write, clock()
    by = ({CALL: OF_CALL, MTF: SHARE}, NEAR)
    past = [Accrued(TUESDAY, {Segment.NSE_EQ: MONDAY})]
    page = await write(remargin, ACTOR, ACCOUNT, by, now, account=ACCOUNT)
    await write(roll_holdings, ACCOUNT, {Segment.NSE_EQ: MONDAY}, now, account=ACCOUNT)
    charged = await write(accrue, ACTOR, ACCOUNT, (past, NEAR), now, account=ACCOUNT)
    settled = await write(settle_expiry, ACTOR, ENDS, NEAR, now, account=ACCOUNT)
    day = Day(ACCOUNT, MONDAY, {})
    await write(settle_day, ACTOR, day, NEAR, now, account=ACCOUNT)
    return [page.margin_used, charged, len(settled.made)]


def test_two_processes_end_a_day_at_once_and_it_ends_once(home: dict[str, str]) -> None:
    clock = stopped(NOON)

    async def story(one: House, two: House) -> None:
        stores = [it.stores["sandbox"] for it in (one, two)]
        await stores[0].write(open_book, opening(), clock(), account=ACCOUNT)
        desk = Desk(one, stores[0], clock)
        await desk.buys(100, "800", key=MTF)
        await desk.buys(750, "5", key=CALL, contract=OF_CALL, order=2)
        clock.advance(timedelta(days=1))
        ended = await asyncio.gather(*(day_ends(it, clock) for it in stores * 4))
        assert sorted(it[1] for it in ended) == [0] * 7 + [parse_money("24")]
        assert sorted(it[2] for it in ended) == [0] * 7 + [2]
        assert (await desk.position(CALL)).net == 0
        assert (await desk.position(HELD)).net == 750
        await desk.page()
        for store in stores:
            assert [it async for it in verify(store)] == []

    async def whole() -> None:
        settings = Settings.from_environment(home)
        houses = [build(settings, clock=clock) for _ in range(2)]
        try:
            await story(*houses)
        finally:
            for it in houses:
                await it.close()

    asyncio.run(whole())
