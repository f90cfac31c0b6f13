"""Pages of accounts: in which store one is, and with what it begins."""

from __future__ import annotations

from typing import Any, Final

from bahi.accounts.model import Account
from bahi.bootstrap.rooms import Rooms
from bahi.db.stores import Store
from bahi.kernel.money import SCALE, Money
from bahi.kernel.words import AccountMode
from bahi.portfolio.model.book import Opening
from bahi.portfolio.service.books import has_page
from bahi.risk.model.limits import PERCENT, Limits
from bahi.risk.model.rate import WINDOWS
from bahi.risk.service.switching import open_account

PAPER_CASH: Final = Money(1_00_00_000 * SCALE)
"""What a paper account begins with where it does not say: a crore."""


def store_of(house: Rooms, account: Account) -> Store:
    """Return where an account's orders and books are kept."""
    return house.stores["sandbox" if account.mode is AccountMode.PAPER else "main"]


async def begin_page(house: Rooms, account: Account) -> Store:
    """Begin an account's page if it has none; return the store that it is in."""
    store = store_of(house, account)
    if house.known.has_page(house.revisions, account.id):
        return store
    if not await store.read(has_page, account.id, fresh=True):
        begins = (opening_of(account), await first_limits(house, account))
        await store.write(open_account, *begins, house.clock(), account=account.id)
    house.known.note_page(house.revisions, account.id)
    return store


def opening_of(account: Account) -> Opening:
    """Return with what an account's page begins."""
    is_paper = account.mode is AccountMode.PAPER
    cash = account.opening_cash if account.opening_cash is not None else PAPER_CASH
    return Opening(
        account_id=account.id,
        name=account.name,
        user_id=account.user_id,
        copy_role=account.copy_role,
        mode=account.mode,
        cash=cash if is_paper else Money(0),
    )


async def first_limits(house: Rooms, account: Account) -> Limits:
    """Return the limits that an account begins with: small, by its nature and its broker."""

    async def said(name: str) -> Any:
        return await house.config.get("risk", name) or None

    async def rupees(name: str) -> Money | None:
        amount = await said(f"{account.mode}_{name}")
        return None if amount is None else Money(amount * SCALE)

    band = await said("price_band_percent")
    return Limits(
        daily_loss=await rupees("daily_loss") if await said("daily_loss_limit_enabled") else None,
        position_value=(
            await rupees("position_value") if await said("position_size_limit_enabled") else None
        ),
        order_value=await rupees("order_value"),
        orders_a_day=await said(f"{account.mode}_orders_a_day"),
        open_orders=await said(f"{account.mode}_open_orders"),
        price_band=None if band is None else band * PERCENT,
        rates=WINDOWS[account.broker] if await said("order_rates_enabled") else (),
    )
