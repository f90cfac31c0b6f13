"""Rates, kept: what comes with Bahi, what people enter, and what the house reads of them.

A change bumps the topic `rates`, so that every process knows of it within a second.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol

from bahi.audit.service import note
from bahi.db.revisions import bump
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.errors import Forbidden, Invalid, NotFound
from bahi.portfolio.model.rates import EveryPlan, Rate
from bahi.portfolio.model.shipped import RELEASE, shipped
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.repository import rates as rows

TOPIC: Final = "rates"


class Numbers(Protocol):
    """Knows how often a thing changed (`db.revisions.Revisions`)."""

    def number(self, topic: str) -> int | None:
        """Return the topic's number, None where it is not known freshly."""


async def furnish_rates(main: Store, now: datetime) -> None:
    """Enter the rates of this release where an older one's stand, or none."""
    if await main.read(rows.newest_release, fresh=True) < RELEASE:
        await main.write(furnish, now)


def furnish(tx: Tx, now: datetime) -> None:
    """Put this release's rates in the place of an older one's; what people entered stays."""
    bump(tx, TOPIC)  # first of all: who else furnishes waits here, and then finds it done
    if rows.newest_release(tx) < RELEASE:
        rows.remove_shipped(tx)
        rows.add(tx, shipped(), now)


def list_rates(tx: Tx) -> tuple[Rate, ...]:
    """Return all rates, by charge and first day."""
    return rows.every(tx)


def enter_rate(tx: Tx, actor: Actor, rate: Rate, now: datetime) -> Rate:
    """Enter a rate of a person's; it goes before those that came with Bahi."""
    require_admin(actor)
    _check(rate)
    entered = replace(rate, id=tx.new_id(), release=None)
    rows.add(tx, [entered], now)
    note(tx, actor, "enter", ("charge_rate", entered.id), now, new=told(entered))
    bump(tx, TOPIC)
    return entered


def change_rate(tx: Tx, actor: Actor, rate_id: int, rate: Rate, now: datetime) -> Rate:
    """Put another rate in the place of one that a person entered."""
    known = _of_a_person(tx, actor, rate_id)
    _check(rate)
    changed = replace(rate, id=rate_id, release=None)
    rows.remove(tx, rate_id)
    rows.add(tx, [changed], now)
    note(tx, actor, "change", ("charge_rate", rate_id), now, old=told(known), new=told(changed))
    bump(tx, TOPIC)
    return changed


def remove_rate(tx: Tx, actor: Actor, rate_id: int, now: datetime) -> Rate:
    """Remove a rate that a person entered; what came with Bahi holds again."""
    known = _of_a_person(tx, actor, rate_id)
    rows.remove(tx, rate_id)
    note(tx, actor, "remove", ("charge_rate", rate_id), now, old=told(known))
    bump(tx, TOPIC)
    return known


def _of_a_person(tx: Tx, actor: Actor, rate_id: int) -> Rate:
    require_admin(actor)
    known = rows.find(tx, rate_id)
    if known is None:
        raise NotFound(f"There is no rate {rate_id}.")
    if known.is_shipped:
        raise Forbidden(
            f"Rate {rate_id} came with Bahi and is corrected by its releases; enter one of your"
            " own from the day on, and that goes before it."
        )
    return known


def _check(rate: Rate) -> None:
    if rate.rate is None and rate.amount is None:
        raise Invalid("A rate needs a rate or an amount; 0 says that nothing is charged.")
    for name in ("rate", "amount", "at_most", "at_least"):
        if (getattr(rate, name) or 0) < 0:
            raise Invalid(f"{name}: nothing is charged below zero; give 0 or more.")
    if rate.valid_until is not None and rate.valid_until < rate.valid_from:
        raise Invalid(f"valid_until: {rate.valid_until} lies before {rate.valid_from}.")


def told(rate: Rate) -> dict[str, Any]:
    """Write a rate as programs read it."""
    names = (
        "charge", "basis", "plan", "segment", "kind", "product", "side", "condition", "rate",
        "amount", "at_most", "at_least", "valid_from", "valid_until", "is_verified", "source",
    )  # fmt: skip
    found = {name: getattr(rate, name) for name in names}
    texts = {"charge", "basis", "segment", "kind", "product", "side", "valid_from", "valid_until"}
    return {name: str(it) if name in texts else it for name, it in found.items() if it is not None}


class LiveRates:
    """Rates as the house asks them: from memory while nothing has changed."""

    def __init__(self, main: Store, revisions: Numbers) -> None:
        self._main, self._revisions = main, revisions
        self._plans = EveryPlan()
        self._number: int | None = None

    async def terms(self, plan: str) -> Terms:
        """Return the terms of a plan, never older than a second."""
        plans = await self.plans()
        return Terms(plan=plan, rates=plans.of(plan))

    async def plans(self) -> EveryPlan:
        """Return the rates of all plans, never older than a second."""
        number = self._revisions.number(TOPIC)
        if number is not None and number == self._number:
            return self._plans
        rates = await self._main.read(rows.every, fresh=True)
        if rates != self._plans.rates:
            self._plans = EveryPlan(rates)
        self._number = number  # as old as the number or newer, never older
        return self._plans
