"""Which account a caller means: the one they name, else the default of what their key is set to."""

from __future__ import annotations

from bahi.accounts.model import Account
from bahi.accounts.service.keys import account_meant as look_up
from bahi.bootstrap.desks import desk_for
from bahi.bootstrap.known import rights_of
from bahi.bootstrap.pages import begin_page
from bahi.bootstrap.rooms import Rooms
from bahi.db.stores import Store
from bahi.kernel.actor import Actor
from bahi.orders.service.desk import Desk


async def account_meant(house: Rooms, actor: Actor, said: str | None) -> Account:
    """Return the account that is meant, by its name or id; None is the key's default."""

    async def look() -> Account:
        return await house.stores["main"].read(look_up, actor, said, fresh=True)

    asked = (rights_of(actor), "named", said)
    return await house.known.account(house.revisions, asked, look)


async def desk_meant(house: Rooms, actor: Actor, said: str | None) -> Desk:
    """Return the desk of the account that is meant, for an actor who may trade on it."""
    return await desk_for(house, actor, await account_meant(house, actor, said))


async def page_meant(house: Rooms, actor: Actor, said: str | None) -> tuple[Account, Store]:
    """Return the account that is meant and the store of its page, for who only looks too."""
    account = await account_meant(house, actor, said)
    return account, await begin_page(house, account)
