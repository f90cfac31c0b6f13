"""The chart: candles as figures, own trades, what is open, and what is said where nothing is."""

from __future__ import annotations

from typing import Any

from bahi.kernel.money import SCALE
from bahi.kernel.words import Side
from tests.web.markets import SCRIPT, Trader, at_the_desk

SBIN = {"segment": "NSE_EQ", "symbol": "SBIN"}


async def told(it: Trader, **asked: Any) -> dict[str, Any]:
    answer = await it.browser.get("/chart/candles", params={**SBIN, **asked})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_chart_has_its_candles_own_trades_and_the_average_of_what_is_open(
    home: dict[str, str],
) -> None:
    async def story(it: Trader) -> None:
        bought = await it.place(quantity=10)
        await it.place(quantity=4, side=Side.SELL)
        await it.place("INFY", 3)
        page = await it.get("/chart", **SBIN, interval="1m")
        assert "State Bank" in page
        assert "+6" in page
        assert 'data-ticket="BUY"' in page
        said = await told(it, interval="1m")
        assert bought.average_price is not None
        times = [each[0] for each in said["candles"]]
        assert times == sorted(set(times))
        assert all(low <= first <= high for _, first, high, low, _, _ in said["candles"])
        paid = bought.average_price / SCALE
        assert [(side, quantity) for _, side, quantity, _ in said["trades"]] == [
            ("BUY", 10), ("SELL", 4),
        ]  # fmt: skip
        assert said["trades"][0][3] == paid
        assert said["averages"] == [paid]
        newest = await told(it, interval="1m", since=times[-1])
        assert newest["candles"][0][0] == times[-1]
        assert len(newest["candles"]) <= 2
        assert newest["trades"] == said["trades"]

    at_the_desk(home, story)


def test_the_figures_of_a_chart_move_with_its_price(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        await it.place(quantity=10)
        answer = await it.browser.get("/chart/figures", params=SBIN)
        cells = answer.json()["cells"]
        assert {"last", "bid", "ask", "moved", "open-INTRADAY", "market"} <= set(cells)
        assert cells["last"][0].count(".") == 1

    at_the_desk(house, story)


def test_nobody_sees_anothers_trades_in_a_chart(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        await it.place()
        ravi = await it.another()
        said = await told(ravi)
        assert said["trades"] == said["averages"] == []
        await ravi.get("/chart", 404, **SBIN, account=it.account.id)
        answer = await ravi.browser.get(
            "/chart/candles", params={**SBIN, "account": str(it.account.id)}
        )
        assert answer.status_code == 404

    at_the_desk(house, story)


def test_what_is_not_listed_is_said_and_searched_for(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        teaches = await it.get("/chart")
        assert "Type a part of a name" in teaches
        page = await it.get("/chart", 404, segment="NSE_EQ", symbol=SCRIPT)
        assert "is not listed" in page
        raw = await it.browser.get("/chart", params={"segment": "NSE_EQ", "symbol": SCRIPT})
        assert "<script>alert" not in raw.text
        assert "there are NSE" not in await it.get("/chart", 404, segment="NOWHERE", symbol="X")
        offers = await it.get("/chart/symbols", q="relian")
        assert "symbol=RELIANCE" in offers
        nothing = await it.browser.get("/chart/symbols", params={"q": SCRIPT})
        assert "<script>alert" not in nothing.text
        for wrong in ({"interval": "7m"}, {"since": "soon"}, {"since": "9" * 17}):
            answer = await it.browser.get("/chart/candles", params={**SBIN, **wrong})
            assert answer.status_code == 400, wrong

    at_the_desk(house, story)


def test_candles_are_handed_out_as_a_file(house: dict[str, str]) -> None:
    async def story(it: Trader) -> None:
        lines = (await it.get("/chart.csv", **SBIN, interval="D")).splitlines()
        assert lines[0] == "at,open,high,low,close,volume,open_interest"
        assert len(lines) > 200

    at_the_desk(house, story)
