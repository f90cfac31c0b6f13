"""Whatever stands in an address or a form: an answer with a sentence, and never a failure of ours.

Every way that the desk lays is found by itself, and every name that its pages read from a question
is found in their source: a page that is added is asked nonsense too.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import httpx
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.api.standing import Standing, standing
from tests.web.test_every_page import ASKED, MARKET, Furniture, Way, furnish, ways

TRIED: Final = 500
EDGES: Final = ("0001-01-01", f"{'9' * 19}.{'9' * 19}", "a\x00b")
"""Where most of what can break does."""
LARGEST: Final = 2**63 - 1
READ: Final = re.compile(
    r"""(?:\b(?:fields\.\w+|_rupees|_count|_listed|_hour|_ticked)\([\w.]+,|\.get\(|form\[|asked\[)"""
    r"""\s*"([a-z_]+)\""""
)
"""How a page reads a name."""
LEAVES: Final = ("/sign-out", "/settings/you/sign-out-everywhere", "/settings/you/password")
"""What ends the visit."""
ENDS: Final = "/settings/you/sessions/"
NASTY: Final = (
    "", " ", "0", "-1", "1", "00", "+5", "1e5", "NaN", "Infinity", "-Infinity", "1.5", ".5", "0x10",
    "1_000", "\u0661\u0662", "\uff11", "\u00b2", str(LARGEST), str(LARGEST + 1), str(2**64),
    "9" * 18,
    "9" * 19, "9" * 40, "9" * 5_000, "-" + "9" * 18, "99999999999.99", "0.00001", "a" * 10_000,
    "\x00", "a\x00b", "\ud7ff", "\U0010ffff", "\u202e", "\ufffd", "é" * 300, "😀", "<script>",
    "'", '"',
    "%", "_", "\\", "%00", "' OR 1=1 --", "../../etc/passwd", "//evil.example", "/\\evil.example",
    "null", "None", "true", "[]", "{}", "[1]", "{{7*7}}", "{0}", "\r\nX: y", "\t", "0001-01-01",
    "9999-12-31", "2026-02-30", "2026-W01-1", "20261122", "0001-01-02", "24:00", "09:15+05:30",
    "account:99999999999999999999", "user:9223372036854775808", "strategy:1", "everybody",
    "account:",
    "1.9223372036854775808", "9223372036854775807.1", "999999999999999999.1", "1.1", "0.0", ".",
    "1.",
    "B1.1", "S1.9999999999999999999", "B100000.1.999999999999999", "B1.1_" * 30, "10/1",
    "1/99999999",
    "10/0", "0/1", "-", "1-2", "9" * 19 + "-1", "NSE_EQ", "NSE_INDEX", "SBIN", "NIFTY", "CNC",
    "BUY",
    "SL", "M", "1", "D", "1h", "api.rate_limit_per_minute", ".", "a.b.c", "risk.", "open", "main",
    "sandbox", "logs", "working", "ended", "@x", "10.0.0.1", "::1", "10.0.0.0/8", "0.0.0.0/0",
    "1" * 500, "1,2", "1,000", ",", ",,", "\u0130", "ß", "ﬀ",
)  # fmt: skip
GOOD: Final[Mapping[str, str]] = {
    "segment": "NSE_EQ", "symbol": "SBIN", "side": "BUY", "quantity": "1", "product": "CNC",
    "order_type": "LIMIT", "price": "100", "root": "NIFTY", "name": "risk.price_band_percent",
    "to": "INTRADAY", "reason": "a test", "whom": "account", "day": "2026-11-23", "mode": "ALL",
    "broker": "upstox", "role": "TRADER", "scope": "READ", "store": "main", "value": "5",
    "username": "nobody", "until": "1", "interval": "5m", "q": "SBI", "strategy": "one",
    "basket": "",
}  # fmt: skip
"""What lets a question come as far as its next name."""

ODD: Final = (str(2**63), "9" * 19, "9" * 5_000, "-1", "0", "x", "%00", "%2e", "é")
"""What may stand in the place of an id."""
READ_AT_LEAST: Final = 250

nonsense = st.sampled_from(NASTY) | st.text(max_size=40) | st.integers().map(str)


@cache
def names_in(module: str) -> frozenset[str]:
    """Return every name that a page reads, with what it reads through."""
    source = inspect.getsource(sys.modules[module])
    return frozenset(READ.findall(source))


def asked_of(it: Standing) -> dict[Way, list[str]]:
    """Return what each way may be asked: what its own module reads."""
    found: dict[Way, list[str]] = {}
    modules = {
        (method, route.path): route.endpoint.__module__
        for route in it.app.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    for way in ways(it):
        if way.path in LEAVES or way.path.startswith(ENDS):
            continue
        found[way] = sorted(names_in(modules[way.method, way.path]) - {"csrf"}) or ["account"]
    return found


@dataclass
class Attack:
    """Somebody signed in who asks what nobody should."""

    it: Standing
    shown: Furniture
    browser: httpx.AsyncClient
    csrf: str
    faults: list[str] = field(default_factory=list)

    async def ask(self, way: Way, path: str, form: Mapping[str, str], *, as_part: bool) -> None:
        """Ask once; keep what is answered wrongly."""
        headers = {"HX-Request": "true"} if as_part else {}
        if way.is_page:
            query = {**_query(way), **form}
            answer = await self.browser.get(path, params=query, headers=headers)
        else:
            brought = {"account": str(self.shown.account.id), **form, "csrf": self.csrf}
            answer = await self.browser.request(way.method, path, data=brought, headers=headers)
        if answer.status_code >= 500 and answer.status_code != 503:
            self.faults.append(f"{way.method} {path[:90]} {_short(form)}: {answer.status_code}")
        if "Traceback" in answer.text:
            self.faults.append(f"{way.method} {path[:90]} {_short(form)}: a traceback")


async def attacking(it: Standing, *, as_admin: bool) -> Attack:
    """Return an attack on a furnished house."""
    shown = await furnish(it)
    await it.set("api", "rate_limit_per_minute", 100_000)
    user = await it.admin() if as_admin else await it.user("asha")
    browser, csrf = await it.signed_in(user)
    return Attack(it, shown, browser, csrf)


def fuzzing(attack: Attack, loop: asyncio.AbstractEventLoop) -> None:
    """Ask nonsense from hypothesis' own thread, which knows no loop."""
    known = asked_of(attack.it)
    ordered = list(known)

    @settings(
        max_examples=TRIED,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(data=st.data())
    def asking(data: st.DataObject) -> None:
        way = data.draw(st.sampled_from(ordered))
        form = {each: GOOD[each] for each in known[way] if each in GOOD}
        for _ in range(data.draw(st.integers(1, 2))):
            form[data.draw(st.sampled_from(known[way]))] = data.draw(nonsense)
        path = _placed(way, attack.shown, data)
        asked = attack.ask(way, path, form, as_part=data.draw(st.booleans()))
        asyncio.run_coroutine_threadsafe(asked, loop).result(30)

    asking()


def _placed(way: Way, shown: Furniture, data: st.DataObject) -> str:
    """Return an address; at times there is nonsense in its places."""
    path = shown.at(way).partition("?")[0]
    if "{" not in way.path or data.draw(st.integers(0, 2)):
        return path
    return re.sub(r"\{\w+(?::\w+)?\}", data.draw(st.sampled_from(ODD)), way.path)


def _query(way: Way) -> dict[str, str]:
    said = ASKED.get(way.path, "")
    return dict(each.split("=", 1) for each in said.split("&") if each)


def _short(form: Mapping[str, str]) -> str:
    return repr({name: value[:40] for name, value in form.items() if GOOD.get(name) != value})


def test_nonsense_is_answered_with_a_sentence(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        attack = await attacking(it, as_admin=False)
        await asyncio.to_thread(fuzzing, attack, asyncio.get_running_loop())
        assert attack.faults == []

    standing({**home, **MARKET}, story)


def test_every_name_that_a_page_reads_stands_the_edges(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        attack = await attacking(it, as_admin=True)
        known = asked_of(it)
        assert sum(len(names) for names in known.values()) > READ_AT_LEAST
        for way, names in known.items():
            path = attack.shown.at(way).partition("?")[0]
            good = {each: GOOD[each] for each in names if each in GOOD}
            for name in names:
                for edge in EDGES:
                    await attack.ask(way, path, {**good, name: edge}, as_part=way.is_page)
        assert attack.faults == []

    standing({**house, **MARKET}, story)
