"""Contracts whose last day is over: what is open of them, by account, until it is settled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import NamedTuple

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.symbols import Contract, parse
from bahi.portfolio.model.position import Key
from bahi.portfolio.service.books import positions_of
from bahi.portfolio.service.closing import pages_after


class Ending(NamedTuple):
    """An account's position in a contract that ended, and what its symbol says."""

    account_id: int
    key: Key
    contract: Contract


async def endings(store: Store, until: date) -> AsyncIterator[Ending]:
    """Yield what is open of contracts whose last day is this one or earlier, account by account."""
    last = 0
    while accounts := await store.read(pages_after, last, fresh=True):
        for account_id in accounts:
            for it in await store.read(_ended, account_id, until, fresh=True):
                yield it
        last = accounts[-1]


def _ended(tx: Tx, account_id: int, until: date) -> list[Ending]:
    found = []
    for it in positions_of(tx, account_id):
        contract = parse(it.key.symbol)
        if contract is not None and contract.expiry <= until:
            found.append(Ending(account_id, it.key, contract))
    return sorted(found, key=lambda it: (it.contract.expiry, it.key))
