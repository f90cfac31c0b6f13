"""`bahi risk`: limits and switches, straight on the stores: also while the service is down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bahi.cli import stopping
from bahi.cli.named import ME, when
from bahi.cli.standing import AccountOption, at_books
from bahi.cli.terminal import AsJson, in_house, say, show_json, show_table
from bahi.cli.whom import Everybody, StrategyOption, UserOption, whom_meant
from bahi.kernel.errors import Invalid
from bahi.kernel.money import parse_money, plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bahi.bootstrap import House
    from bahi.bootstrap.looking import Kept
    from bahi.risk.model.control import Held, Switch, Whom
    from bahi.risk.model.limits import Limits
    from bahi.risk.model.violation import Violation

app = typer.Typer(help="Limits and kill switches.", no_args_is_help=True)
app.add_typer(stopping.app)

MONEY: Final = ("daily_loss", "position_value", "order_value")
COUNTS: Final = ("orders_a_day", "open_orders")
NONE: Final = "none"

Rupees = Annotated[str | None, typer.Option(help="In rupees, or none.")]
Count = Annotated[str | None, typer.Option(help="How many, or none.")]


@app.command()
def show(*, account: AccountOption = None, as_json: AsJson = False) -> None:
    """Show the limits and the switches that bind an account."""
    held, engaged = at_books(account, _binding)
    if as_json:
        show_json(
            {
                "limits": [
                    {"whom": str(whom), "since": when(since), **_told(limits)}
                    for whom, since, limits in held
                ],
                "switches": [_told_switch(it) for it in engaged],
            }
        )
        return
    rows = [
        (name.replace("_", " "), value, whom.scope.lower(), when(since))
        for whom, since, limits in held
        for name, value in _told(limits).items()
        if value is not None
    ]
    show_table(("limit", "is", "for", "since (IST)"), rows)
    for it in engaged:
        say(f"{it.by} stopped entries of {it.whom} at {when(it.since)}: {it.reason}")


async def _binding(
    house: House, kept: Kept
) -> tuple[list[tuple[Whom, datetime, Limits]], list[Switch]]:
    from bahi.bootstrap.risks import engaged, held  # noqa: PLC0415 - for who looks

    account, user = kept.account.id, kept.account.user_id
    now = house.clock()
    limits = [
        (whom, newest.since, newest.limits)
        for whom, many in (await held(house, ME)).items()
        if whom.binds(account, user) and (newest := _newest(many, now)) is not None
    ]
    return limits, [it for it in await engaged(house, ME) if it.whom.binds(account, user)]


@app.command()
def limit(
    *,
    daily_loss: Rupees = None,
    position_value: Rupees = None,
    order_value: Rupees = None,
    orders_a_day: Count = None,
    open_orders: Count = None,
    at_once: Annotated[
        str | None, typer.Option("--at-once", help="Why what is loosened cannot wait a day.")
    ] = None,
    everybody: Everybody = False,
    user: UserOption = None,
    strategy: StrategyOption = None,
    account: AccountOption = None,
) -> None:
    """Hold somebody to limits: tightened at once, loosened from the next day on."""
    said = {
        "daily_loss": daily_loss,
        "position_value": position_value,
        "order_value": order_value,
        "orders_a_day": orders_a_day,
        "open_orders": open_orders,
    }
    changes = {name: _limit(name, it) for name, it in said.items() if it is not None}
    if not changes:
        raise Invalid("Say which limit: --daily-loss, --order-value, --orders-a-day, ...")

    async def change(house: House) -> tuple[Whom, datetime]:
        from bahi.bootstrap.risks import held, hold  # noqa: PLC0415 - for who changes limits
        from bahi.kernel.altered import altered  # noqa: PLC0415
        from bahi.risk.model.limits import NO_LIMITS  # noqa: PLC0415

        whom = await whom_meant(house, account, user, strategy, everybody=everybody)
        many = (await held(house, ME)).get(whom, [])
        newest = _newest(many, house.clock())
        known = NO_LIMITS if newest is None else newest.limits
        wanted = altered(known, **changes)
        return whom, await hold(house, ME, whom, wanted, at_once=at_once)

    whom, since = in_house(change)
    typer.echo(f"The limits of {whom} hold from {when(since)} on.")


@app.command()
def violations(
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500)] = 50,
    account: AccountOption = None,
    as_json: AsJson = False,
) -> None:
    """Show the limits that an account ran into, the newest first."""

    async def look(_: House, kept: Kept) -> list[Violation]:
        from bahi.risk.service import violations_of  # noqa: PLC0415 - for who looks

        return await kept.store.read(violations_of, kept.account.id, None, limit, fresh=True)

    found = at_books(account, look)
    if as_json:
        show_json(
            [
                {
                    "id": str(it.id),
                    "at": when(it.at),
                    "type": it.kind,
                    "limit": it.limit_text,
                    "actual": it.actual_text,
                    "order_id": None if it.order_id is None else str(it.order_id),
                    "message": it.message,
                }
                for it in found
            ]
        )
        return
    rows = [(when(it.at), it.kind, it.limit_text, it.actual_text) for it in found]
    show_table(("at (IST)", "what", "limit", "was"), rows)
    if not found:
        say("No limit was run into.")


def _limit(name: str, said: str) -> int | None:
    if said.strip().casefold() == NONE:
        return None
    if name in MONEY:
        return parse_money(said, name)
    if not said.strip().isdecimal():
        raise Invalid(f"{name}: {said[:20]!r} is no number; write 200, or none.")
    return int(said)


def _newest(many: list[Held], now: datetime) -> Held | None:
    binding = [it for it in many if it.since <= now]
    return max(binding, key=lambda it: (it.since, it.id), default=None)


def _told(limits: Limits) -> Mapping[str, Any]:
    money = {name: None if (it := getattr(limits, name)) is None else plain(it) for name in MONEY}
    return {**money, **{name: getattr(limits, name) for name in COUNTS}}


def _told_switch(it: Switch) -> dict[str, Any]:
    return {"whom": str(it.whom), "by": it.by, "reason": it.reason, "since": when(it.since)}
