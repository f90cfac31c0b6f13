"""Files that are not what they should be: each is refused with its reason and changes nothing."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from datetime import date, timedelta
from io import BytesIO

import pytest

from bahi.bootstrap import House
from bahi.brokers import masters
from bahi.db.stores import Store
from bahi.instruments.model.loads import Covers, Load, LoadStatus, Wanted
from bahi.instruments.service.loading import load_master
from bahi.kernel.actor import the_house
from bahi.kernel.errors import BahiError, Forbidden
from bahi.kernel.listings import Line
from bahi.kernel.words import BrokerSlug
from tests.brokers.masters import KITE_HEAD, SMALL, kite, packed
from tests.instruments.makers import MORNING, asked, everything, load, only, share
from tests.living import live_in, stopped

DAY = date(2025, 9, 24)
SHARES = tuple(
    f"{n << 8 | 1},{n},SHARE{n},A SHARE,0.0,,0.0,0.05,1,EQ,NSE,NSE" for n in range(10_000, 10_600)
)
RELIANCE = "738561,2885,RELIANCE,RELIANCE INDUSTRIES,0.0,,0.0,0.1,1,EQ,NSE,NSE"
STRIKES = tuple(range(20_000, 26_000, 10))
OPTIONS = tuple(
    f"{n << 8 | 2},{n},NIFTY25SEP{strike}CE,NIFTY,0.0,2025-09-30,{strike}.0,0.05,75,CE,NFO-OPT,NFO"
    for n, strike in enumerate(STRIKES, start=40_000)
)
WHOLE = kite(RELIANCE, *SHARES, *OPTIONS)

Story = Callable[[Store], Awaitable[None]]


async def pieces_of_file(broker: BrokerSlug, content: bytes) -> AsyncIterator[Sequence[Line]]:
    """Read a file here, as the process for it would."""
    piece: list[Line] = []
    with closing(BytesIO(content)) as file:
        for line in masters()[broker].listings(file):
            piece.append(line)
            if len(piece) == 250:
                yield piece
                piece = []
    if piece:
        yield piece


async def load_file(
    store: Store, content: bytes, broker: BrokerSlug = BrokerSlug.KITE, day: date = DAY
) -> Load:
    wanted = Wanted(broker=broker, source="a file", day=day)
    pieces = pieces_of_file(broker, content)
    return await load_master(store, the_house("test"), wanted, pieces, stopped(MORNING))


async def refused(store: Store, content: bytes, broker: BrokerSlug = BrokerSlug.KITE) -> str:
    """Load a file that cannot come into force, see that nothing changed, return the reason."""
    before = await everything(store)
    with pytest.raises(BahiError) as refusal:
        await load_file(store, content, broker)
    assert await everything(store) == before
    ((status, reason),) = await asked(
        store, "SELECT status, reason FROM master_loads ORDER BY id DESC LIMIT 1"
    )
    assert (status, reason) == (LoadStatus.REFUSED, str(refusal.value))
    return reason


def tell(home: dict[str, str], story: Story) -> None:
    """Tell a story in a house in which the whole file is in force."""

    async def in_it(house: House) -> None:
        await load_file(house.stores["main"], WHOLE)
        await story(house.stores["main"])

    live_in(home, in_it)


def test_a_file_cut_anywhere_changes_nothing(home: dict[str, str]) -> None:
    async def story(store: Store) -> None:
        draw = random.Random(4)
        for whole in (WHOLE, packed(WHOLE)):
            for _ in range(6):
                await refused(store, whole[: draw.randrange(len(whole) - 200)])

    tell(home, story)


def test_a_file_cut_behind_a_line_is_told_by_its_counts(home: dict[str, str]) -> None:
    async def story(store: Store) -> None:
        half = WHOLE[: WHOLE.index(b"\n", len(WHOLE) // 2 + len(WHOLE) // 8) + 1]
        assert "look whether it is whole" in await refused(store, half)
        no_options = kite(RELIANCE, *SHARES)
        assert "It has no NSE_FNO, of which 600" in await refused(store, no_options)
        wanted = Wanted(broker=BrokerSlug.KITE, source="a part", day=DAY, covers=Covers.PART)
        part = pieces_of_file(BrokerSlug.KITE, no_options)
        await load_master(store, the_house("test"), wanted, part, stopped(MORNING))
        counts = "SELECT exchange_segment, count(*) FROM broker_symbols GROUP BY 1 ORDER BY 1"
        assert await asked(store, counts) == [("NSE_EQ", 601), ("NSE_FNO", 600)]

    tell(home, story)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!DOCTYPE html><html><body>Too many requests</body></html>",
        b'{"status": "error", "message": "Incorrect api_key"}',
        f"{KITE_HEAD}\n".encode(),
        SMALL[BrokerSlug.DHAN],
        SMALL[BrokerSlug.UPSTOX],
        SMALL[BrokerSlug.BREEZE],
        WHOLE.replace(b"instrument_token,exchange_token", b"exchange_token,instrument_token"),
        WHOLE.replace(b"strike,tick_size", b"tick_size,strike"),
        WHOLE.replace(b"tradingsymbol,name", b"name,tradingsymbol"),
    ],
    ids=["empty", "html", "error", "head", "dhan", "upstox", "breeze", "tokens", "terms", "names"],
)
def test_another_kind_of_file_is_refused(content: bytes, home: dict[str, str]) -> None:
    async def story(store: Store) -> None:
        assert await refused(store, content)

    tell(home, story)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (WHOLE.replace(b",0.1,1,EQ", b",10.0,1,EQ"), "RELIANCE with a tick of 10.00"),
        (kite(*SHARES, *OPTIONS), "not RELIANCE"),
        (WHOLE.replace(b".0,0.05,75,CE", b"00.0,0.05,75,CE"), "cannot be right"),
        (WHOLE.replace(b"2025-09-30", b"2025-09-23"), "of another day"),
    ],
    ids=["ticks", "reliance", "strikes", "day"],
)
def test_what_cannot_be_right_as_a_whole_is_said(
    content: bytes, says: str, home: dict[str, str]
) -> None:
    async def story(store: Store) -> None:
        assert says in await refused(store, content)

    tell(home, story)


def test_tokens_of_another_scheme_are_told(home: dict[str, str]) -> None:
    async def story(store: Store) -> None:
        moved = [
            f"{n << 8 | 2},{n}," + line.split(",", 2)[2]
            for n, line in enumerate(OPTIONS, start=40_005)
        ]
        assert "tokens" in await refused(store, kite(RELIANCE, *SHARES, *moved))

    tell(home, story)


def test_one_bad_row_among_good_ones_is_named_and_the_rest_is_in_force(
    home: dict[str, str],
) -> None:
    async def story(store: Store) -> None:
        lines = [RELIANCE, *SHARES, *OPTIONS]
        lines[100] = lines[100].replace(",0.05,", ",five paise,")
        loaded = await load_file(store, kite(*lines), day=DAY + timedelta(days=1))
        (bad,) = loaded.report["bad"]
        assert bad["line"] == 102
        assert bad["reason"]
        assert await only(store, "SELECT count(*) FROM broker_symbols") == len(lines) - 1

    tell(home, story)


def test_a_listing_that_stands_twice_is_named(home: dict[str, str]) -> None:
    async def story(store: Store) -> None:
        twice = [RELIANCE, *SHARES, *OPTIONS, OPTIONS[5]]
        loaded = await load_file(store, kite(*twice))
        (bad,) = loaded.report["bad"]
        assert (bad["line"], bad["reason"]) == (
            1_203,
            "NIFTY30SEP2520050CE in NSE_FNO is listed twice",
        )

    tell(home, story)


def test_only_an_admin_loads(home: dict[str, str]) -> None:
    async def in_it(house: House) -> None:
        wanted = Wanted(broker=BrokerSlug.KITE, source="a file")
        nothing = pieces_of_file(BrokerSlug.KITE, WHOLE)
        nobody = the_house("test").__class__(name="somebody")
        with pytest.raises(Forbidden):
            await load_master(house.stores["main"], nobody, wanted, nothing, house.clock)

    live_in(home, in_it)


def test_the_first_load_of_all_leaves_nothing_when_it_is_refused(home: dict[str, str]) -> None:
    async def in_it(house: House) -> None:
        store = house.stores["main"]
        with pytest.raises(BahiError):
            await load_file(store, WHOLE[: len(WHOLE) * 2 // 3])
        assert await everything(store) == [[], [], [], []]
        await load(store, [share()])  # and it is in nobody's way

    live_in(home, in_it)
