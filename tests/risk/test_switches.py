"""Kill switches and limits on real books: who is stopped, by whom, from when, and who is not."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bahi.accounts.service.accounts import add_account
from bahi.audit.model import Wanted
from bahi.audit.service import search
from bahi.bootstrap import House, risks
from bahi.db.tx import Tx
from bahi.kernel.actor import the_house
from bahi.kernel.clock import session_boundary
from bahi.kernel.errors import Conflict, Forbidden, Invalid
from bahi.kernel.money import Money
from bahi.kernel.words import AccountMode, BrokerSlug, OrderStatus, Side
from bahi.notify.service import list_alerts
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.placing import place_order
from bahi.portfolio.repository.book import read as read_book
from bahi.portfolio.service.books import has_page
from bahi.risk.model.control import Scope, Whom
from bahi.risk.model.limits import Limits, in_force
from bahi.risk.model.limits import read as read_limits
from bahi.risk.service.marking import mark
from bahi.settings.model import Wish
from bahi.settings.service import set_config
from tests.identity.lives import a_user, as_user
from tests.living import live_in, stopped
from tests.orders.desks import ACTOR, OPEN, limit, paper_desk
from tests.orders.test_one_order import NOON

EVERYBODY = Whom(scope=Scope.GLOBAL)
RUPEE = 10_000
ROOT = Path(__file__).parents[2]


@pytest.fixture
def market(home: dict[str, str]) -> dict[str, str]:
    return home | OPEN


async def _a_paper_account(house: House, user_id: int, name: str) -> int:
    def write(tx: Tx) -> int:
        wished = {"name": name}
        return add_account(
            tx, ACTOR, BrokerSlug.PAPER, wished, house.clock(),  # type: ignore[arg-type]
            user_id=user_id, mode=AccountMode.PAPER,
        ).id  # fmt: skip

    return await house.stores["main"].write(write)


def test_a_switch_over_all_stops_entries_and_lets_exits_pass(market: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        await place_order(desk, limit(desk, Side.BUY, 10))
        assert await risks.kill(house, ACTOR, EVERYBODY, "the feed is wrong") == 1
        refused = await place_order(desk, limit(desk, Side.BUY, 1))
        assert (refused.status, refused.error_code) == (OrderStatus.REJECTED, "KILL_SWITCH")
        assert "the feed is wrong" in (refused.error_message or "")
        past_zero = await place_order(desk, limit(desk, Side.SELL, 11))
        assert past_zero.error_code == "KILL_SWITCH"
        out = await place_order(desk, limit(desk, Side.SELL, 10))
        assert out.status is OrderStatus.EXECUTED
        assert await risks.resume(house, ACTOR, EVERYBODY, "the feed is right") == 2
        again = await place_order(desk, limit(desk, Side.BUY, 1))
        assert again.status is OrderStatus.EXECUTED
        with pytest.raises(Conflict, match="No switch is engaged over all accounts"):
            await risks.resume(house, ACTOR, EVERYBODY, "twice")
        with pytest.raises(Invalid, match="reason: say why"):
            await risks.kill(house, ACTOR, EVERYBODY, "  ")

    live_in(market, story, stopped(NOON))


def test_a_switch_that_somebody_presses_again_stays_the_one(market: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        whom = Whom(scope=Scope.ACCOUNT, account_id=desk.account_id)
        for reason in ("the feed is wrong", "is it stopped?", "and now?"):
            assert await risks.kill(house, ACTOR, whom, reason) == 1
        (one,) = await risks.engaged(house, ACTOR)
        assert one.reason == "the feed is wrong"
        pressed = await search(desk.store, ACTOR, Wanted(action="risk.kill"))
        assert [it.new_value["reason"] for it in pressed.entries] == [
            "and now?", "is it stopped?", "the feed is wrong",
        ]  # fmt: skip
        await risks.kill(house, the_house("another"), whom, "I saw it too")
        assert len(await risks.engaged(house, ACTOR)) == 2
        assert await risks.resume(house, ACTOR, whom, "the feed is right") == 2
        passes = await place_order(desk, limit(desk, Side.BUY, 1))
        assert passes.status is OrderStatus.EXECUTED

    live_in(market, story, stopped(NOON))


def test_each_switch_stops_its_own_and_a_new_account_inherits_what_is_engaged(
    market: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        vijay = await a_user(house)
        his = as_user(vijay)
        first = await _a_paper_account(house, vijay.id, "Vijay one")
        theirs = await house.desk(his, first)
        over_him = Whom(scope=Scope.USER, user_id=vijay.id)
        assert await risks.kill(house, his, over_him, "a bad day") == 1
        assert (await place_order(theirs, limit(theirs, Side.BUY, 1))).error_code == "KILL_SWITCH"
        assert (await place_order(desk, limit(desk, Side.BUY, 1))).filled == 1
        second = await house.desk(his, await _a_paper_account(house, vijay.id, "Vijay two"))
        assert (await place_order(second, limit(second, Side.BUY, 1))).error_code == "KILL_SWITCH"

        with pytest.raises(Forbidden, match="not yours"):
            await risks.kill(house, his, EVERYBODY, "mine is the world")
        with pytest.raises(Forbidden, match="not yours"):
            await risks.kill(house, his, Whom(scope=Scope.USER, user_id=1), "envy")
        with pytest.raises(Invalid, match="needs the account"):
            await risks.kill(house, ACTOR, Whom(scope=Scope.ACCOUNT), "which?")

        await risks.resume(house, his, over_him, "a better day")
        alone = Whom(scope=Scope.ACCOUNT, account_id=first)
        assert await risks.kill(house, his, alone, "this one") == 1
        assert (await place_order(theirs, limit(theirs, Side.BUY, 1))).error_code == "KILL_SWITCH"
        assert (await place_order(second, limit(second, Side.BUY, 1))).filled == 1

        named = Whom(scope=Scope.STRATEGY, strategy="straddle")
        assert await risks.kill(house, ACTOR, named, "it runs wild") == 3
        wild = await place_order(desk, _of(limit(desk, Side.BUY, 1), "straddle"))
        tame = await place_order(desk, _of(limit(desk, Side.BUY, 1), "momentum"))
        assert (wild.error_code, tame.filled) == ("KILL_SWITCH", 1)

    live_in(market, story, stopped(NOON))


def _of(wish: PlaceOrder, strategy: str) -> PlaceOrder:
    return replace(wish, strategy=strategy)


def test_tightening_holds_at_once_and_loosening_the_next_day(market: dict[str, str]) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        mine = Whom(scope=Scope.ACCOUNT, account_id=desk.account_id)

        async def held() -> Limits:
            book = await desk.store.read(read_book, desk.account_id, fresh=True)
            assert book is not None
            return in_force(read_limits(book.limits), None, house.clock())

        small = Limits(order_value=Money(1_000 * RUPEE), open_orders=5)
        assert await risks.hold(house, ACTOR, mine, small) == NOON
        assert await held() == small
        refused = await place_order(desk, limit(desk, Side.BUY, 100))
        assert refused.error_code == "ORDER_VALUE"

        mixed = Limits(order_value=Money(90_000 * RUPEE), open_orders=2)
        tomorrow = await risks.hold(house, ACTOR, mine, mixed)
        assert tomorrow == session_boundary(NOON)
        assert await held() == Limits(order_value=Money(1_000 * RUPEE), open_orders=2)
        clock.set(tomorrow)
        assert await held() == mixed
        clock.advance(timedelta(hours=8))

        large = Limits(order_value=Money(900_000 * RUPEE), open_orders=2)
        await risks.hold(house, ACTOR, mine, large, at_once="a block deal, agreed with Meera")
        assert await held() == large
        with pytest.raises(Invalid, match="below zero"):
            await risks.hold(house, ACTOR, mine, Limits(open_orders=-1))

    live_in(market, story, clock)


def test_a_new_account_begins_with_small_limits_and_the_rate_of_its_broker(
    market: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        await house.furnish()
        vijay = await a_user(house)
        desk = await house.desk(as_user(vijay), await _a_paper_account(house, vijay.id, "New"))
        fat = await place_order(desk, limit(desk, Side.BUY, 50_000))
        assert fat.error_code in {"ORDER_VALUE", "MARGIN"}
        placed = [await place_order(desk, limit(desk, Side.BUY, 1)) for _ in range(9)]
        assert [it.status for it in placed[:8]] == [OrderStatus.EXECUTED] * 8
        assert placed[8].error_code == "ORDER_RATE"
        assert "8 orders a second" in (placed[8].error_message or "")
        out = await place_order(desk, limit(desk, Side.SELL, 8))
        assert out.status is OrderStatus.EXECUTED

    live_in(market, story, stopped(NOON))


def test_a_denial_is_kept_with_limit_actual_and_the_price_it_was_judged_by(
    market: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        mine = Whom(scope=Scope.ACCOUNT, account_id=desk.account_id)
        await risks.hold(house, ACTOR, mine, Limits(order_value=Money(100 * RUPEE)))
        refused = await place_order(desk, limit(desk, Side.BUY, 10))

        def violations(tx: Tx) -> list[tuple[object, ...]]:
            return [
                tuple(it)
                for it in tx.rows(
                    sa.text(
                        "SELECT violation_type, limit_value, actual_value, order_id, action_taken,"
                        " message FROM risk_violations"
                    )
                )
            ]

        (row,) = await desk.store.read(violations, fresh=True)
        assert row[:2] == ("ORDER_VALUE", 100 * RUPEE)
        assert row[2:5] == ((refused.price or 0) * 10, refused.id, "ORDER_REJECTED")
        assert row[5] == refused.error_message

    live_in(market, story, stopped(NOON))


def test_the_page_of_an_account_that_never_traded_is_begun_to_be_stopped(
    market: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        await house.furnish()
        vijay = await a_user(house)
        account_id = await _a_paper_account(house, vijay.id, "Quiet")
        sandbox = house.stores["sandbox"]
        assert not await sandbox.read(has_page, account_id, fresh=True)
        alone = Whom(scope=Scope.ACCOUNT, account_id=account_id)
        assert await risks.kill(house, as_user(vijay), alone, "not yet") == 1
        book = await sandbox.read(read_book, account_id, fresh=True)
        assert book is not None
        assert (book.killed_for_account, book.kill_reason) == (True, "not yet")

    live_in(market, story, stopped(NOON))


def test_once_engaged_no_entry_of_a_thousand_from_four_processes_commits(
    market: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        traders = [_trader(market) for _ in range(4)]
        try:
            for it in traders:
                _heard(it, "ready")
            for it in traders:
                _say(it, "go")
            for it in traders:
                _heard(it, "EXECUTED")
            await risks.kill(house, ACTOR, EVERYBODY, "enough")
            accepted = await desk.store.read(_accepted, fresh=True)
            outcomes = [_ended(it) for it in traders]
        finally:
            for it in traders:
                it.kill()
                it.communicate()
        assert await desk.store.read(_accepted, fresh=True) == accepted
        assert all("REJECTED" in it for it in outcomes), "each was still at it when it was engaged"

    live_in(market, story)


def _accepted(tx: Tx) -> set[int]:
    rows = tx.rows(sa.text("SELECT id FROM orders WHERE status <> 'REJECTED'"))
    return {row[0] for row in rows}


def _trader(environ: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.risk.traders", "250"],
        env=environ, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def _say(trader: subprocess.Popen[str], word: str) -> None:
    assert trader.stdin is not None
    trader.stdin.write(f"{word}\n")
    trader.stdin.flush()


def _heard(trader: subprocess.Popen[str], word: str) -> None:
    assert trader.stdout is not None
    for line in trader.stdout:
        if line.strip() == word:
            return
    raise AssertionError(f"it ended without {word}")


def _ended(trader: subprocess.Popen[str]) -> set[str]:
    said, _ = trader.communicate(timeout=120)
    assert trader.returncode == 0
    return set(said.split())


def test_a_day_s_loss_is_latched_told_and_over_the_next_day(market: dict[str, str]) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        await place_order(desk, limit(desk, Side.BUY, 100))
        mine = Whom(scope=Scope.ACCOUNT, account_id=desk.account_id)
        await risks.hold(house, ACTOR, mine, Limits(daily_loss=Money(1)))
        await place_order(desk, limit(desk, Side.SELL, 20))  # the spread is lost for certain
        clock.advance(timedelta(seconds=6))
        refused = await place_order(desk, limit(desk, Side.BUY, 1))
        assert refused.error_code == "DAILY_LOSS"
        book = await desk.store.read(read_book, desk.account_id, fresh=True)
        assert book is not None
        assert book.latched_at is not None
        assert book.marked_at == clock()
        assert not book.killed_for_account
        (alert,) = await list_alerts(desk.store, ACTOR, only_open=True)
        assert f"Account {desk.account_id} lost" in alert.message
        out = await place_order(desk, limit(desk, Side.SELL, 80))
        assert out.filled == 80
        assert (await place_order(desk, limit(desk, Side.BUY, 1))).error_code == "DAILY_LOSS"
        clock.advance(timedelta(days=1))
        assert (await place_order(desk, limit(desk, Side.BUY, 1))).filled == 1

    live_in(market, story, clock)


def test_where_the_house_may_act_a_breach_engages_the_account_s_switch(
    market: dict[str, str],
) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        await house.stores["main"].write(
            set_config, house.vault, ACTOR,
            Wish(category="risk", key="kill_switch_enabled", value=True), clock(),
        )  # fmt: skip
        await place_order(desk, limit(desk, Side.BUY, 100))
        mine = Whom(scope=Scope.ACCOUNT, account_id=desk.account_id)
        await risks.hold(house, ACTOR, mine, Limits(daily_loss=Money(1)))
        await place_order(desk, limit(desk, Side.SELL, 20))
        clock.advance(timedelta(seconds=6))
        refused = await place_order(desk, limit(desk, Side.BUY, 1))
        assert refused.error_code == "KILL_SWITCH"
        assert "The day's loss reached its limit" in (refused.error_message or "")

    live_in(market, story, clock)


def test_what_cannot_be_valued_is_unknown_and_entries_wait_for_it(market: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        await place_order(desk, limit(desk, Side.BUY, 10))
        mine = Whom(scope=Scope.ACCOUNT, account_id=desk.account_id)
        await risks.hold(house, ACTOR, mine, Limits(daily_loss=Money(1_000 * RUPEE)))
        assert await desk.store.write(mark, desk.account_id, {}, house.clock()) is False
        book = await desk.store.read(read_book, desk.account_id, fresh=True)
        assert book is not None
        assert book.unrealized is None
        refused = await place_order(desk, limit(desk, Side.BUY, 1))
        assert refused.error_code == "STALE_PRICE"
        assert (await place_order(desk, limit(desk, Side.SELL, 10))).filled == 10

    live_in(market, story, stopped(NOON))
