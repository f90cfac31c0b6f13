"""People at their desks: signed in, with a paper account, in a house whose doors are open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from unittest.mock import patch

import httpx

from bahi.accounts.model import Account
from bahi.accounts.service.accounts import add_account
from bahi.db.tx import Tx
from bahi.identity.model import User
from bahi.kernel.words import BrokerSlug, OrderType, Product, Role, Segment, Side
from bahi.orders.model.order import Order
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.placing import place_order
from bahi.telemetry.service.recording import CallRecorder
from tests.api.standing import Standing, as_actor
from tests.orders.desks import away
from tests.statements import counted

STORED = "<script>alert('stored')</script>"
"""What a text may hold that a page has to show as text."""


@dataclass
class Trader:
    """Somebody signed in, with a paper account."""

    it: Standing
    user: User
    account: Account
    browser: httpx.AsyncClient
    csrf: str

    async def get(self, path: str) -> str:
        """Return the text of a page that opens."""
        answer = await self.browser.get(path)
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    async def post(self, path: str, **form: object) -> httpx.Response:
        """Send a form of our own."""
        fields = {"csrf": self.csrf, "account": str(self.account.id)}
        return await self.browser.post(path, data={**fields, **form})

    async def said(self, answer: httpx.Response) -> str:
        """Return what the page after a form says was done."""
        assert answer.status_code == 303, answer.text
        page = await self.get(answer.headers["location"])
        found = re.search(r'<p class="said" role="status">(.*?)</p>', page)
        assert found is not None, page
        return found[1]

    async def order(
        self, side: Side = Side.BUY, quantity: int = 10, *, rests: bool = False
    ) -> Order:
        """Place an order for shares of a bank."""
        desk = await self.it.house.desk(as_actor(self.user), self.account.id)
        wish = PlaceOrder(
            segment=Segment.NSE_EQ,
            symbol="SBIN",
            side=side,
            quantity=quantity,
            product=Product.INTRADAY,
            order_type=OrderType.LIMIT if rests else OrderType.MARKET,
            price=away(desk, side) if rests else None,
        )
        return await place_order(desk, wish)


async def trader(it: Standing, name: str = "asha", role: Role = Role.TRADER) -> Trader:
    """Return somebody at their desk."""
    user = await it.user(name, role)
    by = user if role is not Role.VIEWER else await it.admin()
    account = await _account(it, by, user, f"{name}'s paper")
    browser, csrf = await it.signed_in(user)
    return Trader(it, user, account, browser, csrf)


async def _account(it: Standing, by: User, owner: User, name: str) -> Account:
    def write(tx: Tx) -> Account:
        return add_account(
            tx,
            as_actor(by),
            BrokerSlug.PAPER,
            {"name": name},
            it.house.clock(),
            user_id=owner.id,
        )

    return await it.main.write(write)  # type: ignore[no-any-return] # main is Any


async def cost_of(of: Trader, path: str) -> int:
    """Return how many statements a page takes; what the house does beside it is not counted."""
    costs = []
    for _ in range(4):
        with counted() as statements, patch.object(CallRecorder, "_keep"):
            await of.get(path)
        costs.append(statements.number)
    return min(costs)
