"""Limits, rates and the verdict, as rules."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.instruments.model.instrument import Instrument
from bahi.kernel.errors import Invalid
from bahi.kernel.money import Money, Price
from bahi.kernel.words import AccountMode, InstrumentType, Product, Segment, Side
from bahi.portfolio.model.book import Book
from bahi.risk.model import limits as held
from bahi.risk.model.limits import NO_LIMITS, Dated, Limits, in_force, is_looser, tightest
from bahi.risk.model.rate import DAY, Window, take
from bahi.risk.model.verdict import Denial, Exposure, Reference, judge

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
RUPEE = 10_000

some = st.one_of(st.none(), st.integers(0, 10**9))
HOURS = st.one_of(
    st.none(),
    st.tuples(st.integers(0, 700), st.integers(720, 1439)).map(
        lambda it: (time(it[0] // 60, it[0] % 60), time(it[1] // 60, it[1] % 60))
    ),
)
SYMBOLS = st.frozensets(st.sampled_from(["SBIN", "INFY", "TCS"]), max_size=3)
WINDOWS = st.lists(
    st.builds(Window, st.integers(1, 50), st.sampled_from([1, 60, DAY])),
    unique_by=lambda it: it.seconds,
    max_size=3,
).map(lambda it: tuple(sorted(it, key=lambda each: each.seconds)))
LIMITS = st.builds(
    Limits,
    daily_loss=some,
    position_value=some,
    order_value=some,
    orders_a_day=some,
    open_orders=some,
    price_band=some,
    symbols=SYMBOLS,
    products=st.frozensets(st.sampled_from(Product), max_size=2),
    hours=HOURS,
    rates=WINDOWS,
)


@given(LIMITS, LIMITS, LIMITS)
def test_the_tightest_of_limits_is_one_however_they_come(a: Limits, b: Limits, c: Limits) -> None:
    assert tightest([a, b, c]) == tightest([c, a, b]) == tightest([tightest([b, a]), c])
    assert tightest([a, a]) == tightest([a]) == tightest([a, NO_LIMITS])


@given(LIMITS, LIMITS)
def test_nothing_is_looser_than_itself_or_than_what_it_tightens(a: Limits, b: Limits) -> None:
    both = tightest([a, b])
    assert not is_looser(a, tightest([a]))
    assert not is_looser(a, both)
    assert is_looser(both, a) is (both != tightest([a]))


@given(LIMITS, LIMITS)
def test_limits_are_read_from_a_page_as_they_were_written(a: Limits, b: Limits) -> None:
    dated = (
        Dated(NOW, "ACCOUNT", None, a),
        Dated(NOW + timedelta(days=1), "STRATEGY", "straddle", b),
    )
    assert held.read(held.written(dated)) == dated
    assert held.written(()) is None


def test_the_newest_of_each_scope_binds_and_a_strategy_s_only_its_orders() -> None:
    one, two, three = (Limits(order_value=Money(it * RUPEE)) for it in (100, 50, 10))
    dated = (
        Dated(NOW - timedelta(days=2), "ACCOUNT", None, two),
        Dated(NOW - timedelta(days=1), "ACCOUNT", None, one),
        Dated(NOW + timedelta(hours=1), "ACCOUNT", None, three),
        Dated(NOW - timedelta(days=1), "STRATEGY", "straddle", three),
    )
    assert in_force(dated, None, NOW).order_value == 100 * RUPEE
    assert in_force(dated, "straddle", NOW).order_value == 10 * RUPEE
    assert in_force(dated, None, NOW + timedelta(hours=1)).order_value == 10 * RUPEE


def test_sets_that_have_nothing_in_common_allow_nothing() -> None:
    both = tightest([Limits(symbols=frozenset({"SBIN"})), Limits(symbols=frozenset({"INFY"}))])
    assert both.symbols == {held.NOBODY}
    assert held.read(held.written([Dated(NOW, "ACCOUNT", None, both)]))[0].limits == both


def test_a_limit_below_zero_and_hours_that_run_backwards_are_refused() -> None:
    with pytest.raises(Invalid, match=r"order_value: -1 is below zero; 0 allows nothing"):
        Limits(order_value=Money(-1)).checked()
    with pytest.raises(Invalid, match="hours: they end before they begin"):
        Limits(hours=(time(15), time(9))).checked()
    with pytest.raises(Invalid, match="rates:"):
        Limits(rates=(Window(0, 1),)).checked()


@given(
    st.lists(st.integers(0, 400_000), min_size=1, max_size=120),
    st.lists(st.booleans(), min_size=120, max_size=120),
)
def test_no_stretch_of_a_window_s_length_holds_more_than_it_allows(
    gaps: list[int], exits: list[bool]
) -> None:
    windows = (Window(10, 1), Window(25, 10))
    kept, now, sent = None, NOW, []
    for gap, is_exit in zip(gaps, exits, strict=False):
        now += timedelta(microseconds=gap)
        kept, late = take(windows, kept, now, is_exit=is_exit)
        if late is None:
            sent.append((now, is_exit))
        else:
            assert late.retry_after_s >= 0
    for window in windows:
        length = timedelta(seconds=window.seconds)
        for begin, _ in sent:
            inside = [it for it in sent if begin <= it[0] < begin + length]
            assert len(inside) <= window.orders
            assert sum(not it[1] for it in inside) <= window.for_entries


def test_a_full_window_says_when_it_has_room_and_then_has_it() -> None:
    kept, windows = None, (Window(10, 1),)
    for _ in range(8):
        kept, late = take(windows, kept, NOW, is_exit=False)
        assert late is None
    kept, late = take(windows, kept, NOW, is_exit=False)
    assert late is not None
    assert late.allowed == 8
    for _ in range(2):
        kept, full = take(windows, kept, NOW, is_exit=True)
        assert full is None
    _, full = take(windows, kept, NOW, is_exit=True)
    assert full is not None
    later = NOW + timedelta(seconds=late.retry_after_s)
    assert take(windows, kept, later, is_exit=False)[1] is None


def test_a_day_s_window_is_the_exchange_s_day() -> None:
    windows = (Window(2, DAY),)
    kept, late = take(windows, None, NOW, is_exit=True)
    kept, late = take(windows, kept, NOW, is_exit=True)
    assert late is None
    kept, late = take(windows, kept, NOW, is_exit=True)
    assert late is not None
    tomorrow = NOW + timedelta(seconds=late.retry_after_s)
    assert tomorrow == datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
    assert take(windows, kept, tomorrow, is_exit=True)[1] is None


SBIN = Instrument(
    id=1,
    segment=Segment.NSE_EQ,
    symbol="SBIN",
    root="SBIN",
    trading_symbol="SBIN-EQ",
    name="State Bank",
    kind=InstrumentType.EQUITY,
    isin="INE062A01020",
    expiry=None,
    strike=None,
    option_type=None,
    lot_size=1,
    tick_size=Price(500),
    freeze_qty=None,
    lower_band=None,
    upper_band=None,
    cas_eligible=True,
    series="EQ",
    exchange_token="3045",
)


def page(limits: Limits = NO_LIMITS, **changes: object) -> Book:
    kept: dict[str, object] = {
        "account_id": 1,
        "user_id": 1,
        "mode": AccountMode.PAPER,
        "day": date(2026, 11, 23),
        "cash": Money(1_00_00_000 * RUPEE),
        "unrealized": Money(0),
        "marked_at": NOW,
        "limits": held.written([Dated(NOW, "ACCOUNT", None, limits)]),
    }
    return Book(**(kept | changes))  # type: ignore[arg-type]


def entry(**changes: object) -> Exposure:
    kept: dict[str, object] = {
        "instrument": SBIN,
        "side": Side.BUY,
        "product": Product.INTRADAY,
        "quantity": 10,
        "position": 10,
        "price": Price(800 * RUPEE),
        "limit": Price(800 * RUPEE),
        "reference": Reference(Price(800 * RUPEE), NOW, "simulated"),
        "margin": Money(1600 * RUPEE),
        "is_exit": False,
    }
    return Exposure(**(kept | changes))  # type: ignore[arg-type]


def denied(book: Book, exposure: Exposure) -> Denial:
    _, denial = judge(book, exposure, NOW)
    assert denial is not None
    assert denial.evidence == exposure.evidence or denial.violation == "ORDER_RATE"
    return denial


STOPPED = page(killed_globally=True, kill_reason="the feed is wrong")
LOST = page(Limits(daily_loss=Money(100 * RUPEE)), realized_today=Money(-60 * RUPEE),
            unrealized=Money(-40 * RUPEE))  # fmt: skip


@pytest.mark.parametrize(
    ("book", "exposure", "violation", "words"),
    [
        (STOPPED, entry(), "KILL_SWITCH", r"over all accounts \(the feed is wrong\); exits pass"),
        (page(killed_strategies=("a",)), entry(strategy="a"), "KILL_SWITCH", "strategy a"),
        (LOST, entry(), "DAILY_LOSS", "its limit of 100.00 rupees"),
        (page(Limits(daily_loss=Money(1)), unrealized=None), entry(), "STALE_PRICE", "not known"),
        (
            page(Limits(daily_loss=Money(1)), marked_at=NOW - timedelta(minutes=2)),
            entry(),
            "STALE_PRICE",
            "too old",
        ),
        (page(Limits(symbols=frozenset({"TCS"}))), entry(), "NOT_ALLOWED", "symbol: SBIN .* TCS"),
        (page(Limits(hours=(time(9), time(11)))), entry(), "TRADING_HOURS", "09:00 to 11:00"),
        (page(), entry(kept_off=frozenset({"it is in the ban"})), "ELIGIBILITY", "in the ban"),
        (
            page(Limits(price_band=5 * held.PERCENT)),
            entry(limit=Price(841 * RUPEE)),
            "PRICE_BAND",
            r"841.00 is more than 5.00 % from the last price of 800.00; 760.00 to 840.00",
        ),
        (
            page(Limits(price_band=5 * held.PERCENT)),
            entry(side=Side.SELL, limit=Price(759 * RUPEE)),  # though it may get what is bid
            "PRICE_BAND",
            r"759.00 is more than 5.00 %",
        ),
        (
            page(Limits(price_band=5 * held.PERCENT)),
            entry(reference=None),
            "STALE_PRICE",
            "no fresh price of SBIN",
        ),
        (page(Limits(order_value=Money(7999 * RUPEE))), entry(), "ORDER_VALUE", "8,000.00"),
        (
            page(Limits(position_value=Money(8000 * RUPEE))),
            entry(position=11),
            "POSITION_SIZE",
            "8,800.00",
        ),
        (page(Limits(orders_a_day=5), orders_today=5), entry(), "ORDERS_PER_DAY", "5 orders in"),
        (page(Limits(open_orders=2), open_orders=2), entry(), "OPEN_ORDERS", "2 orders at once"),
        (page(cash=Money(1599 * RUPEE)), entry(), "MARGIN", "1,600.00 rupees and 1,599.00"),
    ],
)
def test_an_entry_beyond_a_limit_is_denied_by_name_and_its_exit_passes(
    book: Book, exposure: Exposure, violation: str, words: str
) -> None:
    denial = denied(book, exposure)
    assert denial.violation == violation
    assert re.search(words, denial.sentence)
    assert judge(book, replace(exposure, is_exit=True), NOW).denial is None


def test_at_its_limit_an_entry_passes() -> None:
    limits = Limits(
        daily_loss=Money(100 * RUPEE),
        position_value=Money(8000 * RUPEE),
        order_value=Money(8000 * RUPEE),
        orders_a_day=5,
        open_orders=2,
        price_band=5 * held.PERCENT,
        symbols=frozenset({"SBIN"}),
        segments=frozenset({Segment.NSE_EQ}),
        products=frozenset({Product.INTRADAY}),
        hours=(time(9), time(16)),
    )
    book = page(limits, orders_today=4, open_orders=1, realized_today=Money(-99 * RUPEE))
    assert judge(book, entry(), NOW).denial is None


def test_a_breach_once_seen_stays_until_the_next_day() -> None:
    book, denial = judge(LOST, entry(), NOW)
    assert denial is not None
    assert book.latched_at == NOW
    recovered = replace(book, unrealized=Money(10**9))
    assert judge(recovered, entry(), NOW).denial is not None
    next_day = replace(recovered.on(date(2026, 11, 24)), marked_at=NOW)
    assert judge(next_day, entry(), NOW).denial is None


def test_entries_over_the_rate_are_told_when_and_exits_have_a_reserve() -> None:
    book = page(Limits(rates=(Window(5, 1),)))
    for _ in range(4):
        book, denial = judge(book, entry(), NOW)
        assert denial is None
    book, denial = judge(book, entry(), NOW)
    assert denial is not None
    assert (denial.violation, denial.limit) == ("ORDER_RATE", 4)
    assert denial.retry_after_s is not None
    book, denial = judge(book, entry(is_exit=True), NOW)
    assert denial is None
    assert judge(book, entry(is_exit=True), NOW).denial is not None
