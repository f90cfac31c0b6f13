"""Whose id a listing gets: contracts keep theirs, whatever becomes of their terms and names."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from bahi.bootstrap import House
from bahi.db.stores import Store
from bahi.kernel.listings import Listing
from bahi.kernel.words import BrokerSlug
from tests.instruments.makers import (
    DAY,
    EXPIRY,
    asked,
    empty,
    everything,
    instruments,
    load,
    only,
    option,
    share,
)
from tests.living import live_in

NEXT = DAY + timedelta(days=1)
Story = Callable[[Store], Awaitable[None]]
Tell = Callable[[Story], None]


@pytest.fixture
def tell(home: dict[str, str]) -> Tell:
    def tell(story: Story) -> None:
        async def in_it(house: House) -> None:
            await story(house.stores["main"])

        live_in(home, in_it)

    return tell


def test_the_same_file_twice_changes_nothing(tell: Tell) -> None:
    async def story(store: Store) -> None:
        file = [share("ITC", "1660"), option(179, "1"), option(184, "2")]
        await load(store, file)
        before = (await everything(store))[0]
        again = await load(store, file, day=NEXT)
        after = (await everything(store))[0]
        assert after == before
        report = again.report
        assert (report["arrived"], report["left"], report["changed"]) == (0, 0, {})
        assert await asked(store, "SELECT id FROM instrument_terms") == []
        assert await only(store, "SELECT count(*) FROM broker_listings") == 3

    tell(story)


def test_a_strike_that_moves_keeps_its_id_and_is_dated(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await load(store, [share("ITC", "1660"), option(179, "1")])
        (before, *_), symbol = (await instruments(store))[option(179).symbol], option(174).symbol
        await load(store, [share("ITC", "1660"), option(174, "1", lot_size=1_640)], day=NEXT)
        assert (await instruments(store))[symbol] == (before, 174_0000, "1", 1_640)
        assert option(179).symbol not in await instruments(store)
        dated = await asked(
            store, "SELECT valid_from, strike, lot_size FROM instrument_terms ORDER BY valid_from"
        )
        assert dated == [
            (DAY.isoformat(), 179_0000, 1_600),
            (NEXT.isoformat(), 174_0000, 1_640),
        ]

    tell(story)


ADJUSTED = [option(174, "1"), option(179, "2"), option(184, "3")]


def test_symbols_pass_from_one_contract_to_the_next_and_to_a_new_one_in_any_order_of_lines(
    tell: Tell,
) -> None:
    async def story(store: Store) -> None:
        for lines, size in itertools.product(itertools.permutations(ADJUSTED), (1, 1_000)):
            await store.write(empty)
            await load(store, [option(179, "1"), option(184, "2")])
            before = await instruments(store)
            await load(store, lines, day=NEXT, size=size)
            after = await instruments(store)
            assert after[option(174).symbol][0] == before[option(179).symbol][0]
            assert after[option(179).symbol][0] == before[option(184).symbol][0]
            assert after[option(184).symbol][0] not in {it[0] for it in before.values()}
            assert len(after) == 3

    tell(story)


@pytest.mark.parametrize("size", [1, 1_000])
def test_whoever_has_less_authority_still_tells_that_a_symbol_was_handed_on(
    tell: Tell, size: int
) -> None:
    async def story(store: Store) -> None:
        await load(store, [option(179, "1"), option(184, "2")])
        before = await instruments(store)
        await load(store, ADJUSTED[1:], BrokerSlug.DHAN, day=NEXT, size=size)
        unmoved = await instruments(store)  # Upstox, which counts more, says otherwise so far
        assert unmoved[option(184).symbol][0] != before[option(184).symbol][0]
        assert unmoved[option(179).symbol][0] == before[option(184).symbol][0]
        await load(store, ADJUSTED, day=NEXT, size=size)
        after = await instruments(store)
        assert after[option(174).symbol][0] == before[option(179).symbol][0]
        assert after[option(179).symbol][0] == before[option(184).symbol][0]
        assert after[option(184).symbol] == unmoved[option(184).symbol]

    tell(story)


def test_the_word_of_a_broker_that_is_loaded_no_more_does_not_hold_for_ever(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await load(store, [option(179, "1")])
        for days, lot in ((1, 1_600), (30, 800)):
            new = [option(179, "1", lot_size=800)]
            await load(store, new, BrokerSlug.DHAN, day=DAY + timedelta(days=days))
            assert (await instruments(store))[option(179).symbol][3] == lot

    tell(story)


def test_a_symbol_that_a_new_token_bears_is_another_contract(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await load(store, [option(179, "1")])
        (before, *_) = (await instruments(store))[option(179).symbol]
        await load(store, [option(179, "7")], day=NEXT)
        after = await instruments(store)
        assert after.keys() == {option(179).symbol}
        assert after[option(179).symbol][0] != before
        ((symbol, active),) = await asked(
            store, f"SELECT symbol, is_active FROM instruments WHERE id = {before}"
        )
        assert (symbol, active) == (f"{option(179).symbol}~{before}", 0)

    tell(story)


def test_a_token_that_is_used_again_is_a_new_contract(tell: Tell) -> None:
    async def story(store: Store) -> None:
        later = EXPIRY + timedelta(days=30)
        await load(store, [option(179, "1")])
        await load(store, [option(179, "1", expiry=later)], day=EXPIRY + timedelta(days=1))
        found = await asked(store, "SELECT expiry, is_active FROM instruments "
                                   "WHERE expiry IS NOT NULL ORDER BY expiry")  # fmt: skip
        assert found == [(EXPIRY.isoformat(), 0), (later.isoformat(), 1)]

    tell(story)


def test_t0_is_an_instrument_of_its_own(tell: Tell) -> None:
    async def story(store: Store) -> None:
        isin = share().isin
        file = [share(), share("RELIANCE-T0", "29001", series="T0", isin=isin)]
        await load(store, file)
        await load(store, file, day=NEXT)
        found = await asked(store, "SELECT symbol, series FROM instruments ORDER BY symbol")
        assert found == [("RELIANCE", "EQ"), ("RELIANCE-T0", "T0")]

    tell(story)


@pytest.mark.parametrize(("shares_first", "size"), [(True, 1), (False, 1), (False, 1_000)])
def test_a_share_with_a_new_name_keeps_its_id_and_its_contracts(
    tell: Tell, size: int, *, shares_first: bool
) -> None:
    async def story(store: Store) -> None:
        await load(store, [share("ZOMATO", "5097"), option(179, "1", "ZOMATO")])
        before = await instruments(store)
        file = [share("ETERNAL", "5097"), option(179, "1", "ETERNAL"), option(184, "2", "ETERNAL")]
        await load(store, file if shares_first else file[::-1], day=NEXT, size=size)
        after = await instruments(store)
        assert after["ETERNAL"][0] == before["ZOMATO"][0]
        assert after[file[1].symbol][0] == before[option(179, root="ZOMATO").symbol][0]
        assert len(after) == 3
        under = await asked(store, "SELECT DISTINCT underlying_id FROM instruments "
                                   "WHERE expiry IS NOT NULL")  # fmt: skip
        assert under == [(after["ETERNAL"][0],)]

    tell(story)


@pytest.mark.parametrize("size", [1, 1_000])
def test_an_underlying_that_comes_after_its_contracts_is_named_then(tell: Tell, size: int) -> None:
    async def story(store: Store) -> None:
        await load(store, [option(179, "1"), option(184, "2")], BrokerSlug.KITE)
        assert "ITC" not in await instruments(store)
        loaded = await load(store, [option(179, "1"), share("ITC", "1660")], size=size)
        found = await instruments(store)
        under = await asked(store, "SELECT DISTINCT underlying_id FROM instruments "
                                   "WHERE expiry IS NOT NULL")  # fmt: skip
        assert under == [(found["ITC"][0],)]
        assert (loaded.report["arrived"], loaded.report["revived"]) == (1, 0)

    tell(story)


def test_what_another_broker_still_lists_stays_active_and_what_comes_back_is_revived(
    tell: Tell,
) -> None:
    async def story(store: Store) -> None:
        both = [option(179, "1"), option(184, "2")]
        await load(store, both)
        await load(store, both, BrokerSlug.DHAN)
        ids = await instruments(store)
        await load(store, both[:1], day=NEXT)
        assert await instruments(store) == ids
        gone = await load(store, both[:1], BrokerSlug.DHAN, day=NEXT)
        assert (await instruments(store)).keys() == {both[0].symbol}
        assert gone.report["left"] == 1
        back = await load(store, both, day=NEXT)
        assert await instruments(store) == ids
        assert (back.report["revived"], back.report["arrived"]) == (1, 0)

    tell(story)


def test_expired_contracts_stay_and_are_over(tell: Tell) -> None:
    async def story(store: Store) -> None:
        both = [option(179, "1"), option(184, "2", expiry=EXPIRY + timedelta(days=30))]
        await load(store, both)
        await load(store, [*both, share("ITC", "1660")], day=EXPIRY + timedelta(days=1))
        assert (await instruments(store)).keys() == {both[1].symbol, "ITC"}
        over = f"SELECT is_active FROM instruments WHERE symbol = '{both[0].symbol}'"
        assert await only(store, over) == 0

    tell(story)


def test_each_broker_has_its_own_name_of_one_instrument(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await load(store, [share(broker_symbol="RELIANCE", security_id="NSE_EQ|1")])
        said = share(broker_symbol="Reliance", security_id="2885", tick_size=500, isin="")
        loaded = await load(store, [said], BrokerSlug.DHAN)
        names = await asked(
            store,
            "SELECT b.broker, b.broker_symbol, b.security_id, i.symbol FROM broker_symbols b "
            "JOIN instruments i ON i.id = b.instrument_id ORDER BY b.broker",
        )
        assert names == [
            ("dhan", "Reliance", "2885", "RELIANCE"),
            ("upstox", "RELIANCE", "NSE_EQ|1", "RELIANCE"),
        ]
        assert loaded.report["disagreed"] == {"adjusted": 1}
        (said_of,) = loaded.report["disagreements"]
        assert said_of["is"] == "tick_size 0.10, here 0.05"

    tell(story)


# Any few contracts, over a few days, in any order


contracts = st.lists(
    st.builds(
        option,
        strike=st.integers(100, 105),
        token=st.sampled_from("123456"),
        root=st.sampled_from(["ITC", "TCS"]),
        expiry=st.sampled_from([EXPIRY, EXPIRY + timedelta(days=28)]),
        lot_size=st.sampled_from([800, 1_600]),
    ),
    min_size=1,
    max_size=7,
    unique_by=(lambda it: it.symbol, lambda it: it.exchange_token),
)


async def world(store: Store) -> list[tuple[Any, ...]]:
    """Return what is active and who names it, without ids."""
    return await asked(
        store,
        "SELECT i.symbol, i.strike, i.expiry, i.exchange_token, i.lot_size, b.broker, b.security_id"
        " FROM instruments i JOIN broker_symbols b ON b.instrument_id = i.id"
        " WHERE i.is_active = 1 ORDER BY i.symbol, b.broker",
    )


def test_whatever_is_loaded_each_line_has_one_instrument_with_its_terms_and_ids_stay(
    tell: Tell,
) -> None:
    async def story(store: Store) -> None:
        draws: list[tuple[list[Listing], ...]] = []

        @hypothesis.settings(max_examples=10)
        @hypothesis.given(st.tuples(contracts, contracts, contracts))
        def drawn(days: tuple[list[Listing], ...]) -> None:
            draws.append(days)

        drawn()
        for days in draws:
            await store.write(empty)
            ids: set[int] = set()
            for n, file in enumerate(days):
                for lines in (file, file[::-1]):
                    await load(store, lines, day=DAY + timedelta(days=n), size=3, is_checked=True)
                found = await world(store)
                assert [(it[0], it[1], it[3], it[4]) for it in found] == sorted(
                    (it.symbol, it.strike, it.exchange_token, it.lot_size) for it in file
                )
                now = {key for (key,) in await asked(store, "SELECT id FROM instruments")}
                assert ids <= now
                ids = now

    tell(story)


def test_two_brokers_in_either_order_end_with_the_same_instruments(tell: Tell) -> None:
    async def story(store: Store) -> None:
        draws: list[list[Listing]] = []

        @hypothesis.settings(max_examples=8)
        @hypothesis.given(contracts)
        def drawn(file: list[Listing]) -> None:
            draws.append(file)

        drawn()
        one, other = BrokerSlug.UPSTOX, BrokerSlug.DHAN
        for file in draws:
            ends = []
            said = {one: file, other: [it._replace(lot_size=7) for it in file[::-1]]}
            for order in ((one, other), (other, one)):
                await store.write(empty)
                for broker in order:
                    await load(store, said[broker], broker, size=2)
                ends.append(await world(store))
            assert ends[0] == ends[1]
            assert len(ends[0]) == 2 * len(file)

    tell(story)
