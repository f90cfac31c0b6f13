"""Desks: which store and which broker an account's orders go to, chosen here and nowhere else."""

from __future__ import annotations

from bahi.accounts.model import Account
from bahi.accounts.service.accounts import get_account
from bahi.bootstrap.known import rights_of
from bahi.bootstrap.pages import begin_page
from bahi.bootstrap.risks import valuer
from bahi.bootstrap.rooms import Rooms
from bahi.db.stores import Store
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.errors import Forbidden, Unavailable
from bahi.kernel.words import AccountMode, KeyScope
from bahi.orders.service.desk import Desk
from bahi.portfolio.model.book import spelt


async def desk_of(house: Rooms, actor: Actor, account_id: int) -> Desk:
    """Return the desk of an account that an actor may trade on; its page is begun on first use."""
    require_change(actor)
    return await desk_for(house, actor, await account_at(house, actor, account_id))


async def account_at(house: Rooms, actor: Actor, account_id: int) -> Account:
    """Return an account that an actor may see, from memory where it is known freshly."""

    async def look() -> Account:
        return await house.stores["main"].read(get_account, actor, account_id, fresh=True)

    asked = (rights_of(actor), "id", account_id)
    return await house.known.account(house.revisions, asked, look)


async def desk_for(house: Rooms, actor: Actor, account: Account) -> Desk:
    """Return the desk of an account that was looked up for this actor."""
    require_change(actor)
    _require_reach(actor, account)
    await house.floor.renew()
    held = await held_strategies(house)
    return desk_at(house, actor, account.id, await begin_page(house, account), held)


def desk_at(
    house: Rooms, actor: Actor, account_id: int, store: Store, held: frozenset[str] = frozenset()
) -> Desk:
    """Return a desk of an account whose page there is; `held` strategies need an approval."""
    floor = house.floor
    return Desk(
        actor=actor,
        account_id=account_id,
        store=store,
        broker=floor.broker_of(account_id),
        look=floor.look,
        terms=floor.terms_of(account_id),
        clock=house.clock,
        errands=house.trading.errands,
        wake=house.trading.wake,
        freshen=valuer(house, store, floor.look, account_id),
        needs_approval=lambda strategy: actor.needs_approval or spelt(strategy or "") in held,
    )


async def held_strategies(house: Rooms) -> frozenset[str]:
    """Return the strategies whose orders a person lets go out, as names are compared."""
    names = str(await house.config.get("orders", "approved_strategies"))
    return frozenset(filter(None, map(spelt, names.split(","))))


def _require_reach(actor: Actor, account: Account) -> None:
    if not account.is_active:
        raise Forbidden(f"Account {account.name!r} is switched off.")
    if account.mode is AccountMode.PAPER:
        return
    if actor.scope is KeyScope.PAPER:
        raise Forbidden("A key of scope paper places paper orders only.")
    raise Unavailable(f"Account {account.name!r} is live; live brokers are not connected yet.")
