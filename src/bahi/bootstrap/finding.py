"""Anything by a word: what is listed, one's own orders and one's own accounts, a few of each."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

from bahi.accounts.model import Account
from bahi.accounts.service.accounts import list_accounts
from bahi.bootstrap.pages import store_of
from bahi.bootstrap.rooms import TRADING, Rooms
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid
from bahi.orders.model.order import Order
from bahi.orders.service.looking import orders_meant

OF_EACH: Final = 5
OF_EACH_AT_MOST: Final = 50
LONGEST: Final = 80


class Found(NamedTuple):
    """A few of each that a word may mean, best or newest first."""

    symbols: list[Instrument]
    orders: list[Order]
    accounts: list[Account]


NOTHING_FOUND: Final = Found([], [], [])


async def find_anything(house: Rooms, actor: Actor, word: str, of_each: int = OF_EACH) -> Found:
    """Return what a word may mean to an actor: symbols by the catalogue's search, orders by their
    id or the name that their caller gave them, accounts by their id or a part of their name.
    """
    if not 1 <= of_each <= OF_EACH_AT_MOST:
        raise Invalid(f"of_each: {of_each} cannot be; it is 1 to {OF_EACH_AT_MOST}.")
    text = word.strip()
    if not text:
        return NOTHING_FOUND
    if len(text) > LONGEST:
        raise Invalid(f"q: what is looked for has {LONGEST} characters at most.")
    own = await house.stores["main"].read(list_accounts, actor, fresh=True)
    return Found(
        await _symbols(house, text, of_each),
        await _orders(house, own, text, of_each),
        [it for it in own if _is_meant(it, text)][:of_each],
    )


async def _symbols(house: Rooms, text: str, at_most: int) -> list[Instrument]:
    catalogue, today = await house.instruments.catalogue(), exchange_day(house.clock())

    def find() -> list[Instrument]:
        return catalogue.search(text, today=today, limit=at_most)

    return await asyncio.to_thread(find)


async def _orders(house: Rooms, own: list[Account], text: str, at_most: int) -> list[Order]:
    found: list[Order] = []
    for name in TRADING:
        ids = [it.id for it in own if store_of(house, it).name == name]
        if ids:
            found += await house.stores[name].read(orders_meant, ids, text, at_most, fresh=True)
    return found[:at_most]


def _is_meant(it: Account, text: str) -> bool:
    return text.casefold() in it.name.casefold() or text == str(it.id)
