"""The one true deletion: an account, or a user with everything of theirs, leaves every store.

What only proves stays: the audit trail with its seals, and the risk violations. Everything goes
in small transactions and by id, and main goes last with the row itself and the audit row: after a
crash anywhere it is asked for again and goes on, and asked for once too often it does nothing.

Who has orders that work, or something open, is not erased: nobody would be left to close it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

import bahi.accounts.service.erasing as accounts
import bahi.copying.service as copying
import bahi.exchange.service as exchange
import bahi.identity.service.erasing as identity
import bahi.jobs.service as jobs
import bahi.notify.service as notify
import bahi.orders.service as orders
import bahi.portfolio.service as portfolio
import bahi.risk.service as risk
import bahi.streams.service as streams
import bahi.telemetry.service as telemetry
import bahi.tokens.service.erasing as tokens
from bahi.accounts.service.accounts import delete_account, may_see
from bahi.audit.service import note
from bahi.bootstrap.rooms import Rooms
from bahi.db.schema import TRADING
from bahi.db.tx import Tx
from bahi.identity.service.users import delete_user, find_user
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.errors import Conflict, Forbidden
from bahi.portfolio.service.books import has_page, page_of, positions_of

SHOWN: Final = 3
ROWS_AT_ONCE: Final = 500
"""How many rows leave in one transaction: nobody who writes meanwhile waits for long."""

Eraser = Callable[[Tx, str, int, int], dict[str, int]]
"""Removes at most so many rows of an account, or of a user, from a store; {} when none is left."""

Step = tuple[str, Eraser]

TRADED: Final = (orders.erase_account, risk.erase_account, notify.erase_account)
"""What hangs on the books row of an account; portfolio removes that row last."""

ACCOUNT: Final[Sequence[Step]] = (
    ("sandbox", exchange.erase_client),  # the exchange knows an account by its id
    ("sandbox", copying.erase_account),
    *(("sandbox", eraser) for eraser in (*TRADED, portfolio.erase_account)),
    ("archive", orders.erase_account),
    ("archive", portfolio.erase_account),
    ("archive", telemetry.erase_account),
    ("latency", telemetry.erase_account),
    ("logs", telemetry.erase_account),
    ("main", copying.erase_account),
    *(("main", eraser) for eraser in (*TRADED, portfolio.erase_account)),
    ("main", streams.erase_account),
    ("main", tokens.erase_account),
    ("main", accounts.erase_account),
)

USER: Final[Sequence[Step]] = (
    *(("sandbox", it) for it in (risk.erase_user, notify.erase_user, jobs.erase_user)),
    ("archive", telemetry.erase_user),
    ("latency", telemetry.erase_user),
    ("telegram", notify.erase_user),
    *(("main", it) for it in (risk.erase_user, notify.erase_user, jobs.erase_user)),
    ("main", tokens.erase_user),
    ("main", accounts.erase_user),
    ("main", identity.erase_user),
)


async def erase_account(house: Rooms, actor: Actor, account_id: int) -> dict[str, int]:
    """Erase an account; return how many rows left each table, by `store.table`."""
    _require(actor)
    main = house.stores["main"]
    await _require_done(house, account_id)
    await main.write(_use_no_more, actor, account_id, house.clock())
    await _require_done(house, account_id)  # what was placed until then
    gone = await _erase(house, ACCOUNT, account_id)
    return await main.write(_remove_account, actor, account_id, gone, house.clock())


async def erase_user(house: Rooms, actor: Actor, user_id: int) -> dict[str, int]:
    """Erase a user with all their accounts; return how many rows left each table."""
    _require(actor)
    main = house.stores["main"]
    for account_id in await main.read(accounts.accounts_of, user_id, fresh=True):
        await _require_done(house, account_id)
    await main.write(_let_in_no_more, actor, user_id, house.clock())
    gone: Counter[str] = Counter()
    for account_id in await main.read(accounts.accounts_of, user_id, fresh=True):
        gone.update(await erase_account(house, actor, account_id))
    gone.update(await _erase(house, USER, user_id))
    user = await main.read(find_user, user_id, fresh=True)
    subject = "" if user is None else house.sign_in.subject_of(user.username)
    return await main.write(_remove_user, actor, (user_id, subject), gone, house.clock())


def _require(actor: Actor) -> None:
    require_admin(actor)
    if actor.scope is not None:
        raise Forbidden("A key cannot erase; sign in, or use the terminal.")


async def _require_done(house: Rooms, account_id: int) -> None:
    """Refuse to erase an account on which anything works or is open."""
    for name in TRADING:
        if what := await house.stores[name].read(_undone, account_id, fresh=True):
            raise Conflict(
                f"Account {account_id} has {what}; close that first, then erase it. If it is "
                "removed already, `bahi account restore` brings it back."
            )


def _undone(tx: Tx, account_id: int) -> str:
    if not has_page(tx, account_id):
        return ""
    working = page_of(tx, account_id).open_orders
    held = sorted({it.key.symbol for it in positions_of(tx, account_id)})
    shown = f"{', '.join(held[:SHOWN])}{' and more' if len(held) > SHOWN else ''}"
    found = ([f"{working} orders that work"] if working else []) + (
        [f"something open in {shown}"] if held else []
    )
    return " and ".join(found)


async def _erase(house: Rooms, steps: Sequence[Step], whose: int) -> Counter[str]:
    gone: Counter[str] = Counter()
    for store, eraser in steps:
        while some := await house.stores[store].write(eraser, store, whose, ROWS_AT_ONCE):
            gone.update(_in_store(store, some))
    return gone


def _in_store(store: str, tables: Mapping[str, int]) -> dict[str, int]:
    return {f"{store}.{table}": count for table, count in tables.items()}


def _use_no_more(tx: Tx, actor: Actor, account_id: int, now: datetime) -> None:
    """Remove an account softly, so that nothing is added to it while it leaves."""
    if may_see(tx, actor, account_id):
        delete_account(tx, actor, account_id, now)


def _let_in_no_more(tx: Tx, actor: Actor, user_id: int, now: datetime) -> None:
    """Remove a user softly; the last admin is refused."""
    if find_user(tx, user_id) is not None:
        delete_user(tx, actor, user_id, now)


def _remove_account(
    tx: Tx, actor: Actor, account_id: int, gone: Mapping[str, int], now: datetime
) -> dict[str, int]:
    last = _in_store("main", accounts.remove_account(tx, account_id))
    return _noted(tx, actor, ("account", account_id), {**gone, **last}, now)


def _remove_user(
    tx: Tx, actor: Actor, user: tuple[int, str], gone: Mapping[str, int], now: datetime
) -> dict[str, int]:
    last = _in_store("main", identity.remove_user(tx, *user))
    return _noted(tx, actor, ("user", user[0]), {**gone, **last}, now)


def _noted(
    tx: Tx, actor: Actor, about: tuple[str, int], gone: dict[str, int], now: datetime
) -> dict[str, int]:
    if gone:
        # a table of secrets as the name of a value would have that value redacted
        rows = [{"table": table, "rows": count} for table, count in sorted(gone.items())]
        note(tx, actor, "erase", about, now, new=rows)
    return gone
