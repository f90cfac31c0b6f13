"""The lists of the session: which is due, and how each thing stands; unknown is never good."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.bootstrap import House
from bahi.bootstrap.looking import look_at
from bahi.bootstrap.risks import kill
from bahi.bootstrap.session_closing import RULES as CLOSING
from bahi.bootstrap.session_closing import day_made, naked_legs
from bahi.bootstrap.session_facts import Due, Facts, Hours, Item, Look, State, due_list
from bahi.bootstrap.session_lists import facts_of, session_list
from bahi.bootstrap.session_morning import RULES as MORNING_RULES
from bahi.bootstrap.today import Days, today_of
from bahi.kernel.actor import Actor
from bahi.kernel.money import NOTHING, Money, Price, grouped
from bahi.kernel.words import AccountMode, BrokerSlug, OrderType, Product, Role, Segment, Side
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.placing import place_order
from bahi.portfolio.model.position import Key
from bahi.risk.model.control import Scope, Whom
from bahi.risk.model.standing import Open, Page
from tests.accounts.test_model import an_account
from tests.living import MORNING, live_in, stopped
from tests.orders.desks import ACTOR, NOON, OPEN, limit, paper_desk
from tests.statements import counted

OPENS, CLOSES = (datetime(2036, 11, 24, *it, tzinfo=UTC) for it in ((3, 45), (10, 0)))
HOURS = [Hours(OPENS, CLOSES)]


@pytest.fixture
def furnished_at() -> datetime:
    """Have these houses furnished on the morning of their day."""
    return MORNING


def test_the_list_that_is_due_follows_the_session() -> None:
    minute = timedelta(minutes=1)
    assert due_list(HOURS, OPENS - minute, is_always_open=False) is Due.MORNING
    assert due_list(HOURS, OPENS, is_always_open=False) is Due.BETWEEN
    assert due_list(HOURS, CLOSES - minute, is_always_open=False) is Due.BETWEEN
    assert due_list(HOURS, CLOSES, is_always_open=False) is Due.CLOSING
    later = [*HOURS, Hours(OPENS - minute, CLOSES + minute)]
    assert due_list(later, OPENS - minute, is_always_open=False) is Due.BETWEEN
    assert due_list(later, CLOSES, is_always_open=False) is Due.BETWEEN


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_market_that_never_closes_and_a_day_off_show_what_needs_a_person(at: datetime) -> None:
    assert due_list(HOURS, at, is_always_open=True) is Due.BETWEEN
    assert due_list([], at, is_always_open=False) is Due.BETWEEN


NOTHING_KNOWN = Facts(
    now=NOON,
    day=date(2036, 11, 24),
    due=Due.BETWEEN,
    is_always_open=False,
    accounts=(),
    persons={},
    pages={},
    positions=(),
    orders=(),
    forevers=(),
    breaks={},
    charges={},
    tokens={},
    addresses={},
    switches=(),
    webhooks=(),
    lists={},
    looks={},
)


def of(facts: Facts) -> dict[str, Item]:
    return {it.name: it for rule in (*MORNING_RULES, *CLOSING) for it in [rule(facts)]}


def an_option(symbol: str, net: int) -> Open:
    return Open(7, Key(Segment.NSE_FNO, symbol, Product.MARGIN), net, NOTHING)


def test_what_cannot_be_known_is_unknown_and_says_why() -> None:
    items = of(NOTHING_KNOWN)
    for name in ("feed", "free margin", "bans and surveillance", "the day's money"):
        assert items[name].state is State.UNKNOWN, name
    held = an_option("NIFTY25NOV3626000CE", 75)
    items = of(replace(NOTHING_KNOWN, positions=(held,)))
    assert items["overnight positions"].state is State.UNKNOWN
    assert items["derivatives open"].state is State.UNKNOWN
    assert items["bans and surveillance"].sentence.startswith("Today's ban list is not here")
    assert all(it.sentence.endswith(".") for it in items.values())
    cut = of(replace(NOTHING_KNOWN, is_whole=False))
    assert cut["resting and unprotected"].state is State.UNKNOWN
    assert cut["unknown and working orders"].state is State.UNKNOWN


def test_a_feed_that_stands_still_is_broken_and_one_of_a_closed_market_says_nothing() -> None:
    thing = (Segment.NSE_EQ, "SBIN")
    look = Look(Price(1), NOON, "kite", is_open=True)
    fresh = of(replace(NOTHING_KNOWN, looks={thing: look}))["feed"]
    assert (fresh.state, "0.0 s" in fresh.sentence) == (State.GOOD, True)
    old = look._replace(at=NOON - timedelta(seconds=61))
    stale = of(replace(NOTHING_KNOWN, looks={thing: old}))["feed"]
    assert (stale.state, stale.symbols) == (State.BROKEN, ("SBIN",))
    closed = of(replace(NOTHING_KNOWN, looks={thing: old._replace(is_open=False)}))["feed"]
    assert closed.state is State.UNKNOWN
    unsure = of(replace(NOTHING_KNOWN, looks={thing: old._replace(is_open=None)}))["feed"]
    assert unsure.state is State.BROKEN


@given(st.integers(0, 300), st.integers(1, 300))
def test_a_written_option_is_naked_for_what_no_bought_one_stands_against(
    bought: int, written: int
) -> None:
    legs = [an_option("NIFTY25NOV3626000CE", -written)]
    if bought:
        legs.append(an_option("NIFTY25NOV3626500CE", bought))
    other = an_option("NIFTY25NOV3625000PE", 1_000)  # of the other right: it covers nothing
    found = naked_legs(replace(NOTHING_KNOWN, positions=(*legs, other)))
    assert (found.state is State.GOOD) is (bought >= written)
    if bought < written:
        assert f"{written - bought:,}" in found.sentence


def test_what_ends_today_and_what_is_left_of_the_day_needs_a_person() -> None:
    ends = an_option("NIFTY24NOV3626000CE", 75)
    left = Open(7, Key(Segment.NSE_EQ, "SBIN", Product.INTRADAY), 10, NOTHING)
    looks = {
        ends.key[:2]: Look(is_open=True),
        left.key[:2]: Look(is_open=True, square_off_at=NOON + timedelta(hours=3)),
    }
    items = of(replace(NOTHING_KNOWN, positions=(ends, left), looks=looks))
    assert items["expiries and deliveries"].symbols == ("NIFTY24NOV3626000CE",)
    assert items["derivatives open"].state is State.NEEDS_A_PERSON
    assert "squared off from 15:00:00 IST on" in items["intraday left"].sentence
    unprotected = items["resting and unprotected"]
    assert (unprotected.state, unprotected.symbols) == (State.NEEDS_A_PERSON, ("SBIN",))
    late = replace(NOTHING_KNOWN, positions=(left,), looks=looks, now=NOON + timedelta(hours=4))
    assert of(late)["intraday left"].state is State.BROKEN


A_BOOK = Page(
    account_id=7,
    mode=AccountMode.PAPER,
    day=NOTHING_KNOWN.day,
    realized=NOTHING,
    latched_at=None,
    limits=None,
    positions_read_at=None,
    funds_read_at=None,
    cash=NOTHING,
    margin_used=NOTHING,
)


PRICES = st.integers(1, 10**4).map(lambda paise: paise * 100)


@given(st.integers(-500, 500).filter(bool), PRICES, PRICES)
def test_the_days_money_goes_by_the_newest_price_and_an_old_one_counts_out_of_hours(
    net: int, paid: int, last: int
) -> None:
    held = an_option("NIFTY25NOV3626000CE", net)._replace(cost=Money(abs(net) * paid))
    old = Look(Price(last), NOON - timedelta(minutes=5), "kite", is_open=True)

    def made(look: Look) -> Item:
        looks = {held.key[:2]: look}
        return day_made(replace(NOTHING_KNOWN, pages={7: A_BOOK}, positions=(held,), looks=looks))

    for look in (old._replace(at=NOON), old._replace(is_open=False)):
        assert made(look).state is State.GOOD
        gross = made(look).sentence.partition("gross ")[2].partition(", charges")[0]
        assert gross.lstrip("+\N{MINUS SIGN}") == grouped(abs(net * (last - paid)))
        assert gross.startswith("+") is (net * (last - paid) > 0)
    for look in (old, old._replace(is_open=None), Look()):
        assert made(look).state is State.UNKNOWN
        assert made(look).symbols == (held.key.symbol,)


def test_what_no_broker_told_is_not_known_and_never_nothing() -> None:
    live, paper = an_account(8), an_account(7, BrokerSlug.PAPER)
    pages = {7: A_BOOK, 8: replace(A_BOOK, account_id=8, mode=AccountMode.LIVE)}
    facts = replace(NOTHING_KNOWN, accounts=(live, paper), pages=pages)
    found = day_made(facts)
    assert (found.state, found.accounts) == (State.UNKNOWN, (8,))
    assert found.sentence.startswith("What account 8 made is not known: no broker told it; ")
    assert "(live)" not in found.sentence
    pages[8] = replace(pages[8], positions_read_at=NOON)
    assert day_made(replace(facts, pages=pages)).state is State.GOOD


Story = Callable[[House], Awaitable[None]]


def test_a_desk_shows_what_needs_a_person_within_a_dozen_statements(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        await place_order(desk, limit(desk))
        found = await session_list(house, ACTOR)
        assert found.due is Due.BETWEEN
        (bare,) = [it for it in found.items if it.name == "resting and unprotected"]
        assert (bare.accounts, bare.symbols) == ((desk.account_id,), ("SBIN",))
        seen = desk.look(Segment.NSE_EQ, "SBIN")
        assert seen.price is not None
        tick = seen.instrument.tick_size or Price(1)
        stop = PlaceOrder(
            segment=Segment.NSE_EQ,
            symbol="SBIN",
            side=Side.SELL,
            quantity=10,
            product=Product.INTRADAY,
            order_type=OrderType.STOP_LOSS_MARKET,
            trigger_price=Price(seen.price * 98 // 100 // tick * tick),
        )
        await place_order(desk, stop)
        whom = Whom(scope=Scope.ACCOUNT, account_id=desk.account_id)
        await kill(house, ACTOR, whom, "A test stops it")
        found = await session_list(house, ACTOR)
        names = {it.name for it in found.items}
        assert "resting and unprotected" not in names
        (switch,) = [it for it in found.items if it.name == "kill switch"]
        assert "by bahi:test: A test stops it" in switch.sentence
        assert switch.accounts == (desk.account_id,)
        await house.revisions.look()  # as a house that has begun does by itself
        await session_list(house, ACTOR)
        for due in Due:
            with counted() as cost:
                whole = await session_list(house, ACTOR, due)
            assert cost.number <= 12
            assert whole.asked >= len(whole.items) > 0
        morning = await session_list(house, ACTOR, Due.MORNING)
        assert {it.name: it.state for it in morning.items}["feed"] is State.GOOD
        closing = await session_list(house, ACTOR, Due.CLOSING)
        money = {it.name: it for it in closing.items}["the day's money"]
        facts = await facts_of(house, ACTOR)
        assert facts.charges[desk.account_id] > 0
        kept = await look_at(house, ACTOR, desk.account_id)
        desk_says = (await today_of(house, Days(), kept)).whole.gross
        assert desk_says is not None
        assert money.state is State.GOOD
        assert f"{grouped(abs(desk_says))}, charges" in money.sentence
        stranger = Actor(name="someone", user_id=99, role=Role.TRADER)
        theirs = await facts_of(house, stranger)
        assert (theirs.accounts, theirs.positions, theirs.switches) == ((), (), ())

    live_in(home | OPEN, story, stopped(NOON))


def test_before_the_open_and_after_the_close_the_calendar_says_which(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        await house.furnish()
        assert (await session_list(house, ACTOR)).due is not Due.CLOSING

    live_in(home | {"BAHI_MARKET": "simulated"}, story, stopped(MORNING))
