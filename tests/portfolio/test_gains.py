"""Profit by average cost and by lots, each against an oracle that is slow and plain."""

from __future__ import annotations

from collections import deque
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.clock import exchange_day
from bahi.kernel.money import Money, Price, parse_money, parse_price
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.adjustment import Action
from bahi.portfolio.model.gains import Fill, Total, gains_of, summed
from bahi.portfolio.model.lots import (
    Dealing,
    Match,
    Term,
    of_derivatives,
    of_shares,
    term_of,
)
from bahi.portfolio.model.position import Fact, Key, Position, fold_all
from bahi.portfolio.model.worth import Mark, unrealized, worth

START = datetime(2036, 11, 24, 4, 0, tzinfo=UTC)
SHARES = Key(Segment.NSE_EQ, "SBIN", Product.CNC)

deals = st.lists(
    st.tuples(
        st.integers(0, 900),  # days after the start
        st.sampled_from(Side),
        st.integers(1, 40),
        st.integers(1, 9_999_999),  # a price in ten-thousandths
        st.sampled_from([Product.CNC, Product.INTRADAY]),
    ),
    max_size=14,
)
Drawn = list[tuple[int, Side, int, int, Product]]


def dealings(drawn: Drawn) -> list[Dealing]:
    return [
        Dealing(
            START + timedelta(days=days, seconds=number),
            number,
            side,
            quantity,
            Money(quantity * price),
            product,
        )
        for number, (days, side, quantity, price, product) in enumerate(drawn, 1)
    ]


# -- the oracle of lots: every single piece by itself


def pieces(many: list[Dealing]) -> list[tuple[date, Side, int, Product]]:
    ordered = sorted(many, key=lambda it: (it.at, it.id))
    return [
        (exchange_day(it.at), it.side, it.value // it.quantity, it.product)
        for it in ordered
        for _ in range(it.quantity)
    ]


def oracle_of_derivatives(many: list[Dealing]) -> tuple[int, list[int]]:
    """Return the profit, and the open pieces: bought at plus, sold at minus."""
    queue: deque[int] = deque()
    profit = 0
    for _, side, price, _ in pieces(many):
        signed = price if side is Side.BUY else -price
        if queue and (queue[0] > 0) is not (signed > 0):
            profit -= queue.popleft() + signed
        else:
            queue.append(signed)
    return profit, list(queue)


def oracle_of_shares(many: list[Dealing]) -> dict[Term, int]:
    """Match piece by piece: same day and product, same day, then the oldest that is open."""
    every = pieces(many)
    gained = dict.fromkeys(Term, 0)
    left: list[tuple[date, Side, int, Product] | None] = list(every)

    def matching(same: Any) -> None:
        for i, one in enumerate(left):
            if one is None or one[1] is not Side.BUY:
                continue
            for j, two in enumerate(left):
                if two is not None and two[1] is Side.SELL and same(one, two):
                    gained[Term.SPECULATIVE] += two[2] - one[2]
                    left[i] = left[j] = None
                    break

    matching(lambda one, two: one[0] == two[0] and one[3] is two[3])
    matching(lambda one, two: one[0] == two[0])
    open_pieces: deque[tuple[date, Side, int, Product]] = deque()
    for day in sorted({it[0] for it in left if it is not None}):
        todays = [it for it in left if it is not None and it[0] == day]
        for it in sorted(todays, key=lambda one: one[3]):
            if open_pieces and open_pieces[0][1] is not it[1]:
                opened = open_pieces.popleft()
                month = (day.year - opened[0].year) * 12 + day.month - opened[0].month
                is_long = month > 12 or (month == 12 and day.day > opened[0].day)
                bought, sold = (opened, it) if it[1] is Side.SELL else (it, opened)
                gained[Term.LONG_TERM if is_long else Term.SHORT_TERM] += sold[2] - bought[2]
            else:
                open_pieces.append(it)
    return gained


def gained(matches: list[Match]) -> dict[Term, int]:
    found = dict.fromkeys(Term, 0)
    for it in matches:
        found[it.term] += it.gain
    return found


@given(deals)
def test_lots_of_a_contract_are_what_matching_piece_by_piece_gives(drawn: Drawn) -> None:
    lots = of_derivatives(dealings(drawn))
    profit, left = oracle_of_derivatives(dealings(drawn))
    assert gained(lots.matches)[Term.BUSINESS] == profit
    assert lots.quantity == sum(1 if it > 0 else -1 for it in left)
    assert sum(it.value for it in lots.open) == sum(map(abs, left))


@given(deals)
def test_lots_of_a_share_are_what_matching_piece_by_piece_gives(drawn: Drawn) -> None:
    many = [(days % 800 // 100 * 100, *rest) for days, *rest in drawn]  # several on one day
    assert gained(of_shares(dealings(many)).matches) == oracle_of_shares(dealings(many))


@given(deals, st.randoms(use_true_random=False))
def test_the_order_in_which_dealings_are_told_changes_nothing(drawn: Drawn, random: Any) -> None:
    told = dealings(drawn)
    shuffled = random.sample(told, len(told))
    for matched in (of_shares, of_derivatives):
        assert matched(shuffled) == matched(told)


@pytest.mark.parametrize(
    ("opened", "closed", "term"),
    [
        (date(2025, 11, 24), date(2026, 11, 24), Term.SHORT_TERM),  # twelve months to the day
        (date(2025, 11, 24), date(2026, 11, 25), Term.LONG_TERM),
        (date(2028, 2, 29), date(2029, 2, 28), Term.SHORT_TERM),
        (date(2028, 2, 29), date(2029, 3, 1), Term.LONG_TERM),
    ],
)
def test_more_than_twelve_months_is_long(opened: date, closed: date, term: Term) -> None:
    assert term_of(opened, closed) is term


def test_a_split_keeps_the_cost_and_the_day_and_a_bonus_costs_nothing() -> None:
    def on(day: int, number: int, side: Side, quantity: int, rupees: str) -> Dealing:
        at = START + timedelta(days=day)
        value = parse_money(rupees)
        return Dealing(at, number, side, quantity, value, Product.CNC)

    lots = of_shares(
        [
            on(0, 1, Side.BUY, 10, "1000"),
            on(1, 2, Side.BUY, 5, "600"),
            on(2, 3, Side.BUY, 60, "0")._replace(action=Action.SPLIT),  # one becomes five
            on(3, 4, Side.BUY, 75, "0")._replace(action=Action.BONUS),  # one for one
            on(400, 5, Side.SELL, 60, "1800"),
            on(401, 6, Side.SELL, 40, "1200"),
        ]
    )
    assert [(it.quantity, it.bought, it.term) for it in lots.matches] == [
        (50, parse_money("1000"), Term.LONG_TERM),
        (10, parse_money("240"), Term.LONG_TERM),  # ten of 25 that cost 600
        (15, parse_money("360"), Term.LONG_TERM),
        (25, 0, Term.LONG_TERM),
    ]
    assert lots.quantity == 50


# -- average cost


def oracle_of_average(facts: list[Fact]) -> tuple[Fraction, Fraction, int]:
    """Return profit, open cost and closings in exact fractions."""
    net, cost, profit, closings = 0, Fraction(0), Fraction(0), 0
    for it in facts:
        price = Fraction(it.value, it.quantity)
        for _ in range(it.quantity):  # one piece after the other
            signed = 1 if it.side is Side.BUY else -1
            if net * signed < 0:
                each = cost / abs(net)
                profit += (price - each) * (1 if net > 0 else -1)
                cost -= each
            else:
                cost += price
            net += signed
        closings += 1
    return profit, cost, closings


@given(deals)
def test_average_cost_is_what_fractions_give_to_the_ten_thousandth(drawn: Drawn) -> None:
    facts = [
        Fact(it.at, it.id, it.side, it.quantity, it.value)
        for it in sorted(dealings(drawn), key=lambda one: (one.at, one.id))
    ]
    position = fold_all(SHARES, facts)
    profit, cost, closings = oracle_of_average(facts)
    assert abs(position.realized - profit) <= closings
    assert abs(position.open_cost - cost) <= closings
    signed = sum(it.value if it.side is Side.SELL else -it.value for it in facts)
    held = position.open_cost if position.net > 0 else -position.open_cost
    assert position.realized == signed + held  # nothing is lost in between, ever


@given(deals)
def test_the_gains_of_trades_add_up_to_what_the_position_realized(drawn: Drawn) -> None:
    facts = [Fact(it.at, it.id, it.side, it.quantity, it.value) for it in dealings(drawn)]
    gains = list(gains_of(7, SHARES, [Fill(it, Money(3), it.id) for it in facts]))
    assert sum(it.gross for it in gains) == fold_all(SHARES, facts).realized
    days = summed(gains, lambda it: it.day)
    assert sum(it.gross for it in days.values()) == sum(it.gross for it in gains)
    assert sum(it.charges for it in days.values()) == 3 * len(facts)
    assert set(days) == {exchange_day(it.at) for it in facts}


def test_turnover_and_net_cash_are_no_profit() -> None:
    bought = Fact(START, 1, Side.BUY, 10, parse_money("1000"))
    sold = Fact(START + timedelta(hours=1), 2, Side.SELL, 4, parse_money("480"))
    gains = gains_of(7, SHARES, [Fill(it, Money(10_000), 5) for it in (bought, sold)])
    (total,) = summed(gains, lambda it: it.account_id).values()
    assert total == Total(
        gross=parse_money("80"),  # 480 less 4 at 100
        charges=parse_money("2"),
        bought=parse_money("1000"),
        sold=parse_money("480"),
        trades=2,
    )
    assert total.net == parse_money("78")
    assert (total.turnover, total.net_cash) == (parse_money("1480"), -parse_money("520"))


def test_a_trade_late_in_the_evening_in_utc_is_of_the_next_day_in_india() -> None:
    late = Fact(datetime(2036, 11, 24, 18, 45, tzinfo=UTC), 1, Side.BUY, 1, parse_money("1"))
    (gain,) = gains_of(7, SHARES, [Fill(late)])
    assert gain.day == date(2036, 11, 25)


# -- live


HELD = fold_all(SHARES, [Fact(START, 1, Side.BUY, 10, parse_money("1000"))])
FRESH = timedelta(seconds=10)


def _mark(rupees: str, seconds: int = 0) -> Mark:
    return Mark(parse_price(rupees), START - timedelta(seconds=seconds), "simulated")


def test_what_is_open_is_valued_at_its_price_and_says_whose_that_is() -> None:
    found = worth(HELD, _mark("104.50"), START, FRESH)
    assert (found.value, found.unrealized) == (parse_money("1045"), parse_money("45"))
    assert found.total == parse_money("45")
    assert found.mark == (Price(104_5000), START, "simulated")
    short = fold_all(SHARES, [Fact(START, 1, Side.SELL, 10, parse_money("1000"))])
    assert worth(short, _mark("104.50"), START, FRESH).unrealized == -parse_money("45")


def test_a_price_that_is_missing_or_old_makes_a_profit_unknown_and_never_nothing() -> None:
    missing, old = worth(HELD, None, START, FRESH), worth(HELD, _mark("104", 11), START, FRESH)
    for it in (missing, old):
        assert it.value is it.unrealized is it.total is None
    assert missing.why == "There is no price of SBIN."
    assert "too old" in old.why
    known = worth(HELD, _mark("104", 10), START, FRESH)
    assert unrealized([known, known]) == parse_money("80")
    assert unrealized([known, old]) is None


def test_what_is_flat_has_nothing_open_whatever_the_price() -> None:
    flat = worth(Position(key=SHARES, realized=parse_money("5")), None, START, FRESH)
    assert (flat.unrealized, flat.total) == (0, parse_money("5"))
