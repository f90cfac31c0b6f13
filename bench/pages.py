"""Pages of the desk, with 10,000 orders and 200 positions behind them, against an empty page.

The empty page has session, form token, bar and layout, and nothing else: `/find` without a word.
What a second holds of requests is measured with one client; first paints are Chromium's own word.
"""

from __future__ import annotations

import asyncio
import http.client
import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from bahi.bootstrap import House
from bahi.bootstrap.first_start import admin_of
from bahi.bootstrap.resetting import reset_account
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.actor import Actor
from bahi.kernel.money import SCALE, Money
from bahi.kernel.words import OrderStatus, OrderType, Product, Segment, Side
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import place_order
from bahi.settings.model import Wish
from bahi.settings.service import set_config
from bahi.web.nav import GROUPS
from bench.doors import PLENTY, serving
from bench.orders import ACTOR, Urls, a_house, desks_of

ORDERS: Final = 10_000
POSITIONS: Final = 200
TASKS: Final = 8
ASKED: Final = 40
PAINTS: Final = 5
FILLED: Final = (OrderStatus.EXECUTED, OrderStatus.OPEN, OrderStatus.PARTIAL)
"""At the market, of what is thin a part may rest."""
PLENTY_OF_CASH: Final = Money(1_000_00_00_000 * SCALE)
ROOTS: Final = ("NIFTY", "BANKNIFTY", "RELIANCE")
EMPTY: Final = "/find"
PAGES: Final = tuple(it.path for _, places in GROUPS for it in places)
PASSWORD: Final = "a password of the bench"
SHARE: Final = 20
"""How many times an empty page a page may cost."""


@dataclass(frozen=True)
class Prepared:
    """A house with a full book, and a session in it."""

    environ: dict[str, str]
    session: str
    account: int


async def prepare(environ: dict[str, str]) -> Prepared:
    """Fill one account's book, and sign its owner in."""
    async with a_house(environ) as house:
        (desk,) = await desks_of(house, 1)
        await reset_account(house, ACTOR, desk.account_id, PLENTY_OF_CASH)
        listed = await _priced(house)
        await asyncio.gather(*(_fill(desk, listed[n::TASKS]) for n in range(TASKS)))
        return Prepared(environ, await _session(house), desk.account_id)


async def _priced(house: House) -> list[Instrument]:
    """Return things of which there are prices: options, strike by strike."""
    catalogue, market = await house.instruments.catalogue(), house.floor.market
    await house.floor.renew()
    entries = [it for root in ROOTS for it in catalogue.contracts(root, Segment.NSE_FNO)]
    listed = [market.instrument(Segment.NSE_FNO, it.symbol) for it in entries]
    found = [it for it in listed if it is not None and it.is_tradable and market.quote(it)]
    assert len(found) >= POSITIONS, len(found)
    return found[:POSITIONS]


async def _fill(desk: Desk, listed: list[Instrument]) -> None:
    """Buy a lot of each thing, again and again."""
    for _ in range(ORDERS // POSITIONS):
        for it in listed:
            wish = PlaceOrder(
                segment=it.segment, symbol=it.symbol, side=Side.BUY, quantity=it.lot_size,
                product=Product.MARGIN, order_type=OrderType.MARKET, strategy="bench",
            )  # fmt: skip
            order = await place_order(desk, wish)
            assert order.status in FILLED, order.error_message


async def _session(house: House) -> str:
    main, now = house.stores["main"], house.clock()
    wish = Wish(category="api", key="rate_limit_per_minute", value=PLENTY)
    await main.write(set_config, house.vault, ACTOR, wish, now)
    admin = await main.read(admin_of, fresh=True)
    link = await house.sign_in.make_link(ACTOR, admin.id)
    opened = await house.sign_in.follow_link(link, PASSWORD, Actor(name="a bench"))
    return opened.token


class PageBench:
    """Every page of the desk on one kind of database."""

    def __init__(self, urls: Urls) -> None:
        self._urls, self._held = urls, ExitStack()

    @cached_property
    def _house(self) -> Prepared:
        return asyncio.run(prepare(self._held.enter_context(self._urls())))

    @cached_property
    def _port(self) -> int:
        port, _ = self._held.enter_context(serving(self._house.environ))
        return port

    def a_second(self, path: str, asked: int = ASKED) -> float:
        """Measure how many times a page is answered in a second."""
        prepared, port = self._house, self._port
        door = http.client.HTTPConnection("127.0.0.1", port)
        headers = {"Cookie": f"bahi_session={prepared.session}"}

        def once() -> None:
            door.request("GET", f"{path}?account={prepared.account}", headers=headers)
            answer = door.getresponse()
            answer.read()
            assert answer.status == 200, (path, answer.status)

        try:
            once()
            started = time.perf_counter()
            for _ in range(asked):
                once()
            return asked / (time.perf_counter() - started)
        finally:
            door.close()

    def paints(self, path: str) -> float:
        """Measure how many first paints of a page Chromium would get into a second."""
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - for who has it

        prepared, port = self._house, self._port
        took_ms: list[float] = []
        with sync_playwright() as driver:
            found = shutil.which("chromium")
            browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
            context = browser.new_context(base_url=f"http://127.0.0.1:{port}")
            cookie = {"name": "bahi_session", "value": prepared.session}
            context.add_cookies([{**cookie, "domain": "127.0.0.1", "path": "/"}])
            for _ in range(PAINTS + 1):
                page = context.new_page()
                page.goto(f"{path}?account={prepared.account}")
                page.wait_for_function(f"{PAINTED}.length > 0")
                took_ms.append(page.evaluate(f"{PAINTED}[0].startTime"))
                page.close()
            browser.close()
        return 1_000 / (sum(took_ms[1:]) / PAINTS)

    def close(self) -> None:
        """Let the house go."""
        self._held.close()


PAINTED: Final = "performance.getEntriesByName('first-contentful-paint')"


def name_of(path: str) -> str:
    """Name what is measured of a page."""
    return f"SQLite: the page {path}"


RATIOS: Final = [(name_of(it), name_of(EMPTY), 1 / SHARE) for it in PAGES]
