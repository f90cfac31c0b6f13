"""Switches and limits as they are kept, and what they come to on the page of an account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bahi.kernel.errors import Invalid
from bahi.portfolio.model.stops import Stops
from bahi.risk.model.limits import Dated, Limits, written


class Scope(StrEnum):
    """Whom a switch or a limit binds."""

    GLOBAL = "GLOBAL"
    USER = "USER"
    ACCOUNT = "ACCOUNT"
    STRATEGY = "STRATEGY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Everybody, a user's accounts, an account, or a strategy on the accounts of its user."""

    scope: Scope
    user_id: int | None = None
    account_id: int | None = None
    strategy: str | None = None

    def checked(self) -> Whom:
        """Return it, or say what it lacks."""
        lacks = {
            Scope.USER: self.user_id is None and "user_id: a switch over a user needs the user.",
            Scope.ACCOUNT: self.account_id is None
            and "account_id: a switch over an account needs the account.",
            Scope.STRATEGY: not self.strategy and "strategy: name the strategy.",
        }.get(self.scope)
        if lacks:
            raise Invalid(lacks)
        if self.strategy is not None and not self.strategy.isprintable():
            raise Invalid("strategy: it has characters that cannot be printed.")
        return self

    def binds(self, account_id: int, user_id: int) -> bool:
        """Say whether an account is among those."""
        if self.scope is Scope.GLOBAL:
            return True
        if self.scope is Scope.ACCOUNT:
            return self.account_id == account_id
        return self.user_id in {None, user_id}

    @property
    def place(self) -> str:
        """Whose limits they are, whatever the strategy: those of another do not replace them."""
        return str(self.scope) if self.user_id is None else f"{self.scope}:{self.user_id}"

    def __str__(self) -> str:
        return {
            Scope.GLOBAL: "all accounts",
            Scope.USER: f"user {self.user_id}",
            Scope.ACCOUNT: f"account {self.account_id}",
            Scope.STRATEGY: f"strategy {self.strategy}",
        }[self.scope]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A kill switch that is engaged: by whom, why, since when."""

    id: int
    whom: Whom
    reason: str
    by: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Limits that bind somebody from an instant on: set by whom, and why."""

    id: int
    whom: Whom
    limits: Limits
    since: datetime
    by: str
    reason: str | None


def stops_of(
    switches: Iterable[Switch], limits: Iterable[Held], account_id: int, user_id: int
) -> Stops:
    """Return what stands on the page of an account, of all that is engaged and set."""
    mine = [it for it in switches if it.whom.binds(account_id, user_id)]
    newest = max(mine, key=lambda it: (it.since, it.id), default=None)
    scopes = {it.whom.scope for it in mine}
    named = {it.whom.strategy for it in mine if it.whom.strategy is not None}
    return Stops(
        globally=Scope.GLOBAL in scopes,
        for_user=Scope.USER in scopes,
        for_account=Scope.ACCOUNT in scopes,
        strategies=tuple(sorted(named)),
        reason=None if newest is None else newest.reason,
        since=None if newest is None else newest.since,
        limits=written(
            Dated(it.since, it.whom.place, it.whom.strategy, it.limits)
            for it in limits
            if it.whom.binds(account_id, user_id)
        ),
    )
