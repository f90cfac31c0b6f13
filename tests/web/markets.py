"""A trader before the pages of markets: a paper account, a browser, and what is listed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from html import unescape
from typing import Any, Final

import httpx

from bahi.accounts.model import Account
from bahi.identity.model import User
from bahi.kernel.words import BrokerSlug, OrderType, Product, Role, Segment, Side
from bahi.orders.model.order import Order
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.placing import place_order
from tests.api.standing import Standing, as_actor, standing
from tests.orders.desks import OPEN

SCRIPT: Final = "<script>alert(1)</script>"
AS_PART: Final = {"HX-Request": "true"}


@dataclass
class Trader:
    """Somebody who signed in, and has a paper account of one crore."""

    it: Standing
    user: User
    account: Account
    browser: httpx.AsyncClient
    csrf: str

    async def get(self, path: str, status: int = 200, **asked: Any) -> str:
        """Return the text of a page; any other status fails the test."""
        answer = await self.browser.get(path, params=asked or None)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:500])
        return unescape(answer.text)

    async def post(self, path: str, status: int = 200, **form: Any) -> httpx.Response:
        """Send a form of ours."""
        fields = {"csrf": self.csrf, "account": str(self.account.id), **form}
        answer = await self.browser.post(path, data=fields, headers=AS_PART)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:500])
        return answer

    async def place(self, symbol: str = "SBIN", quantity: int = 10, **said: Any) -> Order:
        """Place an order at the market."""
        desk = await self.it.house.desk(as_actor(self.user), self.account.id)
        wished: dict[str, Any] = {
            "segment": Segment.NSE_EQ, "symbol": symbol, "side": Side.BUY, "quantity": quantity,
            "product": Product.INTRADAY, "order_type": OrderType.MARKET, **said,
        }  # fmt: skip
        return await place_order(desk, PlaceOrder(**wished))

    async def another(self, name: str = "ravi", role: Role = Role.TRADER) -> Trader:
        """Return somebody else, with an account of their own."""
        return await trader(self.it, name, role)


async def trader(it: Standing, name: str = "asha", role: Role = Role.TRADER) -> Trader:
    """Return a user at a browser."""
    user = await it.user(name, role)
    owner = await it.admin() if role is Role.VIEWER else user
    account = await it.account(owner, BrokerSlug.PAPER, f"{name}'s paper")
    browser, csrf = await it.signed_in(user)
    return Trader(it, user, account, browser, csrf)


def at_the_desk(environ: dict[str, str], story: Callable[[Trader], Awaitable[None]]) -> None:
    """Let a trader's story happen, in a house whose market never closes."""

    async def whole(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 10_000)
        await story(await trader(it))

    standing({**environ, **OPEN}, whole)


def hidden(page: str) -> dict[str, str]:
    """Return what the forms of a page bring along by themselves."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
