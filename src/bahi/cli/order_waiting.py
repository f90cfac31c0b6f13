"""`bahi order approve`, `decline` and `conclude`: what only a person decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from bahi.cli.order_table import end_with
from bahi.cli.standing import AccountOption, at_desk
from bahi.cli.terminal import AsJson

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.orders.model.order import Order
    from bahi.orders.service.desk import Desk

app = typer.Typer()

OrderId = Annotated[int, typer.Argument(metavar="ORDER", min=1, help="Its id.")]


@app.command()
def approve(order: OrderId, *, account: AccountOption = None, as_json: AsJson = False) -> None:
    """Let an order go out that waits for a person."""
    from bahi.orders.service.waiting import approve_order  # noqa: PLC0415 - for who approves

    _by_a_person(lambda desk: approve_order(desk, order), account, as_json=as_json)


@app.command()
def decline(
    order: OrderId,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    account: AccountOption = None,
    as_json: AsJson = False,
) -> None:
    """End an order that waits for a person."""
    from bahi.orders.service.waiting import decline_order  # noqa: PLC0415 - for who declines

    _by_a_person(
        lambda desk: decline_order(desk, order, reason), account, as_json=as_json, ends_well=True
    )


@app.command()
def conclude(
    order: OrderId,
    *,
    reason: Annotated[str, typer.Option("--reason", help="How you know that it never traded.")],
    account: AccountOption = None,
    as_json: AsJson = False,
) -> None:
    """End an UNKNOWN order of a day that is over, of which you know that it never traded."""
    from bahi.orders.service.concluding import conclude_order  # noqa: PLC0415 - for who concludes

    _by_a_person(
        lambda desk: conclude_order(desk, order, reason), account, as_json=as_json, ends_well=True
    )


def _by_a_person(
    work: Callable[[Desk], Awaitable[Order]],
    account: str | None,
    *,
    as_json: bool,
    ends_well: bool = False,
) -> None:
    async def do(_: House, desk: Desk) -> Order:
        return await work(desk)

    end_with(at_desk(account, do), as_json=as_json, ends_well=ends_well)
