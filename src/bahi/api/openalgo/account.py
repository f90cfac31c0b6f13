"""The account's money: funds, holdings, what each symbol made, what orders would need."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Final

import msgspec
from starlette.routing import Route

from bahi.api.openalgo.door import Ask, asked, good
from bahi.api.openalgo.positions import Holding, holdings_shown, positions_shown
from bahi.api.openalgo.wishes import NewOrder, wish_of
from bahi.api.openalgo.words import exchange_of, product_word, rupees
from bahi.bootstrap import House
from bahi.bootstrap.margins import margin_for
from bahi.bootstrap.meant import account_meant, page_meant
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.money import Money, plain
from bahi.portfolio.service.books import page_of

POSITIONS_AT_MOST: Final = 50
_HUNDREDTH: Final = Decimal("0.01")


class Basket(Ask, kw_only=True):
    """Orders of which one wants to know what they would need."""

    positions: Annotated[list[NewOrder], msgspec.Meta(min_length=1, max_length=POSITIONS_AT_MOST)]


def account_routes(house: House) -> list[Route]:
    """Make the doors of the account's money."""
    return [
        asked(house, "funds", Ask, funds),
        asked(house, "holdings", Ask, holdings),
        asked(house, "pnl/symbols", Ask, by_symbol),
        asked(house, "margin", Basket, margin, changes=True),
    ]


async def funds(house: House, actor: Actor, form: Ask) -> dict[str, Any]:
    """Say what is free, what is used, and what the day made; what is not known is null."""
    account, store = await page_meant(house, actor, form.named)
    page = await store.read(page_of, account.id, fresh=True)
    page = page.on(exchange_day(house.clock()))
    unrealized = _sum(it.unrealized for it in await positions_shown(house, store, account.id))
    data = {
        "availablecash": plain(page.available),
        "collateral": plain(0),
        "m2mrealized": plain(page.realized_today),
        "m2munrealized": None if unrealized is None else plain(unrealized),
        "utiliseddebits": plain(page.margin_used),
    }
    return good(account, data=data)


async def holdings(house: House, actor: Actor, form: Ask) -> dict[str, Any]:
    """List what was held for delivery when the day began; a price that is not known is null."""
    account, store = await page_meant(house, actor, form.named)
    found = await holdings_shown(house, store, account.id)
    value, gained = _sum(it.value for it in found), _sum(it.gained for it in found)
    cost = Money(sum(it.cost for it in found))
    statistics = {
        "totalholdingvalue": _told(value),
        "totalinvvalue": rupees(cost),
        "totalprofitandloss": _told(gained),
        "totalpnlpercentage": _percent(gained, cost),
    }
    rows = [_holding_row(it) for it in found]
    return good(account, data={"holdings": rows, "statistics": statistics})


async def by_symbol(house: House, actor: Actor, form: Ask) -> dict[str, Any]:
    """Say what each position made today, and all of them."""
    account, store = await page_meant(house, actor, form.named)
    found = await positions_shown(house, store, account.id)
    rows = [
        {
            "symbol": it.key.symbol,
            "exchange": exchange_of(it.key.segment),
            "product": product_word(it.key.product),
            "quantity": it.quantity,
            "pnl": _told(it.gained),
            "unrealized_pnl": _told(it.unrealized),
            "today_realized_pnl": rupees(it.realized),
            "total_pnl_today": _told(it.gained),
        }
        for it in found
    ]
    gained = _told(_sum(it.gained for it in found))
    return good(
        account,
        data=rows,
        total_pnl=gained,
        total_unrealized_pnl=_told(_sum(it.unrealized for it in found)),
        total_today_realized_pnl=rupees(Money(sum(it.realized for it in found))),
        total_pnl_today=gained,
    )


async def margin(house: House, actor: Actor, form: Basket) -> dict[str, Any]:
    """Say what orders would need together; nothing is placed, the answer is written down."""
    wishes = [wish_of(it, f"positions.{at}.") for at, it in enumerate(form.positions)]
    account = await account_meant(house, actor, form.named)
    found = await margin_for(house, actor, account.id, wishes)
    span = min(sum(it.span for it in found.each), found.total)
    data = {
        "total_margin_required": rupees(found.total),
        "span_margin": rupees(span),
        "exposure_margin": rupees(found.total - span),
        "benefit": rupees(found.benefit),
        "charges": rupees(found.charges),
        "available": rupees(found.available),
        "fits": found.fits,
    }
    return good(account, data=data)


def _holding_row(it: Holding) -> dict[str, Any]:
    return {
        "symbol": it.key.symbol,
        "exchange": exchange_of(it.key.segment),
        "product": product_word(it.key.product),
        "quantity": it.quantity,
        "average_price": rupees(it.average or 0),
        "ltp": None if it.last is None else rupees(it.last),
        "pnl": _told(it.gained),
        "pnlpercent": _percent(it.gained, it.cost),
    }


def _sum(amounts: Iterable[Money | None]) -> Money | None:
    """Add up; not known where one of them is not."""
    known = list(amounts)
    return Money(sum(it for it in known if it is not None)) if None not in known else None


def _told(amount: Money | None) -> Decimal | None:
    return None if amount is None else rupees(amount)


def _percent(gained: Money | None, cost: Money) -> Decimal | None:
    if gained is None:
        return None
    if not cost:
        return Decimal(0)
    return (Decimal(gained) * 100 / cost).quantize(_HUNDREDTH, ROUND_HALF_UP)
