"""Whom a command is about: everybody, a user, an account or a strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bahi.cli.named import account_named, user_named
from bahi.cli.standing import the_usual
from bahi.kernel.errors import Invalid

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.db.tx import Tx
    from bahi.risk.model.control import Whom

Everybody = Annotated[bool, typer.Option("--all", help="Everybody: every account of the house.")]
UserOption = Annotated[str | None, typer.Option("--user", help="All accounts of this user.")]
StrategyOption = Annotated[str | None, typer.Option("--strategy", help="This strategy's orders.")]


async def whom_meant(
    house: House, account: str | None, user: str | None, strategy: str | None, *, everybody: bool
) -> Whom:
    """Return who is meant: of several words only a strategy goes with a user."""
    from bahi.risk.model.control import Scope, Whom  # noqa: PLC0415 - for who asks

    if sum((everybody, account is not None, user is not None or strategy is not None)) > 1:
        raise Invalid("Say --all, --account, --user or --strategy; one of them.")
    await house.furnish()
    await house.instruments.catalogue()

    def read(tx: Tx) -> Whom:
        owner = None if user is None else user_named(tx, user).id
        if strategy is not None:
            return Whom(scope=Scope.STRATEGY, user_id=owner, strategy=strategy)
        if owner is not None:
            return Whom(scope=Scope.USER, user_id=owner)
        if everybody:
            return Whom(scope=Scope.GLOBAL)
        meant = the_usual(tx) if account is None else account_named(tx, account)
        return Whom(scope=Scope.ACCOUNT, account_id=meant.id)

    return await house.stores["main"].read(read, fresh=True)
