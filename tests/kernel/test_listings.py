"""Why two files differ about one token."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.listings import Difference, Listing, disagreement
from bahi.kernel.money import Price
from bahi.kernel.words import InstrumentType, OptionType, Segment

DAY = date(2026, 2, 9)
LATER = date(2026, 2, 24)


def an_option(**changed: Any) -> Listing:
    return Listing(
        1, Segment.NSE_FNO, "GAIL24FEB26179CE", "GAIL", "1", InstrumentType.OPTSTK,
        root="GAIL", exchange_token="1", expiry=LATER, strike=Price(1_790_000),
        option_type=OptionType.CE, lot_size=3150, tick_size=Price(500),
    )._replace(**changed)  # fmt: skip


def a_share(**changed: Any) -> Listing:
    return Listing(
        1, Segment.NSE_EQ, "LTIM", "LTIM", "17818", InstrumentType.EQUITY,
        exchange_token="17818", series="EQ", isin="INE214T01019", lot_size=1,
        tick_size=Price(5000),
    )._replace(**changed)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "kind", "fields"),
    [
        ({"strike": Price(1_740_000)}, Difference.ADJUSTED, ("strike",)),
        ({"lot_size": 3500}, Difference.ADJUSTED, ("lot_size",)),
        ({"expiry": date(2026, 2, 26)}, Difference.ADJUSTED, ("expiry",)),
        ({"expiry": date(2025, 8, 28)}, Difference.EXPIRED, ("expiry",)),
        ({"root": "GAILX"}, Difference.RENAMED, ("root",)),
        ({"root": "ITC", "strike": Price(1)}, Difference.REUSED, ("root", "strike")),
        ({"option_type": OptionType.PE}, Difference.REUSED, ("option_type",)),
        ({"tick_size": Price(50_000)}, Difference.UNIT, ("tick_size",)),
        ({"strike": Price(179_000_000)}, Difference.UNIT, ("strike",)),
        ({"lot_size": 315_000}, Difference.UNIT, ("lot_size",)),
    ],
)
def test_a_contract_that_differs_has_its_reason(
    changed: dict[str, Any], kind: Difference, fields: tuple[str, ...]
) -> None:
    for said in (
        disagreement(an_option(), an_option(**changed), DAY),
        disagreement(an_option(**changed), an_option(), DAY),
    ):
        assert said == (kind, fields)


@pytest.mark.parametrize(
    ("changed", "kind", "fields"),
    [
        ({"symbol": "LTM"}, Difference.RENAMED, ("symbol",)),
        ({"symbol": "LTIM-BE", "series": "BE"}, Difference.RENAMED, ("series",)),
        ({"isin": "INE214T01027"}, Difference.ADJUSTED, ("isin",)),
        ({"symbol": "X", "isin": "INE000A01019"}, Difference.REUSED, ("symbol", "isin")),
        ({"lot_size": 100}, Difference.ADJUSTED, ("lot_size",)),
        ({"tick_size": Price(50)}, Difference.UNIT, ("tick_size",)),
    ],
)
def test_a_security_that_differs_has_its_reason(
    changed: dict[str, Any], kind: Difference, fields: tuple[str, ...]
) -> None:
    assert disagreement(a_share(), a_share(**changed), DAY) == (kind, fields)


def test_what_one_file_does_not_say_is_no_difference() -> None:
    silent = {"isin": "", "lot_size": None, "tick_size": None}
    assert disagreement(a_share(), a_share(**silent), DAY) is None
    # An old file of Upstox's gives no series, and so the bare symbol.
    assert disagreement(a_share(symbol="LTIM-BE", series="BE"), a_share(series=""), DAY) is None


@given(st.booleans(), st.sampled_from([None, Price(100), Price(500)]), st.integers(1, 5))
def test_nothing_differs_from_itself(is_share: bool, tick: Price | None, lot: int) -> None:
    listing = (a_share if is_share else an_option)(tick_size=tick, lot_size=lot)
    assert disagreement(listing, listing, DAY) is None
