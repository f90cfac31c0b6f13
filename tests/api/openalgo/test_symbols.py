"""What is listed, through the doors of OpenAlgo."""

from __future__ import annotations

import asyncio
import csv
import io
import tracemalloc
from typing import Any

from bahi.api.openalgo.symbols import COLUMNS, EXCHANGES, _as_json
from bahi.instruments.model.catalogue import Catalogue
from bahi.instruments.model.instrument import Entry
from bahi.kernel.clock import exchange_day
from bahi.kernel.words import Segment
from tests.api.openalgo.asking import asking, trading
from tests.api.standing import Standing


def test_a_symbol_is_told_with_its_terms(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        share = (await me.good("symbol", symbol="reliance", exchange="NSE"))["data"]
        assert (share["symbol"], share["instrumenttype"], share["lotsize"]) == ("RELIANCE", "EQ", 1)
        assert (share["expiry"], share["strike"]) == ("", None)
        assert share["id"].isdecimal()
        assert share["tick_size"] > 0
        said = await me.bad("symbol", 404, symbol="RELIANCE", exchange="NFO")
        assert "RELIANCE at NSE" in said["message"]
        said = await me.bad("symbol", 400, symbol="RELIANCE")
        assert said["message"] == "exchange: it is missing."

    trading(house, story)


def test_a_search_finds_what_is_meant(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        found = await me.good("search", query="nifty ce", exchange="NFO")
        assert found["data"]
        assert {row["exchange"] for row in found["data"]} == {"NFO"}
        assert found["message"] == f"Found {len(found['data'])} matching symbols"
        assert (await me.good("search", query="relianc"))["data"][0]["symbol"] == "RELIANCE"
        none = await me.good("search", query="qqqqqqqqqq", exchange="BCD")
        assert (none["data"], none["message"]) == ([], "No matching symbols found")
        await me.bad("search", 400, query="  ")

    trading(house, story)


def test_expiries_are_told_the_nearest_first_and_none_that_is_past(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        named = {"symbol": "NIFTY", "exchange": "NFO"}
        options = await me.good("expiry", **named, instrumenttype="options")
        futures = await me.good("expiry", **named, instrumenttype="futures")
        catalogue = await it.house.instruments.catalogue()
        today = exchange_day(it.house.clock())
        days = [day for day in catalogue.expiries("NIFTY", "NFO", is_option=True) if day >= today]
        assert options["data"] == [f"{day:%d-%b-%y}".upper() for day in days]
        assert futures["data"]
        assert options["message"].startswith(f"Found {len(days)} expiry dates for NIFTY options")
        await me.bad("expiry", 400, **named, instrumenttype="swaps")
        await me.bad("expiry", 404, symbol="SBIN", exchange="BCD", instrumenttype="options")

    trading(house, story)


def test_all_that_is_listed_comes_as_json_and_as_csv(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)

        async def get(**more: str) -> Any:
            return await me.client.get("/api/v1/instruments", params={"apikey": me.key, **more})

        counts = (await it.house.instruments.catalogue()).counts()
        whole = (await get()).json()
        assert len(whole["data"]) == sum(
            many for segment, many in counts.items() if segment is not Segment.MCX_INDEX
        )
        shares = (await get(exchange="NSE")).json()
        assert shares["message"] == f"Found {counts[Segment.NSE_EQ]} instruments"
        assert {row["exchange"] for row in shares["data"]} == {"NSE"}
        assert tuple(shares["data"][0]) == COLUMNS
        text = (await get(exchange="NSE", format="csv")).text
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["symbol"] for row in rows] == [row["symbol"] for row in shares["data"]]
        empty = (await get(exchange="BCD")).json()
        assert empty["status"] == "success"
        assert (await get(exchange="NASDAQ")).status_code == 400
        assert (await get(format="xml")).status_code == 400
        stranger = await me.client.get("/api/v1/instruments", params={"apikey": "f" * 64})
        assert stranger.status_code == 403
        assert len(EXCHANGES) == 9

    trading(house, story)


def test_a_large_master_is_written_a_little_at_a_time() -> None:
    one = Entry(
        id=1, segment="NSE_FNO", symbol="NIFTY28OCT2526000CE", root="NIFTY",
        trading_symbol="NIFTY25OCT26000CE", name="NIFTY", kind="OPTIDX", isin=None,
        expiry="2025-10-28", strike=260_000_000, option_type="CE", lot_size=75, tick_size=500,
        freeze_qty=1800, lower_band=None, upper_band=None, cas_eligible=0, series=None,
        exchange_token="1",
    )  # fmt: skip
    many = 30_000
    entries = [one._replace(id=it, symbol=f"NIFTY28OCT25{it + 1}CE") for it in range(many)]
    catalogue = Catalogue(entries)

    async def whole() -> tuple[int, int]:
        turns, size = 0, 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        beside = asyncio.create_task(others())
        async for part in _as_json(catalogue, [Segment.NSE_FNO]):
            size += len(part)
        beside.cancel()
        return turns, size

    tracemalloc.start()
    try:
        turns, size = asyncio.run(whole())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert turns >= many / 500
    assert size > 5_000_000
    assert peak < size / 5
