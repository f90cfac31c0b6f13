"""A broker's books against ours, and leave to deliver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.errors import Conflict, Invalid, NotFound
from bahi.kernel.money import Money, parse_money, parse_price
from bahi.kernel.words import Product, Segment
from bahi.portfolio.model.edis import Asking, Leave
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.reconciling import Class, Policy, Snapshot, Told
from bahi.portfolio.service.edis import allowed_of, ask, authorize, expire, reject, tpin_of
from bahi.portfolio.service.reconciling import Stance, reconcile, would_do
from bahi.portfolio.tables import edis_transactions, position_snapshots, reconciliation_breaks
from tests.portfolio.books import ACCOUNT, ACTOR, FREE, HELD, SBIN, Desk, at_a_desk

TELL = Stance(FREE)
ADOPT = Stance(FREE, Policy.ADOPT)
NRML = SBIN._replace(product=Product.MARGIN)
FUTURE = Key(Segment.NSE_FNO, "SBIN25NOV36FUT", Product.MARGIN)
NOTHING: Mapping[Any, Told] = {}


def breaks(tx: Tx) -> list[Row]:
    it = reconciliation_breaks.c
    clause = sa.select(it.subject_key, it.classification, it.status, it.settled_by)
    return [tuple(row) for row in tx.rows(clause.order_by(it.id))]


def told(desk: Desk, **parts: Any) -> Snapshot:
    return Snapshot(ACCOUNT, desk.clock(), **parts)


@pytest.mark.parametrize(
    ("theirs", "found"),
    [
        ({SBIN: Told(10)}, []),
        ({}, [Class.NOT_THEIRS]),
        ({SBIN: Told(12)}, [Class.QUANTITY]),
        ({SBIN: Told(-10)}, [Class.OTHER_SIDE]),
        ({SBIN: Told(10), FUTURE: Told(750)}, [Class.NOT_OURS]),
        ({NRML: Told(10)}, [Class.PRODUCT, Class.PRODUCT]),
    ],
)
def test_a_break_is_classified_and_explained(
    sqlite_home: dict[str, str], theirs: dict[Key, Told], found: list[Class]
) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await desk.buys(10, "800")
        said = told(desk, positions=theirs)
        got = await desk.store.write(reconcile, ACTOR, said, TELL, desk.clock())
        assert [it.classification for it in got.breaks] == found
        assert all(it.explanation.endswith(".") for it in got.breaks)
        assert got.adopted == ()
        assert (await desk.position()).net == 10  # told, and nothing else

    at_a_desk(sqlite_home, story)


def test_a_break_stays_open_until_the_books_agree(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await desk.buys(10, "800")
        for quantity in (12, 12, 13):
            said = told(desk, positions={SBIN: Told(quantity)})
            await desk.store.write(reconcile, ACTOR, said, TELL, desk.clock())
            desk.clock.advance(timedelta(minutes=1))
        ((key, kind, status, _),) = await desk.store.read(breaks, fresh=True)
        assert (key, kind, status) == ("NSE_EQ/SBIN/INTRADAY", "QUANTITY", "explained")
        await desk.store.write(reconcile, ACTOR, told(desk), TELL, desk.clock())  # a failed read
        ((*_, status, _),) = await desk.store.read(breaks, fresh=True)
        assert status == "explained"
        said = told(desk, positions={SBIN: Told(10)})
        got = await desk.store.write(reconcile, ACTOR, said, TELL, desk.clock())
        assert got.settled == 1
        ((*_, status, by),) = await desk.store.read(breaks, fresh=True)
        assert status == "settled"
        assert "agreed" in by

    at_a_desk(home, story)


def test_what_was_not_read_is_neither_flat_nor_a_break(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await desk.buys(10, "800")
        await desk.buys(5, "800", key=HELD, order=2)
        for said in (told(desk), told(desk, holdings=NOTHING)):  # holdings alone do not tell it
            got = await desk.store.write(reconcile, ACTOR, said, ADOPT, desk.clock())
            assert got == ((), 0, ())
        assert (await desk.position()).net == 10

    at_a_desk(home, story)


def test_holdings_are_compared_with_todays_deliveries_beside_them(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await desk.buys(15, "800", key=HELD)
        listing = (HELD.segment, HELD.symbol)
        good = told(desk, positions={HELD: Told(5)}, holdings={listing: Told(10)})
        got = await desk.store.write(reconcile, ACTOR, good, TELL, desk.clock())
        assert got.breaks == ()
        short = told(desk, positions=NOTHING, holdings={listing: Told(10)})
        got = await desk.store.write(reconcile, ACTOR, short, TELL, desk.clock())
        assert [(it.key, it.missing) for it in got.breaks] == [("NSE_EQ/SBIN", -5)]

    at_a_desk(home, story)


def test_the_policy_adopts_only_when_it_says_so_and_shows_it_first(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await desk.buys(10, "800")
        said = told(desk, positions={SBIN: Told(14, parse_price("805"))})
        before = await desk.page()
        shown = await desk.store.read(would_do, said, ADOPT, desk.clock())
        assert [it.quantity for it in shown.adopted] == [4]
        assert await desk.page() == before
        assert await desk.store.read(breaks, fresh=True) == []
        await desk.store.write(reconcile, ACTOR, said, ADOPT, desk.clock())
        position = await desk.position()
        assert (position.net, position.open_cost) == (14, parse_money("11220"))
        ((*_, status, by),) = await desk.store.read(breaks, fresh=True)
        assert (status, by) == ("settled", "the policy ADOPT")
        again = await desk.store.write(reconcile, ACTOR, said, ADOPT, desk.clock())
        assert again == ((), 0, ())
        await desk.page()

    at_a_desk(home, story)


def test_money_may_differ_by_what_is_tolerated(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        free = (await desk.page()).available
        stance = Stance(FREE, tolerance=parse_money("1"))
        for more, found in ((parse_money("1"), 0), (parse_money("1.01"), 1)):
            said = told(desk, available=Money(free - more))
            got = await desk.store.write(reconcile, ACTOR, said, stance, desk.clock())
            assert len(got.breaks) == found
            desk.clock.advance(timedelta(seconds=1))
        assert "1.01 rupees less" in got.breaks[0].explanation

    at_a_desk(home, story)


def test_what_a_broker_reported_is_written_down_once(home: dict[str, str]) -> None:
    def reported(tx: Tx) -> list[Row]:
        it = position_snapshots.c
        return [tuple(row) for row in tx.rows(sa.select(it.symbol, it.net_qty))]

    async def story(desk: Desk) -> None:
        said = told(desk, positions={SBIN: Told(3)})
        for _ in range(2):
            await desk.store.write(reconcile, ACTOR, said, TELL, desk.clock())
        assert await desk.store.read(reported, fresh=True) == [("SBIN", 3)]

    at_a_desk(home, story)


# -- eDIS

ASKED = Asking(
    account_id=ACCOUNT,
    isin="INE062A01020",
    quantity=10,
    exchange="NSE",
    segment="EQ",
    tpin="493817",
)


def kept(tx: Tx) -> list[Row]:
    it = edis_transactions.c
    return [tuple(row) for row in tx.rows(sa.select(it.status, it.tpin_enc).order_by(it.id))]


def test_a_tpin_is_sealed_while_it_is_needed_and_erased_after(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        vault = desk.house.vault
        request = await desk.store.write(ask, ACTOR, vault, ASKED, desk.clock())
        assert await desk.store.read(tpin_of, vault, request.id, fresh=True) == "493817"
        ((_, sealed),) = await desk.store.read(kept, fresh=True)
        assert b"493817" not in bytes(sealed)
        assert "493817" not in repr(ASKED)
        await desk.store.write(authorize, ACTOR, request.id, desk.clock())
        assert await desk.store.read(kept, fresh=True) == [("AUTHORIZED", None)]
        assert await desk.store.read(tpin_of, vault, request.id, fresh=True) is None

    at_a_desk(home, story)


def test_leave_is_for_a_day_and_for_so_many(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        async def allowed(isin: str = ASKED.isin, *, ddpi: bool = False) -> int | None:
            return await desk.store.read(_allowed, isin, desk.clock(), ddpi, fresh=True)

        assert await allowed() == 0
        assert await allowed(ddpi=True) is None
        for _ in range(2):
            request = await desk.store.write(ask, ACTOR, desk.house.vault, ASKED, desk.clock())
            await desk.store.write(authorize, ACTOR, request.id, desk.clock())
        assert (await allowed(), await allowed("INE000A00000")) == (20, 0)
        bulk = replace(ASKED, is_bulk=True)
        request = await desk.store.write(ask, ACTOR, desk.house.vault, bulk, desk.clock())
        given = await desk.store.write(authorize, ACTOR, request.id, desk.clock())
        assert await allowed("INE000A00000") is None
        assert given.expires_at is not None
        desk.clock.set(given.expires_at)
        assert await allowed() == 0
        assert await desk.store.write(expire, ACTOR, desk.clock()) == 3
        assert await desk.store.write(expire, ACTOR, desk.clock()) == 0

    at_a_desk(home, story)


def _allowed(tx: Tx, isin: str, now: Any, ddpi: bool) -> int | None:
    return allowed_of(tx, ACCOUNT, isin, now, has_ddpi=ddpi)


def test_a_refusal_and_a_silence_end_a_request_and_erase_its_tpin(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        vault = desk.house.vault
        first = await desk.store.write(ask, ACTOR, vault, ASKED, desk.clock())
        second = await desk.store.write(ask, ACTOR, vault, ASKED, desk.clock())
        refused = await desk.store.write(reject, ACTOR, first.id, "wrong TPIN", desk.clock())
        assert (refused.status, refused.error_message) == (Leave.REJECTED, "wrong TPIN")
        with pytest.raises(Conflict, match="REJECTED already"):
            await desk.store.write(authorize, ACTOR, first.id, desk.clock())
        desk.clock.advance(timedelta(hours=1))
        assert await desk.store.write(expire, ACTOR, desk.clock()) == 1
        assert await desk.store.read(kept, fresh=True) == [("REJECTED", None), ("EXPIRED", None)]
        assert second.status is Leave.PENDING
        with pytest.raises(NotFound):
            await desk.store.write(authorize, ACTOR, 1, desk.clock())

    at_a_desk(home, story)


@pytest.mark.parametrize("wrong", [{"quantity": 0}, {"isin": ""}])
def test_a_request_of_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        replace(ASKED, **wrong).check()
