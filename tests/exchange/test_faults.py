"""Faults on purpose: whatever is told, the journal stays true, and reading it tells the truth."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from bahi.brokers.paper import Fault, FaultyBroker, PaperBroker
from bahi.kernel.errors import BahiError, Forbidden, Invalid, Silent
from bahi.kernel.ports import Ticket, Update
from bahi.kernel.words import AccountMode, OrderStatus
from tests.exchange.floor import SBIN, Floor, rupees, trade

BOOK = {"bids": {"799.95": 100}, "asks": {"800.05": 5, "800.10": 5}}


def a_ticket(tag: str, quantity: int = 10, price: str = "800.10") -> Ticket:
    return Ticket(
        tag=tag,
        segment="NSE_EQ",
        symbol="SBIN",
        side="BUY",
        order_type="LIMIT",
        product="CNC",
        validity="DAY",
        quantity=quantity,
        price=rupees(price),
    )


def _always(floor: Floor, fault: Fault) -> FaultyBroker:
    inner = PaperBroker(floor.exchange, floor.client)
    return FaultyBroker(inner, AccountMode.PAPER, {fault: 1_000})


def test_each_fault_is_what_it_says(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        async def place(fault: Fault, **asked: str) -> tuple[Update | None, tuple[Update, ...]]:
            floor.later()
            floor.tell(SBIN, "800", **BOOK)
            broker = _always(floor, fault)
            try:
                told = await broker.place(a_ticket(fault, **asked))  # type: ignore[arg-type]
            except Silent:
                return None, broker.overheard()
            return told, broker.overheard()

        async def truth(fault: Fault) -> Update | None:
            book = await PaperBroker(floor.exchange, floor.client).order_book()
            return next((it for it in book if it.tag == fault), None)

        assert await place(Fault.LOST) == (None, ())
        assert await truth(Fault.LOST) is None
        assert await place(Fault.SILENT) == (None, ())
        assert (await truth(Fault.SILENT)).filled_quantity == 10  # type: ignore[union-attr]
        told, later = await place(Fault.LATE)
        assert (told, later) == (None, (await truth(Fault.LATE),))
        told, later = await place(Fault.DUPLICATED)
        assert told is not None
        assert later == (told,)
        told, later = await place(Fault.HALF_FILLED)
        assert told is not None
        assert (told.status, told.filled_quantity) == (OrderStatus.PARTIAL, 5)
        assert [it.filled_quantity for it in later] == [10]
        told, later = await place(Fault.REJECTED_LATER, price="800.11")
        assert told is not None
        assert (told.status, later[0].status) == (OrderStatus.OPEN, OrderStatus.REJECTED)

    trade(home, story)


def test_what_comes_next_overtakes_and_a_fill_comes_after_the_end(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        broker = _always(floor, Fault.REORDERED)
        first = await broker.place(a_ticket("one", 4))
        assert (first.status, first.filled_quantity, broker.overheard()) == ("OPEN", 0, ())
        await broker.place(a_ticket("two", 4))
        assert [(it.tag, it.filled_quantity) for it in broker.overheard()] == [("one", 4)]
        rest = await PaperBroker(floor.exchange, floor.client).place(a_ticket("three", 50))
        broker = _always(floor, Fault.FILLED_LATER)
        ended = await broker.cancel(rest.broker_order_id)
        (later,) = broker.overheard()
        assert (ended.status, ended.filled_quantity) == ("CANCELLED", 0)
        assert (later.status, later.filled_quantity) == ("CANCELLED", 2)

    trade(home, story)


def test_a_seed_draws_the_same_faults_again_and_the_journal_is_true(home: dict[str, str]) -> None:
    often = dict.fromkeys(Fault, 100)

    async def story(floor: Floor) -> None:
        inner = PaperBroker(floor.exchange, floor.client)
        one, other = (FaultyBroker(inner, AccountMode.PAPER, often, seed=3) for _ in range(2))
        floor.tell(SBIN, "800", **BOOK)

        async def place(broker: FaultyBroker, tag: str) -> None:
            with suppress(BahiError):
                await broker.place(a_ticket(tag, 1))

        for number in range(30):
            await place(one, f"a{number}")
            await place(other, f"a{number}")  # once under one mark, however often it is sent
        assert one.happened == other.happened
        assert len(set(one.happened)) > 4
        book = await inner.order_book()
        assert len({it.tag for it in book}) == len(book) == 30 - one.happened.count(Fault.LOST)

    trade(home, story)


def test_faults_are_for_paper_alone() -> None:
    async def nothing() -> None:
        inner: PaperBroker = object.__new__(PaperBroker)
        with pytest.raises(Forbidden, match="paper accounts only"):
            FaultyBroker(inner, AccountMode.LIVE, {})
        with pytest.raises(Invalid, match="all of them together"):
            FaultyBroker(inner, AccountMode.PAPER, {Fault.LOST: 600, Fault.LATE: 600})

    asyncio.run(nothing())
