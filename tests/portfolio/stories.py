"""What can happen to an account, at random: fills in time and late, conversions, actions, ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from random import Random

from bahi.kernel.clock import exchange_day
from bahi.kernel.money import parse_price
from bahi.kernel.words import InstrumentType, OptionType, Product, Segment, Side
from bahi.portfolio.model.adjustment import Action
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.position import Key
from bahi.portfolio.service.adjusting import (
    Conversion,
    Corporate,
    Expiry,
    act,
    convert,
    settle_expiry,
)
from bahi.portfolio.service.funding import Accrued, accrue
from bahi.portfolio.service.holdings import roll_holdings
from bahi.portfolio.service.notes import Day, settle_day
from bahi.portfolio.service.remargining import remargin
from tests.portfolio.books import ACCOUNT, ACTOR, KITE, SHARE, Desk

STRIKE = parse_price("800")
CALL = Contract(True, STRIKE, InstrumentType.OPTSTK, 25)
FUTURE = Contract(False, None, InstrumentType.FUTSTK, 25)
SHARES = [
    Key(Segment.NSE_EQ, symbol, product)
    for symbol in ("SBIN", "INFY")
    for product in (Product.CNC, Product.INTRADAY)
]
MTF = Key(Segment.NSE_EQ, "SBIN", Product.MTF)
THINGS: list[tuple[Key, Contract]] = [
    *((key, SHARE) for key in SHARES),
    (MTF, SHARE),
    (Key(Segment.NSE_FNO, "SBIN25NOV36FUT", Product.MARGIN), FUTURE),
    (Key(Segment.NSE_FNO, "SBIN25NOV36800CE", Product.MARGIN), CALL),
]


async def deal(desk: Desk, random: Random) -> None:
    """Buy or sell something; now and then it is told late."""
    key, contract = random.choice(THINGS)
    await desk.deals(
        random.choice(list(Side)),
        random.randint(1, 40),
        f"{random.randint(1, 1600)}.{random.choice(['05', '1', '95'])}",
        key=key,
        contract=contract,
        order=random.randint(1, 9),
        at=desk.clock() - timedelta(minutes=random.choice([0, 0, 0, 1, 30])),  # some are told late
    )


async def change_product(desk: Desk, random: Random) -> None:
    """Convert a part of a position, if it is there."""
    key = random.choice(SHARES)
    to = Product.CNC if key.product is Product.INTRADAY else Product.INTRADAY
    wish = Conversion(
        account_id=ACCOUNT, key=key, to=to, quantity=random.randint(1, 10), contract=SHARE
    )
    await desk.store.write(convert, ACTOR, wish, KITE, desk.clock())


async def change_shares(desk: Desk, random: Random) -> None:
    """Let a company split, give or pay."""
    event = Corporate(
        account_id=ACCOUNT,
        key=random.choice([*(it for it in SHARES if it.product is Product.CNC), MTF]),
        action=random.choice(list(Action)),
        notice=f"notice {random.random()}",
        at=desk.clock() - timedelta(minutes=random.choice([0, 20])),
        new=random.randint(1, 3),
        per_share=parse_price("1.25"),  # type: ignore[arg-type]
    )
    await desk.store.write(act, ACTOR, event, KITE, desk.clock())


async def end_contract(desk: Desk, random: Random) -> None:
    """Let a contract end."""
    key, contract = random.choice(THINGS[-2:])
    end = Expiry(
        account_id=ACCOUNT,
        key=key,
        contract=contract,
        option=OptionType.CE if contract.is_option else None,
        close=parse_price(f"{random.randint(700, 900)}.35"),
        reason=f"{key.symbol} ended",
        delivers=random.choice([None, SHARES[0]]),
    )
    await desk.store.write(settle_expiry, ACTOR, end, KITE, desk.clock())


async def close_day(desk: Desk, random: Random) -> None:
    """Settle the day."""
    day = Day(ACCOUNT, exchange_day(desk.clock()), {})
    await desk.store.write(settle_day, ACTOR, day, KITE, desk.clock())


async def begin_day(desk: Desk, random: Random) -> None:
    """Deliver what is due, charge what is lent, block what the day asks for."""
    today, by = exchange_day(desk.clock()), (dict(THINGS), KITE)
    past = [today - timedelta(days=it) for it in range(random.randint(1, 5))]
    over = [Accrued(it, {Segment.NSE_EQ: it - timedelta(days=1)}) for it in past]
    write, now = desk.store.write, desk.clock()
    settled = random.choice([{}, {Segment.NSE_EQ: today - timedelta(days=1)}])
    roll = partial(roll_holdings, pledges=random.choice([True, False]))
    await write(roll, ACCOUNT, settled, now, account=ACCOUNT)
    await write(accrue, ACTOR, ACCOUNT, (over, KITE), now, account=ACCOUNT)
    assert await write(accrue, ACTOR, ACCOUNT, (over, KITE), now, account=ACCOUNT) == 0
    await write(remargin, ACTOR, ACCOUNT, by, now, account=ACCOUNT)


DEEDS: list[Callable] = [
    *[deal] * 8,
    change_product,
    change_shares,
    end_contract,
    close_day,
    begin_day,
]  # type: ignore[type-arg]
