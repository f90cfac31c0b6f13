"""A refusal in a broker's own words, where somebody entered them; the code stays ours."""

from __future__ import annotations

import asyncio
from typing import Any

from bahi.exchange.model.refusing import refusal
from bahi.exchange.model.rules import Rules
from bahi.exchange.service import rules_of
from bahi.kernel.errors import NotFound
from bahi.kernel.words import BrokerSlug
from tests.exchange.test_rules import OPTION, a_situation, an_order, rupees

SAID = "so many are no lot here"
FAR = "this is beyond our circuit"


def test_the_words_of_the_profile_are_said_for_what_they_are_known() -> None:
    rules = Rules(words={"LOT": SAID, "PRICE_PROTECTION": FAR})
    odd = refusal(an_order(quantity=0), a_situation(rules=rules))
    assert odd == ("LOT", SAID)
    off = refusal(an_order(price=rupees("100.01")), a_situation(rules=rules))
    assert off is not None
    assert off[0] == "TICK"
    assert "multiple of the tick" in off[1]
    far = an_order(segment=OPTION.segment, price=rupees("140.05"))
    assert refusal(far, a_situation(OPTION, rules=rules)) == ("PRICE_PROTECTION", FAR)


def test_words_are_a_setting_by_profile() -> None:
    known: dict[str, Any] = {
        "exchange.queue": "through",
        "exchange.profile": "dhan",
        "exchange.protection_bps": 300,
        "exchange.latency_least_ms": 0,
        "exchange.latency_most_ms": 0,
    }

    async def get(category: str, key: str) -> Any:
        try:
            return known[f"{category}.{key}"]
        except KeyError:
            raise NotFound("no such setting") from None

    async def story() -> None:
        assert (await rules_of(get)).words == {}
        known["exchange.words"] = {"kite": {"LOT": "another"}, "dhan": {"LOT": SAID}}
        found = await rules_of(get)
        assert (found.profile, found.words) == (BrokerSlug.DHAN, {"LOT": SAID})
        for wrong in (["LOT"], {"dhan": "LOT"}, {"dhan": {"LOT": 7}}):
            known["exchange.words"] = wrong
            assert (await rules_of(get)).words == {}

    asyncio.run(story())
