"""Everything that goes wrong between a house and its broker, on purpose and by a seed.

The exchange's journal stays true; only what is told of it is distorted: late, twice, in another
order, in part, or not at all. Whatever a book is told, reading the order book leads to the truth.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from bahi.kernel.errors import Forbidden, Invalid, Rejected, Silent
from bahi.kernel.ports import Broker, Change, Ticket, Update
from bahi.kernel.words import AccountMode, OrderStatus

OPEN, PARTIAL = OrderStatus.OPEN, OrderStatus.PARTIAL
PER: Final = 1_000


class Fault(StrEnum):
    """What can go wrong with one call.

    LOST: it never arrives. SILENT: it is done, and its answer is lost. LATE: its answer is lost,
    and told later. DUPLICATED: told twice. REORDERED: told after what comes next. HALF_FILLED: the
    answer knows of a part of the fills. REJECTED_LATER: a refused order is told as open first.
    FILLED_LATER: of a cancelled order the last fill is told after its end.
    """

    LOST = "lost"
    SILENT = "silent"
    LATE = "late"
    DUPLICATED = "duplicated"
    REORDERED = "reordered"
    HALF_FILLED = "half_filled"
    REJECTED_LATER = "rejected_later"
    FILLED_LATER = "filled_later"


class FaultyBroker:
    """A broker behind which some calls go wrong; only paper accounts may have one.

    `often` says how many of a thousand calls have each fault. What is told besides the answers
    waits for `overheard`.
    """

    def __init__(
        self, broker: Broker, mode: AccountMode, often: Mapping[Fault, int], *, seed: int = 1
    ) -> None:
        if mode is not AccountMode.PAPER:
            raise Forbidden("Faults are for paper accounts only; this one is live.")
        if any(it < 0 for it in often.values()) or sum(often.values()) > PER:
            raise Invalid(f"Faults are so many of {PER:,} calls, all of them together at most.")
        self._broker, self._often, self._seed = broker, dict(often), seed
        self._calls = 0
        self._waiting: list[Update] = []
        self._held: list[Update] = []
        self.happened: list[Fault] = []

    async def place(self, ticket: Ticket) -> Update:
        """See `Broker`."""
        return await self._call(lambda: self._broker.place(ticket))

    async def modify(self, change: Change) -> Update:
        """See `Broker`."""
        return await self._call(lambda: self._broker.modify(change))

    async def cancel(self, broker_order_id: str) -> Update:
        """See `Broker`."""
        return await self._call(lambda: self._broker.cancel(broker_order_id))

    async def order_book(self) -> tuple[Update, ...]:
        """See `Broker`: it is true, or it cannot be read."""
        if self._drawn() in {Fault.LOST, Fault.SILENT}:
            raise Silent("The order book could not be read.")
        return await self._broker.order_book()

    def overheard(self) -> tuple[Update, ...]:
        """Return what the broker told besides its answers, once; a stream would bring it."""
        told, self._waiting = tuple(self._waiting), []
        return told

    async def _call(self, call: Callable[[], Awaitable[Update]]) -> Update:
        fault = self._drawn()
        if fault is Fault.LOST:
            raise Silent("The call was lost on its way.")
        try:
            truth = await call()
        except Rejected:
            if fault in {Fault.SILENT, Fault.LATE}:
                raise Silent("The answer was lost.") from None
            raise
        before, self._held = self._held, []
        self._waiting += before
        if fault is None:
            return truth
        if fault is Fault.SILENT:
            raise Silent("The answer was lost.")
        if fault is Fault.LATE:
            self._waiting.append(truth)
            raise Silent("The answer is late.")
        if fault is Fault.REORDERED:
            self._held.append(truth)
            return before_fills(truth)
        self._waiting.append(truth)
        return _DISTORTED.get(fault, _as_it_is)(truth)

    def _drawn(self) -> Fault | None:
        """Return what goes wrong with the next call: the same for the same seed."""
        self._calls += 1
        name = f"{self._seed}|{self._calls}".encode()
        chance = int.from_bytes(blake2b(name, digest_size=8).digest(), "big") % PER
        for fault, often in self._often.items():
            if chance < often:
                self.happened.append(fault)
                return fault
            chance -= often
        return None


def _as_it_is(truth: Update) -> Update:
    return truth


def before_fills(truth: Update) -> Update:
    """Return what was told of an order before anything of it was filled."""
    if not truth.filled_quantity:
        return truth
    return replace(truth, status=OPEN, broker_status=OPEN, filled_quantity=0, fills=(),
                   average_price=None)  # fmt: skip


def half_filled(truth: Update) -> Update:
    """Return an order as if its last fill had not come yet."""
    fills = (truth.fills or ())[:-1]
    if not truth.fills:
        return truth
    filled = sum(it.quantity for it in fills)
    is_done = truth.status == OrderStatus.EXECUTED
    status = (PARTIAL if fills else OPEN) if is_done else truth.status
    return replace(truth, status=status, broker_status=str(status), filled_quantity=filled,
                   fills=fills, average_price=None)  # fmt: skip


def accepted_first(truth: Update) -> Update:
    """Return a refused order as it was when it seemed to be accepted."""
    if truth.status != OrderStatus.REJECTED:
        return truth
    return replace(truth, status=OPEN, broker_status=OPEN, reason="")


def without_last_fill(truth: Update) -> Update:
    """Return a cancelled order whose last fill is told after its end."""
    return half_filled(truth) if truth.status == OrderStatus.CANCELLED else truth


_DISTORTED: Final = {
    Fault.HALF_FILLED: half_filled,
    Fault.REJECTED_LATER: accepted_first,
    Fault.FILLED_LATER: without_last_fill,
}
